"""Holm's procedure by hand."""

import numpy as np
import pytest

from agegender.metrics.many_tests import holm


def test_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_never_smaller_than_what_it_adjusts_and_never_above_one():
    p = np.random.default_rng(0).random(50)
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert adjusted.max() <= 1
    assert (np.argsort(adjusted, kind="stable") == np.argsort(p, kind="stable")).all() or len(set(adjusted)) < 50


def test_nothing_and_one():
    assert holm([]).tolist() == []
    assert holm([0.2]).tolist() == [0.2]


def test_what_is_no_p_value_is_refused():
    with pytest.raises(ValueError, match=r"0\.\.1"):
        holm([0.1, 1.2])
