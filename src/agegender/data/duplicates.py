"""Near-duplicate pictures: pairs for the audit, groups for the splits.

Two pictures are near-duplicates when their 16 x 16 grey thumbnails correlate (Pearson) at 0.98 or more, or when all
their pixels are equal. On the brief's 5,000 training images any threshold from 0.98 to 0.99 finds the same 48 pairs.
Thumbnail correlation ignores brightness, contrast, size and compression. It does not see a mirrored picture as a
duplicate, nor a second photograph of the same person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from agegender.errors import InputError, SettingError

THUMBNAIL_SIDE = 16
DEFAULT_THRESHOLD = 0.98
"""Correlation, 0..1."""

BLOCK_ROWS = 1024
"""A block of correlations is at most this many rows and columns: 4 MB of float32."""

FLAT_GREY_LEVELS = 0.25
"""A thumbnail with a smaller standard deviation (of 255) is flat: what is left of it is rounding."""

DOUBTFUL_BAND = 1e-4
"""Correlations this close to the threshold are computed again in float64, so that the order in which a matrix
library adds up never decides. A float32 product of unit vectors of 256 numbers is off by some 1e-6."""

MAX_PAIRS = 2_000_000


class NearDuplicates(NamedTuple):
    """Pairs of near-duplicates.

    Attributes:
        pairs: int64 (k, 2), row numbers of the two pictures, the smaller first, in ascending order.
        correlation: float32 (k,), Pearson correlation of the thumbnails; 1 where all pixels are equal.
        identical: bool (k,), whether all pixels are equal.
    """

    pairs: NDArray[np.int64]
    correlation: NDArray[np.float32]
    identical: NDArray[np.bool_]


def near_duplicate_pairs(
    images: NDArray[np.uint8], threshold: float = DEFAULT_THRESHOLD, *, max_pairs: int = MAX_PAIRS
) -> NearDuplicates:
    """Every pair of near-duplicates.

    Args:
        images: uint8 (n, h, w, 3) RGB; a memory map is read in pieces.
        threshold: Least correlation of a pair, above 0 and at most 1.
        max_pairs: Where to stop: n pictures that are all alike make n * (n - 1) / 2 pairs.

    Raises:
        SettingError: The threshold is outside (0, 1].
        InputError: The images have another shape or type, or there are more pairs than `max_pairs`.
    """
    units, contents = _describe(images, threshold)
    found: list[NDArray[np.int64]] = []
    strength: list[NDArray[np.float32]] = []
    count = 0
    for pairs, correlation in _matches(units, contents, threshold):
        found.append(pairs)
        strength.append(correlation)
        count += len(pairs)
        if count > max_pairs:
            raise InputError(
                f"More than {max_pairs:,} pairs of near-duplicates at a correlation of {threshold:g} among "
                f"{len(images):,} images: nearly all of them look alike. Check that the folder holds different "
                "pictures, or use a higher threshold."
            )
    pairs = np.concatenate([np.empty((0, 2), np.int64), *found])
    correlation = np.concatenate([np.empty(0, np.float32), *strength])
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    pairs, correlation = pairs[order], correlation[order]
    return NearDuplicates(pairs, correlation, contents[pairs[:, 0]] == contents[pairs[:, 1]])


def near_duplicate_groups(images: NDArray[np.uint8], threshold: float = DEFAULT_THRESHOLD) -> NDArray[np.int64]:
    """The group of every picture: near-duplicates, and near-duplicates of those, share one.

    Args:
        images: uint8 (n, h, w, 3) RGB; a memory map is read in pieces.
        threshold: Least correlation of a pair, above 0 and at most 1.

    Returns:
        int64 (n,), 0, 1, 2 ... in order of the first picture of each group; a picture without near-duplicates is a
        group of one. Memory stays bounded even when all pictures are alike.

    Raises:
        SettingError: The threshold is outside (0, 1].
        InputError: The images have another shape or type.
    """
    units, contents = _describe(images, threshold)
    roots = contents.copy()
    for pairs, _ in _matches(units, contents, threshold, joined=roots):
        _join(roots, pairs)
    return np.unique(roots, return_inverse=True)[1].astype(np.int64)


def _describe(images: NDArray[np.uint8], threshold: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit thumbnails float32 (n, 256), zero where flat, and int64 (n,): the first row of equal pixels."""
    if not 0 < threshold <= 1:
        raise SettingError(f"A correlation threshold lies above 0 and at most at 1. Received: {threshold!r}")
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise InputError(
            f"Images must be uint8 of shape (n, height, width, 3). Received: {images.dtype} of shape {images.shape}"
        )
    thumbnails = np.empty((len(images), THUMBNAIL_SIDE * THUMBNAIL_SIDE), np.float32)
    contents = np.empty(len(images), np.int64)
    ids: dict[bytes, int] = {}
    for row, image in enumerate(images):
        pixels = np.ascontiguousarray(image)
        contents[row] = ids.setdefault(hashlib.sha256(pixels.data).digest(), row)
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
        side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        thumbnails[row] = cv2.resize(grey, side, interpolation=cv2.INTER_AREA).ravel()
    thumbnails -= thumbnails.mean(axis=1, keepdims=True)
    length = np.linalg.norm(thumbnails, axis=1, keepdims=True)
    # A flat picture has no correlation with anything: a zero vector instead of 0 / 0.
    flat = length < FLAT_GREY_LEVELS * THUMBNAIL_SIDE
    np.divide(thumbnails, length, out=thumbnails, where=~flat)
    thumbnails[flat[:, 0]] = 0
    return thumbnails, contents


def _matches(
    units: NDArray[np.float32],
    contents: NDArray[np.int64],
    threshold: float,
    joined: NDArray[np.int64] | None = None,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Pairs (smaller row first) and their correlations, one block of the upper triangle after the other.

    Pairs of the same value in `joined`, which the caller may change between blocks, are left out.
    """
    for top in range(0, len(units), BLOCK_ROWS):
        rows = slice(top, top + BLOCK_ROWS)
        for left in range(top, len(units), BLOCK_ROWS):
            columns = slice(left, left + BLOCK_ROWS)
            block = units[rows] @ units[columns].T
            block[contents[rows, None] == contents[None, columns]] = 1
            wanted = block >= threshold - DOUBTFUL_BAND
            if joined is not None:
                wanted &= joined[rows, None] != joined[None, columns]
            first, second = np.nonzero(wanted)
            if left == top:
                upper = first < second
                first, second = first[upper], second[upper]
            correlation = block[first, second]
            pairs = np.stack((first + top, second + left), axis=1).astype(np.int64)
            same = contents[pairs[:, 0]] == contents[pairs[:, 1]]
            doubtful = np.nonzero((np.abs(correlation - threshold) <= DOUBTFUL_BAND) & ~same)[0]
            exact = correlation.astype(np.float64)
            for some in np.array_split(doubtful, len(doubtful) // 10_000 + 1):
                a, b = (units[pairs[some, side]].astype(np.float64) for side in (0, 1))
                exact[some] = (a * b).sum(axis=1)
            kept = exact >= threshold
            if kept.any():
                yield pairs[kept], np.minimum(correlation[kept], 1)


def _join(roots: NDArray[np.int64], pairs: NDArray[np.int64]) -> None:
    """Union-find over a block of pairs, in place; afterwards `roots` points straight at the smallest row of a group."""
    low, high = np.sort(roots[pairs], axis=1).T
    # One number an edge: a million of them sort ten times faster than a million rows.
    edges = np.unique((low * len(roots) + high)[low != high])
    parent: dict[int, int] = {}

    def root(row: int) -> int:
        while (up := parent.get(row, row)) != row:
            parent[row] = parent.get(up, up)
            row = up
        return row

    for edge in edges.tolist():
        smaller, larger = sorted(root(row) for row in divmod(edge, len(roots)))
        if smaller != larger:
            parent[larger] = smaller
    moved = np.fromiter(parent, np.int64, len(parent))
    target = np.arange(len(roots))
    target[moved] = [root(row) for row in moved.tolist()]
    roots[:] = target[roots]
