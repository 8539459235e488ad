"""One drawn face by its number: labels from a population like UTKFace's, then a person, then pixels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from agegender.data.drawn.canvas import Array
from agegender.data.drawn.render import render
from agegender.data.drawn.scene import sample_scene
from agegender.data.drawn.traits import Traits, sample_traits
from agegender.errors import SettingError
from agegender.labels import AGE_MAX_YEARS, AGE_MIN_YEARS, Gender, Race

_AGE_SHARES: tuple[tuple[int, int, float], ...] = (
    (0, 0, 0.012), (1, 1, 0.043), (2, 2, 0.02), (3, 9, 0.06), (10, 19, 0.075), (20, 29, 0.3), (30, 39, 0.19),
    (40, 49, 0.1), (50, 59, 0.095), (60, 69, 0.055), (70, 79, 0.03), (80, 89, 0.015), (90, 101, 0.005),
)  # fmt: skip
"""First year, last year, share of the faces: UTKFace's shape, with its peak in the twenties and many infants."""


@dataclass(frozen=True, slots=True)
class LabelNoise:
    """How often the written labels are wrong, as hand-made labels are.

    Attributes:
        age_sd_years: Standard deviation of a Gaussian error that is added to the age before rounding.
        gender_flip_probability: Chance that the other gender is written.

    Raises:
        SettingError: A negative deviation or a probability outside 0..1.
    """

    age_sd_years: float = 1.0
    gender_flip_probability: float = 0.01

    def __post_init__(self) -> None:
        if not 0.0 <= self.age_sd_years < float("inf"):
            raise SettingError(f"age_sd_years must be a finite number of years from 0. Received: {self.age_sd_years!r}")
        if not 0.0 <= self.gender_flip_probability <= 1.0:
            raise SettingError(f"gender_flip_probability must be 0..1. Received: {self.gender_flip_probability!r}")


DEFAULT_LABEL_NOISE = LabelNoise()


@dataclass(frozen=True, slots=True)
class DrawnLabels:
    """What is written about a drawn face and what is true; ages in whole years."""

    age: int
    gender: Gender
    race: Race
    true_age: int
    true_gender: Gender


def draw_face(index: int, seed: int, label_noise: LabelNoise = DEFAULT_LABEL_NOISE) -> tuple[Array, DrawnLabels]:
    """Face number `index` of a seed; it depends on nothing else, so a smaller set is the start of a larger one.

    Args:
        index: Number of the face, from 0.
        seed: Which world of faces, from 0.
        label_noise: Errors of the written labels; the picture does not depend on it.

    Returns:
        uint8 (128, 128, 3), RGB, and its labels.

    Raises:
        SettingError: A negative index or seed.
    """
    if index < 0 or seed < 0:
        raise SettingError(f"index and seed must be 0 or more. Received: {index} and {seed}")
    rng = np.random.default_rng([seed, index])
    traits, labels = sample_person(rng, label_noise)
    return render(traits, sample_scene(rng), rng), labels


def sample_person(
    rng: np.random.Generator, label_noise: LabelNoise = DEFAULT_LABEL_NOISE
) -> tuple[Traits, DrawnLabels]:
    """Somebody of a population like UTKFace's, and what is written about them."""
    shares = np.array([share for _, _, share in _AGE_SHARES])
    first, last, _ = _AGE_SHARES[rng.choice(len(shares), p=shares / shares.sum())]
    age = int(rng.integers(first, last + 1))
    gender, other = (Gender.FEMALE, Gender.MALE) if rng.random() < 0.5 else (Gender.MALE, Gender.FEMALE)
    age_error, flip = rng.standard_normal() * label_noise.age_sd_years, rng.random()
    traits = sample_traits(age, gender, rng)
    labels = DrawnLabels(
        age=round(float(np.clip(age + age_error, AGE_MIN_YEARS, AGE_MAX_YEARS))),
        gender=other if flip < label_noise.gender_flip_probability else gender,
        race=traits.race,
        true_age=age,
        true_gender=gender,
    )
    return traits, labels


def file_name(labels: DrawnLabels, index: int, seed: int) -> str:
    """The UTKFace name of a drawn face: its date counts the faces, so that no two of a seed share one."""
    taken = datetime(2017, 1, 1) + timedelta(days=seed // 1000 % 30_000, seconds=37 * index)
    moment = f"{taken:%Y%m%d%H%M%S}{seed % 1000:03d}"
    return f"{labels.age}_{labels.gender.code}_{tuple(Race).index(labels.race)}_{moment}.jpg"
