"""How the same photograph may have been cut, turned or mirrored, and a descriptor of each view of a thumbnail.

A view is a linear map of a thumbnail's pixels, and so is the discrete cosine transform after it: both are one matrix,
so that the descriptors of a million images seen in one way are one matrix product.

The descriptor: the lowest 8 x 8 coefficients of the DCT without the first (brightness), brought to unit length
(contrast), made comparable by each coefficient's mean and spread over the data, brought to unit length again. Taking
the mean away takes away what all aligned faces share, which is most of them. Low coefficients of the DCT as the
signature of a picture: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010 (pHash).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agegender.audit.faces import THUMBNAIL_SIDE

FREQUENCIES = 8
DESCRIPTOR_LENGTH = FREQUENCIES**2 - 1

BLOCK_ROWS = 65_536
"""Rows in flight: 270 MB of thumbnails as float32."""

FLAT_LENGTH = 8.0
"""A thumbnail with shorter coefficients (deviation in grey levels times 32) shows only rounding: it matches nothing."""

PRIOR_IMAGES = 100
"""With fewer images than this, a spread that falls as one over the frequency counts for more than the data's own."""


@dataclass(frozen=True, slots=True)
class View:
    """A part of a picture, seen as a whole picture.

    Attributes:
        scale: Side of the part over the picture's side.
        right: Of the part's middle from the picture's middle, in sides.
        down: The same downwards.
        degrees: By how much the part is turned.
        mirrored: Whether it is then seen in a mirror.
    """

    scale: float = 1.0
    right: float = 0.0
    down: float = 0.0
    degrees: float = 0.0
    mirrored: bool = False

    def warp(self, side: int) -> NDArray[np.float64]:
        """2 x 3: from pixel (column, row) of the view to pixel of the picture, both `side` wide."""
        angle = np.deg2rad(self.degrees)
        turn = self.scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turn[:, 0] *= -1 if self.mirrored else 1
        middle = np.full(2, (side - 1) / 2)
        offset = middle + side * np.array([self.right, self.down]) - turn @ middle
        return np.column_stack([turn, offset])


def all_views() -> tuple[View, ...]:
    """The picture itself, parts of it down to four fifths, turned by up to 10 degrees, and all of these mirrored.

    Neighbouring parts lie so close that a copy cut or turned in between is off by less than a thirtieth of the width.
    """
    views = [View()]
    for scale in (0.94, 0.87, 0.8):
        reach = (1 - scale) / 2
        views += [View(scale, reach * x, reach * y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    views += [View(degrees=degrees) for degrees in (-10, -5, 5, 10)]
    return (*views, *(replace(view, mirrored=True) for view in views))


class Descriptors:
    """Descriptors of thumbnails under any view, comparable with one another."""

    def __init__(self, thumbnails: NDArray[np.uint8]) -> None:
        """Learn each coefficient's mean and spread.

        Args:
            thumbnails: uint8 (n, 32, 32).
        """
        self._thumbnails = thumbnails
        row, column = np.divmod(np.arange(1, DESCRIPTOR_LENGTH + 1), FREQUENCIES)
        prior = 1.0 / (row**2 + column**2)
        prior /= prior.sum()
        count, total, squares = 0, np.zeros(DESCRIPTOR_LENGTH), np.zeros(DESCRIPTOR_LENGTH)
        for block in self._coefficients(View()):
            count += len(block)
            total += block.sum(axis=0, dtype=np.float64)
            squares += np.square(block, dtype=np.float64).sum(axis=0)
        mean = total / (count + PRIOR_IMAGES)
        spread = np.maximum(squares - count * np.square(total / max(count, 1)), 0)
        self._mean = mean.astype(np.float32)
        self._deviation = np.sqrt((spread + PRIOR_IMAGES * prior) / (count + PRIOR_IMAGES)).astype(np.float32)

    def of(self, view: View) -> NDArray[np.float32]:
        """float32 (n, 63), of unit length; zeros for a picture that shows nothing."""
        described = np.empty((len(self._thumbnails), DESCRIPTOR_LENGTH), np.float32)
        start = 0
        for block in self._coefficients(view):
            shown = block.any(axis=1, keepdims=True)
            standard = np.where(shown, (block - self._mean) / self._deviation, 0)
            length = np.linalg.norm(standard, axis=1, keepdims=True)
            described[start : start + len(block)] = standard / np.where(length > 0, length, 1)
            start += len(block)
        return described

    def _coefficients(self, view: View) -> Iterator[NDArray[np.float32]]:
        """Blocks of coefficients of unit length; zeros where there is nothing to see."""
        matrix = (_cosines() @ _sampling(view)).T.astype(np.float32)
        for start in range(0, len(self._thumbnails), BLOCK_ROWS):
            pixels = self._thumbnails[start : start + BLOCK_ROWS].reshape(-1, THUMBNAIL_SIDE**2).astype(np.float32)
            coefficients = pixels @ matrix
            length = np.linalg.norm(coefficients, axis=1, keepdims=True)
            yield np.where(length >= FLAT_LENGTH, coefficients / np.maximum(length, FLAT_LENGTH), 0)


def _cosines() -> NDArray[np.float64]:
    """(63, 1024): the low coefficients of the orthonormal DCT-II in two dimensions, without the constant one."""
    place = np.arange(THUMBNAIL_SIDE)
    waves = np.cos(np.pi * np.outer(np.arange(FREQUENCIES), place + 0.5) / THUMBNAIL_SIDE)
    waves *= np.where(np.arange(FREQUENCIES) == 0, 1, np.sqrt(2))[:, None] / np.sqrt(THUMBNAIL_SIDE)
    return np.einsum("ur,vc->uvrc", waves, waves).reshape(FREQUENCIES**2, -1)[1:]


def _sampling(view: View) -> NDArray[np.float64]:
    """(1024, 1024): bilinear samples of the picture at the view's pixels; its rim stands for what lies beyond."""
    side = THUMBNAIL_SIDE
    row, column = np.divmod(np.arange(side**2), side)
    x, y = np.clip(view.warp(side) @ np.stack([column, row, np.ones(side**2)]), 0, side - 1)
    left, top = np.minimum(x.astype(int), side - 2), np.minimum(y.astype(int), side - 2)
    matrix = np.zeros((side**2, side**2))
    samples = np.arange(side**2)
    for down in (0, 1):
        for right in (0, 1):
            weight = np.abs(1 - right - (x - left)) * np.abs(1 - down - (y - top))
            matrix[samples, (top + down) * side + left + right] += weight
    return matrix
