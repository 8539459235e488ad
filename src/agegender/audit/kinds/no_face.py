"""Pictures in which the package's face detector finds no face."""

from __future__ import annotations

import math
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from agegender.audit.findings import Finding
from agegender.audit.kinds.quality import BLURRED_LOSS, DARK_LEVELS, TINY_PIXELS
from agegender.audit.material import Material
from agegender.data.parallel import ordered_map, usable_cores
from agegender.inference.detector import DetectorSettings, FaceDetector

LEAST_ALIKE_SHARE = 0.1
"""Of the images, by their distance from face space, which the detector is asked about; it takes 8 ms an image."""

FARTHEST_OUT_SHARE = 0.05
"""Likewise by how far out they lie in face space, where smooth pictures of something else stand."""

LEAST_PROBABILITY = 0.75
"""From here on it is a face."""

LENIENT = DetectorSettings(min_face=48, proposal=0.4, refined=0.3, answered=0.05, most_proposals=200)
"""More is let through than where faces are to be found: here a miss accuses a picture. A crop's face is large."""

SIDE = 128
"""Pixels a side of what the detector is shown, before the margin."""

FIRST_MARGIN, SECOND_MARGIN = 0.25, 0.5
"""Of the side, on each side: a crop ends at the face's edge, and the detector learnt from faces with some room."""

SECOND_SIDE = 192


class NoFace:
    """Nothing that the detector takes for a face, in two looks at it."""

    name: ClassVar[str] = "no_face"
    title: ClassVar[str] = "No face found"
    score_means: ClassVar[str] = "the highest probability of a face that the detector gave, 0..1"
    how: ClassVar[str] = (
        f"The face detector of `agegender predict` (MTCNN) is asked about the {LEAST_ALIKE_SHARE:.0%} of the images "
        f"that are least alike the others, the {FARTHEST_OUT_SHARE:.0%} that lie farthest out among them, and those "
        "that are too dark, blurred or tiny; of fewer than 200 images, about all. Where it finds nothing in the "
        "picture with a margin around it, it is asked again with another size and margin, more contrast, and all four "
        "turns. It misses faces that are covered, painted, in profile or very dark: look before you drop."
    )

    def find(self, material: Material) -> list[Finding]:
        """One finding an image, the least probable face first; none without a detector."""
        detector = material.detector
        if detector is None:
            return []
        rows = doubtful_rows(material).tolist()
        asked = ordered_map(lambda row: face_probability(detector, material.faces.image(row)), rows, usable_cores())
        findings = [
            Finding(material.faces.file(row), self.name, probability, _evidence(probability))
            for row, probability in zip(rows, asked, strict=True)
            if probability < LEAST_PROBABILITY
        ]
        return sorted(findings, key=lambda finding: finding.score)


def doubtful_rows(material: Material) -> NDArray[np.int64]:
    """The images that the detector is asked about, int64 (k,), ascending."""
    own = material.faces.own
    unlike = material.unlikeness
    if unlike is None:
        return np.arange(own, dtype=np.int64)
    sides = np.array([min(material.faces.sides(row)) for row in range(own)])
    asked = (material.brightness < DARK_LEVELS) | (material.lost_detail < BLURRED_LOSS) | (sides < TINY_PIXELS)
    for distance, share in ((unlike.off_plane, LEAST_ALIKE_SHARE), (unlike.on_plane, FARTHEST_OUT_SHARE)):
        asked[np.argsort(-distance, kind="stable")[: math.ceil(share * own)]] = True
    return np.flatnonzero(asked).astype(np.int64)


def face_probability(detector: FaceDetector, image: NDArray[np.uint8]) -> float:
    """The highest probability of a face in two looks, the second only where the first shows none; 0..1.

    Args:
        detector: With `LENIENT` settings.
        image: RGB, uint8 (h, w, 3).
    """
    best = _look(detector, _framed(image, SIDE, FIRST_MARGIN))
    if best >= LEAST_PROBABILITY:
        return best
    framed = _framed(_contrasted(image), SECOND_SIDE, SECOND_MARGIN)
    for quarters in range(4):
        best = max(best, _look(detector, np.ascontiguousarray(np.rot90(framed, quarters))))
        if best >= LEAST_PROBABILITY:
            break
    return best


def _look(detector: FaceDetector, pixels: NDArray[np.uint8]) -> float:
    scores = detector.detect(pixels).scores
    return float(scores.max()) if len(scores) else 0.0


def _framed(image: NDArray[np.uint8], side: int, margin: float) -> NDArray[np.uint8]:
    """Resized, and its rim repeated around it."""
    resized = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    pad = round(side * margin)
    return np.asarray(cv2.copyMakeBorder(resized, pad, pad, pad, pad, cv2.BORDER_REPLICATE), np.uint8)


def _contrasted(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Stretched so that the darkest and the brightest hundredth become black and white: dark faces show then."""
    low, high = np.percentile(image, (1, 99))
    return np.clip((image - low) * (255 / max(high - low, 1.0)), 0, 255).astype(np.uint8)


def _evidence(probability: float) -> str:
    if not probability:
        return "The face detector finds nothing that looks like a face, whichever way up."
    return f"What looks most like a face to the detector, whichever way up, is one with a probability of " \
        f"{probability:.0%}."  # fmt: skip
