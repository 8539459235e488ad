"""What makes a face hard to read, as short stable words. Nothing is dropped for it: the answer is marked unsure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agegender.inference.align import CROP_SIDE, TEMPLATE, roll_degrees, scale_of, share_outside, similarity

SMALL, TILTED, TURNED_AWAY, CUT_OFF, FAINT, TURNED_PICTURE = (
    "small", "tilted", "turned_away", "cut_off", "faint", "turned_picture"
)  # fmt: skip

SMALL_BELOW_PIXELS = 60.0
"""Side of the picture's part that becomes the crop; less is enlarged more than twofold."""

TILTED_FROM_DEGREES = 30.0
"""The detector learnt from upright faces: the further a head is tilted, the less it is meant for it."""

TURNED_AWAY_FROM = 0.35
"""How far the nose stands beside the middle of the eyes, as a share of their distance; 0 seen from the front."""

CUT_OFF_FROM = 0.15
"""Share of the crop that lies outside the picture and is black."""

FAINT_BELOW = 0.99
"""Probability of a face, in the detector's second look: 1 in 100 training crops lay below. A choice, like the limits
above: none was fitted to errors."""


def quality_notes(
    landmarks: npt.NDArray[np.float64], score: float, width: int, height: int, *, turned: bool = False
) -> tuple[str, ...]:
    """What speaks against relying on the answer for a face.

    Args:
        landmarks: (5, 2) in pixels.
        score: The detector's, 0..1.
        width: Of the picture, in pixels.
        height: Likewise.
        turned: The face was only found after the picture was turned on its side or head.

    Returns:
        Some of: `small` (below 60 pixels), `tilted` (30 degrees or more), `turned_away` (seen from the side), `cut_off`
        (part of the crop lies outside the picture), `faint` (the detector was not certain), `turned_picture`.
    """
    transform = similarity(landmarks, TEMPLATE)
    eyes = transform[:, :2] @ landmarks.T + transform[:, 2:]
    eye_distance = max(float(np.hypot(*(eyes[:, 1] - eyes[:, 0]))), 1e-6)
    beside = abs(float(eyes[0, 2] - eyes[0, :2].mean())) / eye_distance
    found = {
        SMALL: CROP_SIDE / scale_of(transform) < SMALL_BELOW_PIXELS,
        TILTED: not turned and abs(roll_degrees(landmarks)) >= TILTED_FROM_DEGREES,
        TURNED_AWAY: beside >= TURNED_AWAY_FROM,
        CUT_OFF: share_outside(landmarks, width, height) >= CUT_OFF_FROM,
        FAINT: score < FAINT_BELOW,
        TURNED_PICTURE: turned,
    }
    return tuple(note for note, holds in found.items() if holds)
