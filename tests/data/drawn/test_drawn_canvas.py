"""The painting surface: coverage, clipping, strokes and splines."""

import numpy as np
import pytest

from agegender.data.drawn.canvas import Canvas, curve, oval, shape_patch, stroke


def square(left: float, top: float, size: float) -> np.ndarray:
    return np.array([(left, top), (left + size, top), (left + size, top + size), (left, top + size)])


def test_coverage_of_a_shape_is_its_area() -> None:
    assert shape_patch([oval(64, 64, 30, 20)]).alpha.sum() == pytest.approx(np.pi * 600, rel=0.04)
    assert shape_patch([oval(64, 64, 30, 20)], blur=2.0).alpha.sum() == pytest.approx(np.pi * 600, rel=0.06)


def test_pixels_that_are_half_inside_are_half_covered() -> None:
    mask = shape_patch([square(40.5, 40.5, 10.0)]).full()
    assert mask[45, 45] == 1.0
    assert mask[45, 40] == pytest.approx(0.5, abs=0.26)  # cv2 fills the border's own subpixels, too
    assert mask[45, 38] == 0.0


def test_overlapping_shapes_make_no_hole() -> None:
    mask = shape_patch([square(40, 40, 10), square(44, 44, 10)]).full()
    assert mask[46, 46] == 1.0


@pytest.mark.parametrize("left", [-40.0, -5.0, 122.0, 400.0])
def test_shapes_beyond_the_edge_are_clipped(left: float) -> None:
    canvas = Canvas(np.zeros((3, 128, 128), np.float32))
    canvas.paint(shape_patch([square(left, 60, 10)], blur=1.0), np.array([200.0, 100.0, 50.0]))
    seen = left in (-5.0, 122.0)
    assert (canvas.pixels.max() > 150) == seen
    assert (canvas.figure.max() > 0.7) == seen


def test_paint_covers_and_shade_multiplies_without_counting_as_figure() -> None:
    canvas = Canvas(np.full((3, 128, 128), 100.0, np.float32))
    canvas.shade(shape_patch([square(20, 20, 10)]), np.array([0.5, 1.0, 2.0]))
    np.testing.assert_allclose(canvas.pixels[:, 25, 25], (50, 100, 200))
    assert canvas.figure.max() == 0.0
    canvas.paint(shape_patch([square(60, 60, 10)]), np.array([10.0, 20.0, 30.0]), 0.5)
    np.testing.assert_allclose(canvas.pixels[:, 65, 65], (55, 60, 65))
    assert canvas.figure[65, 65] == pytest.approx(0.5)
    np.testing.assert_allclose(canvas.pixels[:, 100, 100], 100)


def test_a_curve_passes_through_its_points() -> None:
    points = np.array([(0.0, 0.0), (4.0, 1.0), (6.0, 5.0), (3.0, 8.0)])
    for closed in (False, True):
        line = curve(points, closed=closed)
        distances = np.hypot(*(line[:, None] - points[None]).transpose(2, 0, 1)).min(axis=0)
        np.testing.assert_allclose(distances, 0.0, atol=1e-5)


def test_a_stroke_is_as_wide_as_asked() -> None:
    line = np.array([(20.0, 60.0), (50.0, 60.0), (80.0, 60.0)])
    outline = stroke(line, np.array([4.0, 4.0, 4.0]))
    np.testing.assert_allclose(np.abs(outline[:, 1] - 60.0), 2.0, atol=1e-4)
    tapered = stroke(line, 4.0)
    assert np.abs(tapered[0, 1] - 60.0) < 0.5
    assert np.abs(tapered[1, 1] - 60.0) == pytest.approx(2.0, abs=0.1)
