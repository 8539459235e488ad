"""AveragingAdamW against the formulas, step by step."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from agegender.training.optimizer import AveragingAdamW

RATE, DECAY, AVERAGE = 0.01, 0.1, 0.9


def variables() -> list[keras.Variable]:
    return [
        keras.Variable(np.array([1.0, -2.0], dtype="float32"), name="kernel"),
        keras.Variable(np.array([0.5, 0.5], dtype="float32"), name="bias"),
    ]


def optimizer(**changes: object) -> AveragingAdamW:
    settings = {"decay": DECAY, "average_decay": AVERAGE, "clip_norm": 1e9} | changes
    return AveragingAdamW(RATE, **settings)  # type: ignore[arg-type]


def test_a_step_is_adamw_and_bias_is_not_decayed() -> None:
    both, gradients = variables(), [np.array([1.0, -1.0], "float32"), np.array([1.0, 1.0], "float32")]
    reference = variables()
    adamw = keras.optimizers.AdamW(RATE, weight_decay=DECAY)
    adamw.exclude_from_weight_decay(var_names=["bias"])
    own = optimizer()
    for _ in range(5):
        own.apply([keras.ops.convert_to_tensor(g) for g in gradients], both)
        adamw.apply([keras.ops.convert_to_tensor(g) for g in gradients], reference)
    for found, wanted in zip(both, reference, strict=True):
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-5)


def test_the_average_follows_its_formula_and_finalising_leaves_the_weights() -> None:
    both = variables()
    own = optimizer()
    own.build(both)
    averages = [np.zeros_like(variable.numpy()) for variable in both]
    for step in range(5):
        own.apply([keras.ops.ones(2), keras.ops.ones(2)], both)
        decay = min(AVERAGE, step / (9 + step))
        averages = [decay * a + (1 - decay) * v.numpy() for a, v in zip(averages, both, strict=True)]
    for found, wanted in zip(own.averages(), averages, strict=True):
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5)
    raw = [variable.numpy().copy() for variable in both]
    own.finalize_variable_values(both)
    for variable, value in zip(both, raw, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_multipliers_slow_a_variable_down() -> None:
    both = variables()
    before = [variable.numpy().copy() for variable in both]
    own = optimizer(multipliers={both[0].path: 0.1}, decay=0.0)
    own.apply([keras.ops.ones(2), keras.ops.ones(2)], both)
    slow, fast = (np.abs(v.numpy() - b) for v, b in zip(both, before, strict=True))
    np.testing.assert_allclose(slow, fast * 0.1, rtol=1e-3)


def test_gradients_are_clipped_together() -> None:
    both, large = variables(), [keras.ops.full((2,), 30.0), keras.ops.full((2,), 40.0)]
    own = optimizer(clip_norm=1.0, decay=0.0)
    own.apply(large, both)
    first = own.variables
    moments = [v for v in first if "momentum" in v.path]
    norm = np.sqrt(sum(float((m.numpy() / 0.1) ** 2 @ np.ones(2)) for m in moments))
    assert norm == pytest.approx(1.0, rel=1e-3)
