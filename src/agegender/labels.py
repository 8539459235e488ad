"""Ages, genders and groups: the only place where a code of a file name gets its meaning.

UTKFace says 0 for male; other sets say 0 for female. Outside this file people and code see names.
Source: Zhang, Song, Qi, "Age Progression/Regression by Conditional Adversarial Autoencoder", CVPR 2017.
"""

from __future__ import annotations

import enum

AGE_MIN_YEARS = 0
AGE_MAX_YEARS = 116

FEMALE_THRESHOLD = 0.5
"""A probability of `female` at or above this is answered `female` (brief, contract 4)."""

AGE_BANDS: tuple[tuple[int, int], ...] = (
    (0, 2), (3, 9), (10, 17), (18, 29), (30, 49), (50, 64), (65, 79), (80, AGE_MAX_YEARS),
)  # fmt: skip
"""Inclusive bounds in years; the bands by which errors are reported."""


class Gender(enum.StrEnum):
    """The data set's binary label: a limit of the data, not a fact about a person."""

    MALE = "male"
    FEMALE = "female"

    @property
    def code(self) -> int:
        """UTKFace's code, which is also the model's target: 0 male, 1 female."""
        return _GENDER_CODES[self]

    @classmethod
    def from_code(cls, code: int) -> Gender:
        """The gender of a UTKFace code.

        Raises:
            ValueError: The code is neither 0 nor 1.
        """
        for gender, known in _GENDER_CODES.items():
            if known == code:
                return gender
        raise ValueError(f"gender code must be 0 (male) or 1 (female). Received: {code!r}")


_GENDER_CODES = {Gender.MALE: 0, Gender.FEMALE: 1}


class Race(enum.StrEnum):
    """UTKFace's third field. Used to measure error by group only: never an input, never a target."""

    WHITE = "White"
    BLACK = "Black"
    ASIAN = "Asian"
    INDIAN = "Indian"
    OTHERS = "Others"

    @classmethod
    def from_code(cls, code: int) -> Race:
        """The group of a UTKFace code 0..4.

        Raises:
            ValueError: The code is outside 0..4.
        """
        members = tuple(cls)
        if not 0 <= code < len(members):
            raise ValueError(f"race code must be 0..{len(members) - 1}. Received: {code!r}")
        return members[code]


def band_name(low: int, high: int) -> str:
    """`0-2`, `18-29`, ... as printed in tables."""
    return f"{low}-{high}"


def age_band(age: float) -> str:
    """The band of `AGE_BANDS` that an age in years falls into.

    Raises:
        ValueError: The age lies outside 0..116.
    """
    for low, high in AGE_BANDS:
        if low <= age < high + 1:
            return band_name(low, high)
    raise ValueError(f"age must be {AGE_MIN_YEARS}..{AGE_MAX_YEARS} years. Received: {age!r}")
