"""What int8 keeps: eight bits where nothing can overflow, and the mean of what the heads see."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import agegender.export.quantize as room
from agegender.errors import SettingError
from agegender.export.quantize import quantize

RNG = np.random.default_rng(5)
IMAGES = RNG.integers(0, 256, (48, 128, 128, 3)).astype(np.uint8)


def trunk_and_head() -> Any:
    """A depthwise and a pointwise convolution, pooled, and one linear head with an answer an image."""
    weights = {
        "depthwise": RNG.normal(0, 0.5, (3, 1, 3, 3)),
        "pointwise": RNG.normal(0, 0.5, (8, 3, 1, 1)),
        "head": RNG.normal(0, 3.0, (8, 1)),
        "bias": np.array([0.25]),
    }
    nodes = [
        helper.make_node("Transpose", ["image"], ["channels"], "channels", perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["channels", "depthwise"], ["a"], "a", group=3, strides=[4, 4]),
        helper.make_node("Relu", ["a"], ["b"], "b"),
        helper.make_node("Conv", ["b", "pointwise"], ["c"], "c"),
        helper.make_node("Relu", ["c"], ["d"], "d"),
        helper.make_node("GlobalAveragePool", ["d"], ["pooled"], "pooled"),
        helper.make_node("Flatten", ["pooled"], ["features"], "features"),
        helper.make_node("Gemm", ["features", "head", "bias"], ["answer"], "answer"),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 128, 128, 3])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def answers(model: Any) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return np.asarray(session.run(None, {"image": IMAGES.astype(np.float32) / 255.0})[0])


def test_depthwise_weights_have_eight_bits_and_the_others_seven() -> None:
    stored = {
        tensor.name: numpy_helper.to_array(tensor) for tensor in quantize(trunk_and_head(), IMAGES).graph.initializer
    }
    largest = {
        name: max(
            int(np.abs(value.astype(int)).max())
            for key, value in stored.items()
            if key.startswith(name) and value.dtype == np.int8
        )
        for name in ("depthwise", "pointwise")
    }
    assert largest["depthwise"] == 127
    assert 60 <= largest["pointwise"] <= 64


def test_the_heads_see_the_same_mean_as_in_float(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = trunk_and_head()
    expected = answers(plain).mean()
    corrected = abs(answers(quantize(plain, IMAGES)).mean() - expected)
    monkeypatch.setattr(room, "_correct_bias", lambda *_: None)
    as_rounded = abs(answers(quantize(plain, IMAGES)).mean() - expected)
    assert as_rounded > 1e-3
    assert corrected < 1e-4


def test_a_few_images_are_refused() -> None:
    with pytest.raises(SettingError, match="at least 16"):
        quantize(trunk_and_head(), IMAGES[:15])
