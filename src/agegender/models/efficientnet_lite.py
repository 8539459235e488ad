"""EfficientNet-Lite0 and -Lite2 without their classifiers, in built-in layers, with ImageNet weights for Lite0.

Sources: Tan, Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019, in the Lite
form of its authors (ReLU6, no squeeze-excite, fixed stem and head). Weights: see `weights/NOTICE.md`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import resources
from typing import Any

import keras
import numpy as np

from agegender.errors import ModelError
from agegender.models.input_layers import IMAGE_SIZE, RESIZE, resized
from agegender.models.network import image_input

NORM_MOMENTUM = 0.9
"""Batch norm keeps a tenth of each batch: a fine-tuning run has hundreds of steps, not the millions of ImageNet."""

WEIGHTS_FILE = "efficientnet_lite0_imagenet_float16.npz"


@dataclass(frozen=True)
class _Stage:
    kernel: int
    repeats: int
    channels: int
    expansion: int
    stride: int


_STAGES = (
    _Stage(kernel=3, repeats=1, channels=16, expansion=1, stride=1),
    _Stage(kernel=3, repeats=2, channels=24, expansion=6, stride=2),
    _Stage(kernel=5, repeats=2, channels=40, expansion=6, stride=2),
    _Stage(kernel=3, repeats=3, channels=80, expansion=6, stride=2),
    _Stage(kernel=5, repeats=3, channels=112, expansion=6, stride=1),
    _Stage(kernel=5, repeats=4, channels=192, expansion=6, stride=2),
    _Stage(kernel=3, repeats=1, channels=320, expansion=6, stride=1),
)
STEM_CHANNELS, HEAD_CHANNELS, CHANNEL_MULTIPLE = 32, 1280, 8

WIDTH_DEPTH = {"EfficientNetLite0": (1.0, 1.0), "EfficientNetLite2": (1.1, 1.2)}
"""Multipliers of channels and of repeats."""


def _scaled_channels(channels: int, width: float) -> int:
    scaled = channels * width
    rounded = max(CHANNEL_MULTIPLE, int(scaled + CHANNEL_MULTIPLE / 2) // CHANNEL_MULTIPLE * CHANNEL_MULTIPLE)
    return rounded + CHANNEL_MULTIPLE if rounded < 0.9 * scaled else rounded


def _norm(x: Any, name: str) -> Any:
    return keras.layers.BatchNormalization(epsilon=1e-3, momentum=NORM_MOMENTUM, name=f"{name}_bn")(x)


def _norm_act(x: Any, name: str) -> Any:
    return keras.layers.ReLU(max_value=6.0, name=f"{name}_act")(_norm(x, name))


def _block(x: Any, stage: _Stage, channels: int, stride: int, drop_path: float, name: str) -> Any:
    """Inverted residual: expand by 1x1, filter each channel, project by 1x1."""
    block_input, inner = x, x.shape[-1] * stage.expansion
    if stage.expansion > 1:
        x = keras.layers.Conv2D(inner, 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = _norm_act(x, f"{name}_expand")
    x = keras.layers.DepthwiseConv2D(stage.kernel, stride, "same", use_bias=False, name=f"{name}_dw_conv")(x)
    x = _norm_act(x, f"{name}_dw")
    x = keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = _norm(x, f"{name}_project")
    if stride == 1 and block_input.shape[-1] == channels:
        if drop_path:
            x = keras.layers.Dropout(drop_path, noise_shape=(None, 1, 1, 1), name=f"{name}_drop_path")(x)
        x = keras.layers.Add(name=f"{name}_add")([block_input, x])
    return x


def build_efficientnet_lite(
    variant: str = "EfficientNetLite0", *, drop_path: float = 0.0, side: int = IMAGE_SIZE
) -> keras.Model:
    """The network at a random start.

    Args:
        variant: `EfficientNetLite0` or `EfficientNetLite2`.
        drop_path: Probability that the last residual branch is dropped while training; earlier ones less, linearly.
        side: Height and width to which images are enlarged first; a multiple of 32.

    Returns:
        Model from (batch, 128, 128, 3) in 0..1 to (batch, side / 32, side / 32, 1280).
    """
    width, depth = WIDTH_DEPTH[variant]
    images = image_input()
    # The weights were learnt on (pixel - 127) / 128.
    x = keras.layers.Rescaling(255.0 / 128.0, -127.0 / 128.0, name="imagenet_scale")(resized(images, side))
    x = keras.layers.Conv2D(STEM_CHANNELS, 3, 2, "same", use_bias=False, name="stem_conv")(x)
    x = _norm_act(x, "stem")
    repeats = [
        stage.repeats if first_or_last else math.ceil(stage.repeats * depth)
        for stage, first_or_last in zip(_STAGES, (True, *[False] * (len(_STAGES) - 2), True), strict=True)
    ]
    total, index = sum(repeats), 0
    for stage, count in zip(_STAGES, repeats, strict=True):
        channels = _scaled_channels(stage.channels, width)
        for repeat in range(count):
            stride = stage.stride if repeat == 0 else 1
            x = _block(x, stage, channels, stride, drop_path * index / total, f"block{index}")
            index += 1
    x = keras.layers.Conv2D(HEAD_CHANNELS, 1, use_bias=False, name="head_conv")(x)
    return keras.Model(images, _norm_act(x, "head"), name=variant.lower())


def packaged_weights() -> dict[str, np.ndarray]:
    """The ImageNet weights of Lite0 that travel with the package, by `layer/position`, as float32."""
    with resources.files("agegender.models").joinpath("weights", WEIGHTS_FILE).open("rb") as file:
        archive = np.load(file)
        return {key: archive[key].astype("float32") for key in archive.files}


def weights_by_layer(model: keras.Model) -> dict[str, np.ndarray]:
    """Every weight of a model under `layer/position`, the form in which weights are packed."""
    return {
        f"{layer.name}/{position}": value
        for layer in _learning_layers(model)
        for position, value in enumerate(layer.get_weights())
    }


def _learning_layers(model: keras.Model) -> list[keras.Layer]:
    """All layers but those that enlarge the image: their kernels are fixed, no part of the network's weights."""
    return [layer for layer in model.layers if not layer.name.startswith(RESIZE)]


def set_weights_by_layer(model: keras.Model, weights: dict[str, np.ndarray], source: str) -> None:
    """Give a model weights that are packed under `layer/position`.

    Raises:
        ModelError: A layer is missing or shaped otherwise; the model is left as it was.
    """
    wanted = weights_by_layer(model)
    missing = sorted(set(wanted) - set(weights))
    if missing:
        raise ModelError(
            f"{source} does not fit {model.name}: it lacks {len(missing)} of {len(wanted)} weights, such as "
            f"{missing[0]}. Give the weights of this very network without its classifier."
        )
    unlike = [key for key, value in wanted.items() if value.shape != weights[key].shape]
    if unlike:
        key = unlike[0]
        raise ModelError(
            f"{source} does not fit {model.name}: {key} has shape {weights[key].shape}, expected "
            f"{wanted[key].shape}. Give the weights of this very network without its classifier."
        )
    for layer in _learning_layers(model):
        count = len(layer.get_weights())
        if count:
            layer.set_weights([weights[f"{layer.name}/{position}"] for position in range(count)])
