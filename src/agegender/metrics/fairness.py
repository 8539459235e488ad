"""Each group against everybody else: differences and ratios of means with intervals, and which are more than chance.

Means, differences and ratios come from one set of resamples of all images, so that a difference and its two sides
belong together. Whether a difference is chance is asked by a studentised permutation test: group names are dealt out
anew, and the difference over its standard error is compared. It is exact if group and rest are alike, and right for
large groups if only their means are (unequal spreads); with an accuracy of 1 in a small group, a t test would be wrong.
P values are then adjusted for how many were asked, see `many_tests`.

Sources: Janssen, "Studentized Permutation Tests for Non-i.i.d. Hypotheses", Statistics & Probability Letters 1997;
Chung, Romano, "Exact and Asymptotically Robust Permutation Tests", Annals of Statistics 2013; intervals as in
`bootstrap`. Metrics by group, difference and ratio as in Weerts et al., "Fairlearn: Assessing and Improving Fairness
of AI Systems", JMLR 2023, whose own aggregates have neither intervals nor tests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agegender.metrics.arrays import BoolArray, FloatArray, float_rows
from agegender.metrics.bootstrap import RESAMPLES, Seed, joint_intervals
from agegender.metrics.many_tests import holm
from agegender.types import Interval

PERMUTATIONS, PERMUTATIONS_PER_COMPARISON = 10_000, 40
"""As many as this, or 40 a comparison if that is more: the smallest p value, adjusted, is then 0.025 at the most."""

SIGNIFICANCE = 0.05

SMALLEST_GROUP = 20
"""No group below this is ever compared: a resample could miss it altogether."""

_CHUNK_ELEMENTS = 200_000


@dataclass(frozen=True, slots=True)
class GroupMean:
    """The mean of one measure in one group, against everybody else.

    Attributes:
        value: In the group.
        rest: Of all others.
        difference: `value` minus `rest`.
        ratio: `value` over `rest`; None for a measure with a sign, or where the rest's is 0.
        p_value: That the difference is chance.
        p_adjusted: The same, adjusted for all comparisons made together.
        differs: Whether that is at most 0.05.
    """

    value: Interval
    rest: float
    difference: Interval
    ratio: Interval | None
    p_value: float
    p_adjusted: float
    differs: bool


def compare_groups(
    measures: Mapping[str, npt.ArrayLike],
    groups: Sequence[npt.NDArray[np.int64]],
    *,
    signed: Collection[str] = (),
    seed: Seed,
    resamples: int = RESAMPLES,
    permutations: int | None = None,
) -> list[dict[str, GroupMean]]:
    """Compare each group with all other images in every measure.

    Args:
        measures: Name to one number an image, shape (n,); the mean of them is what is compared.
        groups: Rows of each group; group and rest hold at least 20 rows each.
        signed: Measures whose ratio means nothing, such as a bias.
        seed: Of resamples and permutations.
        resamples: Of the bootstrap.
        permutations: Of the test; by default `PERMUTATIONS`, or more where there are many comparisons.

    Returns:
        For each group, measure to result. All comparisons of one call are adjusted together.

    Raises:
        ValueError: No measure, measures of different length, or a group or its rest that is too small.
    """
    if not measures:
        raise ValueError("Give at least one measure to compare groups in. Received: none")
    names = list(measures)
    rows = np.stack([float_rows(measures[name], name=name) for name in names], axis=1)
    n = len(rows)
    if not groups:
        return []
    members = np.zeros((n, len(groups)), dtype=bool)
    for column, group in enumerate(groups):
        members[group, column] = True
    sizes = members.sum(axis=0)
    if sizes.min() < SMALLEST_GROUP or (n - sizes).min() < SMALLEST_GROUP:
        raise ValueError(
            f"Every group and its rest need {SMALLEST_GROUP} rows. Received: groups of {sizes.tolist()} of {n} rows"
        )
    intervals = _intervals(rows, members, [name in signed for name in names], seed, resamples)
    count = permutations or max(PERMUTATIONS, PERMUTATIONS_PER_COMPARISON * len(groups) * len(names))
    p = _permutation_p_values(rows, members, seed, count)
    adjusted = holm(p.ravel()).reshape(p.shape)
    results = []
    for g in range(len(groups)):
        result = {}
        for m, name in enumerate(names):
            value, rest, difference, ratio = intervals[g][m]
            result[name] = GroupMean(
                value, rest.value, difference, ratio, float(p[g, m]), float(adjusted[g, m]),
                bool(adjusted[g, m] <= SIGNIFICANCE),
            )  # fmt: skip
        results.append(result)
    return results


def _intervals(
    rows: FloatArray, members: BoolArray, signed: list[bool], seed: Seed, resamples: int
) -> list[list[tuple[Interval, Interval, Interval, Interval | None]]]:
    """For each group and measure: value, rest, difference, ratio."""
    group_count, measure_count = members.shape[1], rows.shape[1]
    # Every sum that is needed is one column: counts @ columns gives them for all resamples in one product.
    sizes_of = members.astype(np.float64)
    sums_of = (sizes_of[:, :, None] * rows[:, None, :]).reshape(len(rows), -1)
    columns = np.concatenate([sizes_of, sums_of, rows], axis=1)

    def compute(counts: FloatArray) -> FloatArray:
        found = counts @ columns
        size = found[:, :group_count, None]
        inside = found[:, group_count : group_count * (1 + measure_count)].reshape(-1, group_count, measure_count)
        total = found[:, None, group_count * (1 + measure_count) :]
        everybody = counts.sum(axis=1)[:, None, None]
        value, rest = inside / size, (total - inside) / (everybody - size)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(rest != 0, value / rest, 0.0)
        return np.stack([value, rest, value - rest, ratio], axis=-1).reshape(len(counts), -1)

    flat = joint_intervals(compute, len(rows), seed=seed, resamples=resamples)
    found = []
    for g in range(group_count):
        line: list[tuple[Interval, Interval, Interval, Interval | None]] = []
        for m in range(measure_count):
            start = 4 * (g * measure_count + m)
            value, rest, difference, ratio = flat[start : start + 4]
            line.append((value, rest, difference, None if signed[m] or rest.value == 0 else ratio))
        found.append(line)
    return found


def _permutation_p_values(rows: FloatArray, members: BoolArray, seed: Seed, permutations: int) -> FloatArray:
    """Two-sided p values, shape (groups, measures).

    One shuffle of the images serves every group: its first k images are a random group of size k.
    """
    n, measure_count = rows.shape
    values = np.concatenate([rows, rows**2], axis=1)
    total = values.sum(axis=0)
    sizes = members.sum(axis=0)
    distinct, place = np.unique(sizes, return_inverse=True)
    starts = np.concatenate([[0], distinct[:-1]])
    observed = _studentised(members.T.astype(np.float64) @ values, total, sizes, n, measure_count)
    # Sums of the same numbers in another order differ in the last digits; those are ties, not smaller differences.
    bound = observed * (1 - 1e-9)
    rng = np.random.default_rng(seed)
    at_least = np.zeros(observed.shape, dtype=np.int64)
    lines = max(1, _CHUNK_ELEMENTS // n)
    for start in range(0, permutations, lines):
        count = min(lines, permutations - start)
        shuffled = rng.permuted(np.broadcast_to(np.arange(n, dtype=np.int32), (count, n)), axis=1)
        # Sums between neighbouring sizes, then up to each size.
        parts = np.add.reduceat(values[shuffled[:, : distinct[-1]]], starts, axis=1)
        inside = np.cumsum(parts, axis=1)[:, place]
        at_least += (_studentised(inside, total, sizes, n, measure_count) >= bound).sum(axis=0)
    return (at_least + 1) / (permutations + 1)


def _studentised(inside: FloatArray, total: FloatArray, sizes: npt.NDArray, n: int, measure_count: int) -> FloatArray:
    """The size of each difference of means over its standard error, from sums and sums of squares inside groups."""
    inside_n = sizes[:, None].astype(np.float64)
    outside_n = n - inside_n
    outside = total - inside
    mean, rest = inside[..., :measure_count] / inside_n, outside[..., :measure_count] / outside_n
    spread = np.maximum(inside[..., measure_count:] / inside_n - mean**2, 0) / (inside_n - 1)
    rest_spread = np.maximum(outside[..., measure_count:] / outside_n - rest**2, 0) / (outside_n - 1)
    error = np.sqrt(spread + rest_spread)
    # Where nothing varies on either side, any difference at all is beyond chance, and none is none.
    size = np.abs(mean - rest)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error > 1e-12, size / error, np.where(size > 1e-12, np.inf, 0.0))
