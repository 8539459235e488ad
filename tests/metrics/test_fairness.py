"""Groups against the rest: values by hand, ratios, ties, and the p values of a slow permutation test."""

import numpy as np
import pytest

from agegender.metrics.fairness import _permutation_p_values, compare_groups


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    group = np.arange(60)
    error = rng.gamma(2, 3, 300)
    error[group] += 6
    right = rng.random(300) < 0.9
    return group, {"error": error, "bias": rng.normal(0, 5, 300), "right": right}


def test_values_differences_and_ratios_by_hand(rows):
    group, measures = rows
    found = compare_groups(measures, [group], signed=["bias"], seed=0, resamples=500, permutations=500)[0]
    rest = np.arange(60, 300)
    for name, values in measures.items():
        mean = found[name]
        assert mean.value.value == pytest.approx(values[group].mean())
        assert mean.rest == pytest.approx(values[rest].mean())
        assert mean.difference.value == pytest.approx(values[group].mean() - values[rest].mean())
        assert mean.difference.low < mean.difference.value < mean.difference.high
    ratio = found["error"].ratio
    assert ratio is not None
    assert ratio.value == pytest.approx(measures["error"][group].mean() / measures["error"][rest].mean())
    assert found["bias"].ratio is None
    assert found["error"].differs
    assert not found["bias"].differs


def test_intervals_are_as_wide_as_theory_says(rows):
    group, measures = rows
    error = measures["error"]
    found = compare_groups({"error": error}, [group], seed=0, permutations=100)[0]["error"]
    rest = np.arange(60, 300)
    sd = np.sqrt(error[group].var() / 60 + error[rest].var() / 240)
    assert found.difference.high - found.difference.low == pytest.approx(2 * 1.96 * sd, rel=0.12)


def test_p_values_are_those_of_a_slow_test(rows):
    group, measures = rows
    other = np.arange(200, 225)
    values = np.stack([measures["bias"], measures["right"].astype(float)], axis=1)
    members = np.zeros((300, 2), dtype=bool)
    members[group, 0] = members[other, 1] = True
    fast = _permutation_p_values(values, members, 1, 4000)
    rng = np.random.default_rng(2)
    for g, inside in enumerate((group, other)):
        outside = np.setdiff1d(np.arange(300), inside)

        def studentised(column, a, b):
            x, y = column[a], column[b]
            return abs(x.mean() - y.mean()) / np.sqrt(x.var() / (len(x) - 1) + y.var() / (len(y) - 1))

        for m in range(2):
            seen = studentised(values[:, m], inside, outside)
            count = 0
            for _ in range(2000):
                order = rng.permutation(300)
                count += studentised(values[:, m], order[: len(inside)], order[len(inside) :]) >= seen - 1e-9
            assert fast[g, m] == pytest.approx((count + 1) / 2001, abs=0.035)


def test_a_small_group_that_is_always_right_is_no_finding():
    """30 of 30 right against 95 %: a t test would see no spread in the group and call it sure."""
    right = np.ones(530)
    right[30:55] = 0
    found = compare_groups({"right": right}, [np.arange(30)], seed=0, permutations=2000)[0]["right"]
    assert found.value.value == 1
    assert found.p_value > 0.05


def test_where_nothing_varies_nothing_differs():
    found = compare_groups({"right": np.ones(100)}, [np.arange(30)], seed=0, permutations=200)[0]["right"]
    assert found.p_value == 1
    assert not found.differs
    assert (found.difference.low, found.difference.high) == (0, 0)


def test_comparisons_are_adjusted_together(rows):
    group, measures = rows
    others = [np.arange(start, start + 40) for start in range(60, 300, 40)]
    alone = compare_groups(measures, [group], seed=0, resamples=200, permutations=999)[0]
    among = compare_groups(measures, [group, *others], seed=0, resamples=200, permutations=999)[0]
    assert alone["error"].p_value == among["error"].p_value == 0.001
    assert alone["error"].p_adjusted == pytest.approx(0.003)
    assert among["error"].p_adjusted >= 0.018


def test_no_groups_give_nothing_and_small_ones_are_refused(rows):
    _, measures = rows
    assert compare_groups(measures, [], seed=0) == []
    with pytest.raises(ValueError, match="20 rows"):
        compare_groups(measures, [np.arange(19)], seed=0)
    with pytest.raises(ValueError, match="20 rows"):
        compare_groups(measures, [np.arange(290)], seed=0)
    with pytest.raises(ValueError, match="at least one measure"):
        compare_groups({}, [np.arange(30)], seed=0)
