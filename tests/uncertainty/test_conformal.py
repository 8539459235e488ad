"""Conformal intervals: thresholds by hand, equality with crepes, shapes of answers, records, refusals."""

import json
import math

import numpy as np
import pytest

from agegender.errors import InputError, SettingError
from agegender.uncertainty.conformal import (
    BASELINES,
    METHODS,
    FittedIntervals,
    conformal_threshold,
    fit_intervals,
    threshold_rank,
)
from agegender.uncertainty.distribution import YEARS, spread
from agegender.uncertainty.groups import group_of


def test_the_threshold_is_the_right_order_statistic():
    assert threshold_rank(9, 0.9) == 9
    assert threshold_rank(19, 0.9) == 18
    assert threshold_rank(1000, 0.9) == 901
    assert conformal_threshold(np.arange(1, 20)[::-1], 0.9) == 18
    assert conformal_threshold([1.0, 2.0], 0.9) == math.inf


@pytest.mark.parametrize("by_band", [True, False])
@pytest.mark.parametrize("method", [*METHODS, *BASELINES])
def test_answers_are_whole_years_in_range_and_in_order(method, by_band, calibration_faces, new_faces):
    faces = calibration_faces
    fitted = fit_intervals(method, faces.predicted, faces.distribution, faces.ages, by_band=by_band)
    intervals = fitted.apply(new_faces.predicted, new_faces.distribution)
    assert intervals.low.dtype == intervals.high.dtype == np.int64
    assert (intervals.low >= 0).all()
    assert (intervals.high <= 116).all()
    assert (intervals.width >= 0).all()
    assert len(fitted.thresholds) == len(fitted.groups) == len(fitted.edges) + 1
    assert sum(fitted.counts) == len(faces.ages)
    if by_band and method != "raw":
        assert len(fitted.edges) >= 4, "a threshold a band is what this is about"


@pytest.mark.parametrize("method", METHODS)
def test_more_is_held_at_a_higher_level(method, calibration_faces, new_faces):
    faces = calibration_faces
    widths = []
    for level in (0.5, 0.8, 0.95):
        fitted = fit_intervals(method, faces.predicted, faces.distribution, faces.ages, level=level, by_band=False)
        widths.append(fitted.apply(new_faces.predicted, new_faces.distribution).width.mean())
    assert widths == sorted(widths)
    assert widths[0] < widths[2]


def test_the_models_own_quantiles_promise_too_much_here(calibration_faces, new_faces):
    raw = fit_intervals("raw", calibration_faces.predicted, calibration_faces.distribution, calibration_faces.ages)
    held = raw.apply(new_faces.predicted, new_faces.distribution).holds(new_faces.ages).mean()
    assert held < 0.75, "the simulated model is twice as sure as it may be"


@pytest.mark.parametrize("by_band", [True, False])
@pytest.mark.parametrize("method", ["scaled", "constant"])
def test_equal_to_crepes(method, by_band, calibration_faces, new_faces):
    crepes = pytest.importorskip("crepes")
    faces = calibration_faces
    # crepes takes int((1 - level) (n + 1)) from above, which is the same order statistic unless it is a whole number.
    fitted = fit_intervals(method, faces.predicted, faces.distribution, faces.ages, level=0.893, by_band=by_band)
    settings: dict[str, np.ndarray] = {} if method == "constant" else {"sigmas": spread(faces.distribution)}
    new_settings: dict[str, np.ndarray] = {} if method == "constant" else {"sigmas": spread(new_faces.distribution)}
    if by_band:
        settings["bins"] = group_of(faces.predicted, fitted.edges)
        new_settings["bins"] = group_of(new_faces.predicted, fitted.edges)
    other = crepes.ConformalRegressor()
    other.fit(faces.ages - faces.predicted, **settings)
    limits = other.predict_int(new_faces.predicted, confidence=0.893, y_min=0, y_max=116, **new_settings)
    low, high = np.ceil(limits[:, 0] - 1e-9), np.floor(limits[:, 1] + 1e-9)
    intervals = fitted.apply(new_faces.predicted, new_faces.distribution)
    some = low <= high  # narrower than a year with none inside: there the nearest year is given here
    assert some.mean() > 0.95
    np.testing.assert_array_equal(intervals.low[some], low[some])
    np.testing.assert_array_equal(intervals.high[some], high[some])


def test_shortest_by_hand():
    row = np.zeros((1, len(YEARS)))
    row[0, [29, 30, 31, 32]] = [0.3, 0.4, 0.2, 0.1]
    fitted = FittedIntervals("shortest", 0.9, (), (0.9,), (100,))
    intervals = fitted.apply([30.1], row)
    assert (intervals.low[0], intervals.high[0]) == (29, 31)
    narrow = FittedIntervals("shortest", 0.9, (), (0.1,), (100,)).apply([30.1], row)
    assert (narrow.low[0], narrow.high[0]) == (30, 30), "never empty"


def test_quantiles_by_hand():
    row = np.zeros((1, len(YEARS)))
    row[0, [20, 40]] = 0.5
    fitted = FittedIntervals("quantiles", 0.9, (), (2.0,), (100,))
    # 5 % lies at 19.6 and 95 % at 40.4; 2 years more on either side, whole years inside.
    intervals = fitted.apply([30.0], row)
    assert (intervals.low[0], intervals.high[0]) == (18, 42)


def test_a_group_too_small_for_the_level_gets_all_ages(calibration_faces):
    faces = calibration_faces
    some = slice(0, 5)
    for method in (*METHODS, "constant"):
        fitted = fit_intervals(method, faces.predicted[some], faces.distribution[some], faces.ages[some])
        assert fitted.thresholds == (math.inf,)
        intervals = fitted.apply(faces.predicted, faces.distribution)
        assert (intervals.low == 0).all(), method
        assert (intervals.high == 116).all(), method
        assert FittedIntervals.from_record(json.loads(json.dumps(fitted.as_record()))) == fitted


@pytest.mark.parametrize("method", METHODS)
def test_a_record_gives_the_same_answers(method, calibration_faces, new_faces):
    faces = calibration_faces
    fitted = fit_intervals(method, faces.predicted, faces.distribution, faces.ages)
    again = FittedIntervals.from_record(json.loads(json.dumps(fitted.as_record())))
    first, second = (f.apply(new_faces.predicted, new_faces.distribution) for f in (fitted, again))
    np.testing.assert_array_equal(first.low, second.low)
    np.testing.assert_array_equal(first.high, second.high)


@pytest.mark.parametrize(
    "damage", [{"method": "guess"}, {"thresholds": [1.0]}, {"edges": None}, {"counts": ["many"]}, {"level": None}]
)
def test_a_damaged_record_is_refused(damage, calibration_faces):
    faces = calibration_faces
    record = fit_intervals("scaled", faces.predicted, faces.distribution, faces.ages).as_record()
    with pytest.raises(InputError, match="Calibrate again"):
        FittedIntervals.from_record(record | damage)


def test_wrong_settings_and_labels_are_refused(calibration_faces):
    faces = calibration_faces
    given = (faces.predicted, faces.distribution, faces.ages)
    with pytest.raises(SettingError, match="'guess'"):
        fit_intervals("guess", *given)
    with pytest.raises(SettingError, match="level"):
        fit_intervals("scaled", *given, level=90)
    with pytest.raises(InputError, match="116"):
        fit_intervals("scaled", faces.predicted, faces.distribution, faces.ages + 100)
    with pytest.raises(InputError, match="shape"):
        fit_intervals("scaled", faces.predicted[:-1], faces.distribution, faces.ages)
