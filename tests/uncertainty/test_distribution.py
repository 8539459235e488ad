"""Quantiles, spread and growing intervals of a distribution over ages, against slow plain code."""

import numpy as np
import pytest

from agegender.errors import InputError
from agegender.uncertainty.distribution import (
    YEARS,
    checked_ages,
    checked_distribution,
    inclusion_mass,
    quantile,
    spread,
)


def line(**mass: float) -> np.ndarray:
    """A distribution with this probability at these ages: `line(a20=0.5, a30=0.5)`."""
    row = np.zeros(len(YEARS))
    for age, probability in mass.items():
        row[int(age[1:])] = probability
    return row[None]


def grown(row: np.ndarray) -> np.ndarray:
    """The same growth, one year at a time in plain Python."""
    low = high = int(row.argmax())
    mass = {low: row[low]}
    total = row[low]
    while len(mass) < len(row):
        left = row[low - 1] if low > 0 else -1
        right = row[high + 1] if high < len(row) - 1 else -1
        if left >= right:
            low -= 1
            taken = low
        else:
            high += 1
            taken = high
        total += row[taken]
        mass[taken] = total
    return np.array([mass[year] for year in range(len(row))])


def test_quantiles_lie_inside_the_year_that_crosses_the_share():
    row = line(a20=0.25, a30=0.5, a40=0.25)
    assert quantile(row, 0.25) == pytest.approx([20.5])
    assert quantile(row, 0.5) == pytest.approx([30.0])
    assert quantile(row, 0.625) == pytest.approx([30.25])


def test_quantiles_of_certainty_stay_inside_its_year():
    assert quantile(line(a7=1.0), 0.05)[0] == pytest.approx(6.55)
    assert quantile(line(a7=1.0), 0.95)[0] == pytest.approx(7.45)


def test_spread_is_the_standard_deviation_and_never_zero():
    assert spread(line(a20=0.5, a30=0.5))[0] == pytest.approx(np.sqrt(25 + 1 / 12))
    assert spread(line(a20=1.0))[0] == pytest.approx(np.sqrt(1 / 12))


def test_growth_equals_the_slow_one_also_with_several_peaks_and_at_the_ends():
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.full(len(YEARS), 0.2), size=20)
    rows = np.concatenate([rows, line(a0=0.6, a1=0.4), line(a116=0.9, a115=0.1), line(a20=0.5, a90=0.5)])
    np.testing.assert_allclose(inclusion_mass(rows), [np.minimum(grown(row), 1) for row in rows], atol=1e-12)


def test_growth_takes_the_likelier_neighbour_first():
    mass = inclusion_mass(line(a29=0.3, a30=0.4, a31=0.2, a28=0.1))[0]
    assert mass[[30, 29, 31, 28]] == pytest.approx([0.4, 0.7, 0.9, 1.0])


def test_lines_are_brought_to_a_sum_of_one():
    assert checked_distribution(line(a20=0.998)).sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    "wrong",
    [np.ones((2, 116)) / 116, np.ones(117) / 117, line(a20=0.5), line(a20=1.5, a21=-0.5), line(a20=np.nan)],
    ids=["too few", "one line", "sum", "negative", "nan"],
)
def test_what_is_no_distribution_is_refused(wrong):
    with pytest.raises(InputError, match="age_distribution"):
        checked_distribution(wrong)


def test_ages_of_another_length_are_refused():
    with pytest.raises(InputError, match=r"shape \(3,\)"):
        checked_ages([1.0, 2.0], 3, name="ages")
