"""Five landmarks to the crop that the models were trained on: one similarity transform to a template."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

CROP_SIDE = 128
"""Height and width of a crop in pixels: what the models take."""

TEMPLATE = np.array([[37.6, 36.7], [87.9, 36.7], [62.4, 66.4], [40.3, 88.2], [85.2, 88.1]])
"""Where the landmarks lie in UTKFace's crops of 128 pixels, (5, 2) as x, y: left eye, right eye, nose, left and right
corner of the mouth, as seen. The median over 500 of the brief's training images, of which 497 show the detector one
sure face (`scripts/derive_template.py`). Single crops are tilted from it by -2.7 to 2.6 degrees and scaled by 0.93 to
1.03 (5th to 95th percentile): they were cut by landmarks too."""

MOST_SAMPLES = 8
"""Samples a crop's pixel is averaged from, along each axis, where a large face is shrunk."""

Points = npt.NDArray[np.floating]


def similarity(source: Points, target: Points) -> npt.NDArray[np.float64]:
    """The rotation, uniform scale and shift that bring points closest to others, in the least squares of distances.

    Args:
        source: (n, 2), n at least 2, not all in one place.
        target: (n, 2).

    Returns:
        (2, 3), to be multiplied by (x, y, 1).

    Raises:
        ValueError: The source points lie all in one place.

    Source: Umeyama, "Least-Squares Estimation of Transformation Parameters Between Two Point Patterns", TPAMI 1991.
    """
    source, target = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    from_centre, to_centre = source.mean(axis=0), target.mean(axis=0)
    x, y = source - from_centre, target - to_centre
    spread = float((x**2).sum())
    if spread < 1e-9:
        raise ValueError(f"The points lie all in one place. Received: {source.tolist()}")
    # In the plane, without mirroring, the solution is one complex number: scale times (cos, sin).
    cosine = float((x * y).sum()) / spread
    sine = float((x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]).sum()) / spread
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([rotation, to_centre - rotation @ from_centre])


def crop_face(pixels: npt.NDArray[np.uint8], landmarks: Points, *, side: int = CROP_SIDE) -> npt.NDArray[np.uint8]:
    """Cut a face out so that its landmarks come to lie on the template.

    What lies outside the picture is black, as in UTKFace's crops. A face larger than the crop is averaged down and not
    sampled, so that fine detail does not alias. Between pixels it is cubic: linear interpolation smooths a face, and a
    smooth face reads younger.

    Args:
        pixels: RGB, uint8 (height, width, 3).
        landmarks: (5, 2) in pixels of the picture, in the order of `TEMPLATE`.
        side: Height and width of the crop.

    Returns:
        uint8 (side, side, 3).
    """
    transform = similarity(landmarks, template_of(side))
    shrink = 1.0 / scale_of(transform)
    samples = min(max(math.ceil(shrink), 1), MOST_SAMPLES)
    finer = transform * samples
    # OpenCV puts (0, 0) in the centre of the first pixel; so does the detector, so the centres must be kept.
    finer[:, 2] += (samples - 1) / 2
    finer_side = (side * samples, side * samples)
    warped = cv2.warpAffine(pixels, finer, finer_side, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
    if samples > 1:
        warped = cv2.resize(warped, (side, side), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(warped, dtype=np.uint8)


def template_of(side: int) -> npt.NDArray[np.float64]:
    """Where the landmarks lie in such a crop of another side, (5, 2); (0, 0) is the centre of the first pixel."""
    return (TEMPLATE + 0.5) * side / CROP_SIDE - 0.5


def scale_of(transform: npt.NDArray[np.float64]) -> float:
    """Pixels of the crop a pixel of the picture."""
    return float(math.hypot(transform[0, 0], transform[1, 0]))


def roll_degrees(landmarks: Points) -> float:
    """How far a face is tilted to its shoulder, -180..180: the template's turn to it, clockwise above 0."""
    back = similarity(TEMPLATE, landmarks)
    return math.degrees(math.atan2(back[1, 0], back[0, 0]))


def share_outside(landmarks: Points, width: int, height: int) -> float:
    """Which share of a face's crop lies outside the picture, 0..1, on a grid of 16 by 16 points."""
    places = (np.arange(16) + 0.5) * CROP_SIDE / 16 - 0.5
    x, y = np.meshgrid(places, places)
    to_crop = np.vstack([similarity(landmarks, TEMPLATE), [0.0, 0.0, 1.0]])
    points = np.linalg.inv(to_crop) @ np.vstack([x.ravel(), y.ravel(), np.ones(x.size)])
    inside = (points[0] >= -0.5) & (points[0] <= width - 0.5) & (points[1] >= -0.5) & (points[1] <= height - 0.5)
    return float(1.0 - inside.mean())
