"""Label distributions over ages."""

from __future__ import annotations

import numpy as np
import pytest

from agegender.models.age_targets import AGE_BINS, BIN_AGES, age_distribution_targets, target_sd


def test_rows_sum_to_one_and_peak_at_the_age() -> None:
    ages = np.arange(117)
    targets = age_distribution_targets(ages)
    assert targets.shape == (117, AGE_BINS)
    assert targets.dtype == np.float32
    np.testing.assert_allclose(targets.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(targets.argmax(axis=1), ages)


def test_the_expectation_is_the_age_also_near_birth() -> None:
    ages = np.arange(110)
    expectation = age_distribution_targets(ages) @ BIN_AGES
    np.testing.assert_allclose(expectation[3:], ages[3:], atol=0.1)
    assert expectation[0] < 0.2
    assert expectation[1] == pytest.approx(1.0, abs=0.2)


def test_width_grows_with_age_up_to_the_adults() -> None:
    np.testing.assert_allclose(target_sd(np.array([0, 2, 6, 50]), 2.0), [0.5, 1.0, 2.0, 2.0])


def test_ages_between_years() -> None:
    assert age_distribution_targets(np.array([30.5])) @ BIN_AGES == pytest.approx(30.5, abs=1e-3)
