"""What a distribution over ages says: quantiles, spread, and intervals that grow from the likeliest age.

A distribution is a line of 117 probabilities, one a whole year 0..116. NumPy alone, as the whole room: whoever applies
a calibration needs neither Keras nor scikit-learn.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agegender.errors import InputError
from agegender.labels import AGE_MAX_YEARS, AGE_MIN_YEARS

FloatArray = npt.NDArray[np.float64]

YEARS = np.arange(AGE_MIN_YEARS, AGE_MAX_YEARS + 1, dtype=np.float64)
"""The age in years that each probability stands for, shape (117,)."""

SUM_TOLERANCE = 0.01
"""How far from 1 a line may sum: float16 files and 8-bit inference stay well inside."""


def checked_distribution(distribution: npt.ArrayLike) -> FloatArray:
    """The probabilities as float64 (n, 117), each line summing to 1.

    Raises:
        InputError: Another shape, negative or not finite values, or lines that are no distributions.
    """
    rows = np.asarray(distribution, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != len(YEARS) or not len(rows):
        raise InputError(
            f"A distribution over ages has shape (n, {len(YEARS)}), n at least 1. Received: {rows.shape}. "
            "Give what the layer age_distribution answers."
        )
    sums = rows.sum(axis=1)
    if not np.isfinite(rows).all() or rows.min() < 0 or np.abs(sums - 1).max() > SUM_TOLERANCE:
        raise InputError(
            f"Each distribution over ages holds probabilities that sum to 1. Received sums of {sums.min():.4g} to "
            f"{sums.max():.4g} and values down to {rows.min():.4g}. Give what the layer age_distribution answers."
        )
    return rows / sums[:, None]


def checked_ages(ages: npt.ArrayLike, n: int, *, name: str) -> FloatArray:
    """Ages in years as float64 (n,).

    Raises:
        InputError: Another length, or values that are not finite.
    """
    rows = np.asarray(ages, dtype=np.float64)
    if rows.shape != (n,) or not np.isfinite(rows).all():
        raise InputError(
            f"{name} must be finite numbers of shape ({n},), one for each distribution. Received: {rows.shape}."
        )
    return rows


def quantile(distribution: FloatArray, share: float) -> FloatArray:
    """The age below which a share of each distribution lies, in years, shape (n,).

    The probability of a whole year is spread evenly over the year around it, so that the answer is no whole number.

    Args:
        distribution: (n, 117), lines sum to 1.
        share: Between 0 and 1.
    """
    up_to = np.cumsum(distribution, axis=1)
    place = np.minimum((up_to < share).sum(axis=1), len(YEARS) - 1)
    line = np.arange(len(distribution))
    mass = distribution[line, place]
    before = up_to[line, place] - mass
    part = np.divide(share - before, mass, out=np.full(len(line), 0.5), where=mass > 0)
    return YEARS[place] - 0.5 + np.clip(part, 0, 1)


def spread(distribution: FloatArray) -> FloatArray:
    """The standard deviation of each distribution in years, shape (n,), that of a single year's width at the least."""
    mean = distribution @ YEARS
    variance = distribution @ YEARS**2 - mean**2
    return np.sqrt(np.maximum(variance, 0) + 1 / 12)


def inclusion_mass(distribution: FloatArray) -> FloatArray:
    """How much probability an interval holds once it has grown so far that it takes in each year.

    The interval starts as the likeliest year and takes in, year by year, the likelier of its two neighbours. Where a
    distribution has one peak this is its highest-density region, hence the shortest interval of its mass. Intervals of
    different mass are nested by construction, which conformal prediction needs.

    Args:
        distribution: (n, 117), lines sum to 1.

    Returns:
        (n, 117), 0..1: for each year the mass of the first interval that holds it, the year itself included.
    """
    n, years = distribution.shape
    line = np.arange(n)
    # A rim of negative probabilities stands for the ends, where nothing can be taken in.
    rimmed = np.full((n, years + 2), -1.0)
    rimmed[:, 1:-1] = distribution
    low = distribution.argmax(axis=1) + 1
    high = low.copy()
    mass = rimmed[line, low]
    found = np.zeros((n, years))
    found[line, low - 1] = mass
    for _ in range(years - 1):
        downwards = rimmed[line, low - 1] >= rimmed[line, high + 1]
        low = np.where(downwards, low - 1, low)
        high = np.where(downwards, high, high + 1)
        taken = np.where(downwards, low, high)
        mass = mass + rimmed[line, taken]
        found[line, taken - 1] = mass
    return np.minimum(found, 1.0)
