"""What is said of a run is decided here, by rules that the report states: how a curve fits, which model is better.

Rules see numbers as they are printed, so that a reader who checks a sentence against a table finds it true.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agegender.evaluation.compare import SIGNIFICANCE, ComparisonResult
from agegender.evaluation.evaluate import SliceResult
from agegender.metrics.baseline import ConstantPredictor
from agegender.reporting.report.facts import ModelFacts
from agegender.reporting.report.numbers import share, years

AGE_GAP, AGE_FAR, AGE_TURNED = 0.15, 0.50, 0.05
"""Validation's age MAE over training's, less 1: a gap; too far; over its own best epoch's, less 1: it has turned."""

GENDER_GAP, GENDER_FAR, GENDER_TURNED = 3.0, 10.0, 0.10
"""Points of accuracy below training: a gap; too far; the gender loss over its own best epoch's, less 1: turned."""

UNLEARNT = 0.5
"""A training error above this share of the best constant answer's error is underfitting."""


class Fit(enum.StrEnum):
    """How a learning curve ends."""

    UNDERFITTING = "underfitting"
    CLOSE = "no sign of over- or underfitting"
    GAP = "a gap"
    OVERFITTING = "overfitting"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Ending:
    """A metric's learning curve at its end, in printed units: years, or percent of right answers.

    Attributes:
        fit: The verdict.
        train: At the last epoch, on training images.
        validation: At the last epoch; None where nothing was held out.
        best: Validation's best.
        best_epoch: Where.
        last_epoch: The last.
        apart: How much worse validation is than training: percent of the MAE, or points of accuracy; below 0 is better.
        far: `apart` alone makes it overfitting.
        turned: Validation has become clearly worse since its best epoch.
        constant: Error of the best constant answer, years or percent.
    """

    fit: Fit
    train: float
    validation: float | None
    best: float | None
    best_epoch: int | None
    last_epoch: int
    apart: float
    far: bool
    turned: bool
    constant: float


def age_ending(model: ModelFacts, constant: ConstantPredictor) -> Ending:
    """How the curve of the age MAE ends."""
    train, validation, epochs = _curve(model, "age_mae")
    last = years(train[-1])
    unlearnt = last > UNLEARNT * years(constant.mae)
    if validation is None:
        fit = Fit.UNDERFITTING if unlearnt else Fit.UNKNOWN
        return Ending(fit, last, None, None, None, int(epochs[-1]), 0.0, False, False, years(constant.mae))
    best = int(validation.argmin())
    end = years(validation[-1])
    apart = round(100 * (end / max(last, 0.01) - 1))  # in whole percent, as printed
    turned = end > (1 + AGE_TURNED) * years(validation[best])
    far = apart > 100 * AGE_FAR
    return Ending(
        _fit(unlearnt, apart > 100 * AGE_GAP, far, turned), last, end, years(validation[best]), int(epochs[best]),
        int(epochs[-1]), apart, far, turned and apart > 100 * AGE_GAP, years(constant.mae),
    )  # fmt: skip


def gender_ending(model: ModelFacts, constant: ConstantPredictor) -> Ending:
    """How the curve of the gender accuracy ends; whether validation has turned is read from the gender loss."""
    train, validation, epochs = _curve(model, "gender_accuracy")
    last, floor = share(train[-1]), share(1 - constant.gender_accuracy)
    unlearnt = 100 - last > UNLEARNT * floor
    if validation is None:
        fit = Fit.UNDERFITTING if unlearnt else Fit.UNKNOWN
        return Ending(fit, last, None, None, None, int(epochs[-1]), 0.0, False, False, floor)
    losses = _curve(model, "gender_loss")[1]
    best = int(validation.argmax())
    end = share(validation[-1])
    apart = round(last - end, 1)
    turned = losses is not None and bool(losses[-1] > (1 + GENDER_TURNED) * losses.min())
    far = apart > GENDER_FAR
    return Ending(
        _fit(unlearnt, apart > GENDER_GAP, far, turned), last, end, share(validation[best]), int(epochs[best]),
        int(epochs[-1]), apart, far, turned and apart > GENDER_GAP, floor,
    )  # fmt: skip


def _curve(model: ModelFacts, quantity: str) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Training values, validation values or None, epochs; one an epoch that was measured."""
    history = model.history.dropna(subset=[f"train_{quantity}"])
    train, epochs = history[f"train_{quantity}"].to_numpy(float), history["epoch"].to_numpy(int)
    column = f"validation_{quantity}"
    if column not in history or bool(np.isnan(history[column].to_numpy(float)).any()):
        return train, None, epochs
    return train, history[column].to_numpy(float), epochs


def _fit(unlearnt: bool, gap: bool, far: bool, turned: bool) -> Fit:
    if unlearnt:
        return Fit.UNDERFITTING
    if far or (gap and turned):
        return Fit.OVERFITTING
    return Fit.GAP if gap else Fit.CLOSE


class Verdict(enum.Enum):
    """What a paired test says of two models."""

    FIRST = "first"
    SECOND = "second"
    NEITHER = "neither"


def age_verdict(comparison: ComparisonResult) -> Verdict:
    """Which model reads age better, if chance does not explain the difference."""
    difference = years(comparison.mae_difference.value)
    if comparison.age_p_value >= SIGNIFICANCE or difference == 0:
        return Verdict.NEITHER
    return Verdict.FIRST if difference < 0 else Verdict.SECOND


def gender_verdict(comparison: ComparisonResult) -> Verdict:
    """Which model reads gender better, if chance does not explain the difference."""
    difference = comparison.gender_first_only - comparison.gender_second_only
    if comparison.gender_p_value >= SIGNIFICANCE or difference == 0:
        return Verdict.NEITHER
    return Verdict.FIRST if difference > 0 else Verdict.SECOND


@dataclass(frozen=True, slots=True)
class Extremes:
    """The groups of a column where errors are smallest and largest, among those of enough images."""

    least: SliceResult
    most: SliceResult


def age_extremes(groups: Sequence[SliceResult]) -> Extremes | None:
    """By age MAE; None if fewer than two groups are large enough, or all are equal as printed."""
    return _extremes(groups, [years(group.figures.mae.value) for group in groups])


def gender_extremes(groups: Sequence[SliceResult]) -> Extremes | None:
    """By gender accuracy: `least` errors first."""
    return _extremes(groups, [-share(group.figures.gender_accuracy.value) for group in groups])


def _extremes(groups: Sequence[SliceResult], errors: Sequence[float]) -> Extremes | None:
    known = [(error, group) for error, group in zip(errors, groups, strict=True) if not group.few]
    if len(known) < 2 or len({error for error, _ in known}) == 1:
        return None
    return Extremes(min(known, key=lambda pair: pair[0])[1], max(known, key=lambda pair: pair[0])[1])


def apart(first: SliceResult, second: SliceResult, figure: str) -> bool:
    """Whether the 95 % intervals of a figure of two groups do not overlap."""
    one, other = getattr(first.figures, figure), getattr(second.figures, figure)
    return one.high < other.low or other.high < one.low
