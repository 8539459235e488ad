"""For whom a model fails: every measure by every group and crossing of groups, against everybody else.

Groups are columns of the labels: they serve to measure, and no group is ever needed to predict. How values are
compared is in `metrics.fairness`; here a prediction table becomes groups and measures.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from agegender.errors import InputError, SettingError
from agegender.evaluation.evaluate import CS_YEARS, SEED, female_labels, group_columns, slices_of
from agegender.metrics import age as age_metrics
from agegender.metrics import gender as gender_metrics
from agegender.metrics.bootstrap import MEDIAN, RESAMPLES, bootstrap_interval
from agegender.metrics.fairness import SMALLEST_GROUP, GroupMean, compare_groups
from agegender.metrics.slices import ROWS_MIN
from agegender.types import Interval

SIGNED = ("age bias",)
"""Measures whose ratio means nothing."""

HIGHER_IS_BETTER = {"age within 5 years": True, "gender right": True, "interval holds": True, "gender answered": True}
"""Of the others a lower value is better; a bias is best at 0."""

DEPTH = 2
"""How many columns are crossed by default: `18-29` and `female`."""


@dataclass(frozen=True, slots=True)
class GroupReport:
    """One group, or crossing of groups.

    Attributes:
        columns: What it is cut by, such as `("age", "gender")`.
        names: Which groups, such as `("18-29", "female")`.
        n: Images.
        few: There are too few images in it, or outside of it, to say anything: no figures then.
        median: Median absolute error of age, years; None if `few`.
        measures: Name of a measure to its mean here and against everybody else; empty if `few`.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    n: int
    few: bool
    median: Interval | None
    measures: Mapping[str, GroupMean]

    @property
    def label(self) -> str:
        """`18-29, female`."""
        return ", ".join(self.names)


@dataclass(frozen=True, slots=True)
class FairnessResult:
    """Every measure by every group.

    Attributes:
        model: What the model is called.
        n: Images.
        drawn: The faces are drawn.
        least: Images that a group needs to be measured.
        measures: Their names, in order.
        comparisons: How many were made; p values are adjusted for as many (Holm).
        groups: Single columns first, then crossings.
    """

    model: str
    n: int
    drawn: bool
    least: int
    measures: tuple[str, ...]
    comparisons: int
    groups: tuple[GroupReport, ...]

    def by(self, *columns: str) -> tuple[GroupReport, ...]:
        """The groups of one column, or of one crossing of columns."""
        return tuple(group for group in self.groups if group.columns == columns)

    @property
    def found(self) -> tuple[tuple[GroupReport, str], ...]:
        """Groups and measures in which a group differs from the rest by more than chance."""
        return tuple((group, name) for group in self.groups for name, mean in group.measures.items() if mean.differs)


def measure_fairness(
    table: pd.DataFrame,
    *,
    model: str = "model",
    drawn: bool = False,
    by: Sequence[str] | None = None,
    depth: int = DEPTH,
    least: int = ROWS_MIN,
    extra: Mapping[str, npt.ArrayLike] | None = None,
    seed: int = SEED,
    resamples: int = RESAMPLES,
    permutations: int | None = None,
) -> FairnessResult:
    """Measure a prediction table by groups.

    Args:
        table: One row an image: `age`, `gender`, `predicted_age`, `female_probability` and group columns.
        model: What to call the model.
        drawn: The faces are drawn.
        by: Columns (`age` goes by bands); by default age, gender and every group column.
        depth: How many columns are crossed at the most, 1..3.
        least: Images that a group needs to be measured, at least 20.
        extra: More measures, one number an image, such as whether its calibrated interval holds.
        seed: Of bootstrap and permutations.
        resamples: Of the bootstrap.
        permutations: Of the tests; by default enough for their number.

    Raises:
        InputError: The table lacks a column or rows.
        SettingError: A setting out of range.
    """
    if not 1 <= depth <= 3 or least < SMALLEST_GROUP:
        raise SettingError(
            f"depth is 1 to 3 and a group needs {SMALLEST_GROUP} images or more. Received: {depth} and {least}"
        )
    columns = group_columns(table) if by is None else tuple(dict.fromkeys(by))
    missing = [name for name in ("age", "predicted_age", "gender", "female_probability", *columns) if name not in table]
    if missing or table.empty:
        raise InputError(
            f"The prediction table has no column {', '.join(missing)}. Its columns: {', '.join(map(str, table))}."
            if missing
            else "The prediction table has no rows, so there is nothing to measure."
        )
    measures = _measures(table) | {name: np.asarray(values, np.float64) for name, values in (extra or {}).items()}
    groups = list(_groups(table, columns, depth))
    enough = [len(rows) >= least and len(table) - len(rows) >= least for _, _, rows in groups]
    compared = iter(
        compare_groups(
            measures,
            [rows for (_, _, rows), fit in zip(groups, enough, strict=True) if fit],
            signed=SIGNED,
            seed=seed,
            resamples=resamples,
            permutations=permutations,
        )
    )
    errors = np.abs(measures["age bias"])
    reports = []
    for (names_of_columns, names, rows), fit in zip(groups, enough, strict=True):
        median = bootstrap_interval(errors[rows], MEDIAN, seed=seed, resamples=resamples) if fit else None
        reports.append(GroupReport(names_of_columns, names, len(rows), not fit, median, next(compared) if fit else {}))
    return FairnessResult(model, len(table), drawn, least, tuple(measures), sum(enough) * len(measures), tuple(reports))


def fairness_table(result: FairnessResult) -> pd.DataFrame:
    """One row a group and measure, each interval as three columns, for CSV; a group that is too small has one row."""
    lines: list[dict[str, object]] = []
    for group in result.groups:
        start = {"columns": " x ".join(group.columns), "group": group.label, "n": group.n, "too_few": group.few}
        if group.few:
            lines.append(start)
        for name, mean in group.measures.items():
            line = start | {"measure": name} | _spread("value", mean.value) | {"rest": mean.rest}
            line |= _spread("difference", mean.difference) | _spread("ratio", mean.ratio)
            lines.append(line | {"p": mean.p_value, "p_adjusted": mean.p_adjusted, "differs": mean.differs})
    return pd.DataFrame(lines)


def _measures(table: pd.DataFrame) -> dict[str, npt.NDArray[np.float64]]:
    errors = age_metrics.signed_errors(table["predicted_age"], table["age"])
    female, probability = female_labels(table), table["female_probability"]
    return {
        "age error": np.abs(errors),
        "age bias": errors,
        f"age within {CS_YEARS} years": age_metrics.within_years(errors, CS_YEARS).astype(np.float64),
        "gender right": gender_metrics.right_answers(probability, female).astype(np.float64),
        "gender cross-entropy": gender_metrics.cross_entropies(probability, female),
    }


def _groups(
    table: pd.DataFrame, columns: Sequence[str], depth: int
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], npt.NDArray[np.int64]]]:
    """Columns, names and rows of every group; crossings that hold nobody, or the same as one of their parts, not."""
    slices = {column: slices_of(table, column) for column in columns}
    for count in range(1, depth + 1):
        for chosen in itertools.combinations(columns, count):
            for parts in itertools.product(*(slices[column] for column in chosen)):
                rows = parts[0].rows
                for part in parts[1:]:
                    rows = np.intersect1d(rows, part.rows, assume_unique=True)
                if len(rows) and (count == 1 or all(len(rows) < len(part.rows) for part in parts)):
                    yield chosen, tuple(part.name for part in parts), rows


def _spread(name: str, interval: Interval | None) -> dict[str, float | None]:
    if interval is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
