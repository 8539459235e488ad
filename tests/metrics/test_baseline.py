"""The constant predictor, by hand."""

from __future__ import annotations

import pytest

from agegender.metrics.baseline import constant_predictor


def test_by_hand() -> None:
    found = constant_predictor([10, 20, 90], [True, True, False], [20, 30, 0], [True, False, False])
    assert found.age == 20
    assert found.female
    assert found.mae == pytest.approx((0 + 10 + 20) / 3)
    assert found.gender_accuracy == pytest.approx(1 / 3)


def test_the_commoner_gender_may_be_male() -> None:
    assert not constant_predictor([1], [False], [1], [True]).female
