"""Whether an exported file answers as its Keras model does, on the same images. A file that does not is not written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from agegender.errors import ModelError
from agegender.inference.manifest import FLOAT32, INT8
from agegender.labels import FEMALE_THRESHOLD
from agegender.metrics.age import mean_absolute_error

if TYPE_CHECKING:
    from agegender.evaluation.predict import Predictions
    from agegender.inference.predictor import Answers

FLOAT_AGE_YEARS = 0.02
FLOAT_PROBABILITY = 0.001
"""The most that any image's answer may differ in float32: rounding, and nothing else."""

INT8_MAE_YEARS = 0.1
INT8_ACCURACY = 0.01
"""The most that int8 may change the error on labelled images: in years of age MAE, and as a share of genders (or one
image, of fewer than a hundred)."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far a file's answers are from those of its Keras model.

    Attributes:
        images: How many were compared.
        data: What they are.
        age_largest: Largest difference of one age, in years.
        age_mean: Mean absolute difference of ages, in years.
        probability_largest: Largest difference of one probability of female.
        genders_changed: Share of images whose named gender differs, 0..1.
        mae_keras: Age MAE of the Keras model, in years.
        mae_change: Age MAE of the file less that.
        accuracy_change: Share of right genders of the file less the Keras model's.
    """

    images: int
    data: str
    age_largest: float
    age_mean: float
    probability_largest: float
    genders_changed: float
    mae_keras: float
    mae_change: float
    accuracy_change: float


def measure_parity(
    keras: Predictions,
    exported: Answers,
    ages: npt.NDArray[Any],
    are_female: npt.NDArray[np.bool_],
    *,
    data: str,
) -> Parity:
    """Compare two sets of answers, row by row.

    Args:
        keras: The Keras model's.
        exported: The file's.
        ages: True ages in years, shape (n,).
        are_female: True genders, shape (n,).
        data: What the images are, for the record.
    """
    age_difference = np.abs(exported.age - keras.age)
    named, named_by_keras = (
        probability >= FEMALE_THRESHOLD for probability in (exported.female_probability, keras.female_probability)
    )
    mae_keras = float(mean_absolute_error(keras.age, ages))
    return Parity(
        images=len(ages),
        data=data,
        age_largest=float(age_difference.max()),
        age_mean=float(age_difference.mean()),
        probability_largest=float(np.abs(exported.female_probability - keras.female_probability).max()),
        genders_changed=float((named != named_by_keras).mean()),
        mae_keras=mae_keras,
        mae_change=float(mean_absolute_error(exported.age, ages)) - mae_keras,
        accuracy_change=float((named == are_female).mean() - (named_by_keras == are_female).mean()),
    )


def check_parity(parity: Parity, precision: str) -> None:
    """Let a file through, or refuse it.

    Raises:
        ModelError: It answers otherwise than the limits above allow.
    """
    accuracy_limit = max(INT8_ACCURACY, 1.001 / parity.images)
    limits = {
        FLOAT32: (
            ("one age differs by", parity.age_largest, FLOAT_AGE_YEARS, "years"),
            ("one probability differs by", parity.probability_largest, FLOAT_PROBABILITY, ""),
        ),
        INT8: (
            ("age MAE changes by", abs(parity.mae_change), INT8_MAE_YEARS, "years"),
            ("right genders change by", 100 * abs(parity.accuracy_change), 100 * accuracy_limit, "points"),
        ),
    }[precision]
    broken = [
        f"{what} {value:.4g} {unit} (at most {most:g})".replace("  ", " ")
        for what, value, most, unit in limits
        if not value <= most
    ]
    if broken:
        advice = (
            "Give images like those that the model will meet with --data, or leave int8 out with --no-int8."
            if precision == INT8
            else "The conversion changed the model; try the other --opset, and report it."
        )
        raise ModelError(
            f"The {precision} file does not answer as its Keras model does: on {parity.images:,} images "
            f"{', '.join(broken)}. Nothing was written. {advice}"
        )
