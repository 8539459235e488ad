"""Where there is no difference, a finding is as rare as promised; a planted one is found."""

import numpy as np

from agegender.metrics.fairness import compare_groups

GROUPS = [np.arange(start, start + 40) for start in range(0, 160, 40)]


def test_no_finding_without_a_difference(too_many):
    rng = np.random.default_rng(0)
    worlds, findings = 60, 0
    for _ in range(worlds):
        error, right = rng.gamma(2, 3, 300), rng.random(300) < 0.9
        found = compare_groups({"error": error, "right": right}, GROUPS, seed=1, resamples=100, permutations=999)
        findings += any(mean.differs for group in found for mean in group.values())
    assert not too_many(findings, worlds, 0.05)


def test_unequal_spread_alone_is_no_finding(too_many):
    """The small group's errors spread three times as far, with the same mean."""
    rng = np.random.default_rng(1)
    worlds, findings = 60, 0
    for _ in range(worlds):
        bias = rng.normal(0, 4, 300)
        bias[:40] *= 3
        found = compare_groups({"bias": bias}, GROUPS[:1], seed=1, resamples=100, permutations=999)
        findings += found[0]["bias"].differs
    assert not too_many(findings, worlds, 0.07)


def test_a_planted_difference_is_found_and_only_there():
    rng = np.random.default_rng(2)
    error = rng.gamma(2, 3, 300)
    error[:40] += 5
    found = compare_groups({"error": error}, GROUPS, seed=1, resamples=200, permutations=2000)
    assert [group["error"].differs for group in found] == [True, False, False, False]
