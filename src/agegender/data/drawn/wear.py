"""Beards, glasses, bows, neck and clothes."""

from __future__ import annotations

import numpy as np

from agegender.data.drawn.anatomy import mirrored
from agegender.data.drawn.canvas import Array, Canvas, curve, oval, shape_patch, shifted, stroke, strokes
from agegender.data.drawn.scene import Pose
from agegender.data.drawn.traits import BeardStyle, Traits

_SIDES = (-1.0, 1.0)


def draw_clothes(canvas: Canvas, traits: Traits, pose: Pose) -> Array:
    """Shoulders; gives back where they are, (128, 128)."""
    width = 0.95 + 0.9 * (traits.shape.neck - 0.3) * 2
    right = np.array(
        [
            (0.0, 1.16),
            (traits.shape.neck * 1.05, 1.1),
            (0.72 * width, 1.2),
            (1.05 * width, 1.4),
            (1.2 * width, 2.2),
            (0.0, 2.3),
        ]
    )
    body = shape_patch([pose.flat(curve(np.concatenate([right, mirrored(right[1:-1])[::-1]]), closed=True))])
    canvas.paint(body, traits.wear.clothes)
    return body.full()


def draw_neck(canvas: Canvas, traits: Traits, pose: Pose) -> Array:
    """Neck with the chin's shadow and a neckline or collar; gives back where the neck is, (128, 128)."""
    shape, skin, neck = traits.shape, traits.skin, traits.shape.neck
    right = np.array([(neck * 0.98, 0.3), (neck * 0.95, 0.9), (neck * 1.05, 1.12), (neck * 1.1, 1.2), (0.0, 1.38)])
    column = shape_patch([pose.flat(curve(np.concatenate([right, mirrored(right[:-1])[::-1]])))])
    canvas.paint(column, skin.colour * np.array([0.9, 0.85, 0.83], np.float32))
    shadow = oval(0.0, 0.93, shape.jaw * 0.95, 0.2)
    canvas.shade(
        shape_patch([pose.flat(shadow)], blur=2.6).within(column.full()), np.array([0.68, 0.58, 0.56], np.float32)
    )
    if skin.sagging > 0.2:
        cords = [
            np.array([(x * neck, 1.02), (x * neck * 0.85, 1.2), (x * neck * 0.6, 1.34)])
            for x in (-0.6, -0.2, 0.25, 0.6)
        ]
        canvas.shade(
            shape_patch([stroke(pose.flat(curve(cord)), 1.3) for cord in cords], blur=0.6),
            1 - 0.3 * min(skin.sagging, 1),
        )
    if traits.wear.collar:
        for side in _SIDES:
            flap = np.array(
                [(side * neck * 1.12, 1.06), (side * neck * 1.25, 1.2), (side * 0.2, 1.5), (side * 0.05, 1.34)]
            )
            edge = pose.flat(flap)
            canvas.shade(shape_patch([shifted(edge, 0, 1.2)], blur=0.8), 0.7)
            canvas.paint(shape_patch([edge]), traits.wear.clothes * 0.5 + 122)
    return column.full()


def draw_beard(canvas: Canvas, traits: Traits, pose: Pose, rng: np.random.Generator) -> None:
    """Stubble, moustache, goatee or full beard with its hairs."""
    style, shape, hair = traits.hair.beard, traits.shape, traits.hair
    if style is BeardStyle.NONE:
        return
    if style is BeardStyle.STUBBLE:
        area = shape_patch([pose.face(_beard_area(traits, 0.0))], blur=2.6)
        canvas.paint(area, hair.beard_colour * 0.8 + traits.skin.colour * 0.1, 0.34)
        _bristles(canvas, traits, pose, area.full(), count=90, rng=rng)
        return
    shapes, count = [], 34
    mouth_x = shape.mouth_width * (1 + 0.16 * max(traits.expression.smile, 0))
    top, lip = shape.nose_y + 0.055, shape.mouth_y - 0.05 * shape.lips
    drop = 0.07 if style is BeardStyle.MOUSTACHE else 0.12
    moustache = np.array(
        [(0.0, top + 0.01), (0.4 * mouth_x, top), (mouth_x * 1.0, top + 0.06), (mouth_x * 1.18, shape.mouth_y + drop),
         (mouth_x * 0.96, shape.mouth_y + 0.0), (0.5 * mouth_x, lip + 0.012), (0.0, lip - 0.004)]
    )  # fmt: skip
    shapes.append(pose.face(curve(np.concatenate([moustache, mirrored(moustache[1:-1])[::-1]]), closed=True), 0.07))
    if style is BeardStyle.GOATEE:
        chin = np.array(
            [
                (mouth_x * 1.0, shape.mouth_y),
                (mouth_x * 1.18, shape.mouth_y + 0.12),
                (shape.chin * 0.95, 0.95),
                (0.0, 1.06),
            ]
        )
        hollow = np.array(
            [
                (mouth_x * 1.0, shape.mouth_y),
                (mouth_x * 0.75, shape.mouth_y + 0.13),
                (0.25 * mouth_x, shape.mouth_y + 0.17),
            ]
        )
        ring = np.concatenate(
            [
                curve(np.concatenate([chin, mirrored(chin[:-1])[::-1]])),
                curve(np.concatenate([hollow, mirrored(hollow)[::-1]]))[::-1],
            ]
        )
        shapes.append(pose.face(ring, 0.03))
        count = 60
    elif style is BeardStyle.FULL:
        shapes.append(pose.face(_beard_area(traits, 0.1), 0.0))
        count = 130
    patch = shape_patch(shapes, blur=0.7)
    canvas.shade(shape_patch([shifted(outline, 0, 1.5) for outline in shapes], blur=1.6), 0.84)
    canvas.paint(patch, hair.beard_colour, 0.9)
    _bristles(canvas, traits, pose, patch.full(), count=count, rng=rng)


def _beard_area(traits: Traits, longer: float) -> Array:
    """The bearded part of the face, without lips, as one outline in face units; `longer` reaches below the chin."""
    shape = traits.shape
    right = shape.right_outline
    below = right[right[:, 1] > 0.08]
    longer_by = np.stack([np.zeros(len(below)), longer * np.clip(below[:, 1], 0, 1)], axis=1)
    outer = below * (1.0 + 0.35 * longer, 1.0) + longer_by
    mouth_x = shape.mouth_width * (1 + 0.16 * max(traits.expression.smile, 0))
    gap = 0.1 * shape.lips + 0.1 * traits.expression.mouth_open + 0.035
    inner = np.array(
        [(shape.cheek * 0.9, 0.08), (shape.cheek * 0.84, 0.36), (0.66 * shape.cheek, 0.56),
         (mouth_x * 1.25, shape.nose_y + 0.12), (mouth_x * 1.06, shape.mouth_y),
         (mouth_x * 0.72, shape.mouth_y + gap), (0.0, shape.mouth_y + gap + 0.02)]
    )  # fmt: skip
    line = curve(inner)
    half = np.concatenate([outer, mirrored(outer[:-1])[::-1]])
    return np.concatenate([half, mirrored(line), line[:-1][::-1]])


def _bristles(canvas: Canvas, traits: Traits, pose: Pose, area: Array, *, count: int, rng: np.random.Generator) -> None:
    x, y = rng.uniform(-0.8, 0.8, count), rng.uniform(0.1, 1.1, count)
    roots = pose.face(np.stack([x, y], axis=1))
    stubble = traits.hair.beard is BeardStyle.STUBBLE
    length = 1.1 if stubble else 3.4
    lean = np.stack([x * 1.4 + rng.normal(0, 0.4, count), 1.0 + rng.normal(0, 0.25, count)], axis=1)
    middles = roots[:, None] + lean[:, None] * length * np.array([[0.0], [0.5], [1.0]])
    outlines = strokes(middles, 0.95)
    dark, light = traits.hair.beard_colour * 0.6, traits.hair.beard_colour * 0.7 + 255 * 0.3
    canvas.paint(shape_patch(outlines[::2]).within(area), dark, 0.55)
    if not stubble:
        canvas.paint(shape_patch(outlines[1::2]).within(area), light, 0.4)


def draw_glasses(canvas: Canvas, traits: Traits, pose: Pose) -> None:
    """A pair of glasses with a little glare and its shadow."""
    frame, shape = traits.wear.glasses, traits.shape
    if frame is None:
        return
    width, height = min(0.235, shape.eye_x * 0.74), 0.185 if traits.wear.round_glasses else 0.155
    y = shape.eye_y + 0.03
    power = 2.2 if traits.wear.round_glasses else 4.0
    angles = np.linspace(0, 2 * np.pi, 33)
    rim = np.stack(
        [
            np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** (2 / power),
            np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** (2 / power),
        ],
        axis=1,
    )
    thickness = 1.5 if frame[0] > 110 else 2.1
    lines = [pose.face(rim * (width, height) + (side * shape.eye_x, y), 0.1) for side in _SIDES]
    inner, outer = shape.eye_x - width, shape.eye_x + width
    bridge = curve(np.array([(-inner, y - 0.03), (0.0, y - 0.065), (inner, y - 0.03)]))
    lines.append(pose.face(bridge, 0.14))
    reach = shape.half_width_at(y)
    arms = [np.array([(side * outer, y - 0.05), (side * (reach + 0.01), y - 0.075)]) for side in _SIDES]
    strokes = [stroke(line, np.full(len(line), thickness)) for line in lines]
    strokes += [
        stroke(np.stack([pose.face(arm[:1], 0.1)[0], pose.flat(arm[1:])[0]]), np.full(2, thickness)) for arm in arms
    ]
    canvas.shade(shape_patch([shifted(line, 0.3, 1.6) for line in strokes], blur=0.8), 0.82)
    for rim_line in lines[:2]:
        canvas.paint(shape_patch([rim_line]), np.array([236, 240, 246], np.float32), 0.07)
        glare = rim_line.mean(axis=0) + np.array([(-5, 3), (-1, -5), (2, -5), (-2, 3)], np.float32)
        canvas.paint(shape_patch([glare], blur=0.6), np.array([255, 255, 255], np.float32), 0.16)
    canvas.paint(shape_patch(strokes), frame)


def draw_bow(canvas: Canvas, traits: Traits, pose: Pose) -> None:
    """A bow in the hair."""
    if traits.wear.bow is None:
        return
    side = 1.0 if traits.hair.part > 0 else -1.0
    x, y = side * 0.48, -0.86
    loops = []
    for turn in _SIDES:
        loops.append(
            np.array(
                [
                    (x, y),
                    (x + turn * 0.1, y - 0.12),
                    (x + turn * 0.23, y - 0.1),
                    (x + turn * 0.22, y + 0.1),
                    (x + turn * 0.1, y + 0.08),
                ]
            )
        )
    placed = [pose.flat(curve(loop, closed=True)) for loop in loops]
    canvas.shade(shape_patch([shifted(loop, 0.3, 1.5) for loop in placed], blur=0.9), 0.75)
    canvas.paint(shape_patch(placed), traits.wear.bow)
    canvas.shade(shape_patch([stroke(pose.flat(curve(loop[:3])), 1.2) for loop in loops], blur=0.4), 0.75)
    canvas.paint(shape_patch([pose.flat(oval(x, y, 0.055, 0.06))]), traits.wear.bow * 0.82)
