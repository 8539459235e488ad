"""Paired tests against exact enumeration, known values, and for their rate of false alarms."""

import itertools
import math

import numpy as np
import pytest

from agegender.metrics.paired import mcnemar_exact_p_value, sign_flip_p_value


def enumerated_p_value(differences):
    signs = np.array(list(itertools.product((-1, 1), repeat=len(differences))))
    sums = np.abs(signs @ differences)
    return float((sums >= abs(differences.sum()) - 1e-12).mean())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_permutation_p_value_is_that_of_every_arrangement(seed):
    differences = np.random.default_rng(seed).normal(0.5, 1.0, size=10)
    exact = enumerated_p_value(differences)
    # Three standard deviations of a share of 20,000 draws.
    assert sign_flip_p_value(differences, seed=seed, flips=20_000) == pytest.approx(
        exact, abs=3 * math.sqrt(exact * (1 - exact) / 20_000) + 1e-4
    )


def test_p_values_are_uniform_where_there_is_no_difference():
    rng = np.random.default_rng(3)
    p_values = np.sort([sign_flip_p_value(rng.laplace(size=40), seed=trial, flips=399) for trial in range(400)])
    distance = np.abs(p_values - (np.arange(400) + 0.5) / 400).max()
    assert distance < 1.63 / math.sqrt(400)  # Kolmogorov-Smirnov at 1 %
    assert 0.02 <= (p_values <= 0.05).mean() <= 0.085


def test_a_real_difference_is_found():
    differences = np.random.default_rng(4).normal(0.3, 1.0, size=1_000)
    assert sign_flip_p_value(differences, seed=5) == pytest.approx(1 / 10_001)


def test_equal_models_give_one():
    assert sign_flip_p_value(np.zeros(20), seed=0) == 1.0


def test_one_image_proves_nothing():
    """Both signs of one difference have the same size, whatever rounding does."""
    assert sign_flip_p_value([0.1 + 0.2], seed=0) == 1.0


def test_the_seed_decides():
    differences = np.random.default_rng(6).normal(0.1, 1.0, size=100)
    assert sign_flip_p_value(differences, seed=1) == sign_flip_p_value(differences, seed=1)
    assert sign_flip_p_value(differences, seed=1) != sign_flip_p_value(differences, seed=2)


@pytest.mark.parametrize("differences", [[], [np.nan], [[1.0]]])
def test_differences_that_mean_nothing_are_refused(differences):
    with pytest.raises(ValueError, match="differences"):
        sign_flip_p_value(differences, seed=0)


@pytest.mark.parametrize(
    ("first_only", "second_only", "expected"),
    [
        (0, 0, 1.0),
        (7, 7, 1.0),
        (0, 5, 2 / 32),
        (5, 0, 2 / 32),
        (1, 9, 2 * (1 + 10) / 1024),
        (2, 8, 2 * (1 + 10 + 45) / 1024),
        # 0.034690 is what R's binom.test(10, 10 + 23) gives, p = 2 P(X <= 10).
        (10, 23, 2 * sum(math.comb(33, k) for k in range(11)) / 2**33),
    ],
)
def test_mcnemar_known_values(first_only, second_only, expected):
    assert mcnemar_exact_p_value(first_only, second_only) == expected


def test_mcnemar_nears_the_normal_approximation_for_many_images():
    z = (abs(1_000 - 1_100) - 1) / math.sqrt(2_100)
    assert mcnemar_exact_p_value(1_000, 1_100) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=0.01)


def test_mcnemar_false_alarms_stay_below_their_level():
    rng = np.random.default_rng(7)
    first, second = rng.random((2_000, 200)) < 0.9, rng.random((2_000, 200)) < 0.9
    only_first, only_second = (first & ~second).sum(axis=1), (second & ~first).sum(axis=1)
    alarms = [mcnemar_exact_p_value(int(a), int(b)) <= 0.05 for a, b in zip(only_first, only_second, strict=True)]
    assert 0.005 < np.mean(alarms) <= 0.06


def test_mcnemar_refuses_negative_counts():
    with pytest.raises(ValueError, match="Received: -1 and 3"):
        mcnemar_exact_p_value(-1, 3)
