"""Face-like images for checking a model where no photographs are at hand."""

from __future__ import annotations

import numpy as np

SIZE_PIXELS = 128


def face_like_images(count: int = 333, seed: int = 0) -> np.ndarray:
    """Ovals of skin colour before a background, with eyes, a mouth, side light and noise.

    Args:
        count: How many.
        seed: The same seed gives the same images.

    Returns:
        (count, 128, 128, 3) uint8 in RGB. As among photographs, about 3 % are bluer than red.
    """
    rng = np.random.default_rng(seed)

    def one(low: float, high: float, channels: int = 1) -> np.ndarray:
        return rng.uniform(low, high, (count, 1, 1, channels)).astype(np.float32)

    y, x = np.meshgrid(*[np.linspace(-1, 1, SIZE_PIXELS, dtype=np.float32)] * 2, indexing="ij")
    y, x = y[None, ..., None], x[None, ..., None]
    tone = one(0.35, 1.0)
    skin = tone * np.array([0.95, 0.72, 0.58], np.float32) + one(-0.05, 0.05, 3)
    image = one(0, 0.8, 3) + one(-0.25, 0.25) * x + one(-0.25, 0.25) * y
    face = 1 / (1 + np.exp(12 * ((x / one(0.6, 0.85)) ** 2 + (y / one(0.8, 1.0)) ** 2 - 1)))
    image = image * (1 - face) + skin * face
    for side in (-1, 1):
        image -= one(0.2, 0.5) * np.exp(
            -(((x - side * one(0.25, 0.35)) / 0.1) ** 2) - ((y + 0.2) / one(0.03, 0.08)) ** 2
        )
    image -= np.array([0.1, 0.4, 0.4], np.float32) * np.exp(-((x / one(0.15, 0.3)) ** 2) - ((y - 0.5) / 0.06) ** 2)
    image *= 1 + one(-0.35, 0.35) * x
    image += rng.normal(0, 1, image.shape).astype(np.float32) * one(0.01, 0.08)
    cold = rng.permutation(count) < round(0.03 * count)
    image[cold] = image[cold][..., ::-1]
    return (255 * np.clip(image, 0, 1)).astype(np.uint8)
