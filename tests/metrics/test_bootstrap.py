"""Bootstrap intervals against published numbers, against a plain implementation, and for their coverage."""

import numpy as np
import pytest

from agegender.metrics.bootstrap import (
    MEAN,
    MEDIAN,
    Statistic,
    bootstrap_interval,
    bootstrap_intervals,
    weighted_mean,
    weighted_median,
)
from agegender.types import Interval

# Spatial test data A, Efron and Tibshirani 1993, table 14.1.
SPATIAL = [48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41]


def weighted_variance(values, counts):
    mean = weighted_mean(values, counts)
    return weighted_mean(values**2, counts) - mean**2


def test_bca_gives_the_published_interval_of_a_variance():
    smooth = bootstrap_interval(SPATIAL, Statistic(weighted_variance, smooth=True), seed=0, resamples=40_000, level=0.9)
    assert smooth.value == pytest.approx(171.5, abs=0.05)
    # Table 14.2: BCa (115.8, 259.6), percentile (100.8, 233.9), each from 2,000 resamples.
    assert (smooth.low, smooth.high) == (pytest.approx(115.8, abs=4), pytest.approx(259.6, abs=6))
    plain = bootstrap_interval(SPATIAL, Statistic(weighted_variance, smooth=False), seed=0, resamples=40_000, level=0.9)
    assert (plain.low, plain.high) == (pytest.approx(100.8, abs=3), pytest.approx(233.9, abs=4))


def test_weighted_statistics_are_those_of_the_repeated_rows():
    rng = np.random.default_rng(1)
    values = rng.normal(size=31)
    for n in (30, 31):
        counts = rng.multinomial(n, np.full(31, 1 / 31), size=50).astype(float)
        repeated = [np.repeat(values, line.astype(int)) for line in counts]
        assert weighted_mean(values, counts) == pytest.approx([r.mean() for r in repeated])
        assert weighted_median(values, counts) == pytest.approx([np.median(r) for r in repeated])


def test_the_percentile_interval_is_that_of_resampling_row_by_row():
    rng = np.random.default_rng(2)
    values = rng.gamma(1.5, 4, size=40)
    mine = bootstrap_interval(values, MEDIAN, seed=3, resamples=20_000)
    plain = np.median(values[rng.integers(0, 40, (20_000, 40))], axis=1)
    low, high = np.quantile(plain, (0.025, 0.975))
    assert (mine.low, mine.high) == (pytest.approx(low, abs=0.15), pytest.approx(high, abs=0.15))


@pytest.mark.parametrize(
    ("statistic", "truth"), [(MEAN, 5.0), (MEDIAN, 5.0 * np.log(2))], ids=["mean, BCa", "median, percentile"]
)
def test_intervals_hold_the_truth_as_often_as_they_say(statistic, truth):
    """Errors of age look like an exponential distribution: skewed, which is what BCa corrects for."""
    rng = np.random.default_rng(4)
    trials = 400
    held = 0
    for trial in range(trials):
        interval = bootstrap_interval(rng.exponential(5.0, size=80), statistic, seed=trial, resamples=600)
        held += interval.low <= truth <= interval.high
    # Binomial: 0.95 +- 0.033 for three standard deviations of 400 trials; 80 rows of a skewed variable cost about 0.01.
    assert 0.91 <= held / trials <= 0.985


def test_an_accuracy_has_about_the_width_that_theory_gives():
    right = np.arange(2_000) < 1_840
    interval = bootstrap_interval(right, seed=5)
    half = 1.96 * np.sqrt(0.92 * 0.08 / 2_000)
    assert interval.value == 0.92
    assert (interval.low, interval.high) == (pytest.approx(0.92 - half, abs=2e-3), pytest.approx(0.92 + half, abs=2e-3))


def test_many_rows_use_jackknife_groups_and_agree_with_theory():
    values = np.random.default_rng(6).exponential(5.0, size=5_000)
    interval = bootstrap_interval(values, seed=7)
    half = 1.96 * values.std() / np.sqrt(5_000)
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.06)
    # Skewed to the right: BCa reaches further up than down.
    assert interval.high - interval.value > interval.value - interval.low


def test_the_seed_decides_and_columns_share_the_resamples():
    values = np.random.default_rng(8).normal(size=300)
    first = bootstrap_intervals({"a": (MEAN, values), "b": (MEAN, values), "c": (MEDIAN, values)}, seed=9)
    assert first["a"] == first["b"]
    assert first == bootstrap_intervals({"a": (MEAN, values), "b": (MEAN, values), "c": (MEDIAN, values)}, seed=9)
    assert first["a"] == bootstrap_interval(values, seed=9)
    assert first["a"] != bootstrap_interval(values, seed=10)


def test_a_statistic_that_never_changes_has_no_width():
    assert bootstrap_interval(np.ones(50), seed=0) == Interval(1.0, 1.0, 1.0)
    assert bootstrap_interval([3.5], seed=0) == Interval(3.5, 3.5, 3.5)


def test_bounds_always_surround_the_value_in_order():
    rng = np.random.default_rng(11)
    for n in (2, 3, 5, 17):
        for statistic in (MEAN, MEDIAN):
            interval = bootstrap_interval(rng.exponential(size=n) ** 3, statistic, seed=n)
            assert interval.low <= interval.value <= interval.high


@pytest.mark.parametrize(
    "settings", [{"resamples": 99}, {"level": 0.0}, {"level": 1.0}], ids=["few resamples", "level 0", "level 1"]
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match="Received"):
        bootstrap_interval([1.0, 2.0], seed=0, **settings)


def test_columns_must_be_about_the_same_rows():
    with pytest.raises(ValueError, match="one length"):
        bootstrap_intervals({"a": (MEAN, [1.0, 2.0]), "b": (MEAN, [1.0])}, seed=0)
    with pytest.raises(ValueError, match="no column"):
        bootstrap_intervals({}, seed=0)
    with pytest.raises(ValueError, match="finite"):
        bootstrap_interval([1.0, np.nan], seed=0)
