"""Gender metrics against numbers computed by hand."""

import math

import numpy as np
import pytest

from agegender.metrics.gender import (
    ConfusionCounts,
    accuracy,
    answered_female,
    binary_cross_entropy,
    confusion_counts,
    right_answers,
)

PROBABILITY = [0.9, 0.2, 0.5, 0.4999, 0.7]
FEMALE = np.array([True, False, False, True, True])  # answers: F right, M right, F wrong, M wrong, F right


def test_half_is_answered_female():
    assert answered_female([0.5, np.nextafter(0.5, 0)]).tolist() == [True, False]


def test_accuracy_and_confusion_by_hand():
    assert right_answers(PROBABILITY, FEMALE).tolist() == [True, True, False, False, True]
    assert accuracy(PROBABILITY, FEMALE) == pytest.approx(0.6)
    assert confusion_counts(PROBABILITY, FEMALE) == ConfusionCounts(
        male_as_male=1, male_as_female=1, female_as_male=1, female_as_female=2
    )


def test_cross_entropy_by_hand():
    expected = -(math.log(0.9) + math.log(0.8) + math.log(0.5) + math.log(0.4999) + math.log(0.7)) / 5
    assert binary_cross_entropy(PROBABILITY, FEMALE) == pytest.approx(expected)
    assert binary_cross_entropy([0.5] * 5, FEMALE) == pytest.approx(math.log(2))


def test_a_sure_mistake_costs_a_finite_amount():
    assert binary_cross_entropy([0.0], np.array([True])) == pytest.approx(-math.log(1e-7))
    assert binary_cross_entropy([1.0], np.array([True])) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("probability", [[-0.1], [1.1], [math.nan]])
def test_a_number_that_is_no_probability_is_refused(probability):
    with pytest.raises(ValueError, match="Received"):
        accuracy(probability, np.array([True]))


def test_labels_as_codes_are_refused_since_they_hide_which_gender_is_meant():
    with pytest.raises(ValueError, match="booleans"):
        accuracy([0.3], np.array([1]))
    with pytest.raises(ValueError, match="same length"):
        accuracy([0.3, 0.4], np.array([True]))
