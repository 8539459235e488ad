"""The texture of hair: a lock is the band between two lines, strands follow it, curls cover a patch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agegender.data.drawn.canvas import Array, Canvas, Patch, shape_patch, strokes


@dataclass(frozen=True, slots=True)
class Lock:
    """`outer` and `inner` lines (n, 2) in pixels; strands run `along` them or across from the inner to the outer."""

    outer: Array
    inner: Array
    along: bool

    def outline(self) -> Array:
        """The lock's edge, (2n, 2)."""
        return np.concatenate([self.outer, self.inner[::-1]])


def draw_strands(canvas: Canvas, locks: list[Lock], patch: Patch, count: int, rng: np.random.Generator) -> None:
    """Darker and lighter strands over the locks."""
    dark: list[Array] = []
    light: list[Array] = []
    steps = np.linspace(0, 1, 16, dtype=np.float32)
    sweep = int(rng.integers(-2, 3))  # combed the same way all over
    for lock in locks:
        last = min(len(lock.outer), len(lock.inner)) - 1
        place = rng.uniform(0.04, 0.96, (count, 1))
        if lock.along:
            at = np.rint((rng.uniform(0, 0.4, (count, 1)) * (1 - steps) + steps) * last).astype(int)
            at = np.minimum(at, last)
            lines = lock.inner[at] + (lock.outer[at] - lock.inner[at]) * place[..., None]
        else:
            at = (place * last).astype(int)
            to = np.clip(at + sweep + rng.integers(-1, 2, (count, 1)), 0, last)
            lines = lock.inner[at] + (lock.outer[to] - lock.inner[at]) * steps[2:-1, None]
            bend = rng.normal(0, 0.8, (count, 1, 2)) * np.sin(np.pi * steps[2:-1])[:, None]
            lines = lines + bend
        outlines = strokes(lines, rng.uniform(0.7, 1.7, (count, 1)))
        dark.extend(outlines[::2])
        light.extend(outlines[1::2])
    limits = patch.full()
    for group, factor in ((dark, 0.78), (light, 1.17)):
        canvas.shade(shape_patch(group, blur=0.3).within(limits), factor)


def draw_curls(canvas: Canvas, patch: Patch, count: int, rng: np.random.Generator) -> None:
    """Small arcs all over a patch."""
    rows, columns = np.nonzero(patch.alpha > 0.5)
    if len(rows) == 0:
        return
    picks = rng.integers(0, len(rows), count)
    centres = np.stack([columns[picks] + patch.columns.start, rows[picks] + patch.rows.start], axis=1).astype(
        np.float32
    )
    starts, sizes = rng.uniform(0, 2 * np.pi, count), rng.uniform(1.4, 3.2, count)
    angles = starts[:, None] + np.linspace(0, 3.6, 8)
    arcs = centres[:, None] + sizes[:, None, None] * np.stack([np.cos(angles), np.sin(angles)], axis=2)
    outlines = strokes(arcs, 1.0)
    limits = patch.full()
    for group, factor in ((outlines[::2], 0.7), (outlines[1::2], 1.16)):
        canvas.shade(shape_patch(group, blur=0.25).within(limits), factor)


def ruffled(line: Array, size: float, rng: np.random.Generator) -> Array:
    """The line with every point moved a little."""
    return line + rng.normal(0.0, size, line.shape).astype(np.float32)


def bumpy(line: Array, size: float, rng: np.random.Generator) -> Array:
    """Round bumps outwards from the line's middle, as the edge of curls has them."""
    outwards = line - np.array([0.0, -0.4], np.float32)
    outwards /= np.maximum(np.hypot(outwards[:, 0], outwards[:, 1]), 1e-3)[:, None]
    turns = np.linspace(0, len(line) / 2.2, len(line)) + rng.normal(0, 0.25, len(line)) + rng.uniform(0, np.pi)
    return line + (outwards * (size * np.abs(np.sin(turns)))[:, None]).astype(np.float32)
