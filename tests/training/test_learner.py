"""What the networks of a training take over from saved models, and what only the saved model does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agegender.training.learner import contract_model, learner, take_weights
from agegender.training.recipe import Recipe, override
from agegender.training.recipes import default_recipe


def small(soften: str) -> Recipe:
    recipe = default_recipe("A", drawn=True)
    for path, value in (
        ("network.stem_channels", "[8, 8]"), ("network.stage_channels", "[8, 8]"), ("network.stage_blocks", "[1, 1]"),
        ("network.soften_noise", soften),
    ):  # fmt: skip
        recipe = override(recipe, path, value)
    return recipe


def test_a_model_that_softens_noise_may_begin_with_one_that_does_not(tmp_path: Path) -> None:
    models = []
    for name, soften in (("plain", "0.0"), ("soft", "0.85")):
        recipe = small(soften)
        contract_model(recipe, learner(recipe).model).save(tmp_path / f"{name}.keras")
        models.append((recipe, tmp_path / f"{name}.keras"))
    students = [learner(small(soften)).model for soften in ("0.0", "0.85")]
    for student in students:
        take_weights(student, models)
    for one, other in zip(students[0].get_weights(), students[1].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_the_saved_model_softens_and_only_noise() -> None:
    plain, soft = small("0.0"), small("0.85")
    student = learner(plain).model
    rng = np.random.default_rng(1)
    for variable in student.trainable_weights:  # weights at their start answer every image alike
        variable.assign(variable + rng.normal(0, 0.1, variable.shape))
    models = [contract_model(recipe, student) for recipe in (plain, soft)]
    clear = np.full((2, 128, 128, 3), 0.5, np.float32) + np.linspace(0, 0.3, 128, dtype=np.float32)[:, None]
    noise = np.clip(clear + rng.normal(0, 12 / 255, clear.shape), 0, 1).astype(np.float32)
    (same, still), (one, other) = ([np.asarray(model(images)[0]) for model in models] for images in (clear, noise))
    np.testing.assert_allclose(same, still, atol=1e-3)
    assert np.abs(one - other).max() > 0.01
    names = {layer.name for layer in models[1].layers} - {layer.name for layer in models[0].layers}
    assert names
    assert all(name.startswith("noise_") for name in names), names
    assert len(learner(soft).model.get_weights()) == len(student.get_weights())
