"""Age metrics against numbers computed by hand."""

import math

import numpy as np
import pytest

from agegender.metrics.age import (
    bias,
    cumulative_score,
    mean_absolute_error,
    median_absolute_error,
    signed_errors,
    within_years,
)

TRUE = [10, 20, 30, 40]
PREDICTED = [13.0, 15.0, 30.5, 50.0]  # errors +3, -5, +0.5, +10


def test_each_metric_by_hand():
    assert signed_errors(PREDICTED, TRUE).tolist() == [3.0, -5.0, 0.5, 10.0]
    assert mean_absolute_error(PREDICTED, TRUE) == pytest.approx(18.5 / 4)
    assert median_absolute_error(PREDICTED, TRUE) == pytest.approx(4.0)
    assert bias(PREDICTED, TRUE) == pytest.approx(8.5 / 4)


def test_the_cumulative_score_includes_its_bound():
    assert cumulative_score(PREDICTED, TRUE) == 0.75
    assert cumulative_score(PREDICTED, TRUE, years=4.999) == 0.5
    assert cumulative_score(PREDICTED, TRUE, years=0) == 0.0
    assert within_years([5.0, -5.0, 5.0001], 5).tolist() == [True, True, False]


def test_float32_predictions_are_measured_in_double_precision():
    predicted = np.full(1001, 30.1, np.float32)
    assert mean_absolute_error(predicted, np.full(1001, 30, np.int16)) == pytest.approx(float(np.float32(30.1)) - 30)


@pytest.mark.parametrize(
    ("predicted", "true"),
    [([], []), ([1.0, 2.0], [1.0]), ([[1.0]], [[1.0]]), ([math.nan], [1.0]), ([math.inf], [1.0])],
)
def test_arrays_that_mean_nothing_are_refused(predicted, true):
    with pytest.raises(ValueError, match="Received"):
        mean_absolute_error(predicted, true)
