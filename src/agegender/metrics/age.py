"""Errors of age in years: predicted minus true, one row an image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agegender.metrics.arrays import BoolArray, FloatArray, float_rows, same_length


def signed_errors(predicted: npt.ArrayLike, true: npt.ArrayLike) -> FloatArray:
    """Predicted minus true age: above 0 means taken for older.

    Args:
        predicted: Ages in years, shape (n,).
        true: Ages in years, shape (n,).

    Returns:
        Years, float64 of shape (n,).

    Raises:
        ValueError: The arrays are empty, not finite or of different length.
    """
    predicted_rows, true_rows = float_rows(predicted, name="predicted"), float_rows(true, name="true")
    same_length(predicted_rows, true_rows, names="predicted and true")
    return predicted_rows - true_rows


def within_years(errors: npt.ArrayLike, years: float) -> BoolArray:
    """Which signed errors are at most `years` in size, the bound included; shape (n,)."""
    return np.abs(float_rows(errors, name="errors")) <= years


def mean_absolute_error(predicted: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """The mean size of the error, in years."""
    return float(np.abs(signed_errors(predicted, true)).mean())


def median_absolute_error(predicted: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """The size of error, in years, that half of the images stay at or under."""
    return float(np.median(np.abs(signed_errors(predicted, true))))


def cumulative_score(predicted: npt.ArrayLike, true: npt.ArrayLike, *, years: float = 5) -> float:
    """CS@k: the share, 0..1, of images whose error is at most `years`.

    Source: Geng, Zhou, Smith-Miles, "Automatic Age Estimation Based on Facial Aging Patterns", TPAMI 2007, section 4.1.
    """
    return float(within_years(signed_errors(predicted, true), years).mean())


def bias(predicted: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """The mean signed error, in years: above 0 means that people are taken for older than they are."""
    return float(signed_errors(predicted, true).mean())
