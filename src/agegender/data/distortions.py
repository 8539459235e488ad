"""Ways in which users' images differ from tidy crops, each at several levels, to measure what a model bears.

Every distortion is a function of an image, a level and a generator of chance; nothing here trains anything.
Source of the idea: Hendrycks, Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations", ICLR 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

Change = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True, slots=True)
class Distortion:
    """One way of changing an image.

    Attributes:
        name: For tables and files.
        title: For figures, with the unit of the level.
        levels: From one end to the other; a level that changes nothing is not among them.
        mild: Those that users meet every day; a model should bear them.
        neutral: The level at which nothing changes; None where there is no such level.
        change: (h, w, 3) uint8 RGB, level, generator to (h, w, 3) uint8.
    """

    name: str
    title: str
    levels: tuple[float, ...]
    mild: tuple[float, ...]
    neutral: float | None
    change: Change

    def apply(self, images: np.ndarray, level: float, seed: int) -> np.ndarray:
        """Change each image.

        Args:
            images: (n, h, w, 3) uint8, RGB.
            level: Any value of the distortion's unit.
            seed: Where all chance comes from.
        """
        changed = np.empty_like(images)
        for index, image in enumerate(images):
            changed[index] = self.change(np.ascontiguousarray(image), level, np.random.default_rng([seed, index]))
        return changed


def _jpeg(image: np.ndarray, quality: float, _: np.random.Generator) -> np.ndarray:
    content = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR))[..., ::-1]


def _blur(image: np.ndarray, sigma: float, _: np.random.Generator) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma)


def _noise(image: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    return _to_pixels(image + rng.normal(0.0, deviation, image.shape))


def _light(image: np.ndarray, factor: float, _: np.random.Generator) -> np.ndarray:
    return _to_pixels(image * factor)


def _tilt(image: np.ndarray, degrees: float, _: np.random.Generator) -> np.ndarray:
    return _warped(image, degrees, 1.0)


def _margin(image: np.ndarray, size: float, _: np.random.Generator) -> np.ndarray:
    return _warped(image, 0.0, 1.0 / size)


def _resolution(image: np.ndarray, side: float, _: np.random.Generator) -> np.ndarray:
    height, width = image.shape[:2]
    small = cv2.resize(image, (int(side), int(side)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _grey(image: np.ndarray, share: float, _: np.random.Generator) -> np.ndarray:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float64)
    return _to_pixels(image * (1.0 - share) + grey * share)


def _reversed(image: np.ndarray, _: float, __: np.random.Generator) -> np.ndarray:
    return image[..., ::-1]


def _to_pixels(values: np.ndarray) -> np.ndarray:
    return np.clip(values + 0.5, 0.0, 255.0).astype(np.uint8)


def _warped(image: np.ndarray, degrees: float, scale: float) -> np.ndarray:
    """Rotate and scale around the centre; what lies beyond the border is mirrored, since nobody knows it."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, scale)
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


DISTORTIONS = (
    Distortion("jpeg", "JPEG quality", (10, 20, 30, 50, 80), (30, 50, 80), None, _jpeg),
    Distortion("blur", "Gaussian blur, pixels", (0.5, 1.0, 2.0, 3.0), (0.5, 1.0), 0.0, _blur),
    Distortion("noise", "noise, of 255", (5, 10, 20, 40), (5, 10), 0.0, _noise),
    Distortion("light", "light, factor", (0.4, 0.6, 0.8, 1.2, 1.5, 2.0), (0.8, 1.2), 1.0, _light),
    Distortion("tilt", "tilt, degrees", (-30, -20, -10, 10, 20, 30), (-10, 10), 0.0, _tilt),
    Distortion("margin", "crop, width over usual", (0.8, 0.9, 1.1, 1.25, 1.5), (0.9, 1.1), 1.0, _margin),
    Distortion("resolution", "resolution, pixels", (16, 24, 32, 48, 64, 96), (64, 96), 128.0, _resolution),
    Distortion("grey", "grey, share", (0.5, 1.0), (0.5, 1.0), 0.0, _grey),
    Distortion("channel order", "blue first", (1.0,), (1.0,), 0.0, _reversed),
)
"""Of the crops: 0.9 shows nine tenths of the usual width (tighter), 1.1 a tenth more (looser, its rim mirrored)."""
