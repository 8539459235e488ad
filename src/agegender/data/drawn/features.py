"""Eyes, brows, nose, mouth and ears."""

from __future__ import annotations

import math

import numpy as np

from agegender.data.drawn.anatomy import Shape, mirrored
from agegender.data.drawn.canvas import Array, Canvas, curve, oval, shape_patch, shifted, stroke, strokes
from agegender.data.drawn.scene import Pose
from agegender.data.drawn.traits import Traits

_SIDES = (-1.0, 1.0)


def draw_ears(canvas: Canvas, traits: Traits, pose: Pose) -> None:
    """Ears behind the head; the one that the head turns towards the viewer shows more."""
    shape, colour = traits.shape, traits.skin.colour
    y = shape.eye_y + 0.16
    outer, inner, drops = [], [], []
    for side in _SIDES:
        seen = max(1.0 - 1.2 * side * math.sin(pose.yaw), 0.3)
        x = side * (shape.half_width_at(y) + 0.005)
        outer.append(pose.flat(oval(x, y, 0.105 * seen, shape.ear)))
        inner.append(pose.flat(oval(x + side * 0.012, y - 0.01, 0.06 * seen, shape.ear * 0.62)))
        drops.append(pose.flat(oval(x + side * 0.025, y + shape.ear + 0.035, 0.038, 0.05)))
    canvas.paint(shape_patch(outer), colour * np.array([0.93, 0.86, 0.84], np.float32))
    canvas.shade(shape_patch(inner, blur=0.7), np.array([0.84, 0.74, 0.72], np.float32))
    if traits.wear.earrings is not None:
        canvas.paint(shape_patch(drops), traits.wear.earrings)


def eye_outline(shape: Shape, side: float, droop: float, squint: float) -> tuple[Array, Array]:
    """Upper and lower lid of one eye in face units, each (n, 2), from the inner to the outer corner."""
    width, height = shape.eye_width, shape.eye_height * (1.0 - 0.3 * max(squint, 0.0))
    tail = -shape.eye_slant * 2 + 0.012 * droop
    upper = [(-1, 0.1), (-0.55, -0.72), (0.05, -1.0), (0.6, -0.72 + 0.4 * droop), (1, 0.05)]
    lower = [(-1, 0.1), (-0.5, 0.55), (0.1, 0.72), (0.65, 0.5), (1, 0.05)]
    size = np.array([width * side, height])
    base = np.array([side * shape.eye_x, shape.eye_y])
    lids = []
    for lid in (upper, lower):
        points = np.array(lid)
        placed = curve(points * size + base)
        placed[:, 1] += tail * np.linspace(0, 1, len(placed), dtype=np.float32)
        lids.append(placed)
    return lids[0], lids[1]


def draw_eyes(canvas: Canvas, traits: Traits, pose: Pose) -> None:
    """Both eyes with lids, lashes, iris and highlight."""
    shape, face, skin = traits.shape, traits.expression, traits.skin.colour
    dark = skin * np.array([0.31, 0.23, 0.21], np.float32)
    droop = min(traits.skin.sagging, 1.1)
    sockets = [oval(side * shape.eye_x, shape.eye_y - 0.02, shape.eye_width * 1.35, 0.15) for side in _SIDES]
    depth = 0.91 - 0.05 * min(traits.skin.eye_bags, 1.2)
    hollow = np.array([depth, depth * 0.97, depth * 0.97], np.float32)
    canvas.shade(shape_patch([pose.face(socket) for socket in sockets], blur=4), hollow)
    lids = [eye_outline(shape, side, droop, face.smile * 0.7) for side in _SIDES]
    eyeballs = shape_patch([pose.face(np.concatenate([upper, lower[::-1]])) for upper, lower in lids])
    white = np.array([240, 236, 232], np.float32) - np.array([6, 12, 20], np.float32) * droop
    canvas.paint(eyeballs, 0.86 * white + 0.14 * skin)
    opening = eyeballs.full()
    _draw_irises(canvas, traits, pose, opening)
    edges = [pose.face(upper, 0.02) for upper, _ in lids]
    canvas.shade(shape_patch([stroke(shifted(edge, 0, 1), 2.6) for edge in edges], blur=0.6).within(opening), 0.68)
    line = (1.1 + 1.25 * face.lashes) * pose.scale / 55
    canvas.paint(shape_patch([stroke(edge, line) for edge in edges]), dark * (1.0 - 0.45 * face.lashes), 0.95)
    below = [stroke(pose.face(lower), 0.9) for _, lower in lids]
    canvas.shade(shape_patch(below, blur=0.3), np.array([0.72, 0.6, 0.58], np.float32))
    _draw_lashes(canvas, traits, pose, [upper for upper, _ in lids])
    above = np.array([0.0, -0.042 + 0.016 * droop], np.float32)
    creases = [stroke(pose.face(upper[3:-2] + above), 1.3) for upper, _ in lids]
    strength = 0.78 if traits.apparent_age > 2 else 0.86
    canvas.shade(shape_patch(creases, blur=0.4), np.array([strength, strength * 0.93, strength * 0.92]))


def _draw_irises(canvas: Canvas, traits: Traits, pose: Pose, opening: Array) -> None:
    shape, gaze, colour = traits.shape, traits.expression.gaze, traits.expression.iris_colour
    x, y = gaze[0] * shape.iris, shape.eye_y - 0.012 + gaze[1] * shape.iris
    middles = pose.face(np.array([(side * shape.eye_x + x, y) for side in _SIDES]), 0.02)
    radius, narrow = shape.iris * pose.scale, math.cos(pose.yaw)

    def discs(size: float, right: float = 0.0, down: float = 0.0, flat: float = 1.0) -> list[Array]:
        offset = (right * radius, down * radius)
        return [oval(0, 0, radius * size * narrow, radius * size * flat) + middle + offset for middle in middles]

    canvas.paint(shape_patch(discs(1.0)).within(opening), colour * 0.48)
    canvas.paint(shape_patch(discs(0.82), blur=0.3).within(opening), colour)
    canvas.shade(shape_patch(discs(0.6, down=0.4, flat=0.6), blur=0.5).within(opening), 1.35)
    canvas.paint(shape_patch(discs(0.46)).within(opening), np.array([14, 11, 12], np.float32))
    glints = shape_patch(discs(0.25, right=-0.32, down=-0.36))
    canvas.paint(glints.within(opening), np.array([252, 252, 255], np.float32), 0.95)


def _draw_lashes(canvas: Canvas, traits: Traits, pose: Pose, lids: list[Array]) -> None:
    length = traits.expression.lashes
    if length < 0.45:
        return
    position = np.linspace(0.45, 1.0, 6)
    hairs = []
    for side, lid in zip(_SIDES, lids, strict=True):
        roots = lid[np.rint(position * (len(lid) - 1)).astype(int)]
        lean = np.stack([side * (0.01 + 0.05 * (position - 0.35)), -0.045 + 0.012 * position], axis=1) * (0.5 + length)
        hairs.append(np.stack([roots, roots + lean * 0.6 + (0, -0.003), roots + lean], axis=1))
    lines = np.concatenate(hairs)
    placed = pose.face(lines.reshape(-1, 2), 0.02).reshape(lines.shape)
    lashes = strokes(placed, np.array([0.85, 0.6, 0.25]))
    canvas.paint(shape_patch(lashes), np.array([26, 20, 20], np.float32), min(1.0, 0.35 + 0.5 * length))


def draw_brows(canvas: Canvas, traits: Traits, pose: Pose, rng: np.random.Generator) -> None:
    """Brows as a tapered band with a few hairs; babies have hardly any."""
    shape, hair, age = traits.shape, traits.hair, traits.apparent_age
    arch = (0.042 + 0.018 * traits.expression.lashes) * float(np.interp(age, (0, 8), (0.6, 1)))
    thick = 0.072 * hair.brow_thickness * pose.scale
    opacity = float(np.interp(age, (0, 2, 10), (0.3, 0.45, 0.8)))
    raised = shape.brow_y + float(rng.normal(0, 0.006))
    inner, outer = shape.eye_x - shape.eye_width * 1.02, shape.eye_x + shape.eye_width * 1.18
    x = inner + np.array([0, 0.33, 0.68, 1]) * (outer - inner)
    y = raised + np.array([0.002, -0.55 * arch, -0.8 * arch, 0.022 + 0.02 * traits.skin.sagging])
    middle = curve(np.stack([x, y], axis=1))
    taper = thick * np.interp(np.linspace(0, 1, len(middle)), (0, 0.12, 0.5, 0.8, 1), (0.5, 0.95, 0.9, 0.55, 0.15))
    bands = [pose.face(middle * np.array([side, 1.0]), 0.03) for side in _SIDES]
    canvas.paint(shape_patch([stroke(band, taper) for band in bands], blur=0.55), hair.brow_colour, opacity)
    hairs = []
    for side, band in zip(_SIDES, bands, strict=True):
        position = rng.uniform(0.02, 0.9, 7)
        roots = band[(position * (len(band) - 1)).astype(int)]
        reach = np.stack([np.full(7, side * 1.3), -0.9 + 1.3 * position], axis=1)
        reach *= rng.uniform(0.6, 1.2, (7, 1)) * (0.5 + 0.12 * thick)
        hairs.append(roots[:, None] + reach[:, None] * np.array([[-0.5], [0.0], [1.0]]))
    canvas.paint(shape_patch(strokes(np.concatenate(hairs), 0.7)), hair.brow_colour * 0.72, opacity * 0.7)


def draw_nose(canvas: Canvas, traits: Traits, pose: Pose) -> None:
    """Nose: a shadow on one side and below, wings, nostrils, a light on bridge and tip."""
    shape = traits.shape
    width, y = shape.nose_width, shape.nose_y
    grown = float(np.interp(traits.apparent_age, (0, 16), (0.3, 1.0)))
    away = -1.0 if pose.yaw > 0 else 1.0
    top = shape.eye_y - 0.1
    bridge = curve(np.array([(0.085, top), (0.06, shape.eye_y + 0.12), (0.085, y - 0.12), (width * 0.8, y - 0.02)]))
    side = bridge * np.array([away, 1], np.float32)
    warm = 1.0 - np.array([0.8, 0.7, 0.67], np.float32)
    canvas.shade(shape_patch([stroke(pose.face(side, 0.08), 5.0)], blur=1.6), 1 - warm * 0.75 * grown)
    canvas.shade(shape_patch([stroke(pose.face(mirrored(side), 0.08), 4.0)], blur=1.6), 1 - warm * 0.3 * grown)
    below = oval(0.0, y + 0.035, width * 0.85, 0.035)
    canvas.shade(shape_patch([pose.face(below, 0.08)], blur=1.1), np.array([0.74, 0.64, 0.62], np.float32))
    wing_x, wing_y = np.array([0.78, 1.04, 0.9, 0.62]) * width, y + np.array([-0.085, -0.035, 0.02, 0.022])
    wing = curve(np.stack([wing_x, wing_y], axis=1))
    wings = [stroke(pose.face(line, 0.08), 1.1) for line in (wing, mirrored(wing))]
    canvas.shade(shape_patch(wings, blur=0.4), np.array([0.7, 0.56, 0.54]) ** (0.55 + 0.45 * grown))
    nostrils = [oval(sign * width * 0.42, y + 0.012, width * 0.24, 0.02) for sign in _SIDES]
    canvas.shade(shape_patch([pose.face(hole, 0.12) for hole in nostrils], blur=0.35), np.array([0.42, 0.3, 0.3]))
    ridge = np.array([(0, top + 0.08), (0, y - 0.22), (0, y - 0.1)])
    canvas.shade(shape_patch([stroke(pose.face(curve(ridge), 0.2), 2.6)], blur=1.2), 1.0 + 0.08 * grown)
    canvas.shade(shape_patch([pose.face(oval(-0.012, y - 0.055, 0.04, 0.032), 0.2)], blur=0.9), 1.13)


def draw_mouth(canvas: Canvas, traits: Traits, pose: Pose) -> None:
    """Lips with a cupid's bow, closed or open in a smile with teeth."""
    shape, look = traits.shape, traits.expression
    smile, spread = look.smile, 1.0 + 0.16 * max(look.smile, 0)
    width, y = shape.mouth_width * spread, shape.mouth_y
    lift = -0.065 * smile + 0.022 * min(traits.skin.sagging, 1.2)
    gap = look.mouth_open * (0.075 + 0.03 * (traits.apparent_age < 3))
    upper, lower = 0.05 * shape.lips, 0.075 * shape.lips
    x = np.array([-1, -0.55, 0, 0.55, 1]) * width
    seam = curve(np.stack([x, y + np.array([lift, 0.004 + 0.2 * lift, 0.012, 0.004 + 0.2 * lift, lift])], axis=1))
    bow_x = np.array([-1, -0.55, -0.17, 0, 0.17, 0.55, 1]) * width
    flank = -0.62 * upper + 0.3 * lift
    bow_y = y + np.array([lift, flank, -upper, -0.72 * upper, -upper, flank, lift])
    bow = curve(np.stack([bow_x, bow_y], axis=1))
    opening = np.sin(np.linspace(0, np.pi, len(seam), dtype=np.float32))[:, None] * np.array([0, gap], np.float32)
    sill = seam + opening
    flank = 0.72 * lower + 0.7 * gap
    belly_y = y + np.array([lift, flank, lower + gap, flank, lift])
    belly = curve(np.stack([x * np.array([1, 0.96, 1, 0.96, 1]), belly_y], axis=1))
    shadow = oval(0, y + lower + gap + 0.045, width * 0.55, 0.028)
    canvas.shade(shape_patch([pose.face(shadow, 0.03)], blur=1.3), np.array([0.82, 0.76, 0.75], np.float32))
    colour = look.lip_colour
    canvas.paint(shape_patch([pose.face(np.concatenate([bow, seam[::-1]]), 0.06)], blur=0.35), colour * 0.88, 0.92)
    canvas.paint(shape_patch([pose.face(np.concatenate([sill, belly[::-1]]), 0.06)], blur=0.35), colour, 0.92)
    shine = oval(-0.02, y + gap + 0.55 * lower, width * 0.28, 0.3 * lower + 0.004)
    canvas.shade(shape_patch([pose.face(shine, 0.07)], blur=0.7), 1.14)
    dark = colour * np.array([0.42, 0.3, 0.3], np.float32)
    if gap > 0.02:
        cavity = shape_patch([pose.face(np.concatenate([seam, sill[::-1]]), 0.05)])
        canvas.paint(cavity, np.array([92, 36, 36], np.float32) * 0.8)
        if traits.apparent_age > 0.9:
            teeth = np.concatenate([seam, (seam + 0.72 * opening)[::-1]]) * np.array([0.9, 1.0], np.float32)
            yellow = np.array([8, 16, 34], np.float32) * min(traits.skin.sagging, 1)
            row = shape_patch([pose.face(teeth, 0.05)], blur=0.3).within(cavity.full())
            canvas.paint(row, np.array([242, 238, 230], np.float32) - yellow, 0.93)
        canvas.paint(shape_patch([stroke(pose.face(seam, 0.06), 0.9)]), dark, 0.6)
    else:
        canvas.paint(shape_patch([stroke(pose.face(seam, 0.06), 1.35)], blur=0.25), dark, 0.85)
    corners = [oval(sign * width * 1.02, y + lift, 0.022, 0.02) for sign in _SIDES]
    canvas.shade(shape_patch([pose.face(corner, 0.03) for corner in corners], blur=0.8), 0.74)
