"""The marks of age on the skin: rosy cheeks and freckles, then lines, folds, bags, spots and sagging."""

from __future__ import annotations

import cv2
import numpy as np

from agegender.data.drawn.anatomy import mirrored
from agegender.data.drawn.canvas import SIZE_PX, Array, Canvas, curve, oval, shape_patch, shifted, stroke, strokes
from agegender.data.drawn.scene import Pose
from agegender.data.drawn.traits import Traits

_CREASE = np.array([0.62, 0.5, 0.47], np.float32)
_SIDES = (-1.0, 1.0)


def draw_complexion(canvas: Canvas, traits: Traits, pose: Pose, head: Array, rng: np.random.Generator) -> None:
    """Uneven skin, cheeks, freckles and age spots; `head` (128, 128) is where the skin is."""
    skin, shape = traits.skin, traits.shape
    coarse = rng.standard_normal((14, 14), dtype=np.float32) * np.float32(0.018 + 0.03 * skin.mottling)
    clouds = cv2.resize(coarse, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_CUBIC)
    fine = rng.standard_normal((64, 64), dtype=np.float32) * np.float32(0.03 * skin.mottling)
    clouds += cv2.resize(fine, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_LINEAR)
    canvas.pixels *= 1.0 + (clouds * head) * np.array([0.7, 1.0, 1.0], np.float32)[:, None, None]
    young = float(np.interp(traits.apparent_age, (0, 12, 25), (1.0, 0.5, 0.0)))
    cheek_y = 0.5 * (shape.eye_y + shape.mouth_y) + 0.06
    cheeks, lights = [], []
    for side in _SIDES:
        cheeks.append(pose.face(oval(side * shape.cheek * 0.6, cheek_y, 0.19 + 0.05 * young, 0.15 + 0.04 * young)))
        lights.append(pose.face(oval(side * shape.cheek * 0.52, shape.eye_y + 0.2, 0.14, 0.07)))
    rosy = 1.0 - np.array([-0.02, 0.17, 0.14], np.float32) * skin.blush
    canvas.shade(shape_patch(cheeks, blur=5).within(head), rosy)
    canvas.shade(shape_patch(lights, blur=3.5).within(head), 1.05 + 0.03 * young)
    brow = oval(0.0, 0.5 * (shape.brow_y + shape.hairline_y), 0.3, 0.12)
    canvas.shade(shape_patch([pose.face(brow)], blur=5).within(head), 1.05)
    if skin.freckles > 0:
        dots = [pose.face(_dot(rng, 0.42, (0.1, 0.5), (0.008, 0.016))) for _ in range(34)]
        tint = 1.0 - np.array([0.22, 0.36, 0.4]) * skin.freckles
        canvas.shade(shape_patch(dots, blur=0.3).within(head), tint)
    count = rng.poisson(9 * skin.spots) if skin.spots > 0.05 else 0
    if count:
        spots = [pose.face(_dot(rng, 0.62, (-0.85, 0.7), (0.014, 0.04))) for _ in range(count)]
        canvas.shade(shape_patch(spots, blur=0.6).within(head), np.array([0.8, 0.72, 0.66]))


def _dot(rng: np.random.Generator, reach: float, heights: tuple[float, float], sizes: tuple[float, float]) -> Array:
    radius, x, y, flat = rng.uniform(*sizes), rng.uniform(-reach, reach), rng.uniform(*heights), rng.uniform(0.7, 1.1)
    return oval(float(x), float(y), float(radius), float(radius * flat))


def draw_lines(canvas: Canvas, traits: Traits, pose: Pose, head: Array, rng: np.random.Generator) -> None:
    """Forehead lines, frown, crow's feet, folds beside nose and mouth, bags, hollow cheeks, jowls."""
    shape, skin, smile = traits.shape, traits.skin, max(traits.expression.smile, 0.0)
    mouth_x, mouth_y = shape.mouth_width * (1.0 + 0.16 * smile), shape.mouth_y

    def crease(*folds: Array, width: float, strength: float, both: bool = True, blur: float = 0.45) -> None:
        """Dark lines with a lit edge below; `both` draws them on the other side as well."""
        if strength < 0.05:
            return
        lines = curve(np.stack(folds))
        lines = np.concatenate([lines, mirrored(lines)]) if both else lines
        placed = pose.face(lines.reshape(-1, 2), 0.02).reshape(lines.shape)
        dark = shape_patch(strokes(placed, width), blur=blur).within(head)
        canvas.shade(dark, 1.0 - (1.0 - _CREASE) * min(strength, 1.15))
        if strength < 0.2:
            return
        edge = shape_patch(strokes(placed + np.array([0.0, width * 0.95], np.float32), width * 0.8), blur=blur)
        canvas.shade(edge.within(head), 1.0 + 0.11 * min(strength, 1.0))

    top, bottom = shape.hairline_y + 0.1, shape.brow_y - 0.1
    rows = []
    for position in np.linspace(0.06, 0.94, 4):
        half = float(rng.uniform(0.22, 0.42))
        y = bottom + (top - bottom) * position + rng.normal(0.0, 0.008, 5)
        rows.append(np.stack([np.linspace(-half, half, 5), y + np.array([12, -4, 4, -4, 12]) / 1000], axis=1))
    crease(*rows, width=1.5, strength=skin.forehead_lines * 0.8, both=False)
    frown = shifted(np.array([(0.055, 0.08), (0.06, 0.0), (0.05, -0.08)]), 0.0, shape.brow_y)
    crease(frown, width=1.2, strength=skin.forehead_lines * 0.7 - 0.12)
    corner_x = shape.eye_x + shape.eye_width * 1.1
    reach = rng.uniform(0.09, 0.16, 4) * (0.75 + 0.3 * smile)
    feet = [
        shifted(np.array([(0.0, slope * 0.5), (far * 0.5, slope * 0.95), (far, slope * 1.6)]), corner_x, shape.eye_y)
        for far, slope in zip(reach, (-0.07, -0.015, 0.045, 0.1), strict=True)
    ]
    crease(*feet, width=1.1, strength=skin.crows_feet * (0.8 + 0.35 * smile), blur=0.3)
    _draw_bags(canvas, traits, pose)
    if skin.eye_bags > 0.25:
        below = np.array([(-0.8, 0.06), (-0.2, 0.12), (0.4, 0.115), (0.95, 0.06)]) * (shape.eye_width, 1.0)
        under = shifted(below, shape.eye_x, shape.eye_y + 0.035 + 0.03 * skin.eye_bags)
        crease(under, width=1.2, strength=skin.eye_bags * 0.75)
    smile_fold = 0.22 * smile * float(np.interp(traits.apparent_age, (2, 20), (0.3, 1.0)))
    fold = np.array(
        [(shape.nose_width * 1.08, shape.nose_y - 0.05), (mouth_x * 0.92 + 0.02, 0.5 * (shape.nose_y + mouth_y) - 0.01),
         (mouth_x * 1.12 + 0.02, mouth_y - 0.005), (mouth_x * 1.14 + 0.015, mouth_y + 0.05)]
    )  # fmt: skip
    crease(fold, width=1.9, strength=smile_fold + 0.95 * skin.folds, blur=0.6)
    marionette = shifted(np.array([(1.02, 0.03), (1.1, 0.1), (1.08, 0.19)]) * (mouth_x, 1.0), 0.0, mouth_y)
    crease(marionette, width=1.6, strength=skin.folds * 1.1 - 0.42, blur=0.5)
    heights = mouth_y + np.array([-0.13, -0.1, -0.055])
    pleats = [np.stack([x * np.array([1.0, 0.96, 0.93]), heights], axis=1) for x in (0.025, 0.08, 0.145)]
    crease(*pleats, width=0.9, strength=skin.folds * 0.9 - 0.5, blur=0.3)
    _draw_sagging(canvas, traits, pose, head)


def _draw_bags(canvas: Canvas, traits: Traits, pose: Pose) -> None:
    shape, depth = traits.shape, traits.skin.eye_bags
    if depth < 0.05:
        return
    y = shape.eye_y + shape.eye_height + 0.045
    bags = [pose.face(oval(side * shape.eye_x, y, shape.eye_width * 0.85, 0.05)) for side in _SIDES]
    canvas.shade(shape_patch(bags, blur=1.5), 1.0 - np.array([0.2, 0.24, 0.18], np.float32) * min(depth, 1.2))


def _draw_sagging(canvas: Canvas, traits: Traits, pose: Pose, head: Array) -> None:
    shape, sagging = traits.shape, traits.skin.sagging
    if sagging < 0.03:
        return

    def fall(outlines: list[Array], blur: float, depth: tuple[float, float, float]) -> None:
        canvas.shade(shape_patch(outlines, blur=blur).within(head), 1.0 - np.array(depth) * sagging)

    hollow = curve(np.array([(0.94, 0.3), (0.72, 0.42), (0.6, 0.56), (0.78, 0.5)]) * (shape.cheek, 1.0), closed=True)
    fall([pose.face(hollow), pose.face(mirrored(hollow))], 2.6, (0.2, 0.24, 0.24))
    jowl = curve(np.array([(1.1, 0.66), (0.89, 0.8), (0.64, 0.9), (0.54, 0.84)]) * (shape.jaw, 1.0))
    fall([stroke(pose.face(jowl), 3.0), stroke(pose.face(mirrored(jowl)), 3.0)], 1.3, (0.24, 0.3, 0.3))
    chin = curve(np.array([(-0.2, 0.86), (0.0, 0.9), (0.2, 0.86)]))
    fall([stroke(pose.face(chin), 2.0)], 1.0, (0.14, 0.18, 0.18))
