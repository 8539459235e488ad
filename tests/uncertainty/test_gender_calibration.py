"""Temperature and the unsure rule: by hand, at the edges, and what is refused."""

import math
from dataclasses import asdict

import numpy as np
import pytest

from agegender.errors import InputError, SettingError
from agegender.metrics import binary_cross_entropy
from agegender.metrics.proportions import upper_bound
from agegender.uncertainty.temperature import COLDEST, GenderTemperature, fit_temperature, logit, sigmoid
from agegender.uncertainty.unsure import DISTANCES, UnsureRule, fit_unsure


def test_logit_and_sigmoid_are_inverse_and_finite_at_the_ends():
    p = np.array([0.0, 1e-5, 0.3, 0.5, 0.999, 1.0])
    np.testing.assert_allclose(sigmoid(logit(p)), np.clip(p, 1e-7, 1 - 1e-7), rtol=1e-9)
    assert sigmoid(np.array([-800.0, 800.0])).tolist() == [0.0, 1.0]


def test_two_cells_by_hand():
    """Said 0.9 and right 3 of 4 times: the temperature makes it say 0.75."""
    p = np.array([0.9] * 4 + [0.1] * 4)
    female = np.array([True] * 3 + [False] + [False] * 3 + [True])
    fitted = fit_temperature(p, female)
    assert fitted.apply([0.9]) == pytest.approx([0.75], abs=1e-6)
    assert fitted.temperature == pytest.approx(math.log(9) / math.log(3), abs=1e-6)
    assert fitted.loss_before == pytest.approx(binary_cross_entropy(p, female), rel=1e-6)
    assert fitted.loss_after == pytest.approx(binary_cross_entropy(fitted.apply(p), female), rel=1e-6)


def test_it_never_changes_an_answer_and_never_worsens_the_loss(calibration_faces):
    fitted = fit_temperature(calibration_faces.female_probability, calibration_faces.female)
    after = fitted.apply(calibration_faces.female_probability)
    np.testing.assert_array_equal(after >= 0.5, calibration_faces.female_probability >= 0.5)
    assert fitted.loss_after < fitted.loss_before


def test_without_one_error_it_stops_at_the_coldest():
    fitted = fit_temperature([0.7, 0.8, 0.2, 0.1], [True, True, False, False])
    assert fitted.temperature == pytest.approx(COLDEST, rel=1e-6)


def test_labels_of_one_gender_or_codes_are_refused():
    with pytest.raises(InputError, match="both labels"):
        fit_temperature([0.7, 0.8], [True, True])
    with pytest.raises(InputError, match="booleans"):
        fit_temperature([0.7, 0.8], np.array([1, 0]))
    with pytest.raises(InputError, match=r"0\.\.1"):
        fit_temperature([0.7, 1.8], [True, False])


def test_records_of_gender():
    fitted = GenderTemperature(1.5, 100, 0.4, 0.3)
    assert GenderTemperature.from_record(asdict(fitted)) == fitted
    rule = UnsureRule(1.0, 0.05, 0.95, 100, 80, 1, 0.04)
    assert UnsureRule.from_record(asdict(rule)) == rule
    for damaged in ({}, {"temperature": -1, "n": 1, "loss_before": 1, "loss_after": 1}, None):
        with pytest.raises(InputError, match="Calibrate again"):
            GenderTemperature.from_record(damaged)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="Calibrate again"):
            UnsureRule.from_record(damaged)  # type: ignore[arg-type]


def cells(*parts: tuple[float, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and labels: at each logit so many images, so many of them wrong; half of them female."""
    logits, female = [], []
    for size, n, wrong in parts:
        for number in range(n):
            says_female = number % 2 == 0
            logits.append(size if says_female else -size)
            female.append(says_female != (number < wrong))
    return sigmoid(np.array(logits, dtype=float)), np.array(female)


def test_the_smallest_distance_whose_bound_holds_is_taken():
    p, female = cells((0.5, 200, 80), (1.5, 300, 30), (4.1, 1000, 5))
    rule = fit_unsure(p, female, risk=0.05)
    each = 1 - 0.05 / len(DISTANCES)
    assert upper_bound(35, 1300, confidence=each) <= 0.05 < upper_bound(115, 1500, confidence=each)
    assert rule.distance == pytest.approx(2 / 3)
    assert (rule.n, rule.answered, rule.errors) == (1500, 1300, 35)
    assert rule.bound == pytest.approx(upper_bound(35, 1300, confidence=each))
    assert rule.least_probability == pytest.approx(1 / (1 + math.exp(-2 / 3)))
    assert rule.answers(sigmoid(np.array([0.6, -0.6, 0.7, -5.0]))).tolist() == [False, False, True, True]


def test_a_good_model_always_answers():
    rule = fit_unsure(*cells((3.0, 1000, 2)), risk=0.05)
    assert rule.distance == 0
    assert rule.answers([0.5]).tolist() == [True]


def test_where_nothing_can_be_shown_nothing_is_answered():
    rule = fit_unsure(*cells((3.0, 20, 0)), risk=0.01)
    assert rule.distance is None
    assert rule.least_probability is None
    assert rule.bound is None
    assert not rule.answers([0.0, 0.5, 1.0]).any()


def test_risk_out_of_range_is_refused():
    with pytest.raises(SettingError, match="between 0 and 1"):
        fit_unsure([0.1, 0.9], [False, True], risk=5)
