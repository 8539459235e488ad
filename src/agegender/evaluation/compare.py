"""Two sets of answers on the same images: model against model, and one channel order against the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from agegender.errors import InputError
from agegender.evaluation.evaluate import SEED, absolute_errors, right_genders
from agegender.metrics.bootstrap import MEAN, RESAMPLES, bootstrap_intervals
from agegender.metrics.gender import answered_female
from agegender.metrics.paired import mcnemar_exact_p_value, sign_flip_p_value
from agegender.types import Interval

SIGNIFICANCE = 0.05
"""A p value below this is said to be more than chance."""


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """A paired test of two models on the same images. Differences are first minus second.

    Attributes:
        first: The first model's name.
        second: The second model's.
        order: The channel order both were fed.
        n: Images.
        mae_difference: Mean difference of the absolute errors of age, years; below 0 the first model is better.
        age_p_value: Two-sided, sign-flip permutation test of that difference being 0.
        gender_accuracy_difference: Above 0 the first model is better; -1..1.
        gender_first_only: Images whose gender only the first model got right.
        gender_second_only: Images whose gender only the second model got right.
        gender_p_value: Two-sided, exact McNemar test of equal accuracy.
    """

    first: str
    second: str
    order: str
    n: int
    mae_difference: Interval
    age_p_value: float
    gender_accuracy_difference: Interval
    gender_first_only: int
    gender_second_only: int
    gender_p_value: float


@dataclass(frozen=True, slots=True)
class OrderAgreement:
    """How far a model's answers to red-green-blue and blue-green-red agree, image by image.

    Attributes:
        model: Its name.
        n: Images.
        mean_age_difference: Mean size of the difference of the two ages, years.
        largest_age_difference: Years.
        gender_agreement: Share of images with the same answered gender, 0..1.
    """

    model: str
    n: int
    mean_age_difference: float
    largest_age_difference: float
    gender_agreement: float


def compare_predictions(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    names: tuple[str, str] = ("first", "second"),
    order: str = "rgb",
    seed: int = SEED,
    resamples: int = RESAMPLES,
) -> ComparisonResult:
    """Test whether two models differ, on images that both have answered.

    Args:
        first: The first model's prediction table.
        second: The second's, with the same files in the same order.
        names: What to call them.
        order: The channel order both were fed.
        seed: Of the bootstrap and of the permutations.
        resamples: Of the bootstrap.

    Raises:
        InputError: The tables are not about the same images.
    """
    _check_same_images(first, second)
    first_right, second_right = right_genders(first), right_genders(second)
    first_only = int((first_right & ~second_right).sum())
    second_only = int((second_right & ~first_right).sum())
    age_differences = absolute_errors(first) - absolute_errors(second)
    # Resampling images, not answers, keeps each image's two answers together: the paired bootstrap.
    intervals = bootstrap_intervals(
        {
            "age": (MEAN, age_differences),
            "gender": (MEAN, first_right.astype(np.float64) - second_right.astype(np.float64)),
        },
        seed=seed,
        resamples=resamples,
    )
    return ComparisonResult(
        first=names[0],
        second=names[1],
        order=order,
        n=len(first),
        mae_difference=intervals["age"],
        age_p_value=sign_flip_p_value(age_differences, seed=[seed, 1]),
        gender_accuracy_difference=intervals["gender"],
        gender_first_only=first_only,
        gender_second_only=second_only,
        gender_p_value=mcnemar_exact_p_value(first_only, second_only),
    )


def compare_orders(rgb: pd.DataFrame, bgr: pd.DataFrame, *, model: str = "model") -> OrderAgreement:
    """Compare a model's answers to the same images with their channels in either order.

    Raises:
        InputError: The tables are not about the same images.
    """
    _check_same_images(rgb, bgr)
    age = np.abs(rgb["predicted_age"].to_numpy(np.float64) - bgr["predicted_age"].to_numpy(np.float64))
    same = answered_female(rgb["female_probability"]) == answered_female(bgr["female_probability"])
    return OrderAgreement(model, len(rgb), float(age.mean()), float(age.max()), float(same.mean()))


def describe_comparison(result: ComparisonResult) -> str:
    """What the paired test says, in two sentences."""
    first, second = result.first, result.second
    difference = result.mae_difference
    if difference.value == difference.low == difference.high == 0:
        age = f"On the same {result.n:,} images {first} and {second} are equally far off in age on every one."
    else:
        better, worse = (first, second) if difference.value < 0 else (second, first)
        low, high = sorted((abs(difference.low), abs(difference.high)))
        across = difference.low < 0 < difference.high
        span = f"{difference.low:+.2f} to {difference.high:+.2f} for {first} minus {second}" if across else ""
        age = (
            f"On the same {result.n:,} images {better}'s mean age error is {abs(difference.value):.2f} years below "
            f"{worse}'s (95 % interval {span or f'{low:.2f} to {high:.2f}'}, p {p_text(result.age_p_value)}): "
            f"{_verdict(result.age_p_value)}."
        )
    if result.gender_first_only == result.gender_second_only == 0:
        return f"{age} Gender: both are right on the same images."
    gender = (
        f"Gender: on {result.gender_first_only:,} images only {first} is right, on {result.gender_second_only:,} only "
        f"{second} (exact McNemar test, p {p_text(result.gender_p_value)}): {_verdict(result.gender_p_value)}."
    )
    return f"{age} {gender}"


def p_text(p_value: float) -> str:
    """`= 0.012`, or `< 0.001` below that."""
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.3f}"


def comparison_from_dict(content: dict[str, Any]) -> ComparisonResult:
    """The result that `dataclasses.asdict` or JSON made this of."""
    intervals = {name: Interval(**content[name]) for name in ("mae_difference", "gender_accuracy_difference")}
    return ComparisonResult(**{**content, **intervals})


def _verdict(p_value: float) -> str:
    return "chance does not explain that" if p_value < SIGNIFICANCE else "chance alone can explain that"


def _check_same_images(first: pd.DataFrame, second: pd.DataFrame) -> None:
    if first["file"].tolist() != second["file"].tolist():
        raise InputError(
            "A paired test needs the same images in the same order. "
            f"Received: {len(first):,} and {len(second):,} rows, {len(set(first['file']) & set(second['file'])):,} "
            "files in both."
        )
