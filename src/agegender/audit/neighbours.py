"""Which of many vectors or hashes lie close to a query: exact for some ten thousands, by cells for millions.

Johnson, Douze, Jegou, "Billion-scale similarity search with GPUs", IEEE Transactions on Big Data 2019 (faiss); cells:
Sivic, Zisserman, "Video Google", ICCV 2003 (inverted file).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agegender.errors import InputError
from agegender.optional import require

EXACT_ROWS = 30_000
"""Up to here every vector is compared with every query; beyond, only those in the query's nearest cells."""

CELLS_PER_ROOT = 4
"""Cells per square root of the number of vectors, as faiss advises (4 to 16)."""

CELLS_VISITED = 12
TRAINING_PER_CELL = 40
QUERIES_AT_ONCE = 16_384
MAX_MATCHES = 5_000_000


class Matches(NamedTuple):
    """Pairs of a query and a vector.

    Attributes:
        query: int64 (k,), row of the query.
        found: int64 (k,), row of the vector.
        closeness: float32 (k,), cosine for vectors; number of differing bits for hashes.
    """

    query: NDArray[np.int64]
    found: NDArray[np.int64]
    closeness: NDArray[np.float32]


class VectorIndex:
    """Vectors of unit length, asked for those within a cosine."""

    def __init__(self, vectors: NDArray[np.float32], *, exact_rows: int = EXACT_ROWS, seed: int = 0) -> None:
        """Build it.

        Args:
            vectors: float32 (n, d), each of unit length or zero.
            exact_rows: See `EXACT_ROWS`.
            seed: Of the cells.
        """
        faiss = require("faiss", "audit")
        count, length = vectors.shape
        self._index: Any = faiss.IndexFlatIP(length)
        if count > exact_rows:
            cells = _cells(count)
            self._index = faiss.IndexIVFFlat(self._index, length, cells, faiss.METRIC_INNER_PRODUCT)
            self._index.cp.seed = seed + 1
            self._index.cp.niter = 8
            self._index.cp.spherical = True
            self._index.cp.max_points_per_centroid = TRAINING_PER_CELL
            self._index.train(vectors)
            self._index.nprobe = min(CELLS_VISITED, cells)
        self._index.add(np.ascontiguousarray(vectors))

    def within(self, queries: NDArray[np.float32], least: float) -> Matches:
        """Every vector with a cosine of at least `least` to a query; by cells, nearly every one.

        Raises:
            InputError: There are more than `MAX_MATCHES`.
        """
        return _search(self._index, queries, least)

    def nearest(self, queries: NDArray[np.float32], count: int) -> Matches:
        """The `count` vectors with the largest cosine to each query, by query, the closest first."""
        parts = []
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            block = np.ascontiguousarray(queries[start : start + QUERIES_AT_ONCE])
            closeness, found = self._index.search(block, count)
            there = found >= 0
            query = start + np.broadcast_to(np.arange(len(block))[:, None], found.shape)
            parts.append((query[there], found[there], closeness[there]))
        query, found, closeness = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return Matches(query.astype(np.int64), found.astype(np.int64), closeness.astype(np.float32))


class HashIndex:
    """Hashes of 8 bits a byte, asked for those that differ in few bits."""

    def __init__(self, hashes: NDArray[np.uint8], *, exact_rows: int = EXACT_ROWS) -> None:
        """Build it.

        Args:
            hashes: uint8 (n, bytes).
            exact_rows: See `EXACT_ROWS`.
        """
        faiss = require("faiss", "audit")
        count, length = hashes.shape
        self._index: Any = faiss.IndexBinaryFlat(8 * length)
        if count > exact_rows:
            cells = _cells(count)
            self._quantizer = self._index  # the index does not keep it alive
            self._index = faiss.IndexBinaryIVF(self._quantizer, 8 * length, cells)
            self._index.cp.niter = 8
            self._index.cp.max_points_per_centroid = TRAINING_PER_CELL
            self._index.train(hashes)
            self._index.nprobe = min(CELLS_VISITED, cells)
        self._index.add(np.ascontiguousarray(hashes))

    def within(self, queries: NDArray[np.uint8], most: int) -> Matches:
        """Every hash that differs from a query in at most `most` bits; by cells, nearly every one.

        Raises:
            InputError: There are more than `MAX_MATCHES`.
        """
        return _search(self._index, queries, most + 1)  # faiss gives those that differ in fewer bits


def _cells(count: int) -> int:
    return int(CELLS_PER_ROOT * np.sqrt(count))


def _search(index: Any, queries: NDArray[Any], limit: float) -> Matches:
    """The range search of either index, some queries at a time."""
    parts: list[tuple[NDArray[Any], ...]] = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
    total = 0
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        block = np.ascontiguousarray(queries[start : start + QUERIES_AT_ONCE])
        ends, closeness, found = index.range_search(block, limit)
        query = start + np.repeat(np.arange(len(block)), np.diff(ends.astype(np.int64)))
        parts.append((query, found, closeness))
        total += len(query)
        if total > MAX_MATCHES:
            raise InputError(
                f"More than {MAX_MATCHES:,} pairs of images look alike: nearly all of them show the same. Check that "
                "the folder holds different pictures."
            )
    query, found, closeness = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Matches(query.astype(np.int64), found.astype(np.int64), closeness.astype(np.float32))
