"""A small painting surface: anti-aliased shapes, soft edges, tapered strokes, in sRGB floats.

Every shape is rasterised alone, up to four times too large and only around itself, then averaged down to a coverage
between 0 and 1. Painting is then plain arithmetic on the 128-pixel canvas, so soft edges and glazes cost little.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

Array = np.ndarray
SIZE_PX = 128
_COARSE_BLUR_PX = 2.5
_FRACTION_BITS = 4  # cv2 takes polygon corners in 1/16 of a pixel


@dataclass(frozen=True, slots=True)
class Patch:
    """Coverage of a shape: `alpha` float32 (h, w) in 0..1, standing at `rows`, `columns` of the canvas."""

    rows: slice
    columns: slice
    alpha: Array

    def within(self, mask: Array) -> Patch:
        """The part of the shape that lies inside a full-size mask (128, 128) in 0..1."""
        return Patch(self.rows, self.columns, self.alpha * mask[self.rows, self.columns])

    def full(self) -> Array:
        """The coverage on the whole canvas, (128, 128) float32."""
        mask = np.zeros((SIZE_PX, SIZE_PX), np.float32)
        mask[self.rows, self.columns] = self.alpha
        return mask


def shape_patch(polygons: Iterable[Array], blur: float = 0.0) -> Patch:
    """Coverage of the union of polygons.

    Args:
        polygons: Arrays (n, 2) of x, y in canvas pixels; (0, 0) is the outer corner of the first pixel.
        blur: Standard deviation in pixels of a Gaussian that softens the edge.
    """
    shapes = [np.asarray(polygon, np.float32) for polygon in polygons]
    points = np.concatenate(shapes) if len(shapes) > 1 else shapes[0]
    margin = 1.0 + 3.0 * blur
    (west, north), (east, south) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    left, top = _on_canvas(west - margin, SIZE_PX - 1), _on_canvas(north - margin, SIZE_PX - 1)
    right, bottom = _on_canvas(east + margin + 1.0, SIZE_PX), _on_canvas(south + margin + 1.0, SIZE_PX)
    # The softer the edge, the coarser it may be drawn: pixels per canvas pixel of the raster and of the blur.
    times, coarse = (4, 1) if blur < 1.0 else (2, 1) if blur < _COARSE_BLUR_PX else (1, 2)
    left, top = left - left % coarse, top - top % coarse
    width, height = max(right - left, 1), max(bottom - top, 1)
    width, height = width + width % coarse, height + height % coarse
    large = np.zeros((height * times, width * times), np.uint8)
    one = times << _FRACTION_BITS
    half = (1 << _FRACTION_BITS) / 2  # cv2 counts from the middle of its first pixel
    origin = np.array([left * one + half, top * one + half], np.float32)
    fixed = np.rint(points * np.float32(one) - origin).astype(np.int32)
    start = 0
    for shape in shapes:  # one by one: together, overlaps would become holes
        cv2.fillPoly(large, [fixed[start : start + len(shape)]], 255, cv2.LINE_8, _FRACTION_BITS)
        start += len(shape)
    small = cv2.resize(large, (width // coarse, height // coarse), interpolation=cv2.INTER_AREA)
    alpha = small * np.float32(1.0 / 255.0)
    if blur > 0:
        alpha = soften(alpha, blur / coarse)
    if coarse > 1:
        alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR)
    return Patch(slice(top, top + height), slice(left, left + width), alpha)


def _on_canvas(position: float, most: int) -> int:
    return min(max(math.floor(position), 0), most)


def soften(image: Array, blur: float) -> Array:
    """Gaussian blur of a float image; `blur` is the standard deviation in pixels."""
    return cv2.GaussianBlur(image, (0, 0), blur, borderType=cv2.BORDER_REPLICATE)


class Canvas:
    """A 128 x 128 picture in the making.

    Attributes:
        pixels: float32 (3, 128, 128), sRGB, 0..255.
        figure: float32 (128, 128) in 0..1: where something was painted so far. Shadows do not count.
    """

    def __init__(self, background: Array) -> None:
        # Colour first: NumPy then runs along rows of 128 and not along threes, which is several times faster.
        self.pixels = np.array(background, np.float32)
        self.figure = np.zeros(background.shape[1:], np.float32)

    def paint(self, patch: Patch, colour: Array, opacity: float = 1.0) -> None:
        """Cover with a colour (3,) by the patch's coverage times `opacity`."""
        region = self.pixels[:, patch.rows, patch.columns]
        alpha = patch.alpha * np.float32(opacity)
        region += (np.asarray(colour, np.float32)[:, None, None] - region) * alpha
        covered = self.figure[patch.rows, patch.columns]
        np.maximum(covered, alpha, out=covered)

    def shade(self, patch: Patch, factor: Array | float) -> None:
        """Multiply by `factor` (a number or (3,)) where covered: below 1 a shadow, above 1 a light."""
        region = self.pixels[:, patch.rows, patch.columns]
        strength = np.asarray(factor, np.float32).reshape(-1, 1, 1) - np.float32(1.0)
        region *= np.float32(1.0) + strength * patch.alpha


_STEPS = np.arange(6, dtype=np.float32) / 6
_CATMULL_ROM = np.stack(
    [
        -0.5 * _STEPS + _STEPS**2 - 0.5 * _STEPS**3,
        1.0 - 2.5 * _STEPS**2 + 1.5 * _STEPS**3,
        0.5 * _STEPS + 2.0 * _STEPS**2 - 1.5 * _STEPS**3,
        -0.5 * _STEPS**2 + 0.5 * _STEPS**3,
    ],
    axis=1,
)


def curve(points: Array, *, closed: bool = False) -> Array:
    """A smooth line through points (n, 2): a uniform Catmull-Rom spline, six steps a span.

    Many lines at once, (k, n, 2), give many lines.
    """
    points = np.asarray(points, np.float32)
    if closed:
        padded = np.concatenate([points[..., -1:, :], points, points[..., :2, :]], axis=-2)
    else:
        before, after = 2 * points[..., :1, :] - points[..., 1:2, :], 2 * points[..., -1:, :] - points[..., -2:-1, :]
        padded = np.concatenate([before, points, after], axis=-2)
    spans = np.stack([padded[..., :-3, :], padded[..., 1:-2, :], padded[..., 2:-1, :], padded[..., 3:, :]], axis=-2)
    line = (_CATMULL_ROM @ spans).reshape(*points.shape[:-2], -1, 2)
    return line if closed else np.concatenate([line, points[..., -1:, :]], axis=-2)


@functools.lru_cache(maxsize=256)
def _taper(count: int) -> Array:
    return np.sin(np.linspace(0.15, np.pi - 0.15, count, dtype=np.float32))


def stroke(line: Array, widths: Array | float) -> Array:
    """The outline (2n, 2) of a brush stroke along `line` (n, 2) in pixels; `widths` per point or one that tapers."""
    return strokes(np.asarray(line, np.float32)[None], widths)[0]


def strokes(lines: Array, widths: Array | float) -> Array:
    """Many brush strokes at once: lines (k, n, 2) give outlines (k, 2n, 2).

    Args:
        lines: Middles of the strokes, in pixels.
        widths: One width of all that tapers to both ends, widths (k, 1) that do, or one for each point, (n,).
    """
    lines = np.asarray(lines, np.float32)
    widths = np.asarray(widths, np.float32)
    if widths.shape != lines.shape[1:2]:
        widths = widths * _taper(lines.shape[1])
    normals = np.empty_like(lines)
    ahead, x, y = normals[:, 1:-1], lines[..., 0], lines[..., 1]
    ahead[..., 0], ahead[..., 1] = y[:, :-2] - y[:, 2:], x[:, 2:] - x[:, :-2]
    normals[:, 0, 0], normals[:, 0, 1] = y[:, 0] - y[:, 1], x[:, 1] - x[:, 0]
    normals[:, -1, 0], normals[:, -1, 1] = y[:, -2] - y[:, -1], x[:, -1] - x[:, -2]
    length = np.sqrt(np.einsum("kij,kij->ki", normals, normals)) + np.float32(1e-6)
    normals *= (np.float32(0.5) * widths / length)[..., None]
    return np.concatenate([lines + normals, (lines - normals)[:, ::-1]], axis=1)


def shifted(points: Array, right: float, down: float) -> Array:
    """The same points moved."""
    return points + np.array([right, down], np.float32)


_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 28)[:-1]), np.sin(np.linspace(0, 2 * np.pi, 28)[:-1])], axis=1)


def oval(x: float, y: float, half_width: float, half_height: float) -> Array:
    """An axis-aligned ellipse as a polygon (27, 2), in whatever unit its arguments have."""
    return (_CIRCLE * (half_width, half_height) + (x, y)).astype(np.float32)
