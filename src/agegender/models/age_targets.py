"""Ages as label distributions: a softmax over whole years learns a bump, and the answer is its expectation.

Source: Gao et al., "Age Estimation Using Expectation of Label Distribution Learning" (DLDL-v2), IJCAI 2018.
"""

from __future__ import annotations

import numpy as np

from agegender.labels import AGE_MAX_YEARS, AGE_MIN_YEARS

AGE_BINS = AGE_MAX_YEARS - AGE_MIN_YEARS + 1
"""One bin a year: 117 of them for 0..116."""

BIN_AGES = np.arange(AGE_MIN_YEARS, AGE_MAX_YEARS + 1, dtype=np.float32)
"""The age in years that each bin stands for, shape (117,)."""

INFANT_SD_YEARS = 0.5
SD_PER_YEAR_OF_AGE = 0.25


def target_sd(ages: np.ndarray, adult_sd_years: float) -> np.ndarray:
    """How wide a label is, in years: a baby's age is known to months, an adult's is not.

    Grows from 0.5 years at birth by 0.25 a year of age up to `adult_sd_years`. Without this the bump of a newborn,
    cut off at 0, would have its expectation at 1.6 years.
    """
    return np.minimum(INFANT_SD_YEARS + SD_PER_YEAR_OF_AGE * ages, adult_sd_years)


def age_distribution_targets(ages: np.ndarray, adult_sd_years: float = 2.0) -> np.ndarray:
    """Normal distributions around the ages, over the bins.

    Args:
        ages: (n,) in years, 0..116; need not be whole.
        adult_sd_years: Standard deviation of an adult's label, above 0.

    Returns:
        (n, 117) float32, rows sum to 1.
    """
    ages = np.asarray(ages, dtype=np.float32)[:, None]
    distance = (BIN_AGES[None, :] - ages) / target_sd(ages, adult_sd_years)
    density = np.exp(-0.5 * distance**2)
    return (density / density.sum(axis=1, keepdims=True)).astype(np.float32)
