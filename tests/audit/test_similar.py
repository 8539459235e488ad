"""Copies are found whatever was done to them, and strangers are not."""

from __future__ import annotations

import numpy as np
import pytest

from agegender.audit import similar
from agegender.audit.alignment import compare, prepared
from agegender.audit.faces import Faces
from agegender.audit.similar import identical_pairs, near_pairs
from agegender.audit.views import View
from agegender.errors import InputError

SOURCES = 120


def test_every_way_of_copying_is_found_and_no_stranger_is(drawn_images, dataset_of, changes) -> None:
    images = drawn_images[0]
    originals = images[:SOURCES]
    ways = list(changes)
    planted = {(row, SOURCES + row): ways[row % len(ways)] for row in range(SOURCES)}
    copies = np.stack([changes[way](originals[row]) for (row, _), way in planted.items()])
    faces = Faces(dataset_of(np.concatenate([originals, copies])))
    found = {(pair.first, pair.second): pair for pair in near_pairs(faces)}
    missed = [(way, pair) for pair, way in planted.items() if pair not in found]
    assert len(missed) <= 0.05 * len(planted), missed
    assert len(set(found) - set(planted)) <= 0.01 * len(planted)
    mirrored = [found[pair].mirrored == ("flipped" in way) for pair, way in planted.items() if pair in found]
    assert np.mean(mirrored) > 0.95


def test_strangers_alone_give_hardly_a_pair(drawn_images, dataset_of) -> None:
    """Drawn faces are made of the same shapes: of 51,040 pairs one looks like a copy, which photographs do not."""
    assert len(near_pairs(Faces(dataset_of(drawn_images[0])))) <= 0.01 * len(drawn_images[0])


def test_equal_files_are_identical_and_equal_pixels_in_other_files_are_near(drawn_images, dataset_of) -> None:
    pictures = drawn_images[0][[0, 1, 2, 0, 1, 0]]
    contents = [b"zero", b"one", b"two", b"zero", b"one in another format", b"zero"]
    faces = Faces(dataset_of(pictures, contents=contents))
    assert [(pair.first, pair.second) for pair in identical_pairs(faces)] == [(0, 3), (0, 5), (3, 5)]
    assert [(pair.first, pair.second) for pair in near_pairs(faces)] == [(1, 4)]


def test_a_near_copy_of_equal_files_is_a_pair_with_each_of_them(drawn_images, dataset_of, changes) -> None:
    images = drawn_images[0]
    pictures = np.stack([images[0], images[0], changes["recompressed"](images[0]), images[1]])
    pairs = [(pair.first, pair.second) for pair in near_pairs(Faces(dataset_of(pictures)))]
    assert pairs == [(0, 2), (1, 2)]


def test_pairs_across_two_data_sets_and_none_within_the_other(drawn_images, dataset_of, changes) -> None:
    images = drawn_images[0]
    own = dataset_of(images[:3])
    other = dataset_of(np.stack([images[9], changes["flipped"](images[1]), images[2], images[9]]))
    faces = Faces(own, other)
    assert [(pair.first, pair.second) for pair in identical_pairs(faces)] == [(2, 5)]
    assert [(pair.first, pair.second, pair.mirrored) for pair in near_pairs(faces)] == [(1, 4, True)]


def test_too_many_equal_files_are_an_error(drawn_images, monkeypatch: pytest.MonkeyPatch, dataset_of) -> None:
    monkeypatch.setattr(similar, "MAX_PAIRS", 10)
    with pytest.raises(InputError, match="nearly all images are equal"):
        identical_pairs(Faces(dataset_of(np.repeat(drawn_images[0][:1], 8, axis=0))))


def test_one_image_has_no_pair(drawn_images, dataset_of) -> None:
    assert near_pairs(Faces(dataset_of(drawn_images[0][:1]))) == []


def test_alignment_brings_a_shifted_copy_together_and_denies_a_stranger(drawn_images) -> None:
    import cv2

    one, other = (cv2.cvtColor(drawn_images[0][row], cv2.COLOR_RGB2GRAY) for row in (3, 4))
    shifted = cv2.warpAffine(one, np.array([[0.97, 0.02, 3], [-0.02, 0.97, 1]], np.float32), (128, 128))
    same = compare(prepared(shifted.astype(np.uint8)), prepared(one), View())
    assert same.same_photograph
    assert same.detail > 0.9
    assert not compare(prepared(other), prepared(one), View()).same_photograph


def test_two_flat_pictures_are_no_copies_by_their_noise() -> None:
    rng = np.random.default_rng(1)
    flat = [np.full((128, 128), 120, np.uint8) + rng.integers(0, 3, (128, 128), dtype=np.uint8) for _ in range(2)]
    agreement = compare(prepared(flat[0]), prepared(flat[1]), View())
    assert agreement.faint
    assert not agreement.same_photograph
