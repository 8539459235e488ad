"""Age thresholds on planted scores with known answers."""

import numpy as np
import pytest

from agegender.metrics.proportions import binomial_interval, upper_bound
from agegender.metrics.thresholds import (
    curve,
    errors_by_band,
    operating_point,
    smallest_challenge_age,
    weighted_sd,
)

# 100 of 8, 100 of 15 (ten of them read as 18, one as 26), 100 of 30 (read as 16, 20, 24 and 30).
AGES = np.repeat([8, 15, 30], 100)
SCORES = np.concatenate(
    [np.full(100, 9.0), np.full(89, 14.0), np.full(10, 18.0), [26.0], np.repeat([16.0, 20.0, 24.0, 30.0], 25)]
)


def test_rates_by_hand():
    point = operating_point(AGES, SCORES, 18, 18)
    assert (point.false_positive.errors, point.false_positive.n) == (11, 200)
    assert (point.near_false_positive.errors, point.near_false_positive.n) == (11, 100)
    assert (point.false_negative.errors, point.false_negative.n) == (25, 100)
    assert point.false_positive.interval == binomial_interval(11, 200)
    point = operating_point(AGES, SCORES, 18, 25)
    assert (point.false_positive.errors, point.false_negative.errors) == (1, 75)


def test_a_score_at_the_challenge_age_passes_and_an_age_at_the_legal_one_is_old_enough():
    point = operating_point([17, 18], [18.0, 17.999], 18, 18)
    assert (point.false_positive.errors, point.false_positive.n) == (1, 1)
    assert (point.false_negative.errors, point.false_negative.n) == (1, 1)


def test_just_under_is_five_years():
    point = operating_point([12, 13, 17, 18], [90, 90, 90, 90], 18, 18)
    assert (point.near_false_positive.errors, point.near_false_positive.n) == (2, 2)


def test_nobody_gives_no_rate():
    point = operating_point([30, 40], [30, 40], 18, 18)
    assert point.false_positive.interval is None
    assert point.near_false_positive.n == 0
    assert smallest_challenge_age([30, 40], [30, 40], 18, bound=0.1).challenge is None


def test_a_curve_falls_for_the_young_and_rises_for_the_old():
    points = curve(AGES, SCORES, 18)
    false_positive = [point.false_positive.errors for point in points]
    false_negative = [point.false_negative.errors for point in points]
    assert false_positive == sorted(false_positive, reverse=True)
    assert false_negative == sorted(false_negative)
    assert (false_positive[0], false_negative[0]) == (200, 0)
    assert (false_positive[-1], false_negative[-1]) == (0, 100)


def test_the_smallest_safe_challenge_age_by_hand():
    # Of everybody under 18, one in 200 passes from 18.5 to 26 (at most 2.35 %), 11 at 18 (at most 8.97 %).
    safe = smallest_challenge_age(AGES, SCORES, 18, bound=0.05)
    assert safe.challenge == 18.5
    assert safe.upper_bound == upper_bound(1, 200)
    assert safe.false_negative is not None
    assert safe.false_negative.errors == 25
    assert smallest_challenge_age(AGES, SCORES, 18, bound=0.09).challenge == 18
    assert smallest_challenge_age(AGES, SCORES, 18, bound=0.02).challenge == 26.5
    # Just under: one in 100 is at most 4.66 %, none at most 2.95 %.
    assert smallest_challenge_age(AGES, SCORES, 18, bound=0.05, near=True).challenge == 18.5
    assert smallest_challenge_age(AGES, SCORES, 18, bound=0.04, near=True).challenge == 26.5


def test_a_bound_that_so_few_cannot_show_is_not_claimed():
    safe = smallest_challenge_age(AGES, SCORES, 18, bound=0.01, near=True)
    assert safe.challenge is None
    assert safe.false_negative is None
    assert safe.smallest_provable == pytest.approx(1 - 0.05 ** (1 / 100))
    assert safe.needed == 299


def test_it_is_never_below_the_legal_age():
    assert smallest_challenge_age(np.full(500, 10), np.full(500, 2.0), 18, bound=0.05).challenge == 18


def test_it_does_not_jump_over_an_unsafe_one():
    """Safe by its numbers alone, but only because the sequence from above had ended: here it never restarts."""
    ages, scores = np.full(100, 15), np.full(100, 79.0)
    assert smallest_challenge_age(ages, scores, 18, bound=0.05).challenge == 79.5


def test_errors_by_band():
    rng = np.random.default_rng(0)
    ages = np.concatenate([np.full(200, 5), np.full(20, 70)])
    errors = np.concatenate([rng.normal(2, 3, 200), rng.normal(-6, 1, 20)])
    young, old = errors_by_band(ages, ages + errors, resamples=500)
    assert (young.name, young.n, young.few) == ("3-9", 200, False)
    assert (old.name, old.n, old.few) == ("65-79", 20, True)
    assert young.bias.value == pytest.approx(errors[:200].mean())
    assert young.sd.value == pytest.approx(errors[:200].std(ddof=1))
    assert young.mae.value == pytest.approx(np.abs(errors[:200]).mean())
    assert young.sd.low < young.sd.value < young.sd.high
    assert old.bias.high < 0


def test_the_weighted_standard_deviation_is_that_of_repeated_rows():
    values = np.array([1e6, 1e6 + 1, 1e6 + 5])
    counts = np.array([[1, 1, 1], [3, 0, 1], [1, 0, 0]], dtype=float)
    expected = [np.std(values, ddof=1), np.std([values[0]] * 3 + [values[2]], ddof=1), 0]
    assert weighted_sd(values, counts) == pytest.approx(expected)
