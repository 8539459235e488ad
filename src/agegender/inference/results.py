"""What is answered: frozen results a face, a picture, or a picture that could not be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from agegender.labels import FEMALE_THRESHOLD, Gender

OK, NO_FACE = "ok", "no_face"
"""`status` of a picture with faces, and of a sound one without; of a failed one it is the error's short reason."""


class Point(NamedTuple):
    """A place in the upright picture, in pixels from its top left corner."""

    x: float
    y: float


class Box(NamedTuple):
    """Edges in pixels of the upright picture; may reach beyond it."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def side(self) -> float:
        """The longer side, in pixels."""
        return max(self.right - self.left, self.bottom - self.top)


class Landmarks(NamedTuple):
    """Five points of a face, left and right as one sees the picture once the face stands upright."""

    left_eye: Point
    right_eye: Point
    nose: Point
    left_mouth: Point
    right_mouth: Point


class AgeInterval(NamedTuple):
    """Whole years, both ends included, that hold the age with the share `level` of calibration."""

    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face and what the model says of it: a guess from looks, not a fact about a person.

    Attributes:
        age: Years.
        age_interval: None where the model was not calibrated.
        age_distribution: Probabilities of the ages 0 to 116, float32 (117,), read-only.
        gender: The likelier of the data set's two labels.
        gender_probability: Of that label, 0.5..1.
        female_probability: 0..1.
        unsure: The answer should not be relied on: an unclear gender, a very wide interval, or a poor picture.
        notes: What makes the picture poor, as short stable words (see `quality`).
        box: None for a picture that was taken as a crop.
        landmarks: Likewise.
        detection_score: Probability that this is a face, 0..1; likewise.
    """

    age: float
    age_interval: AgeInterval | None
    age_distribution: npt.NDArray[np.float32]
    gender: Gender
    gender_probability: float
    female_probability: float
    unsure: bool
    notes: tuple[str, ...] = ()
    box: Box | None = None
    landmarks: Landmarks | None = None
    detection_score: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values, numbers rounded to what they are good for."""
        return {
            "box": None if self.box is None else [round(edge, 1) for edge in self.box],
            "landmarks": None if self.landmarks is None
            else {name: [round(x, 1), round(y, 1)] for name, (x, y) in self.landmarks._asdict().items()},
            "detection_score": None if self.detection_score is None else round(self.detection_score, 4),
            "age": round(self.age, 2),
            "age_interval": None if self.age_interval is None else self.age_interval._asdict(),
            "gender": str(self.gender),
            "gender_probability": round(self.gender_probability, 4),
            "female_probability": round(self.female_probability, 4),
            "unsure": self.unsure,
            "notes": list(self.notes),
            "age_distribution": [round(float(share), 6) for share in self.age_distribution],
        }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class ImageFaces:
    """A picture that could be used.

    Attributes:
        source: Its path, or what it was given as.
        width: Of the upright picture, in pixels.
        height: Likewise.
        faces: From left to right.
    """

    source: str
    width: int
    height: int
    faces: tuple[Face, ...]

    @property
    def status(self) -> str:
        """`ok` or `no_face`."""
        return OK if self.faces else NO_FACE


@dataclass(frozen=True, slots=True)
class ImageFailure:
    """A picture that could not be used.

    Attributes:
        source: Its path, or what it was given as.
        status: The reason as a short stable word, such as `truncated`.
        detail: What was found, and what to do.
    """

    source: str
    status: str
    detail: str


ImageResult = ImageFaces | ImageFailure


def gender_of(female_probability: float) -> tuple[Gender, float]:
    """The label that is answered, and its probability."""
    if female_probability >= FEMALE_THRESHOLD:
        return Gender.FEMALE, female_probability
    return Gender.MALE, 1.0 - female_probability
