"""Pictures that lie on their side or head: looked at in other turns where upright shows no face, or a doubtful one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agegender.inference.detector import Detections, FaceDetector

SURE = 0.97
"""What is found in a turned picture must be likelier than upright: more is looked at, so more is seen by chance."""


def detect_any_way_up(detector: FaceDetector, pixels: npt.NDArray[np.uint8]) -> tuple[Detections, bool]:
    """Find faces upright, or in the one of three quarter turns that shows likelier ones.

    Turned pictures are looked at where upright there is no face, and where most faces look more like one when turned.

    Args:
        detector: Finds upright faces.
        pixels: RGB, uint8 (height, width, 3).

    Returns:
        Faces in the picture's own pixels, and whether it had to be turned. Landmarks keep their meaning: `left eye` is
        the one on the left once the face is upright.
    """
    best = upright = detector.detect(pixels)
    votes = detector.turn_scores(pixels, upright).argmax(axis=1)
    if len(votes) and (votes == 0).mean() >= 0.5:
        return upright, False
    turns = (2, 1, 3) if not len(votes) else (int(np.bincount(votes).argmax()),)
    height, width = pixels.shape[:2]
    for quarters in turns:
        found = detector.detect(np.ascontiguousarray(np.rot90(pixels, quarters)))
        found = found.part(found.scores >= SURE)
        if found.scores.sum() > best.scores.sum():
            best = turned_back(found, quarters, width, height)
    return best, best is not upright


def turned_back(found: Detections, quarters: int, width: int, height: int) -> Detections:
    """What was found in `numpy.rot90(pixels, quarters)`, in places of the picture itself.

    Args:
        found: In pixels of the turned picture.
        quarters: Quarter turns against the clock, 1 to 3.
        width: Of the picture itself, in pixels.
        height: Likewise.
    """
    corners = found.boxes.reshape(-1, 2, 2)
    points = _turned_back(found.landmarks, quarters, width, height)
    corners = _turned_back(corners, quarters, width, height)
    return Detections(np.hstack([corners.min(axis=1), corners.max(axis=1)]), found.scores, points)


def _turned_back(places: npt.NDArray[np.float64], quarters: int, width: int, height: int) -> npt.NDArray[np.float64]:
    x, y = places[..., 0], places[..., 1]
    if quarters == 1:  # the picture's right edge became the top
        return np.stack([width - 1 - y, x], axis=-1)
    if quarters == 2:
        return np.stack([width - 1 - x, height - 1 - y], axis=-1)
    return np.stack([y, height - 1 - x], axis=-1)
