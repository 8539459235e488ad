"""Boxes: what is suppressed, squared, moved and cut out."""

from __future__ import annotations

import numpy as np

from agegender.inference.boxes import moved, patches, squares, suppress


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def test_what_is_kept_does_not_overlap_and_everything_dropped_overlaps_something_better() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 100, (120, 2))
    boxes, scores = np.hstack([corners, corners + rng.uniform(10, 50, (120, 2))]), rng.random(120)
    kept = suppress(boxes, scores, 0.3)
    assert scores[kept].tolist() == sorted(scores[kept], reverse=True)
    assert 10 < len(kept) < 110
    for place, index in enumerate(kept):
        assert all(overlap(boxes[index], boxes[other]) <= 0.3 for other in kept[:place])
    for index in set(range(120)) - set(kept):
        assert any(scores[k] > scores[index] and overlap(boxes[index], boxes[k]) > 0.3 for k in kept)


def test_a_box_within_another_goes_only_by_the_smaller_ones_share() -> None:
    boxes, scores = np.array([[0.0, 0, 100, 100], [40, 40, 60, 60]]), np.array([0.9, 0.8])
    assert suppress(boxes, scores, 0.7) == [0, 1]
    assert suppress(boxes, scores, 0.7, of_smaller=True) == [0]
    assert suppress(np.empty((0, 4)), np.empty(0), 0.5) == []


def test_squares_keep_the_centre_and_moves_are_shares_of_the_size() -> None:
    np.testing.assert_allclose(squares(np.array([[10.0, 20, 30, 80]])), [[-10, 20, 50, 80]])
    np.testing.assert_allclose(moved(np.array([[0.0, 0, 9, 19]]), np.array([[0.1, -0.1, 0, 0.5]])), [[1, -2, 9, 29]])


def test_patches_are_grey_outside_the_picture() -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    same, outside, half = patches(pixels, np.array([[0.0, 0, 3, 3], [50, 50, 53, 53], [-2, 0, 1, 3]]), 4)
    np.testing.assert_array_equal(same, pixels)
    assert (outside == 127.5).all()
    np.testing.assert_array_equal(half[:, 2:], pixels[:, :2])
    assert (half[:, :2] == 128).all()
