"""Measures of a probability of `female` against the data set's binary label, one row an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agegender.labels import FEMALE_THRESHOLD
from agegender.metrics.arrays import BoolArray, FloatArray, bool_rows, float_rows, same_length

PROBABILITY_FLOOR = 1e-7
"""Probabilities are kept this far from 0 and 1 before the logarithm, as Keras does, so that the figures compare."""


@dataclass(frozen=True, slots=True)
class ConfusionCounts:
    """How many images of each labelled gender got each answer."""

    male_as_male: int
    male_as_female: int
    female_as_male: int
    female_as_female: int


def answered_female(female_probability: npt.ArrayLike) -> BoolArray:
    """Which images are answered `female`: a probability of 0.5 or more, shape (n,).

    Raises:
        ValueError: A value lies outside 0..1, or the array is empty or not finite.
    """
    return probabilities(female_probability) >= FEMALE_THRESHOLD


def probabilities(female_probability: npt.ArrayLike) -> FloatArray:
    """The values as float64 of shape (n,), checked to lie in 0..1.

    Raises:
        ValueError: They do not, or the array is empty or not finite.
    """
    rows = float_rows(female_probability, name="female_probability")
    if rows.min() < 0 or rows.max() > 1:
        raise ValueError(f"female_probability must lie in 0..1. Received: {rows.min():.4g} to {rows.max():.4g}")
    return rows


def right_answers(female_probability: npt.ArrayLike, female: npt.ArrayLike) -> BoolArray:
    """Which images got the gender of their label.

    Args:
        female_probability: 0..1, shape (n,).
        female: Whether the label says female, booleans of shape (n,).

    Returns:
        Booleans of shape (n,).

    Raises:
        ValueError: A probability outside 0..1, labels that are not booleans, or arrays of different length.
    """
    answers, labels = answered_female(female_probability), bool_rows(female, name="female")
    same_length(answers, labels, names="female_probability and female")
    return answers == labels


def accuracy(female_probability: npt.ArrayLike, female: npt.ArrayLike) -> float:
    """The share, 0..1, of images that got the gender of their label."""
    return float(right_answers(female_probability, female).mean())


def cross_entropies(female_probability: npt.ArrayLike, female: npt.ArrayLike) -> FloatArray:
    """Each image's binary cross-entropy in nats, shape (n,); probabilities are clipped by `PROBABILITY_FLOOR`."""
    rows, labels = probabilities(female_probability), bool_rows(female, name="female")
    same_length(rows, labels, names="female_probability and female")
    of_label = np.where(labels, rows, 1 - rows)
    return -np.log(np.clip(of_label, PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR))


def binary_cross_entropy(female_probability: npt.ArrayLike, female: npt.ArrayLike) -> float:
    """The mean binary cross-entropy in nats; answering 0.5 always gives ln 2 = 0.693."""
    return float(cross_entropies(female_probability, female).mean())


def confusion_counts(female_probability: npt.ArrayLike, female: npt.ArrayLike) -> ConfusionCounts:
    """Images counted by label and answer."""
    right, labels = right_answers(female_probability, female), bool_rows(female, name="female")
    return ConfusionCounts(
        male_as_male=int((right & ~labels).sum()),
        male_as_female=int((~right & ~labels).sum()),
        female_as_male=int((~right & labels).sum()),
        female_as_female=int((right & labels).sum()),
    )
