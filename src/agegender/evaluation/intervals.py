"""Calibrated answers measured on labelled images: do the age intervals hold, how wide are they, and for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from agegender.evaluation.answers import DISTRIBUTION, Answers, distributions
from agegender.evaluation.evaluate import female_labels, group_columns, slices_of
from agegender.metrics.proportions import binomial_interval
from agegender.metrics.slices import ROWS_MIN
from agegender.types import Interval
from agegender.uncertainty import UNSURE, CalibratedAnswers, Calibration, FittedIntervals, coverage_band
from agegender.uncertainty.groups import BAND_EDGES, group_names, group_of
from agegender.uncertainty.temperature import cross_entropy, logit

PREDICTED_BAND = "predicted age"
"""The column of groups that the intervals are calibrated by; the true age is not known when a face is met."""


@dataclass(frozen=True, slots=True)
class CoverageGroup:
    """Intervals of one group of images.

    Attributes:
        column: What the images are grouped by; empty for all of them.
        name: Which group.
        n: Images.
        few: Whether there are too few for the figures to mean much.
        coverage: Share of labels inside, with its 95 % Clopper-Pearson interval, 0..1.
        mean_width: Years.
        median_width: Years.
    """

    column: str
    name: str
    n: int
    few: bool
    coverage: Interval
    mean_width: float
    median_width: float


@dataclass(frozen=True, slots=True)
class GenderAnswers:
    """Calibrated answers of gender.

    Attributes:
        answered: Share of images that get an answer, 0..1.
        error_among_answered: Share of wrong ones among them, 0..1; None where nothing is answered.
        error_without_unsure: The same if all are answered.
        cross_entropy_before: Nats, as the model answers.
        cross_entropy_after: Nats, calibrated.
        risk: The share of errors among answers that was asked for.
    """

    answered: Interval
    error_among_answered: Interval | None
    error_without_unsure: Interval
    cross_entropy_before: float
    cross_entropy_after: float
    risk: float


@dataclass(frozen=True, slots=True)
class IntervalsResult:
    """A calibrated model measured on some images.

    Attributes:
        model: Its name.
        method: Of the intervals.
        level: Share that should hold.
        drawn: The faces are drawn.
        overall: All images.
        band: Coverage should lie between these shares with probability 99 %, by the sizes of both sets of images.
        inside: Whether it does.
        groups: By predicted age band, true age band and every group column.
        baselines: What simpler intervals, fitted on the same calibration images, do on these images.
        gender: Answers of gender.
    """

    model: str
    method: str
    level: float
    drawn: bool
    overall: CoverageGroup
    band: tuple[float, float]
    inside: bool
    groups: tuple[CoverageGroup, ...]
    baselines: tuple[CoverageGroup, ...]
    gender: GenderAnswers

    def by(self, column: str) -> tuple[CoverageGroup, ...]:
        """The groups of one column, in order."""
        return tuple(group for group in self.groups if group.column == column)


def calibrated(answers: Answers, calibration: Calibration) -> CalibratedAnswers:
    """A calibration applied to a prediction table with distributions.

    Raises:
        InputError: There are no distributions.
    """
    table = answers.table
    return calibration.apply(table["predicted_age"], distributions(table), table["female_probability"])


def calibrated_table(answers: Answers, found: CalibratedAnswers) -> pd.DataFrame:
    """The prediction table with `age_low`, `age_high` (years), `female_calibrated` (0..1) and `gender_answer`.

    Distributions are left out, which makes the file small.
    """
    table = answers.table.drop(columns=DISTRIBUTION, errors="ignore").copy()
    table["age_low"], table["age_high"] = found.intervals.low, found.intervals.high
    table["female_calibrated"] = found.female_probability
    table["gender_answer"] = found.gender
    return table


def measure_intervals(
    answers: Answers, calibration: Calibration, *, by: Sequence[str] | None = None, rows_min: int = ROWS_MIN
) -> tuple[IntervalsResult, pd.DataFrame]:
    """Measure coverage and width, overall and by group, and the answers of gender.

    Args:
        answers: Of the calibrated model, with distributions, on images that neither it nor its calibration saw.
        calibration: Of the model.
        by: Columns to group by beside the predicted age band; by default age, gender and every group column.
        rows_min: Groups of fewer images are marked.

    Returns:
        What was measured, and the table of calibrated answers, one row an image.

    Raises:
        InputError: There are no distributions, or labels are missing.
    """
    table = answers.table
    found = calibrated(answers, calibration)
    ages, predicted = table["age"].to_numpy(float), table["predicted_age"].to_numpy(float)
    held, width = found.intervals.holds(ages), found.intervals.width
    overall = _group("", "all images", held, width, rows_min)
    fitted = calibration.intervals
    new_counts = np.bincount(group_of(predicted, fitted.edges), minlength=len(fitted.counts))
    band = coverage_band(fitted.counts, new_counts.tolist(), fitted.level)
    names = group_names(BAND_EDGES)
    parts = [
        (PREDICTED_BAND, names[number], np.flatnonzero(group_of(predicted, BAND_EDGES) == number))
        for number in range(len(names))
    ]
    for column in group_columns(table) if by is None else by:
        parts += [(column, part.name, part.rows) for part in slices_of(table, column)]
    result = IntervalsResult(
        model=answers.model,
        method=fitted.method,
        level=fitted.level,
        drawn=answers.drawn,
        overall=overall,
        band=band,
        inside=band[0] <= overall.coverage.value <= band[1],
        groups=tuple(
            _group(column, name, held[rows], width[rows], rows_min) for column, name, rows in parts if len(rows)
        ),
        baselines=tuple(_baseline(baseline, table, ages, rows_min) for baseline in calibration.baselines),
        gender=_gender(table, found, calibration),
    )
    return result, calibrated_table(answers, found)


def _group(
    column: str, name: str, held: npt.NDArray[np.bool_], width: npt.NDArray[np.int64], rows_min: int
) -> CoverageGroup:
    n = len(held)
    coverage = binomial_interval(int(held.sum()), n)
    return CoverageGroup(column, name, n, n < rows_min, coverage, float(width.mean()), float(np.median(width)))


def _baseline(
    fitted: FittedIntervals, table: pd.DataFrame, ages: npt.NDArray[np.float64], rows_min: int
) -> CoverageGroup:
    intervals = fitted.apply(table["predicted_age"], distributions(table))
    return _group("baseline", fitted.method, intervals.holds(ages), intervals.width, rows_min)


def _gender(table: pd.DataFrame, found: CalibratedAnswers, calibration: Calibration) -> GenderAnswers:
    female = female_labels(table)
    raw = table["female_probability"].to_numpy(float)
    wrong = (raw >= 0.5) != female
    answered = found.gender != UNSURE
    n, given = len(table), int(answered.sum())
    return GenderAnswers(
        answered=binomial_interval(given, n),
        error_among_answered=binomial_interval(int((wrong & answered).sum()), given) if given else None,
        error_without_unsure=binomial_interval(int(wrong.sum()), n),
        cross_entropy_before=cross_entropy(logit(raw), female),
        cross_entropy_after=cross_entropy(logit(found.female_probability), female),
        risk=calibration.unsure.risk,
    )
