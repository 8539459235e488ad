"""Age intervals that hold: three conformal methods, each fitted on calibration images into frozen parameters.

Each method turns a model's answer and a label into a score, how far the label lies out; the threshold is the
ceil((n + 1) level)-th smallest score of n calibration images. A new image's interval, all ages that score at most the
threshold, then holds its label with probability at least `level`, whatever the model and the data, as long as new
images come from where the calibration images came from.

- `shortest`: the mass of the interval that grows from the likeliest age until it takes the label in. Sources: Izbicki,
  Shimizu, Stern, "CD-split and HPD-split", JMLR 2022; Chernozhukov, Wuthrich, Zhu, "Distributional Conformal
  Prediction", PNAS 2021; nested growth as in Sesia, Romano, "Conformal Prediction using Conditional Histograms",
  NeurIPS 2021.
- `quantiles`: conformalised quantiles of the distribution. Source: Romano, Patterson, Candes, "Conformalized Quantile
  Regression", NeurIPS 2019.
- `scaled`: the error over the distribution's standard deviation. Sources: Papadopoulos, Gammerman, Vovk, "Normalized
  Nonconformity Measures for Regression Conformal Prediction", AIA 2008; Lei et al., "Distribution-Free Predictive
  Inference for Regression", JASA 2018.

Two simpler ones are there to be beaten: `constant` (the error alone, so one width for all; Lei et al. 2018) and `raw`
(the distribution's own quantiles, believed as they are, with nothing fitted and no promise).

Ages are whole years, so intervals are given as whole years from and to, both included.

Why plain NumPy and not crepes: that library has `scaled` and `constant`, but neither of the two others, and applying a
calibration must need NumPy alone. Tests compare these with crepes' answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from agegender.errors import InputError, SettingError
from agegender.labels import AGE_MAX_YEARS, AGE_MIN_YEARS
from agegender.uncertainty.distribution import (
    YEARS,
    FloatArray,
    checked_ages,
    checked_distribution,
    inclusion_mass,
    quantile,
    spread,
)
from agegender.uncertainty.groups import GROUP_MIN, group_names, group_of, merged_edges

METHODS = ("shortest", "quantiles", "scaled")
"""To choose from."""

BASELINES = ("constant", "raw")
"""To be beaten."""

LEVEL = 0.9

Limits = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class AgeIntervals:
    """An interval of whole years for each image, both ends included.

    Attributes:
        low: Years, int64 of shape (n,).
        high: Years, int64 of shape (n,), at least `low`.
    """

    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]

    @property
    def width(self) -> npt.NDArray[np.int64]:
        """`high` minus `low`, years, shape (n,); 0 for a single age."""
        return self.high - self.low

    def holds(self, ages: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which intervals hold these ages in years, shape (n,)."""
        years = checked_ages(ages, len(self.low), name="ages")
        return (self.low <= years) & (years <= self.high)


@dataclass(frozen=True, slots=True)
class FittedIntervals:
    """What `fit_intervals` found: all that is needed to give a new image its interval. Only fitting makes one.

    Attributes:
        method: One of `METHODS` or `BASELINES`.
        level: Share of intervals that should hold the label, between 0 and 1.
        edges: Predicted ages, in years, between groups with thresholds of their own; empty for one threshold.
        thresholds: One a group, in the method's own unit; infinite where a group was too small for the level.
        counts: Calibration images a group.
    """

    method: str
    level: float
    edges: tuple[float, ...]
    thresholds: tuple[float, ...]
    counts: tuple[int, ...]

    def apply(self, predicted: npt.ArrayLike, distribution: npt.ArrayLike) -> AgeIntervals:
        """The intervals of new images.

        Args:
            predicted: Ages in years as the model answers them, shape (n,).
            distribution: Its distributions over ages, shape (n, 117).

        Raises:
            InputError: Other shapes, or lines that are no distributions.
        """
        rows = checked_distribution(distribution)
        ages = checked_ages(predicted, len(rows), name="predicted ages")
        threshold = np.asarray(self.thresholds)[group_of(ages, self.edges)]
        low, high = LIMITS[self.method](ages, rows, threshold, self.level)
        return whole_years(low, high)

    @property
    def groups(self) -> tuple[str, ...]:
        """What the groups are called, in order."""
        return group_names(self.edges)

    def as_record(self) -> dict[str, Any]:
        """As JSON can hold it; an infinite threshold becomes null."""
        return {
            "method": self.method,
            "level": self.level,
            "edges": list(self.edges),
            "thresholds": [value if math.isfinite(value) else None for value in self.thresholds],
            "counts": list(self.counts),
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> FittedIntervals:
        """What `as_record` gave.

        Raises:
            InputError: It is something else.
        """
        try:
            fitted = cls(
                method=str(record["method"]),
                level=float(record["level"]),
                edges=tuple(float(edge) for edge in record["edges"]),
                thresholds=tuple(math.inf if value is None else float(value) for value in record["thresholds"]),
                counts=tuple(int(count) for count in record["counts"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"The record of age intervals is damaged ({error}). Calibrate again.") from error
        if fitted.method not in LIMITS or not len(fitted.thresholds) == len(fitted.counts) == len(fitted.edges) + 1:
            raise InputError(
                f"The record of age intervals is of a method {fitted.method!r} with {len(fitted.edges)} edges and "
                f"{len(fitted.thresholds)} thresholds; expected one of {', '.join(LIMITS)} and one threshold more "
                "than edges. Calibrate again with this version."
            )
        return fitted


def fit_intervals(
    method: str,
    predicted: npt.ArrayLike,
    distribution: npt.ArrayLike,
    ages: npt.ArrayLike,
    *,
    level: float = LEVEL,
    by_band: bool = True,
    group_min: int = GROUP_MIN,
) -> FittedIntervals:
    """Calibrate one method on images that the model did not learn from.

    Args:
        method: One of `METHODS` or `BASELINES`.
        predicted: Ages in years as the model answers them, shape (n,).
        distribution: Its distributions over ages, shape (n, 117).
        ages: True ages in years, shape (n,).
        level: Share of intervals that should hold the label, between 0 and 1.
        by_band: A threshold for each band of predicted age (Mondrian), not one for all.
        group_min: Images that a band needs for that; smaller ones join a neighbour.

    Raises:
        SettingError: No such method, or a level or minimum out of range.
        InputError: Other shapes, or lines that are no distributions.
    """
    if method not in LIMITS:
        raise SettingError(f"The methods are {', '.join(LIMITS)}. Received: {method!r}")
    if not 0 < level < 1 or group_min < 1:
        raise SettingError(
            f"The level lies between 0 and 1 and the minimum is 1 or more. Received: {level} and {group_min}"
        )
    rows = checked_distribution(distribution)
    answers = checked_ages(predicted, len(rows), name="predicted ages")
    true = checked_ages(ages, len(rows), name="ages")
    if true.min() < AGE_MIN_YEARS or true.max() > AGE_MAX_YEARS:
        raise InputError(f"Ages are {AGE_MIN_YEARS}..{AGE_MAX_YEARS}. Received: {true.min():g} to {true.max():g}")
    edges = merged_edges(answers, group_min=group_min) if by_band and method != "raw" else ()
    group = group_of(answers, edges)
    scores = SCORES[method](answers, rows, true, level)
    thresholds = tuple(conformal_threshold(scores[group == g], level) for g in range(len(edges) + 1))
    counts = tuple(np.bincount(group, minlength=len(edges) + 1).tolist())
    return FittedIntervals(method, level, edges, thresholds, counts)


def conformal_threshold(scores: npt.ArrayLike, level: float) -> float:
    """The ceil((n + 1) level)-th smallest of n scores; infinite where n is too small for that.

    Source: Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World", 2005; Angelopoulos, Bates, "Conformal
    Prediction: A Gentle Introduction", 2023, section 1.
    """
    ranked = np.sort(np.asarray(scores, dtype=np.float64))
    rank = threshold_rank(len(ranked), level)
    return float(ranked[rank - 1]) if rank <= len(ranked) else math.inf


def threshold_rank(n: int, level: float) -> int:
    """ceil((n + 1) level), which rounding does not raise where the product is a whole number."""
    return max(1, math.ceil((n + 1) * level - 1e-9))


def whole_years(low: FloatArray, high: FloatArray) -> AgeIntervals:
    """The whole years inside, within 0..116; the nearest one where there is none inside."""
    first, last = np.ceil(low - 1e-9), np.floor(high + 1e-9)
    none = first > last
    if none.any():
        middle = np.rint((low[none] + high[none]) / 2)
        first[none] = last[none] = middle
    clipped = (np.clip(end, AGE_MIN_YEARS, AGE_MAX_YEARS).astype(np.int64) for end in (first, last))
    return AgeIntervals(*clipped)


def _shortest_scores(predicted: FloatArray, rows: FloatArray, ages: FloatArray, level: float) -> FloatArray:
    del predicted, level
    years = np.rint(ages).astype(np.int64) - AGE_MIN_YEARS
    return inclusion_mass(rows)[np.arange(len(rows)), years]


def _shortest_limits(predicted: FloatArray, rows: FloatArray, threshold: FloatArray, level: float) -> Limits:
    del predicted, level
    mass = inclusion_mass(rows)
    inside = mass <= threshold[:, None]
    inside[np.arange(len(rows)), rows.argmax(axis=1)] = True  # never empty: the likeliest year at the least
    first = inside.argmax(axis=1)
    last = len(YEARS) - 1 - inside[:, ::-1].argmax(axis=1)
    return YEARS[first], YEARS[last]


def _raw_limits(predicted: FloatArray, rows: FloatArray, threshold: FloatArray, level: float) -> Limits:
    del predicted, threshold
    return quantile(rows, (1 - level) / 2), quantile(rows, (1 + level) / 2)


def _quantile_scores(predicted: FloatArray, rows: FloatArray, ages: FloatArray, level: float) -> FloatArray:
    low, high = _raw_limits(predicted, rows, ages, level)
    return np.maximum(low - ages, ages - high)


def _quantile_limits(predicted: FloatArray, rows: FloatArray, threshold: FloatArray, level: float) -> Limits:
    low, high = _raw_limits(predicted, rows, threshold, level)
    return _finite(low - threshold, high + threshold)


def _scaled_scores(predicted: FloatArray, rows: FloatArray, ages: FloatArray, level: float) -> FloatArray:
    del level
    return np.abs(ages - predicted) / spread(rows)


def _scaled_limits(predicted: FloatArray, rows: FloatArray, threshold: FloatArray, level: float) -> Limits:
    del level
    half = threshold * spread(rows)
    return _finite(predicted - half, predicted + half)


def _constant_scores(predicted: FloatArray, rows: FloatArray, ages: FloatArray, level: float) -> FloatArray:
    del rows, level
    return np.abs(ages - predicted)


def _constant_limits(predicted: FloatArray, rows: FloatArray, threshold: FloatArray, level: float) -> Limits:
    del rows, level
    return _finite(predicted - threshold, predicted + threshold)


def _raw_scores(predicted: FloatArray, rows: FloatArray, ages: FloatArray, level: float) -> FloatArray:
    del rows, ages, level
    return np.zeros(len(predicted))  # nothing is fitted


def _finite(low: FloatArray, high: FloatArray) -> Limits:
    """An infinite threshold means all ages."""
    return np.maximum(low, AGE_MIN_YEARS - 1.0), np.minimum(high, AGE_MAX_YEARS + 1.0)


SCORES: dict[str, Callable[[FloatArray, FloatArray, FloatArray, float], FloatArray]] = {
    "shortest": _shortest_scores,
    "quantiles": _quantile_scores,
    "scaled": _scaled_scores,
    "constant": _constant_scores,
    "raw": _raw_scores,
}
"""For each method, from answers, distributions, labels and the level to one score an image."""

LIMITS: dict[str, Callable[[FloatArray, FloatArray, FloatArray, float], Limits]] = {
    "shortest": _shortest_limits,
    "quantiles": _quantile_limits,
    "scaled": _scaled_limits,
    "constant": _constant_limits,
    "raw": _raw_limits,
}
"""For each method, from answers, distributions, a threshold an image and the level to both ends, in years."""
