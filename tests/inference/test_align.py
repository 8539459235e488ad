"""Landmarks come to lie on the template, whatever the face's place, size and tilt in the picture."""

from __future__ import annotations

import math

import numpy as np
import pytest

from agegender.inference.align import (
    CROP_SIDE,
    TEMPLATE,
    crop_face,
    roll_degrees,
    scale_of,
    share_outside,
    similarity,
)


def turned(points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    angle = math.radians(degrees)
    matrix = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return (points - 64) @ matrix.T + shift


@pytest.mark.parametrize(("degrees", "scale"), [(0, 1.0), (25, 3.7), (-140, 0.4), (180, 11.0)])
def test_similarity_undoes_a_turn_a_scale_and_a_shift(degrees: float, scale: float) -> None:
    seen = turned(TEMPLATE, degrees, scale, (310.0, 95.0))
    transform = similarity(seen, TEMPLATE)
    np.testing.assert_allclose(seen @ transform[:, :2].T + transform[:, 2], TEMPLATE, atol=1e-9)
    assert scale_of(transform) == pytest.approx(1 / scale)
    assert math.cos(math.radians(roll_degrees(seen) - degrees)) == pytest.approx(1)


def test_similarity_is_the_best_one_where_none_is_exact() -> None:
    rng = np.random.default_rng(1)
    source, target = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    best = similarity(source, target)

    def loss(transform: np.ndarray) -> float:
        return float(((source @ transform[:, :2].T + transform[:, 2] - target) ** 2).sum())

    for _ in range(200):
        a, b, x, y = rng.normal(0, 0.05, 4)
        assert loss(best + np.array([[a, -b, x], [b, a, y]])) >= loss(best)
    with pytest.raises(ValueError, match="all in one place"):
        similarity(np.ones((5, 2)), TEMPLATE)


@pytest.mark.parametrize(("degrees", "scale"), [(0, 1.0), (0, 2.5), (30, 0.7), (-20, 4.0), (90, 6.0)])
def test_what_stands_at_the_landmarks_comes_to_the_template(degrees: float, scale: float) -> None:
    centre = 110.0 * max(scale, 1)
    seen = turned(TEMPLATE, degrees, scale, (centre, centre))
    side = int(2 * centre)
    y, x = np.mgrid[:side, :side]
    for index in range(5):
        spot = np.exp(-((x - seen[index, 0]) ** 2 + (y - seen[index, 1]) ** 2) / (2 * (3 * scale) ** 2))
        pixels = np.repeat((250 * spot)[..., None], 3, axis=2).astype(np.uint8)
        crop = crop_face(pixels, seen)[..., 0].astype(float)
        weights = crop / crop.sum()
        rows, columns = np.mgrid[:CROP_SIDE, :CROP_SIDE]
        found = np.array([(weights * columns).sum(), (weights * rows).sum()])
        np.testing.assert_allclose(found, TEMPLATE[index], atol=0.25)


def test_a_large_face_is_averaged_down_and_not_sampled() -> None:
    pattern = (np.indices((1024, 1024)).sum(axis=0) % 2 * 255).astype(np.uint8)
    crop = crop_face(np.repeat(pattern[..., None], 3, axis=2), TEMPLATE * 8 + 3.5)
    assert np.abs(crop.astype(int) - 127).max() <= 2


def test_outside_the_picture_is_black_and_counted() -> None:
    white = np.full((128, 128, 3), 255, np.uint8)
    assert (crop_face(white, TEMPLATE) == 255).all()
    half = crop_face(white, TEMPLATE - [64, 0])
    assert (half[:, :63] == 0).all()
    assert (half[:, 65:] == 255).all()
    assert share_outside(TEMPLATE, 128, 128) == 0
    assert share_outside(TEMPLATE - [64, 0], 128, 128) == pytest.approx(0.5, abs=0.04)
    assert share_outside(TEMPLATE + 1000, 128, 128) == 1
