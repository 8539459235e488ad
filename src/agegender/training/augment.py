"""Augmentation of training batches, in one place, on NumPy arrays: any backend gets the same images.

Geometry is one warp and colour one table look-up an image, so that 64 images cost a few milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """How much training images vary. Shares are probabilities an image; spreads are standard deviations.

    Attributes:
        mirror: Share mirrored left to right; faces are symmetric enough.
        rotation_degrees: Spread of the in-plane rotation; UTKFace crops are aligned to a few degrees.
        scale: Spread of the logarithm of the scale; crops differ by how tight the detector was.
        shift_pixels: Spread of the shift in each direction.
        shear: Spread of the horizontal shear, as a slope.
        aspect: Spread of the logarithm of the aspect ratio.
        brightness: Spread of an additive change, in units of the full range.
        contrast: Spread of the logarithm of the contrast.
        gamma: Spread of the logarithm of the gamma.
        colour_gain: Spread of the logarithm of each channel's gain (white balance).
        blur: Share blurred by a Gaussian of 0.4 to 1.4 pixels.
        low_resolution: Share reduced to 0.4 to 0.8 of the side and enlarged again.
        jpeg: Share compressed again at quality 25 to 75.
        noise: Share with Gaussian noise of up to 0.04 of the range.
        grey: Share turned grey; UTKFace has old photographs.
        reversed_channels: Share given blue first. 0, since the network orders channels itself.
        erase: Share with one box of 5 to 25 % of the area filled with noise.
        mixup: Share of batches in which each image is blended with another one.
        mixup_alpha: Both parameters of the Beta distribution that the blend is drawn from.
    """

    mirror: float = 0.5
    rotation_degrees: float = 8.0
    scale: float = 0.08
    shift_pixels: float = 4.0
    shear: float = 0.05
    aspect: float = 0.04
    brightness: float = 0.06
    contrast: float = 0.15
    gamma: float = 0.15
    colour_gain: float = 0.05
    blur: float = 0.15
    low_resolution: float = 0.1
    jpeg: float = 0.15
    noise: float = 0.1
    grey: float = 0.15
    reversed_channels: float = 0.0
    erase: float = 0.4
    mixup: float = 0.0
    mixup_alpha: float = 0.4

    def scaled(self, strength: float) -> Augmentation:
        """All shares and spreads times `strength`, 0..1, but for the mirror image, which is as likely a photograph."""
        kept = ("mirror", "mixup_alpha")
        values = {item.name: getattr(self, item.name) * strength for item in fields(self) if item.name not in kept}
        return replace(self, **values)


def augment_batch(images: np.ndarray, settings: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Vary each image of a batch.

    Args:
        images: (n, h, w, 3) uint8, RGB.
        settings: How much.
        rng: Where all chance comes from.

    Returns:
        (n, h, w, 3) float32 in 0..1.
    """
    varied = np.empty(images.shape, dtype=np.float32)
    for index, image in enumerate(images):
        varied[index] = augment_image(image, settings, rng)
    varied *= 1.0 / 255.0
    return varied


def augment_image(image: np.ndarray, settings: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Vary one (h, w, 3) uint8 image; the result is uint8 as well."""
    image = _warp(image, settings, rng)
    image = cv2.LUT(image, _colour_table(settings, rng))
    chance = rng.random(7)
    if chance[0] < settings.grey:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if chance[1] < settings.low_resolution:
        image = _low_resolution(image, rng)
    if chance[2] < settings.blur:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.4))
    if chance[3] < settings.noise:
        noise = rng.normal(0.0, rng.uniform(0.0, 0.04) * 255.0, image.shape)
        image = np.clip(image + noise, 0.0, 255.0).astype(np.uint8)
    if chance[4] < settings.jpeg:
        quality = int(rng.integers(25, 76))
        # The order of channels does not matter to a round trip through one and the same encoder.
        content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        image = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR))
    if chance[5] < settings.erase:
        image = _erase(image, rng)
    if chance[6] < settings.reversed_channels:
        image = image[..., ::-1]
    return image


def _warp(image: np.ndarray, settings: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Mirror, rotate, scale, shear and shift in one bilinear warp; beyond the border the image is reflected."""
    height, width = image.shape[:2]
    angle, size, aspect, shear, right, down = rng.normal(size=6) * (
        np.deg2rad(settings.rotation_degrees),
        settings.scale,
        settings.aspect,
        settings.shear,
        settings.shift_pixels,
        settings.shift_pixels,
    )
    across = np.exp(size + aspect / 2) * (-1.0 if rng.random() < settings.mirror else 1.0)
    along = np.exp(size - aspect / 2)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = rotation @ np.array([[across, shear * along], [0.0, along]])
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    offset = centre + np.array([right, down]) - matrix @ centre
    return cv2.warpAffine(
        image, np.column_stack([matrix, offset]), (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )


def _colour_table(settings: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Brightness, contrast, gamma and white balance as one table (1, 256, 3) of uint8."""
    levels = np.linspace(0.0, 1.0, 256)
    light, contrast, gamma = rng.normal(size=3) * (settings.brightness, settings.contrast, settings.gamma)
    gain = np.exp(rng.normal(0.0, settings.colour_gain, size=3))
    curve = (levels ** np.exp(gamma) - 0.5) * np.exp(contrast) + 0.5 + light
    return (np.clip(curve[:, None] * gain, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)[None]


def _low_resolution(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = image.shape[:2]
    share = rng.uniform(0.4, 0.8)
    small = cv2.resize(image, (int(width * share), int(height * share)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _erase(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fill one box with noise (Zhong et al., "Random Erasing Data Augmentation", AAAI 2020)."""
    height, width = image.shape[:2]
    area, ratio = rng.uniform(0.05, 0.25) * height * width, np.exp(rng.uniform(-1.0, 1.0))
    box_height = min(height, max(1, round(float(np.sqrt(area * ratio)))))
    box_width = min(width, max(1, round(float(np.sqrt(area / ratio)))))
    top, left = rng.integers(0, height - box_height + 1), rng.integers(0, width - box_width + 1)
    image = image.copy()
    image[top : top + box_height, left : left + box_width] = rng.integers(
        0, 256, (box_height, box_width, 3), dtype=np.uint8
    )
    return image


def mix_pairs(
    images: np.ndarray, targets: dict[str, np.ndarray], alpha: float, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Blend each example with another one of the batch, images and targets alike.

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018.

    Args:
        images: (n, h, w, 3) float32.
        targets: By output name, arrays of n rows.
        alpha: Both parameters of the Beta distribution.
        rng: Where all chance comes from.
    """
    count = len(images)
    partner = rng.permutation(count)
    share = rng.beta(alpha, alpha, size=count).astype(np.float32)

    def blend(values: np.ndarray) -> np.ndarray:
        weight = share.reshape(-1, *[1] * (values.ndim - 1))
        return values * weight + values[partner] * (1 - weight)

    return blend(images), {name: blend(values) for name, values in targets.items()}
