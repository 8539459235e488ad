"""Indices give what the definition gives; cells give nearly all of it."""

from __future__ import annotations

import numpy as np
import pytest

from agegender.audit import neighbours
from agegender.audit.neighbours import HashIndex, VectorIndex
from agegender.errors import InputError


def unit(count: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, 24)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def pairs(matches: neighbours.Matches) -> set[tuple[int, int]]:
    return set(zip(matches.query.tolist(), matches.found.tolist(), strict=True))


def test_exact_vectors_are_the_definition_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "QUERIES_AT_ONCE", 7)
    vectors, queries = unit(60, 1), unit(33, 2)
    cosines = queries @ vectors.T
    found = VectorIndex(vectors).within(queries, 0.3)
    assert pairs(found) == set(zip(*map(np.ndarray.tolist, np.nonzero(cosines >= 0.3)), strict=True))
    assert np.allclose(found.closeness, cosines[found.query, found.found], atol=1e-5)


def test_the_nearest_come_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "QUERIES_AT_ONCE", 7)
    vectors, queries = unit(60, 1), unit(33, 2)
    expected = np.argsort(-(queries @ vectors.T), axis=1)[:, :4]
    found = VectorIndex(vectors).nearest(queries, 4)
    assert found.found.reshape(33, 4).tolist() == expected.tolist()
    assert found.query.tolist() == np.repeat(np.arange(33), 4).tolist()
    assert len(VectorIndex(vectors[:2]).nearest(queries, 4).found) == 66


def test_exact_hashes_count_differing_bits_and_keep_the_limit() -> None:
    hashes = np.random.default_rng(3).integers(0, 256, (50, 4), dtype=np.uint8)
    differing = np.unpackbits(hashes[:, None] ^ hashes[None], axis=2).sum(axis=2)
    found = HashIndex(hashes).within(hashes, 9)
    assert pairs(found) == set(zip(*map(np.ndarray.tolist, np.nonzero(differing <= 9)), strict=True))
    assert found.closeness.max() <= 9


def test_cells_find_nearly_all_twins_of_vectors_and_hashes() -> None:
    vectors = unit(4000, 4)
    vectors[1::2] = vectors[::2] + 0.05 * unit(2000, 5)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    twins = {(row, row + 1) for row in range(0, 4000, 2)}
    found = VectorIndex(vectors, exact_rows=100).within(vectors, 0.95)
    assert len(twins & pairs(found)) > 0.9 * len(twins)
    hashes = np.random.default_rng(6).integers(0, 256, (2000, 32), dtype=np.uint8)
    hashes[1::2] = hashes[::2]
    hashes[1::2, 0] ^= 1
    hash_twins = {(row, row + 1) for row in range(0, 2000, 2)}
    assert len(hash_twins & pairs(HashIndex(hashes, exact_rows=100).within(hashes, 20))) > 0.9 * len(hash_twins)


def test_images_that_are_all_alike_are_an_error_and_not_a_full_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MAX_MATCHES", 100)
    alike = np.repeat(unit(1, 7), 50, axis=0)
    with pytest.raises(InputError, match="look alike"):
        VectorIndex(alike).within(alike, 0.9)
