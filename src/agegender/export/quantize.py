"""A float32 ONNX model to int8: convolutions of the trunk in 8 bits, what decides channel order and age in float.

The format is QDQ with unsigned activations and signed weights a channel, the fastest on CPUs here. Source: Jacob et
al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agegender.errors import ModelError, SettingError
from agegender.inference.manifest import IMAGE
from agegender.optional import require

if TYPE_CHECKING:
    import onnx

QUANTIZED = ("Conv", "Add", "Mul", "Relu", "Clip", "MaxPool", "AveragePool")
"""Operators that run in 8 bits; pooled features, the heads and the age stay in float."""

FLOAT_LAYERS = re.compile(r"(^|/)(order_|noise_|mirror_|resize_|standardise|imagenet_scale)")
"""Layers of `models.input_layers` and what scales the pixels: fixed arithmetic whose exactness the contract needs."""

CALIBRATION_IMAGES = 256
CALIBRATION_BATCH = 32

SEVEN_BIT_WEIGHTS = True
"""CPUs without VNNI add pairs of products in 16 bits, which 8-bit weights can overflow. With 7 bits every machine gives
the answer that the parity gate has seen. Depthwise convolutions, which are added up in 32 bits, keep 8: with 7 they
cost a MobileNet-like trunk most of its exactness."""


def quantize(model: onnx.ModelProto, images: np.ndarray) -> onnx.ModelProto:
    """Quantise a model from `onnx.to_onnx`.

    Args:
        model: float32.
        images: What activations' ranges are taken from: uint8 (n, 128, 128, 3), at least 16 of them, like those that
            the model will meet.

    Returns:
        A model with the same inputs and outputs, in float32.

    Raises:
        SettingError: Too few images.
        ModelError: No convolution could be quantised.
    """
    if len(images) < 16:
        raise SettingError(f"Calibration of int8 needs at least 16 images. Received: {len(images)}")
    tools: Any = require("onnxruntime.quantization", "export")
    onnx = require("onnx", "export")
    with tempfile.TemporaryDirectory() as folder, _quiet():
        plain, ready, small = (str(Path(folder) / f"{name}.onnx") for name in ("plain", "ready", "small"))
        onnx.save(model, plain)
        tools.quant_pre_process(plain, ready, skip_symbolic_shape=True)
        prepared = onnx.load(ready)
        tools.quantize_static(
            ready,
            small,
            _reader(tools, images),
            quant_format=tools.QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTIZED),
            per_channel=True,
            reduce_range=SEVEN_BIT_WEIGHTS,
            activation_type=tools.QuantType.QUInt8,
            weight_type=tools.QuantType.QInt8,
            nodes_to_exclude=_left_in_float(prepared),
            calibrate_method=tools.CalibrationMethod.MinMax,
            extra_options={"TensorQuantOverrides": _depthwise_weights(tools, prepared)},
        )
        quantized = onnx.load(small)
    if not any(node.op_type == "QuantizeLinear" for node in quantized.graph.node):
        raise ModelError("No convolution of the model could be quantised. Export it with --no-int8.")
    _correct_bias(prepared, quantized, images)
    onnx.checker.check_model(quantized)
    return quantized


def _depthwise_weights(tools: Any, model: Any) -> dict[str, list[dict[str, Any]]]:
    """How the weights of depthwise convolutions are stored: 8 bits a channel, whatever `SEVEN_BIT_WEIGHTS` says."""
    eight_bits = {"quant_type": tools.QuantType.QInt8, "axis": 0, "symmetric": True, "reduce_range": False}
    stored = {tensor.name for tensor in model.graph.initializer}
    depthwise = {
        node.input[1]
        for node in model.graph.node
        if node.op_type == "Conv" and any(given.name == "group" and given.i > 1 for given in node.attribute)
    }
    return {name: [dict(eight_bits)] for name in sorted(depthwise & stored)}


def _correct_bias(plain: Any, quantized: Any, images: np.ndarray) -> None:
    """Move the biases of the heads, so that their inputs' mean over the images is again that of float32.

    Rounded weights shift what a layer answers on average; the heads are linear, so their biases can take it back.
    Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019.

    Args:
        plain: The float32 model that was quantised.
        quantized: Changed in place.
        images: uint8 (n, 128, 128, 3).
    """
    numpy_helper = importlib.import_module("onnx.numpy_helper")
    stored = {tensor.name: tensor for tensor in quantized.graph.initializer}
    linear = [node for node in quantized.graph.node if node.op_type == "Gemm" and set(node.input[1:]) <= set(stored)]
    if not linear:
        return
    features = linear[0].input[0]
    shift = _mean(plain, features, images) - _mean(quantized, features, images)
    for head in linear:
        if head.input[0] == features and len(head.input) == 3:
            weights, bias = (numpy_helper.to_array(stored[name]) for name in head.input[1:])
            corrected = (bias + shift @ weights).astype(bias.dtype)
            stored[head.input[2]].CopyFrom(numpy_helper.from_array(corrected, head.input[2]))


def _mean(model: Any, tensor: str, images: np.ndarray) -> np.ndarray:
    """The mean of a tensor inside a model over images: (features,)."""
    onnx = require("onnx", "export")
    open_model = onnx.ModelProto()
    open_model.CopyFrom(model)
    open_model.graph.output.append(onnx.helper.make_tensor_value_info(tensor, onnx.TensorProto.FLOAT, None))
    session = importlib.import_module("onnxruntime").InferenceSession(open_model.SerializeToString())
    parts = [session.run([tensor], {IMAGE: batch})[0] for batch in _batches(images)]
    return np.concatenate(parts).mean(axis=0)


def _batches(images: np.ndarray) -> Iterator[np.ndarray]:
    """In the form that the exported model takes."""
    for start in range(0, len(images), CALIBRATION_BATCH):
        yield images[start : start + CALIBRATION_BATCH].astype(np.float32) / 255.0


def _left_in_float(model: Any) -> list[str]:
    """Names of nodes before the trunk, and of convolutions on maps of one pixel, where 8 bits cost and gain nothing."""
    sizes = {
        value.name: [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        for value in (*model.graph.value_info, *model.graph.output)
    }
    left = []
    for node in model.graph.node:
        if node.op_type not in QUANTIZED:
            continue
        one_pixel = sizes.get(node.output[0], [0])[2:] == [1, 1]
        if one_pixel or _before_the_trunk(node):
            left.append(node.name)
    return left


def _before_the_trunk(node: Any) -> bool:
    return any(FLOAT_LAYERS.search(name) for name in (node.name, *node.output))


def _reader(tools: Any, images: np.ndarray) -> Any:
    """What onnxruntime's calibration asks for batches, one at a time."""

    class Reader(tools.CalibrationDataReader):
        def __init__(self) -> None:
            self._batches = _batches(images)

        def get_next(self) -> dict[str, np.ndarray] | None:
            batch = next(self._batches, None)
            return None if batch is None else {IMAGE: batch}

    return Reader()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what goes through the root logger: onnxruntime's advice to preprocess, which was done."""
    former = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(former)
