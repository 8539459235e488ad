"""The beta-binomial band, against a simulation of what it describes."""

import numpy as np
import pytest

from agegender.errors import SettingError
from agegender.uncertainty.coverage import coverage_band


def test_it_is_what_simulated_thresholds_cover():
    rng = np.random.default_rng(0)
    n, m = 99, 200
    thresholds = np.sort(rng.random((4000, n)), axis=1)[:, 89]
    held = (rng.random((4000, m)) <= thresholds[:, None]).mean(axis=1)
    low, high = coverage_band([n], [m], 0.9)
    outside_below, outside_above = (held < low).mean(), (held > high).mean()
    assert outside_below < 0.008
    assert outside_above < 0.008
    # And it is no wider than it needs to be.
    assert (held < low + 0.015).mean() > 0.005
    assert (held > high - 0.01).mean() > 0.005


def test_it_narrows_with_more_images_and_holds_the_level():
    bands = [coverage_band([n], [n], 0.9) for n in (50, 500, 5000)]
    widths = [high - low for low, high in bands]
    assert widths[0] > widths[1] > widths[2]
    assert all(low < 0.9 < high for low, high in bands)


def test_groups_are_summed_and_empty_ones_passed_over():
    assert coverage_band([99, 50], [200, 0], 0.9) == coverage_band([99], [200], 0.9)
    low, high = coverage_band([500, 500], [500, 500], 0.9)
    one_low, one_high = coverage_band([1000], [1000], 0.9)
    assert low == pytest.approx(one_low, abs=0.004)
    assert high == pytest.approx(one_high, abs=0.004)


def test_a_group_too_small_for_a_threshold_covers_everything():
    assert coverage_band([3], [10], 0.9) == (1.0, 1.0)


def test_other_groups_and_no_images_are_refused():
    with pytest.raises(SettingError, match="groups"):
        coverage_band([10], [5, 5], 0.9)
    with pytest.raises(SettingError, match="new images"):
        coverage_band([10], [0], 0.9)
