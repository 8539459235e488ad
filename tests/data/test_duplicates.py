"""Near-duplicates: found through compression and brightness, not through chance; groups close over chains."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from agegender.data import duplicates
from agegender.data.duplicates import near_duplicate_groups, near_duplicate_pairs
from agegender.errors import InputError, SettingError


def smooth_pictures(count: int, *, seed: int, side: int = 64) -> NDArray[np.uint8]:
    """Coarse noise enlarged to soft patches: like photographs, their neighbouring pixels agree."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    enlarged = [cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC) for picture in coarse]
    return np.stack(enlarged).astype(np.uint8)


def compressed(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, content = cv2.imencode(".png" if quality == 100 else ".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(content, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded.astype(np.uint8)


def brute_force(images: NDArray[np.uint8], threshold: float) -> set[tuple[int, int]]:
    """The definition, two pictures at a time, in float64."""
    thumbnails = [
        cv2.resize(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float64), (16, 16), interpolation=cv2.INTER_AREA)
        for x in images
    ]
    return {
        (i, j)
        for j in range(len(images))
        for i in range(j)
        if np.corrcoef(thumbnails[i].ravel(), thumbnails[j].ravel())[0, 1] >= threshold
    }


def test_recompressed_and_brightened_copies_are_pairs_and_strangers_are_not():
    images = smooth_pictures(40, seed=1)
    images[7] = compressed(images[3], 40)
    images[39] = np.clip(images[20].astype(np.int16) // 2 + 60, 0, 255).astype(np.uint8)
    images[12] = images[11]
    found = near_duplicate_pairs(images)
    assert found.pairs.tolist() == [[3, 7], [11, 12], [20, 39]]
    assert found.pairs.dtype == np.int64
    assert found.identical.tolist() == [False, True, False]
    assert found.correlation[1] == 1
    assert np.all((found.correlation >= 0.98) & (found.correlation <= 1))


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.98])
def test_blocks_find_what_the_definition_finds(monkeypatch: pytest.MonkeyPatch, threshold: float):
    monkeypatch.setattr(duplicates, "BLOCK_ROWS", 7)
    images = smooth_pictures(60, seed=2)
    for row, share in zip(range(0, 60, 5), np.linspace(0.5, 0.98, 12), strict=True):
        images[row] = (share * images[(row + 13) % 60] + (1 - share) * images[row]).astype(np.uint8)
    expected = brute_force(images, threshold)
    assert expected, "the case must hold pairs to find"
    found = near_duplicate_pairs(images, threshold)
    assert set(map(tuple, found.pairs.tolist())) == expected
    # Groups are the connected components of those pairs: the smallest label spreads until nothing changes.
    labels = list(range(60))
    for _ in range(60):
        for i, j in expected:
            labels[i] = labels[j] = min(labels[i], labels[j])
    groups = near_duplicate_groups(images, threshold)
    assert np.array_equal(groups, np.unique(labels, return_inverse=True)[1])


def test_a_chain_is_one_group_though_its_ends_are_no_pair(monkeypatch: pytest.MonkeyPatch):
    start, end = smooth_pictures(2, seed=3).astype(np.float64)
    images = np.stack([((1 - share) * start + share * end).astype(np.uint8) for share in np.linspace(0, 1, 12)])
    pairs = set(map(tuple, near_duplicate_pairs(images, 0.99).pairs.tolist()))
    assert {(i, i + 1) for i in range(11)} <= pairs
    assert (0, 11) not in pairs
    # In any order, a block at a time: groups that were apart for long must still come together.
    monkeypatch.setattr(duplicates, "BLOCK_ROWS", 2)
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(12)
        assert near_duplicate_groups(images[order], 0.99).tolist() == [0] * 12


def test_at_the_threshold_itself_float64_decides():
    images = smooth_pictures(2, seed=9)
    images[1] = compressed(images[0], 20)
    one, other = duplicates._describe(images, 0.98)[0].astype(np.float64)
    exact = float((one * other).sum())
    assert 0.98 < exact < 1
    assert len(near_duplicate_pairs(images, exact).pairs) == 1
    assert len(near_duplicate_pairs(images, float(np.nextafter(exact, 1))).pairs) == 0


def test_flat_pictures_match_only_their_equals():
    images = np.zeros((8, 32, 32, 3), np.uint8)
    images[1] = 255
    images[2] = 255
    images[3] = 128
    images[4] = smooth_pictures(1, seed=4, side=32)[0]
    images[5, ::2, ::2] = 1
    # The same faint speck on two greys: their thumbnails correlate, but a sixteenth of a grey level says nothing.
    images[6] = 50
    images[7] = 200
    images[6:, 4:6, 4:6] += 1
    with np.errstate(all="raise"):
        found = near_duplicate_pairs(images)
        groups = near_duplicate_groups(images)
    assert found.pairs.tolist() == [[1, 2]]
    assert groups.tolist() == [0, 1, 1, 2, 3, 4, 5, 6]


def test_groups_are_numbered_by_first_picture_and_do_not_change_with_the_block_size(monkeypatch: pytest.MonkeyPatch):
    images = smooth_pictures(50, seed=5)
    images[[9, 30, 49]] = images[2]
    images[40] = images[1]
    whole = near_duplicate_groups(images)
    first_seen = [int(np.flatnonzero(whole == group)[0]) for group in range(whole.max() + 1)]
    assert first_seen == sorted(first_seen)
    assert whole[[2, 9, 30, 49]].tolist() == [2] * 4
    monkeypatch.setattr(duplicates, "BLOCK_ROWS", 3)
    assert np.array_equal(near_duplicate_groups(images), whole)


def test_many_pictures_that_are_alike_are_one_group_and_too_many_pairs_an_error():
    images = np.broadcast_to(smooth_pictures(1, seed=6, side=16), (1500, 16, 16, 3))
    assert near_duplicate_groups(images).max() == 0
    nearly_equal = images // 2 + np.random.default_rng(6).integers(0, 4, images.shape, dtype=np.uint8)
    assert near_duplicate_groups(nearly_equal).max() == 0
    with pytest.raises(InputError, match=r"More than 1,000 pairs.*higher threshold"):
        near_duplicate_pairs(images, max_pairs=1000)


def test_one_picture_and_none():
    one = smooth_pictures(1, seed=7)
    assert near_duplicate_groups(one).tolist() == [0]
    assert near_duplicate_pairs(one).pairs.shape == (0, 2)
    assert near_duplicate_groups(one[:0]).shape == (0,)
    assert near_duplicate_pairs(one[:0]).correlation.shape == (0,)


@pytest.mark.parametrize("threshold", [0.0, -0.5, 1.01, float("nan")])
def test_a_threshold_outside_its_range_is_refused(threshold: float):
    with pytest.raises(SettingError, match="Received"):
        near_duplicate_groups(smooth_pictures(2, seed=8), threshold)


@pytest.mark.parametrize("images", [np.zeros((2, 8, 8), np.uint8), np.zeros((2, 8, 8, 3), np.float32)])
def test_other_arrays_are_refused(images: np.ndarray):
    with pytest.raises(InputError, match="uint8 of shape"):
        near_duplicate_groups(images)
