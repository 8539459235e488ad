"""How often intervals should hold on other images: the spread that two finite sets of images allow.

Of m new images, the number that a threshold of n calibration images covers is beta-binomial: its share is itself a
draw from Beta(k, n + 1 - k), k = ceil((n + 1) level). Sources: Vovk, "Conditional Validity of Inductive Conformal
Predictors", ACML 2012; Angelopoulos, Bates, "Conformal Prediction: A Gentle Introduction", 2023, section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from agegender.errors import SettingError
from agegender.uncertainty.conformal import threshold_rank

BAND_LEVEL = 0.99


def coverage_band(
    calibration_counts: Sequence[int], new_counts: Sequence[int], level: float, *, band_level: float = BAND_LEVEL
) -> tuple[float, float]:
    """The shares of new images, 0..1, between which coverage should lie with probability `band_level` or more.

    Where scores tie (many labels score the same) coverage may lie above the band, and never does any harm by it.

    Args:
        calibration_counts: Calibration images in each group with a threshold of its own.
        new_counts: New images in each of the same groups.
        level: Of the intervals, between 0 and 1.
        band_level: Between 0 and 1.

    Raises:
        SettingError: The groups differ in number, or there is no new image.
    """
    if len(calibration_counts) != len(new_counts) or sum(new_counts) < 1:
        raise SettingError(
            f"Coverage needs new images in the groups that were calibrated. Received: {list(new_counts)} in "
            f"{list(calibration_counts)}."
        )
    total = np.ones(1)
    for n, m in zip(calibration_counts, new_counts, strict=True):
        if m:
            total = np.convolve(total, _held_probabilities(n, m, level))
    up_to = np.cumsum(total)
    tail = (1 - band_level) / 2
    low = int((up_to <= tail).sum())
    high = int((up_to < 1 - tail).sum())
    images = sum(new_counts)
    return low / images, min(high, images) / images


def _held_probabilities(n: int, m: int, level: float) -> npt.NDArray[np.float64]:
    """The probabilities of 0..m covered images of m, after n calibration images."""
    a = threshold_rank(n, level)
    b = n + 1 - a
    if b <= 0:  # an infinite threshold covers everything
        return np.eye(1, m + 1, m)[0]
    lgamma = np.vectorize(math.lgamma, otypes=[np.float64])
    k = np.arange(m + 1)
    log_ways = lgamma(m + 1.0) - lgamma(k + 1.0) - lgamma(m - k + 1.0)
    log_beta = lgamma(k + float(a)) + lgamma(m - k + float(b)) - lgamma(float(m + n + 1))
    return np.exp(log_ways + log_beta - lgamma(float(a)) - lgamma(float(b)) + lgamma(float(n + 1)))
