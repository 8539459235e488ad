"""Metrics: plain functions, arrays in, numbers out. They know neither models nor tables."""

from agegender.metrics.age import (
    bias,
    cumulative_score,
    mean_absolute_error,
    median_absolute_error,
    signed_errors,
    within_years,
)
from agegender.metrics.bootstrap import MEAN, MEDIAN, Statistic, bootstrap_interval, bootstrap_intervals
from agegender.metrics.gender import (
    ConfusionCounts,
    accuracy,
    answered_female,
    binary_cross_entropy,
    confusion_counts,
    cross_entropies,
    right_answers,
)
from agegender.metrics.paired import mcnemar_exact_p_value, sign_flip_p_value
from agegender.metrics.slices import Slice, slices_by_band, slices_by_value

__all__ = [
    "MEAN",
    "MEDIAN",
    "ConfusionCounts",
    "Slice",
    "Statistic",
    "accuracy",
    "answered_female",
    "bias",
    "binary_cross_entropy",
    "bootstrap_interval",
    "bootstrap_intervals",
    "confusion_counts",
    "cross_entropies",
    "cumulative_score",
    "mcnemar_exact_p_value",
    "mean_absolute_error",
    "median_absolute_error",
    "right_answers",
    "sign_flip_p_value",
    "signed_errors",
    "slices_by_band",
    "slices_by_value",
    "within_years",
]
