"""Numbers of a picture that more than one kind of problem reads: its light, its detail, how unlike the others it is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

BRIGHT_SHARE = 95
"""Percentile of grey levels that counts as the bright part: a dark background does not make a picture dark."""

BLURRED_SIDE = 24
"""Pixels a side to which a picture is reduced to see what it loses."""

LEAST_IMAGES = 200
"""Fewer do not tell what is usual."""

COMPONENTS = 40
MOST_LEARNT = 20_000
_MAD_TO_DEVIATION = 1.4826


def brightness(grey: NDArray[np.uint8]) -> float:
    """Grey level of the bright part, 0..255."""
    return float(np.percentile(grey, BRIGHT_SHARE))


def lost_detail(grey: NDArray[np.uint8]) -> float:
    """What is lost when a picture is reduced to 24 x 24 pixels and enlarged again, of its contrast, 0 and more.

    Root mean square of the loss over the standard deviation of grey.
    """
    picture = grey.astype(np.float32)
    small = cv2.resize(picture, (BLURRED_SIDE, BLURRED_SIDE), interpolation=cv2.INTER_AREA)
    again = cv2.resize(small, grey.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return float(np.sqrt(np.mean(np.square(picture - again))) / max(float(picture.std()), 1e-3))


@dataclass(frozen=True, eq=False)
class Unlikeness:
    """How unlike the others each picture is.

    Turk, Pentland, "Eigenfaces for Recognition", 1991 (distance from face space); Moghaddam, Pentland, "Probabilistic
    Visual Learning for Object Representation", IEEE PAMI 1997 (distance in it).

    Attributes:
        off_plane: Distance of a picture of unit contrast from the plane of the first 40 principal components of
            others, float64 (n,), 0..1: 0 where they explain all of it.
        on_plane: How far its shadow on that plane lies from the middle, float64 (n,), in mean squared standard
            deviations of the components: near 1 for a usual picture.
    """

    off_plane: NDArray[np.float64]
    on_plane: NDArray[np.float64]

    @property
    def usual(self) -> float:
        """The median of `off_plane`."""
        return float(np.median(self.off_plane))

    @property
    def deviations(self) -> NDArray[np.float64]:
        """By how many robust standard deviations each `off_plane` lies above the median, float64 (n,)."""
        spread = _MAD_TO_DEVIATION * float(np.median(np.abs(self.off_plane - self.usual)))
        return (self.off_plane - self.usual) / max(spread, 1e-6)


def unlikeness(thumbnails: NDArray[np.uint8]) -> Unlikeness | None:
    """Hold each half of the pictures against the plane of the other: what is alone of its kind would span its own axis.

    Args:
        thumbnails: Grey, uint8 (n, side, side).

    Returns:
        None where there are fewer than 200.
    """
    count = len(thumbnails)
    if count < LEAST_IMAGES:
        return None
    pictures = thumbnails.reshape(count, -1).astype(np.float32)
    pictures -= pictures.mean(axis=1, keepdims=True)
    pictures /= np.maximum(np.linalg.norm(pictures, axis=1, keepdims=True), 1.0)
    off, on = np.empty(count), np.empty(count)
    for half in (0, 1):
        off[half::2], on[half::2] = _distances(pictures[half::2], pictures[1 - half :: 2])
    return Unlikeness(off, on)


def _distances(
    pictures: NDArray[np.float32], others: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far pictures lie from the plane that others span, and how far out on it; both (n,)."""
    others = others[:: max(1, len(others) // MOST_LEARNT)]
    middle = others.mean(axis=0)
    lengths, axes = np.linalg.eigh((others - middle).T @ (others - middle))
    plane, variances = axes[:, -COMPONENTS:], lengths[-COMPONENTS:] / len(others)
    centred = pictures - middle
    shadows = centred @ plane
    off = np.linalg.norm(centred - shadows @ plane.T, axis=1).astype(np.float64)
    return off, (np.square(shadows) / np.maximum(variances, 1e-9)).mean(axis=1).astype(np.float64)
