"""Exact bounds of a share, against the definition and known tables."""

import math

import pytest

from agegender.metrics.proportions import binomial_interval, cases_needed, lower_bound, smallest_provable, upper_bound


def at_most(count: int, n: int, p: float) -> float:
    return sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(count + 1))


@pytest.mark.parametrize(("count", "n"), [(1, 10), (3, 57), (40, 50), (99, 100), (120, 2000)])
def test_at_its_bound_so_few_or_fewer_have_the_probability_of_the_definition(count, n):
    assert at_most(count, n, upper_bound(count, n)) == pytest.approx(0.05, abs=1e-9)
    assert 1 - at_most(count - 1, n, lower_bound(count, n)) == pytest.approx(0.05, abs=1e-9)


def test_known_values():
    """Clopper and Pearson's of 10 in 100 at 95 %: 0.0490 to 0.1762."""
    interval = binomial_interval(10, 100)
    assert interval.value == pytest.approx(0.1)
    assert interval.low == pytest.approx(0.0490, abs=5e-5)
    assert interval.high == pytest.approx(0.1762, abs=5e-5)


def test_at_the_ends():
    assert binomial_interval(0, 20).low == 0
    assert binomial_interval(20, 20).high == 1
    assert upper_bound(0, 59) == pytest.approx(1 - 0.05 ** (1 / 59))
    assert lower_bound(20, 20) == pytest.approx(0.05 ** (1 / 20))


def test_a_large_sample_has_no_rounding_trouble():
    interval = binomial_interval(3, 200_000)
    assert 0 < interval.low < interval.value < interval.high < 1e-4


def test_how_many_cases_a_bound_needs():
    assert [cases_needed(bound) for bound in (0.05, 0.01, 0.001)] == [59, 299, 2995]
    for bound in (0.05, 0.01):
        needed = cases_needed(bound)
        assert smallest_provable(needed) <= bound < smallest_provable(needed - 1)


@pytest.mark.parametrize(("count", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_counts_out_of_range_are_refused(count, n):
    with pytest.raises(ValueError, match="Received"):
        upper_bound(count, n)
