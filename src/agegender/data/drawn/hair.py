"""Hair on the head: each style is a few locks, behind the head or in front of it."""

from __future__ import annotations

import numpy as np

from agegender.data.drawn.anatomy import Shape, mirrored
from agegender.data.drawn.canvas import Array, Canvas, Patch, curve, oval, shape_patch, shifted, stroke
from agegender.data.drawn.scene import Pose
from agegender.data.drawn.strands import Lock, bumpy, draw_curls, draw_strands, ruffled
from agegender.data.drawn.traits import Hair, HairStyle, Traits

_CROPPED = {HairStyle.FUZZ, HairStyle.BUZZ, HairStyle.SHORT, HairStyle.PARTED, HairStyle.CURLY, HairStyle.AFRO}
_FALLING = {HairStyle.BOB, HairStyle.LONG, HairStyle.WAVY}
_BALD = 0.5  # recession from which only the sides are left
_BACK = np.float32(0.68)  # how much light the hair behind the head gets
_CURLED = {HairStyle.CURLY, HairStyle.AFRO}


def draw_back_hair(canvas: Canvas, traits: Traits, pose: Pose, rng: np.random.Generator) -> None:
    """What hangs or stands behind head and neck."""
    shape, hair = traits.shape, traits.hair
    volume = hair.volume
    if hair.style in _FALLING:
        right = np.array(
            [(0.62 * shape.temple + 0.6 * volume, -0.93 - 0.5 * volume), (shape.temple + 0.9 * volume, -0.45),
             (shape.cheek + volume, 0.1), (shape.cheek + 1.05 * volume, 0.5), (shape.cheek + 0.7 * volume, _fall(hair))]
        )  # fmt: skip
        outer = ruffled(curve(right), 0.008, rng)
        sides = [outer, mirrored(ruffled(curve(right), 0.008, rng))]
        locks = [Lock(pose.flat(side), pose.flat(side * np.array([0.4, 1.0])), along=True) for side in sides]
        whole = np.concatenate([sides[0], [(0.0, _fall(hair) - 0.03)], sides[1][::-1], [(0.0, -1.0 - volume)]])
        _draw_behind(canvas, hair, shape_patch([pose.flat(whole)], blur=0.3), locks, rng)
    elif hair.style is HairStyle.AFRO:
        ball = np.repeat(oval(0.0, -0.42, shape.temple + 0.24 + volume, 0.74 + volume), 2, axis=0)
        patch = shape_patch([pose.flat(bumpy(ball, 0.06, rng))], blur=0.5)
        canvas.paint(patch, hair.colour * _BACK)
        draw_curls(canvas, patch, 60, rng)
    elif hair.style is HairStyle.TIED:
        lock = _bun(pose) if abs(hair.part) < 0.22 else _ponytail(shape, hair, pose)
        _draw_behind(canvas, hair, shape_patch([lock.outline()], blur=0.3), [lock], rng)


def _draw_behind(canvas: Canvas, hair: Hair, patch: Patch, locks: list[Lock], rng: np.random.Generator) -> None:
    canvas.paint(patch, hair.colour * _BACK)
    draw_strands(canvas, locks, patch, 14, rng)


def _bun(pose: Pose) -> Lock:
    ring = oval(0.0, -1.06, 0.3, 0.26)  # from the right over below and left to above
    half = len(ring) // 2
    return Lock(pose.flat(ring[:half]), pose.flat(ring[half : 2 * half][::-1]), along=True)


def _ponytail(shape: Shape, hair: Hair, pose: Pose) -> Lock:
    sign = np.array([1.0 if hair.part > 0 else -1.0, 1.0])
    outer = np.array([(-0.05, -0.3), (0.24, -0.2), (0.33, 0.12), (0.27, 0.5), (0.12, 0.85)])
    inner = np.array([(-0.08, -0.2), (0.05, -0.05), (0.08, 0.2), (0.07, 0.5), (0.09, 0.85)])
    outer, inner = shifted(outer, shape.cheek, 0.0) * sign, shifted(inner, shape.cheek, 0.0) * sign
    return Lock(pose.flat(curve(outer)), pose.flat(curve(inner)), along=True)


def draw_front_hair(canvas: Canvas, traits: Traits, pose: Pose, head: Array, rng: np.random.Generator) -> None:
    """Cap, fringe and the locks that frame the face, with the shadow that they throw on it."""
    shape, hair = traits.shape, traits.hair
    bald = hair.recession > _BALD and hair.style not in _FALLING
    if hair.style in _FALLING:
        locks = [_curtain(shape, hair, pose, side, rng) for side in (-1.0, 1.0)]
        if hair.fringe:
            locks.append(_fringe(shape, hair, pose, rng))
    elif bald:
        locks = [_side_patch(shape, hair, pose, side) for side in (-1.0, 1.0)]
    else:
        locks = [_cap(shape, hair, pose, rng)]
    if bald:
        opacity, blur = 0.88, 0.9
        _comb_over(canvas, traits, pose, head, rng)
    else:
        opacity = {HairStyle.FUZZ: 0.62, HairStyle.BUZZ: 0.8}.get(hair.style, 1.0) * (0.55 + 0.45 * hair.density)
        blur = {HairStyle.FUZZ: 1.6, HairStyle.BUZZ: 1.0}.get(hair.style, 0.45)
    outlines = [lock.outline() for lock in locks]
    if hair.style not in (HairStyle.FUZZ, HairStyle.BUZZ):
        cast = shape_patch([shifted(outline, 0.4, 2.2) for outline in outlines], blur=1.8).within(head)
        canvas.shade(cast, np.array([0.74, 0.67, 0.66], np.float32))
    patch = shape_patch(outlines, blur=blur)
    canvas.paint(patch, hair.colour, opacity)
    if hair.style in _CURLED:
        draw_curls(canvas, patch, 70, rng)
    elif hair.style is not HairStyle.FUZZ:
        draw_strands(canvas, locks, patch, 32 if hair.style is not HairStyle.BUZZ else 10, rng)
    _gloss(canvas, shape, hair, pose, patch)


def _fall(hair: Hair) -> float:
    return 0.9 + 0.5 * hair.part if hair.style is HairStyle.BOB else 1.6


def _cap(shape: Shape, hair: Hair, pose: Pose, rng: np.random.Generator) -> Lock:
    """Short hair: from one sideburn over the crown to the other, down to the hairline."""
    v = hair.volume * {HairStyle.BUZZ: 0.25, HairStyle.FUZZ: 0.2, HairStyle.TIED: 0.4, HairStyle.CURLY: 1.5,
                       HairStyle.AFRO: 2.2}.get(hair.style, 1.0)  # fmt: skip
    end = {HairStyle.FUZZ: -0.12, HairStyle.BUZZ: 0.06, HairStyle.TIED: 0.02}.get(hair.style, 0.1)
    width = shape.half_width_at
    line_y = shape.hairline_y - 0.48 * hair.recession
    corner = 0.3 * min(1.0, 1.6 * hair.recession)
    outer_half = np.array(
        [(width(end) + 0.008, end), (width(-0.14) + 0.35 * v + 0.012, -0.14), (width(-0.5) + 0.75 * v + 0.012, -0.54),
         (0.62 * shape.temple + 0.7 * v, -0.93 - 0.6 * v), (0.0, -1.0 - v)]
    )  # fmt: skip
    inner_half = np.array(
        [(width(end) - 0.035, end), (width(-0.05) - 0.075, -0.05), (0.84 * shape.temple, -0.33 - 0.6 * corner),
         (0.63 * shape.temple, line_y + 0.07 - corner * 0.75), (0.3 * shape.temple, line_y - 0.3 * corner)]
    )  # fmt: skip
    inner_half[3:, 1] = np.maximum(inner_half[3:, 1], (-0.8, -0.92))  # the hairline never climbs over the crown
    outer = np.concatenate([outer_half, mirrored(outer_half[:-1])[::-1]])
    inner = np.concatenate([inner_half, [(0.0, line_y + 0.015)], mirrored(inner_half)[::-1]])
    if hair.fringe and hair.style not in (HairStyle.FUZZ, HairStyle.BUZZ, HairStyle.TIED, HairStyle.AFRO):
        low = shape.brow_y - 0.05
        inner[3:8, 1] = low + np.array([0.0, -0.03, -0.05 + 0.1 * hair.part, -0.03, 0.0])
    elif hair.style is HairStyle.PARTED:  # swept to one side: higher over the parting, a wave on the other side
        inner[3:8, 1] += np.linspace(-0.02, 0.11, 5) * np.sign(hair.part or 1.0) - 0.03
    rough = 0.012 if hair.style is HairStyle.SHORT else 0.006
    outer_line, inner_line = curve(outer), curve(inner)
    steps = np.linspace(0, 1, len(inner_line))
    outer_line = np.stack(
        [np.interp(steps, np.linspace(0, 1, len(outer_line)), outer_line[:, axis]) for axis in (0, 1)], axis=1
    )
    if hair.style in _CURLED:
        outer_line, inner_line = bumpy(outer_line, 0.06, rng), bumpy(inner_line, -0.05, rng)
    jagged = rough * (1.6 if hair.fringe else 0.9)
    return Lock(pose.flat(ruffled(outer_line, rough, rng)), pose.face(ruffled(inner_line, jagged, rng)), along=False)


def _side_patch(shape: Shape, hair: Hair, pose: Pose, side: float) -> Lock:
    """What baldness leaves: a band over each ear."""
    width = shape.half_width_at
    outer = np.array(
        [
            (width(0.1) + 0.01, 0.1),
            (width(-0.15) + 0.05, -0.15),
            (width(-0.4) + 0.05, -0.4),
            (0.86 * shape.temple, -0.68),
        ]
    )
    inner = np.array(
        [
            (width(0.1) - 0.04, 0.1),
            (width(-0.1) - 0.06, -0.1),
            (0.86 * shape.temple, -0.36),
            (0.8 * shape.temple, -0.62),
        ]
    )
    outer[1:3, 0] += 0.3 * hair.volume
    sign = np.array([side, 1])
    return Lock(pose.flat(curve(outer * sign)), pose.flat(curve(inner * sign)), along=True)


def _comb_over(canvas: Canvas, traits: Traits, pose: Pose, head: Array, rng: np.random.Generator) -> None:
    """The last hairs on a bald head, and its shine."""
    hair = traits.hair
    strands = []
    for _ in range(round(10 * (1.0 - hair.recession) + 2)):
        start = float(rng.uniform(-0.6, 0.3))
        height = float(rng.uniform(-0.95, -0.78))
        line = np.array(
            [
                (start, height + 0.06),
                (start + 0.2, height - 0.02),
                (start + float(rng.uniform(0.3, 0.5)), height + 0.08),
            ]
        )
        strands.append(stroke(pose.flat(curve(line)), 0.8))
    canvas.paint(shape_patch(strands).within(head), hair.colour, 0.3)
    canvas.shade(shape_patch([pose.flat(oval(-0.12, -0.74, 0.22, 0.1))], blur=3), 1.14)


def _curtain(shape: Shape, hair: Hair, pose: Pose, side: float, rng: np.random.Generator) -> Lock:
    """One half of long hair: from the parting down beside the face."""
    v, end = hair.volume, _fall(hair)
    part = hair.part * 0.55 * shape.temple
    cover = float(rng.uniform(-0.01, 0.08))
    width = shape.half_width_at
    top = shape.hairline_y + 0.01
    outer = np.array(
        [(part * side, -1.0 - v), (0.62 * shape.temple + 0.7 * v, -0.93 - 0.5 * v), (shape.temple + 0.95 * v, -0.45),
         (shape.cheek + 1.05 * v, 0.05), (shape.cheek + 1.15 * v, 0.5), (shape.cheek + 0.85 * v, end)]
    )  # fmt: skip
    inner = np.array(
        [(part * side - 0.012, top - 0.1), (0.55 * shape.temple, top + 0.09), (width(-0.3) - 0.1 - cover, -0.24),
         (width(0.1) - 0.075 - cover, 0.12), (width(0.5) - 0.02 - cover * 0.5, 0.52), (shape.cheek * 0.86, end)]
    )  # fmt: skip
    if hair.style is HairStyle.BOB:
        outer[-1, 0], inner[-1, 0] = shape.cheek + 0.5 * v, shape.jaw * 0.98
    sign = np.array([side, 1])
    outer_line, inner_line = curve(outer * sign), curve(inner * sign)
    if hair.style is HairStyle.WAVY:
        swing = np.sin(np.linspace(0, 5.2 * np.pi, len(outer_line)) + rng.uniform(0, 3)) * np.linspace(
            0, 0.06, len(outer_line)
        )
        outer_line[:, 0] += side * swing
        inner_line[:, 0] += side * swing * 0.5
    return Lock(pose.flat(outer_line), pose.face(inner_line), along=True)


def _fringe(shape: Shape, hair: Hair, pose: Pose, rng: np.random.Generator) -> Lock:
    """Hair combed down over the forehead."""
    low = shape.brow_y - 0.05
    x = np.linspace(-0.84, 0.84, 9) * shape.temple
    inner = np.stack([x, low + 0.04 * np.abs(np.linspace(-1, 1, 9)) + rng.normal(0, 0.012, 9)], axis=1)
    outer = np.stack([x * 0.8, -0.9 - 0.5 * hair.volume + 0.28 * np.linspace(-1, 1, 9) ** 2], axis=1)
    return Lock(pose.flat(curve(outer)), pose.face(curve(inner)), along=False)


def _gloss(canvas: Canvas, shape: Shape, hair: Hair, pose: Pose, patch: Patch) -> None:
    """A soft band of light over the top of the head."""
    if hair.style in (HairStyle.FUZZ, HairStyle.AFRO) or hair.recession > _BALD:
        return
    height = -0.84 - 0.4 * hair.volume
    band = np.array(
        [
            (-0.75 * shape.temple, height + 0.28),
            (-0.3, height + 0.03),
            (0.25, height + 0.03),
            (0.75 * shape.temple, height + 0.28),
        ]
    )
    light = shape_patch([stroke(pose.flat(curve(band)), 6.0)], blur=2.2)
    canvas.paint(light.within(patch.full()), hair.colour + (255 - hair.colour) * 0.4, 0.38)
