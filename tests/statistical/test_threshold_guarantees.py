"""The smallest challenge age is safe as often as promised, and Clopper-Pearson intervals hold as often as they say."""

from statistics import NormalDist

import numpy as np

from agegender.metrics.proportions import binomial_interval
from agegender.metrics.thresholds import smallest_challenge_age


def test_the_true_rate_at_the_chosen_challenge_age_is_under_the_bound(too_many):
    rng = np.random.default_rng(0)
    worlds, broken, found, sd, bound = 400, 0, 0, 4.0, 0.1
    for _ in range(worlds):
        ages = rng.integers(13, 18, 120)
        safe = smallest_challenge_age(ages, ages + sd * rng.standard_normal(120), 18, bound=bound, near=True)
        if safe.challenge is None:
            continue
        found += 1
        # The truth: a person of age a passes with probability P(a + error >= C), ages 13 to 17 alike.
        rate = np.mean([1 - NormalDist(age, sd).cdf(safe.challenge) for age in range(13, 18)])
        broken += rate > bound
    assert found > 0.9 * worlds
    assert not too_many(broken, worlds, 0.05)


def test_it_is_not_needlessly_high():
    rng = np.random.default_rng(1)
    ages = rng.integers(13, 18, 5000)
    safe = smallest_challenge_age(ages, ages + 4 * rng.standard_normal(5000), 18, bound=0.1, near=True)
    assert safe.challenge is not None
    rate = np.mean([1 - NormalDist(age, 4).cdf(safe.challenge) for age in range(13, 18)])
    assert 0.07 < rate <= 0.1


def test_exact_intervals_hold_at_least_as_often_as_they_say(too_many):
    rng = np.random.default_rng(2)
    for share, n in ((0.01, 60), (0.1, 40), (0.5, 25)):
        missed = 0
        for count in rng.binomial(n, share, 500):
            interval = binomial_interval(int(count), n)
            missed += not interval.low <= share <= interval.high
        assert not too_many(missed, 500, 0.05)
