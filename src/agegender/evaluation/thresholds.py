"""A model as an age check: who under a legal age would pass, who above it would be stopped, and what cannot be known.

The rates and the guarantee are in `metrics.thresholds`; here a prediction table becomes a result and sentences.
Sources: NIST IR 8525 (2024) and ISO/IEC 27566-1, see there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from agegender.errors import InputError, SettingError
from agegender.evaluation.evaluate import SEED, group_columns, slices_of
from agegender.metrics.bootstrap import RESAMPLES
from agegender.metrics.thresholds import (
    CHALLENGE_AGES,
    CONFIDENCE,
    LEGAL_AGES,
    NEAR_YEARS,
    BandErrors,
    OperatingPoint,
    SafeChallenge,
    curve,
    errors_by_band,
    operating_point,
    smallest_challenge_age,
)

ESTIMATE, LOWER_END = "estimate", "lower end"
"""What is held against the challenge age: the estimated age, or the lower end of its calibrated interval."""

BOUNDS: tuple[float, ...] = (0.01, 0.05, 0.1)
"""Largest false positive rates to find a challenge age for."""

ABOVE_LEGAL: tuple[float, ...] = (0, 2, 5, 7, 10)
"""Challenge ages shown, in years above the legal one; 7 above 18 is "Challenge 25"."""

BY_GROUP_ABOVE = {ESTIMATE: 7, LOWER_END: 0}
"""The challenge age, in years above the legal one, at which groups are compared unless another is asked for: the lower
end of an interval keeps its distance by itself."""


@dataclass(frozen=True, slots=True)
class GroupRates:
    """One group at one legal and challenge age.

    Attributes:
        column: What the images are grouped by.
        name: Which group.
        n: Images.
        point: Its rates.
    """

    column: str
    name: str
    n: int
    point: OperatingPoint


@dataclass(frozen=True, slots=True)
class LegalAgeResult:
    """One legal age under one decision rule.

    Attributes:
        legal_age: Years.
        rule: `estimate` or `lower end`.
        curve: Rates over all challenge ages.
        shown: Rates at the challenge ages that tables show.
        safe: The smallest challenge age for each bound, for everybody under the age, then for those just under it.
        group_challenge: The challenge age at which groups are compared, years.
        groups: Rates there.
    """

    legal_age: int
    rule: str
    curve: tuple[OperatingPoint, ...]
    shown: tuple[OperatingPoint, ...]
    safe: tuple[SafeChallenge, ...]
    group_challenge: float
    groups: tuple[GroupRates, ...]


@dataclass(frozen=True, slots=True)
class ThresholdsResult:
    """A model measured as an age check.

    Attributes:
        model: Its name.
        n: Images.
        drawn: The faces are drawn.
        bands: Errors of age by band of true age.
        results: By legal age, each under every rule.
        limits: Sentences on what these images cannot show.
    """

    model: str
    n: int
    drawn: bool
    bands: tuple[BandErrors, ...]
    results: tuple[LegalAgeResult, ...]
    limits: tuple[str, ...]

    def of(self, rule: str) -> tuple[LegalAgeResult, ...]:
        """The results of one rule, by legal age."""
        return tuple(result for result in self.results if result.rule == rule)


def measure_thresholds(
    table: pd.DataFrame,
    *,
    model: str = "model",
    drawn: bool = False,
    lower_ends: npt.ArrayLike | None = None,
    legal_ages: Sequence[int] = LEGAL_AGES,
    bounds: Sequence[float] = BOUNDS,
    challenge_age: float | None = None,
    by: Sequence[str] | None = None,
    seed: int = SEED,
    resamples: int = RESAMPLES,
) -> ThresholdsResult:
    """Measure a prediction table as an age check.

    Args:
        table: One row an image: `age`, `predicted_age` and group columns.
        model: What to call the model.
        drawn: The faces are drawn.
        lower_ends: Lower ends of calibrated intervals in years, shape (n,); without them the estimate alone decides.
        legal_ages: Years.
        bounds: Largest false positive rates to find a challenge age for, between 0 and 1.
        challenge_age: Where groups are compared, years; by default 7 above each legal age, or at it by the lower end.
        by: Columns to compare groups of; by default every group column but age.
        seed: Of the bootstrap.
        resamples: Of the bootstrap.

    Raises:
        InputError: The table lacks a column or rows.
        SettingError: A bound out of range, or no legal age.
    """
    columns = [name for name in group_columns(table) if name != "age"] if by is None else list(by)
    missing = [name for name in ("age", "predicted_age", *columns) if name not in table]
    if missing or table.empty:
        raise InputError(
            f"The prediction table has no column {', '.join(missing)}. Its columns: {', '.join(map(str, table))}."
            if missing
            else "The prediction table has no rows, so there is nothing to measure."
        )
    if not legal_ages or not all(0 < bound < 1 for bound in bounds):
        raise SettingError(
            f"Give a legal age, and bounds between 0 and 1. Received: {list(legal_ages)} and {list(bounds)}"
        )
    ages = table["age"].to_numpy(float)
    scores = {ESTIMATE: table["predicted_age"].to_numpy(float)}
    if lower_ends is not None:
        scores[LOWER_END] = np.asarray(lower_ends, dtype=np.float64)
    parts = [part for column in columns for part in slices_of(table, column)]
    results = []
    for legal in sorted(set(legal_ages)):
        for rule, score in scores.items():
            at = float(legal + BY_GROUP_ABOVE[rule] if challenge_age is None else challenge_age)
            shown_at = sorted({*(float(legal + above) for above in ABOVE_LEGAL), at})
            results.append(
                LegalAgeResult(
                    legal_age=legal,
                    rule=rule,
                    curve=curve(ages, score, legal, CHALLENGE_AGES),
                    shown=curve(ages, score, legal, shown_at),
                    safe=tuple(
                        smallest_challenge_age(ages, score, legal, bound=bound, near=near)
                        for near in (False, True)
                        for bound in bounds
                    ),
                    group_challenge=at,
                    groups=tuple(
                        GroupRates(
                            part.column,
                            part.name,
                            len(part.rows),
                            operating_point(ages[part.rows], score[part.rows], legal, at),
                        )
                        for part in parts
                    ),
                )
            )
    return ThresholdsResult(
        model=model,
        n=len(table),
        drawn=drawn,
        bands=errors_by_band(ages, scores[ESTIMATE], seed=seed, resamples=resamples),
        results=tuple(results),
        limits=_limits(results, drawn),
    )


def summary(result: ThresholdsResult) -> dict[str, Any]:
    """The result as plain values without its curves, which `curve_table` holds."""
    content = asdict(result)
    for part in content["results"]:
        del part["curve"]
    return content


def curve_table(result: ThresholdsResult) -> pd.DataFrame:
    """One row a legal age, rule and challenge age: counts, rates and their intervals, for CSV."""
    lines = []
    for part in result.results:
        for point in part.curve:
            line: dict[str, object] = {"legal_age": part.legal_age, "rule": part.rule, "challenge_age": point.challenge}
            for name in ("false_positive", "near_false_positive", "false_negative"):
                share = getattr(point, name)
                line |= {f"{name}_errors": share.errors, f"{name}_n": share.n}
                interval = share.interval
                for end in ("value", "low", "high"):
                    line[f"{name}_{end}"] = None if interval is None else getattr(interval, end)
            lines.append(line)
    return pd.DataFrame(lines)


def _limits(results: Sequence[LegalAgeResult], drawn: bool) -> tuple[str, ...]:
    """What these images cannot show, with their own numbers."""
    sentences = []
    for legal in dict.fromkeys(result.legal_age for result in results):
        safe = next(result for result in results if result.legal_age == legal).safe
        near = next((part for part in safe if part.near), None)
        if near is None:
            continue
        years = f"{max(legal - NEAR_YEARS, 0)} to {legal - 1}"
        if near.smallest_provable is None:
            sentences.append(f"Nobody of {years} years is among them: nothing is known of those just under {legal}.")
            continue
        sentences.append(
            f"{near.n:,} of {years} years: not one error among them would still leave a false positive rate of up to "
            f"{100 * near.smallest_provable:.1f} % possible (with {100 * CONFIDENCE:.0f} % confidence)."
        )
    return (
        *sentences,
        "It takes 299 people under a legal age, and not one error, to show a rate under 1 %, and 2,995 to show 0.1 %.",
        "These are drawn faces: the figures say that the software works, nothing about people."
        if drawn
        else "Labels of web photographs are in part estimated from looks, by people or software that err as the model "
        "does; a test of an age check takes documented dates of birth.",
        "Pictures that people chose to publish are not pictures that an age check takes, nobody here tried to look "
        "older, and how many at the door are under age is not known; rates there will differ.",
        "These figures measure a model. They are no certification, and no basis to decide about a person.",
    )
