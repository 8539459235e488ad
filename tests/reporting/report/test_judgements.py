"""The rules by which curves and comparisons are judged, at their borders."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pandas as pd
import pytest

from agegender.evaluation.compare import ComparisonResult
from agegender.metrics.baseline import ConstantPredictor
from agegender.reporting.report import ModelFacts, RunFacts
from agegender.reporting.report.judgements import (
    Fit,
    Verdict,
    age_ending,
    age_extremes,
    age_verdict,
    gender_ending,
    gender_verdict,
)
from agegender.types import Interval

CONSTANT = ConstantPredictor(age=30, female=False, mae=15.0, gender_accuracy=0.52)


@pytest.fixture
def with_curves(planted_facts: Callable[[str], RunFacts]) -> Callable[..., ModelFacts]:
    model = planted_facts("B better").models["A"]

    def give(**columns: list[float]) -> ModelFacts:
        length = len(next(iter(columns.values())))
        return dataclasses.replace(model, history=pd.DataFrame({"epoch": range(1, length + 1), **columns}))

    return give


@pytest.mark.parametrize(
    ("train", "validation", "fit"),
    [
        ([9, 5.00], [9, 5.75], Fit.CLOSE),  # 15 % is not over 15 %
        ([9, 5.00], [9, 5.80], Fit.GAP),
        ([9, 5.00], [9, 7.50], Fit.GAP),  # 50 % is not over 50 %
        ([9, 5.00], [9, 7.60], Fit.OVERFITTING),
        ([9, 7, 4.95], [9, 5.50, 5.77], Fit.GAP),  # under 5 % above its best
        ([9, 7, 5.00], [9, 5.50, 5.80], Fit.OVERFITTING),  # over 5 % above its best
        ([9, 7, 5.50], [9, 5.50, 5.80], Fit.CLOSE),  # turned, but no gap
        ([9, 7.50], [9, 7.60], Fit.CLOSE),
        ([9, 7.51], [9, 7.60], Fit.UNDERFITTING),  # over half of 15 years
        ([9, 7.00], [9, 3.00], Fit.CLOSE),
    ],
)
def test_age(with_curves: Callable[..., ModelFacts], train: list[float], validation: list[float], fit: Fit) -> None:
    ending = age_ending(with_curves(train_age_mae=train, validation_age_mae=validation), CONSTANT)
    assert ending.fit is fit
    assert (ending.train, ending.validation, ending.last_epoch) == (train[-1], validation[-1], len(train))
    assert ending.best == min(validation)


@pytest.mark.parametrize(
    ("train", "validation", "losses", "fit"),
    [
        (0.950, 0.920, [0.3, 0.3], Fit.CLOSE),
        (0.950, 0.919, [0.3, 0.3], Fit.GAP),
        (0.950, 0.919, [0.3, 0.34], Fit.OVERFITTING),  # the loss is over 10 % above its best
        (0.950, 0.930, [0.3, 0.34], Fit.CLOSE),
        (0.950, 0.849, [0.3, 0.3], Fit.OVERFITTING),
        (0.750, 0.745, [0.3, 0.3], Fit.UNDERFITTING),  # errors over half of 48 %
    ],
)
def test_gender(
    with_curves: Callable[..., ModelFacts], train: float, validation: float, losses: list[float], fit: Fit
) -> None:
    model = with_curves(
        train_gender_accuracy=[0.5, train], validation_gender_accuracy=[0.5, validation],
        train_gender_loss=losses, validation_gender_loss=losses,
    )  # fmt: skip
    assert gender_ending(model, CONSTANT).fit is fit


def test_without_validation_only_underfitting_can_be_told(with_curves: Callable[..., ModelFacts]) -> None:
    assert age_ending(with_curves(train_age_mae=[9, 4]), CONSTANT).fit is Fit.UNKNOWN
    assert age_ending(with_curves(train_age_mae=[9, 8]), CONSTANT).fit is Fit.UNDERFITTING
    model = with_curves(train_gender_accuracy=[0.5, 0.9], train_gender_loss=[0.7, 0.3])
    assert gender_ending(model, CONSTANT).fit is Fit.UNKNOWN


def comparison(difference: float, p: float, first_only: int = 20, second_only: int = 10) -> ComparisonResult:
    interval = Interval(difference, difference - 0.1, difference + 0.1)
    return ComparisonResult("A", "B", "rgb", 100, interval, p, Interval(0.1, 0, 0.2), first_only, second_only, p)


def test_a_verdict_needs_a_small_p_and_a_difference() -> None:
    assert age_verdict(comparison(-0.5, 0.049)) is Verdict.FIRST
    assert age_verdict(comparison(0.5, 0.049)) is Verdict.SECOND
    assert age_verdict(comparison(0.5, 0.05)) is Verdict.NEITHER
    assert age_verdict(comparison(0.004, 0.001)) is Verdict.NEITHER
    assert gender_verdict(comparison(0, 0.01)) is Verdict.FIRST
    assert gender_verdict(comparison(0, 0.01, 10, 20)) is Verdict.SECOND
    assert gender_verdict(comparison(0, 0.05)) is Verdict.NEITHER


def test_extremes_pass_over_groups_of_few_images(planted_facts: Callable[[str], RunFacts]) -> None:
    bands = planted_facts("B better").models["A"].result.by("age")
    assert any(band.few for band in bands)
    found = age_extremes(bands)
    assert found is not None
    errors = {band.name: band.figures.mae.value for band in bands if not band.few}
    assert found.least.name == min(errors, key=errors.__getitem__)
    assert found.most.name == max(errors, key=errors.__getitem__)
    assert age_extremes(bands[:1]) is None
    assert age_extremes([bands[3], bands[3]]) is None
