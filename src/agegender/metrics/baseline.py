"""What a model must beat: one and the same answer to every image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agegender.metrics.age import mean_absolute_error


@dataclass(frozen=True, slots=True)
class ConstantPredictor:
    """The best constant answer of the training labels, and what it is worth on other images.

    Attributes:
        age: The median training age, years; no constant has a smaller mean absolute error on the training images.
        female: Whether the commoner training label is female.
        mae: Its mean absolute error, years.
        gender_accuracy: Its share of right answers, 0..1.
    """

    age: float
    female: bool
    mae: float
    gender_accuracy: float


def constant_predictor(
    training_ages: npt.ArrayLike, training_female: npt.ArrayLike, ages: npt.ArrayLike, female: npt.ArrayLike
) -> ConstantPredictor:
    """Choose the constant on training labels and measure it on others.

    Args:
        training_ages: Years, (n,).
        training_female: Booleans, (n,).
        ages: Years, (m,).
        female: Booleans, (m,).
    """
    age = float(np.median(np.asarray(training_ages)))
    commoner = bool(np.mean(np.asarray(training_female, dtype=bool)) >= 0.5)
    return ConstantPredictor(
        age=age,
        female=commoner,
        mae=mean_absolute_error(np.full(len(np.asarray(ages)), age), ages),
        gender_accuracy=float(np.mean(np.asarray(female, dtype=bool) == commoner)),
    )
