"""Which of the interval methods: each measured by cross-fitting inside the calibration set, the narrowest that holds.

The calibration images are cut into ten parts, alike in predicted age; each part gets intervals that were fitted on the
nine others, five times over with other parts. A method holds if it covers what it should overall and in every band of
predicted age that has enough images. The chosen one is then fitted on all calibration images.

Choosing one of six and calibrating it on the same images may cost coverage, of the order of sqrt(log 6 / n) at the very
worst: Yang, Kuchibhotla, "Selection and Aggregation of Conformal Prediction Sets", JASA (arXiv 2104.13871). Tests on
simulated data find a fraction of a point for 1,000 images. What is reported in the end is coverage on other images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from agegender.errors import InputError
from agegender.uncertainty.conformal import (
    BASELINES,
    LEVEL,
    LIMITS,
    METHODS,
    SCORES,
    conformal_threshold,
    whole_years,
)
from agegender.uncertainty.distribution import checked_ages, checked_distribution
from agegender.uncertainty.groups import BAND_EDGES, GROUP_MIN, group_names, group_of, merged_edges

FOLDS, REPEATS = 10, 5

OVERALL_TOLERANCE = 0.01
"""How far below the level coverage over all images may be found: one standard deviation of 900 images at 90 %."""

BAND_TOLERANCE = 0.05
"""The same for a band of predicted age with `GROUP_MIN` images or more."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One method as cross-fitting found it.

    Attributes:
        method: One of `METHODS` or `BASELINES`.
        by_band: Whether each band of predicted age has a threshold of its own.
        coverage: Share of labels inside, 0..1.
        mean_width: Years.
        worst_band: The band of predicted age with the lowest coverage, among those with enough images.
        worst_coverage: Of that band, 0..1.
        holds: Whether coverage is high enough, overall and there.
        baseline: It is not to choose from.
        chosen: It was chosen.
    """

    method: str
    by_band: bool
    coverage: float
    mean_width: float
    worst_band: str
    worst_coverage: float
    holds: bool
    baseline: bool
    chosen: bool = False


def compare_methods(
    predicted: npt.ArrayLike,
    distribution: npt.ArrayLike,
    ages: npt.ArrayLike,
    *,
    level: float = LEVEL,
    group_min: int = GROUP_MIN,
    seed: int = 0,
) -> tuple[Candidate, ...]:
    """Measure every method, for all images alike and by band, and mark the one to use.

    The narrowest that holds is chosen; if none holds, the one with the best coverage in its worst band.

    Args:
        predicted: Ages in years as the model answers them, shape (n,).
        distribution: Its distributions over ages, shape (n, 117).
        ages: True ages in years, shape (n,).
        level: Share of intervals that should hold the label, between 0 and 1.
        group_min: Images that a band needs for a threshold of its own.
        seed: Of the parts.

    Returns:
        The methods, narrowest first among those that hold, baselines last.

    Raises:
        InputError: Other shapes, or fewer images than `group_min`.
    """
    rows = checked_distribution(distribution)
    answers = checked_ages(predicted, len(rows), name="predicted ages")
    true = checked_ages(ages, len(rows), name="ages")
    if len(rows) < max(group_min, FOLDS):
        raise InputError(
            f"A calibration needs at least {max(group_min, FOLDS)} images. Received: {len(rows)}. "
            "Give more, or a larger validation set."
        )
    parts = [_parts(answers, np.random.default_rng([seed, repeat])) for repeat in range(REPEATS)]
    variants = [(method, by_band) for method in METHODS for by_band in (True, False)]
    found = [
        _cross_fitted(method, by_band, answers, rows, true, level, group_min, parts)
        for method, by_band in (*variants, *((method, False) for method in BASELINES))
    ]
    choice = _best([candidate for candidate in found if not candidate.baseline])
    marked = [replace(candidate, chosen=candidate is choice) for candidate in found]
    return tuple(sorted(marked, key=lambda c: (c.baseline, not c.holds, c.mean_width)))


def chosen(candidates: Sequence[Candidate]) -> Candidate:
    """The one that `compare_methods` marked."""
    return next(candidate for candidate in candidates if candidate.chosen)


def _best(candidates: Sequence[Candidate]) -> Candidate:
    holding = [candidate for candidate in candidates if candidate.holds]
    if holding:
        return min(holding, key=lambda candidate: candidate.mean_width)
    return max(candidates, key=lambda candidate: candidate.worst_coverage)


def _parts(predicted: np.ndarray, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Which of the ten parts each image is in, shape (n,): neighbours in predicted age go to different parts."""
    order = np.lexsort((rng.random(len(predicted)), predicted))
    dealt = np.concatenate([rng.permutation(FOLDS) for _ in range(-(-len(order) // FOLDS))])[: len(order)]
    part = np.empty(len(order), dtype=np.int64)
    part[order] = dealt
    return part


def _cross_fitted(
    method: str,
    by_band: bool,
    predicted: np.ndarray,
    rows: np.ndarray,
    ages: np.ndarray,
    level: float,
    group_min: int,
    parts: Sequence[npt.NDArray[np.int64]],
) -> Candidate:
    # Each fit sees nine tenths of the images, so that a group counts as large enough with nine tenths of the minimum.
    minimum = max(1, group_min * (FOLDS - 1) // FOLDS)
    scores = SCORES[method](predicted, rows, ages, level)
    held, width = np.zeros(len(rows)), np.zeros(len(rows))
    for part in parts:
        threshold = np.empty(len(rows))
        for fold in range(FOLDS):
            out = part == fold
            edges = merged_edges(predicted[~out], group_min=minimum) if by_band else ()
            group = group_of(predicted, edges)
            for g in range(len(edges) + 1):
                threshold[out & (group == g)] = conformal_threshold(scores[~out & (group == g)], level)
        intervals = whole_years(*LIMITS[method](predicted, rows, threshold, level))
        held += intervals.holds(ages)
        width += intervals.width
    held, width = held / len(parts), width / len(parts)
    band = group_of(predicted, BAND_EDGES)
    names = group_names(BAND_EDGES)
    bands = {names[b]: float(held[band == b].mean()) for b in np.unique(band) if (band == b).sum() >= group_min}
    worst = min(bands, key=lambda name: bands[name], default="all")
    coverage = float(held.mean())
    worst_coverage = bands.get(worst, coverage)
    return Candidate(
        method=method,
        by_band=by_band,
        coverage=coverage,
        mean_width=float(width.mean()),
        worst_band=worst,
        worst_coverage=worst_coverage,
        holds=coverage >= level - OVERALL_TOLERANCE and worst_coverage >= level - BAND_TOLERANCE,
        baseline=method in BASELINES,
    )
