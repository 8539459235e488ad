"""What a saved model does about the noise of a camera: noisy images are softened, clear ones pass as they are.

A network that reads age off the texture of skin reads noise as texture. A blur takes the noise away, and with it the
texture of a clear image, so it must be for noisy images alone: the noise is estimated first. All of it is plain
layers with fixed weights, as in `input_layers`.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from agegender.errors import SettingError
from agegender.models.input_layers import along_both_axes, fixed_conv

NOISE = "noise"
"""How the names of these layers begin."""

MOST_SOFTENED = 3.0
"""Pixels; in a face of 128 pixels that is blurred more, no skin is seen."""

MIDDLE_LEVEL, LEVEL_WIDTH = 3.5, 0.5
"""Noise, in levels of 255, at which an image is softened by half, and how sharply that turns. Of the brief's training
crops 99 % are below 1.9; with noise of 5 added 99 % are above 4.7."""

_SECOND_DIFFERENCES = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])
"""Blind to flat and slanted areas; its answer to white noise has 6 times the noise's standard deviation."""

NOISE_OF_MAGNITUDE = math.sqrt(math.pi / 2) / 6
"""Mean absolute value of a Gaussian to its standard deviation, and the gain of the second differences."""


def gaussian_matrix(size: int, deviation: float) -> np.ndarray:
    """Gaussian blur along one axis as a matrix (size, size), columns sum to 1.

    Beyond the border the outermost pixel is repeated.

    Args:
        size: Pixels along the axis.
        deviation: Standard deviation in pixels, above 0.
    """
    reach = math.ceil(4 * deviation)
    matrix = np.zeros((size, size))
    for tap in range(-reach, reach + 1):
        source = np.clip(np.arange(size) + tap, 0, size - 1)
        np.add.at(matrix, (source, np.arange(size)), math.exp(-0.5 * (tap / deviation) ** 2))
    return matrix / matrix.sum(axis=0)


def noise_magnitudes(images: Any) -> Any:
    """Mean size of the second differences of each channel, up and down apart.

    Args:
        images: Keras tensor (batch, h, w, channels), values 0..1.

    Returns:
        Keras tensor (batch, 1, 1, 2 channels); `NOISE_OF_MAGNITUDE` times the sum over all, over the number of
        channels, is the standard deviation of the noise. Source: Immerkaer, "Fast Noise Variance Estimation", Computer
        Vision and Image Understanding, 1996.
    """
    channels = images.shape[-1]
    # Two kernels of opposite sign and a ReLU: together the absolute value, of which Keras has no layer.
    layer = keras.layers.DepthwiseConv2D(
        3, depth_multiplier=2, activation="relu", use_bias=False, trainable=False, dtype="float32", name=f"{NOISE}_fine"
    )
    fine = layer(images)
    both = np.stack([_SECOND_DIFFERENCES, -_SECOND_DIFFERENCES], axis=-1)
    layer.set_weights([np.repeat(both[:, :, None], channels, axis=2).astype("float32")])
    return keras.layers.GlobalAveragePooling2D(keepdims=True, dtype="float32", name=f"{NOISE}_magnitude")(fine)


def noise_softened(images: Any, blur_pixels: float) -> Any:
    """Blur images as far as they are noisy.

    Args:
        images: Keras tensor (batch, n, n, channels), values 0..1.
        blur_pixels: Standard deviation of the Gaussian blur of a noisy image; 0 leaves all as they are.

    Returns:
        Keras tensor of the same shape; the same tensor when nothing is blurred.

    Raises:
        SettingError: The blur is below 0 or leaves nothing to be seen.
    """
    if not 0.0 <= blur_pixels <= MOST_SOFTENED:
        raise SettingError(f"soften_noise must be from 0 to {MOST_SOFTENED:g} pixels. Received: {blur_pixels:g}")
    if not blur_pixels:
        return images
    magnitudes = noise_magnitudes(images)
    per_level = 255.0 * NOISE_OF_MAGNITUDE / images.shape[-1] / LEVEL_WIDTH
    kernel, bias = np.full((magnitudes.shape[-1], 1), per_level), np.array([-MIDDLE_LEVEL / LEVEL_WIDTH])
    is_noisy = fixed_conv(kernel, magnitudes, f"{NOISE}_is_there", "sigmoid", bias)
    is_clear = fixed_conv(-kernel, magnitudes, f"{NOISE}_is_not", "sigmoid", -bias)
    blurred = along_both_axes(images, gaussian_matrix(images.shape[2], blur_pixels), f"{NOISE}_blur")
    keep = keras.layers.Multiply(dtype="float32", name=f"{NOISE}_keep")([images, is_clear])
    soften = keras.layers.Multiply(dtype="float32", name=f"{NOISE}_soften")([blurred, is_noisy])
    return keras.layers.Add(dtype="float32", name=f"{NOISE}_softened")([keep, soften])
