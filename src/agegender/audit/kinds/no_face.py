"""Pictures in which the package's face detector finds no face."""

from __future__ import annotations

import math
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from agegender.audit.findings import Finding
from agegender.audit.kinds.quality import BLURRED_LOSS, DARK_LEVELS, TINY_PIXELS
from agegender.audit.kinds.unusual import LEAST_Z
from agegender.audit.material import Material
from agegender.audit.measures import LEAST_IMAGES
from agegender.data.parallel import ordered_map, usable_cores
from agegender.inference.detector import DetectorSettings, FaceDetector

LEAST_ALIKE_SHARE = 0.1
"""Of the images, by their edges, which the detector is asked about: it takes 10 ms an image and is not for all."""

LEAST_PROBABILITY = 0.5
"""From here on it is a face. Of the brief's images those of faces, however tilted or written over, began at 0.6, and of
80 parts of photographs of a temple and a flower one lay above (0.8), the next at 0.43."""

LENIENT = DetectorSettings(min_face=48, proposal=0.4, refined=0.3, answered=0.05, confirmed=None, most_proposals=200)
"""More is let through than where faces are to be found: here a miss accuses a picture. A crop's face is large."""

FIRST_SIDE, SECOND_SIDE = 128, 96
"""Pixels a side of what the detector is shown in the first and the second look, before the margin. Larger and wider
second looks (160 and 192 pixels) took petals and roofs for faces."""

MARGIN = 0.25
"""Of the side, on each side: a crop ends at the face's edge, and the detector learnt from faces with some room."""


class NoFace:
    """Nothing that the detector takes for a face, in two looks at it."""

    name: ClassVar[str] = "no_face"
    title: ClassVar[str] = "No face found"
    score_means: ClassVar[str] = "the highest probability of a face that the detector gave, 0..1"
    how: ClassVar[str] = (
        f"The face detector of `agegender predict` (MTCNN) is asked about the {LEAST_ALIKE_SHARE:.0%} of the images "
        "whose edges run least like those of the others, and about what is dark, blurred, tiny or unlike the others; "
        f"where there are fewer than {LEAST_IMAGES} images, about all. Where it finds nothing in the "
        "picture with a margin around it, it is asked again at another size, as it is and with more contrast, in all "
        "four turns. It misses faces that are covered, painted, in profile or very dark: look before you drop."
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
    asked |= unlike.deviations >= LEAST_Z
    asked[np.argsort(-unlike.by_gradients, kind="stable")[: math.ceil(LEAST_ALIKE_SHARE * own)]] = True
    return np.flatnonzero(asked).astype(np.int64)


def face_probability(detector: FaceDetector, image: NDArray[np.uint8]) -> float:
    """The highest probability of a face in two looks, the second only where the first shows none; 0..1.

    Args:
        detector: With `LENIENT` settings.
        image: RGB, uint8 (h, w, 3).
    """
    best = _look(detector, _framed(image, FIRST_SIDE))
    for again in (image, _contrasted(image)):
        framed = _framed(again, SECOND_SIDE)
        for quarters in range(4):
            if best >= LEAST_PROBABILITY:
                return best
            best = max(best, _look(detector, np.ascontiguousarray(np.rot90(framed, quarters))))
    return best


def _look(detector: FaceDetector, pixels: NDArray[np.uint8]) -> float:
    scores = detector.detect(pixels).scores
    return float(scores.max()) if len(scores) else 0.0


def _framed(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Resized, and its rim repeated around it."""
    resized = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    pad = round(side * MARGIN)
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
