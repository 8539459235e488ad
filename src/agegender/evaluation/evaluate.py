"""From a prediction table to figures with 95 % intervals, over all images and by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from agegender.errors import InputError
from agegender.labels import Gender
from agegender.metrics import age as age_metrics
from agegender.metrics import gender as gender_metrics
from agegender.metrics.bootstrap import MEAN, MEDIAN, RESAMPLES, bootstrap_intervals
from agegender.metrics.gender import ConfusionCounts
from agegender.metrics.slices import Slice, slices_by_band, slices_by_value
from agegender.types import Interval

SEED = 0

CS_YEARS = 5
"""The k of CS@k in every table."""

GROUP_VALUES_MAX = 50
"""A column with more distinct values than this is not taken for a group unless asked for by name."""

_LABELS_AND_ANSWERS = {
    *("file", "age", "gender"),
    *("model", "order", "predicted_age", "female_probability", "age_distribution"),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What a model's answers are worth on some images, each figure with its 95 % bootstrap interval.

    Attributes:
        n: Images.
        mae: Mean absolute error of age, years.
        median: Median absolute error of age, years.
        cs5: Share of ages within 5 years, 0..1.
        bias: Mean of predicted minus true age, years.
        gender_accuracy: Share of images that got the gender of their label, 0..1.
        gender_cross_entropy: Mean binary cross-entropy, nats.
    """

    n: int
    mae: Interval
    median: Interval
    cs5: Interval
    bias: Interval
    gender_accuracy: Interval
    gender_cross_entropy: Interval


@dataclass(frozen=True, slots=True)
class SliceResult:
    """Figures of one group of images.

    Attributes:
        column: What the images are grouped by, such as `age`.
        name: Which group, such as `18-29`.
        few: Whether there are too few images for the figures to mean much.
        figures: Of these images.
    """

    column: str
    name: str
    few: bool
    figures: Figures


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """One model measured in one channel order.

    Attributes:
        model: Its short name.
        order: `rgb` or `bgr`.
        figures: Over all images.
        confusion: Gender answers counted by label.
        slices: Figures by group; age bands first.
    """

    model: str
    order: str
    figures: Figures
    confusion: ConfusionCounts
    slices: tuple[SliceResult, ...]

    def by(self, column: str) -> tuple[SliceResult, ...]:
        """The slices of one column, in order; none if it was not measured."""
        return tuple(part for part in self.slices if part.column == column)


def evaluate_predictions(
    predictions: pd.DataFrame,
    *,
    model: str = "model",
    order: str = "rgb",
    by: Sequence[str] | None = None,
    seed: int = SEED,
    resamples: int = RESAMPLES,
) -> EvaluationResult:
    """Measure a prediction table.

    Args:
        predictions: One row an image: `age`, `gender`, `predicted_age`, `female_probability` and any group columns.
        model: What to call the model.
        order: The channel order it was fed.
        by: Columns to group by (`age` goes by bands); by default age, gender and every group column.
        seed: Of the bootstrap. Every model gets the same resamples, so that figures differ by the models only.
        resamples: Of the bootstrap.

    Raises:
        InputError: The table is empty or lacks a column.
    """
    columns = group_columns(predictions) if by is None else tuple(by)
    _check_table(predictions, columns)
    rows = _row_values(predictions)
    slices = [part for column in columns for part in slices_of(predictions, column)]
    return EvaluationResult(
        model=model,
        order=order,
        figures=_figures(rows, slice(None), seed, resamples),
        confusion=gender_metrics.confusion_counts(predictions["female_probability"], female_labels(predictions)),
        slices=tuple(
            SliceResult(part.column, part.name, part.few, _figures(rows, part.rows, seed, resamples)) for part in slices
        ),
    )


def group_columns(table: pd.DataFrame) -> tuple[str, ...]:
    """What a table can be grouped by: age, gender, and every other column of few distinct texts."""
    others = [
        name
        for name, column in table.items()
        if name not in _LABELS_AND_ANSWERS
        and not pd.api.types.is_numeric_dtype(column)
        and len(column.unique()) <= GROUP_VALUES_MAX
    ]
    return "age", "gender", *map(str, others)


def female_labels(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether each label says female, booleans of shape (n,).

    Raises:
        InputError: A gender is missing or is no name of `labels.Gender`.
    """
    strangers = set(table["gender"].unique()) - set(Gender)
    if strangers:
        raise InputError(f"gender must be one of {', '.join(Gender)}. Received: {sorted(map(str, strangers))}")
    return (table["gender"] == Gender.FEMALE).to_numpy(bool)


def absolute_errors(predictions: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The size of each image's error of age, in years, shape (n,)."""
    return np.abs(age_metrics.signed_errors(predictions["predicted_age"], predictions["age"]))


def right_genders(predictions: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which images got the gender of their label, shape (n,)."""
    return gender_metrics.right_answers(predictions["female_probability"], female_labels(predictions))


def result_from_dict(content: dict[str, Any]) -> EvaluationResult:
    """The result that `dataclasses.asdict` or JSON made this of."""
    return EvaluationResult(
        model=content["model"],
        order=content["order"],
        figures=_figures_from_dict(content["figures"]),
        confusion=ConfusionCounts(**content["confusion"]),
        slices=tuple(
            SliceResult(part["column"], part["name"], part["few"], _figures_from_dict(part["figures"]))
            for part in content["slices"]
        ),
    )


def _figures_from_dict(content: dict[str, Any]) -> Figures:
    intervals = {name: Interval(**value) for name, value in content.items() if name != "n"}
    return Figures(n=content["n"], **intervals)


def _row_values(predictions: pd.DataFrame) -> dict[str, tuple[Any, npt.NDArray]]:
    """Statistic and row values of each figure; every figure is a mean or a median of something about one image."""
    errors = age_metrics.signed_errors(predictions["predicted_age"], predictions["age"])
    female = female_labels(predictions)
    probability = predictions["female_probability"]
    return {
        "mae": (MEAN, np.abs(errors)),
        "median": (MEDIAN, np.abs(errors)),
        "cs5": (MEAN, age_metrics.within_years(errors, CS_YEARS)),
        "bias": (MEAN, errors),
        "gender_accuracy": (MEAN, gender_metrics.right_answers(probability, female)),
        "gender_cross_entropy": (MEAN, gender_metrics.cross_entropies(probability, female)),
    }


def _figures(
    rows: dict[str, tuple[Any, npt.NDArray]], picked: slice | npt.NDArray[np.int64], seed: int, resamples: int
) -> Figures:
    columns = {name: (statistic, values[picked]) for name, (statistic, values) in rows.items()}
    n = len(columns["mae"][1])
    return Figures(n=n, **bootstrap_intervals(columns, seed=seed, resamples=resamples))


def slices_of(table: pd.DataFrame, column: str) -> tuple[Slice, ...]:
    """The groups of one column: bands of age, a category's values in their order, any other's sorted."""
    values = table[column]
    if column == "age":
        return slices_by_band(column, values)
    order = [str(value) for value in values.cat.categories] if isinstance(values.dtype, pd.CategoricalDtype) else []
    return slices_by_value(column, values.to_numpy(object), order=order)


def _check_table(predictions: pd.DataFrame, columns: Sequence[str]) -> None:
    wanted = ["age", "gender", "predicted_age", "female_probability", *columns]
    missing = [column for column in dict.fromkeys(wanted) if column not in predictions.columns]
    if missing:
        raise InputError(
            f"The prediction table has no column {', '.join(missing)}. Its columns: {', '.join(predictions.columns)}."
        )
    if predictions.empty:
        raise InputError("The prediction table has no rows, so there is nothing to measure.")
