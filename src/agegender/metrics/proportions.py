"""Exact bounds of a share: errors counted among independent cases.

Clopper and Pearson's bounds never promise too much, whatever the true share, which approximations (Wald, also Wilson's
on average) do for rare errors. A promise about minors must err on the safe side, so the wider bounds are taken.

Source: Clopper, Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial",
Biometrika 1934. Why not Wilson's: Brown, Cai, DasGupta, "Interval Estimation for a Binomial Proportion", Statistical
Science 2001, section 4.2.1 (strictly conservative against right on average).
"""

from __future__ import annotations

import functools
import math

import numpy as np

from agegender.metrics.arrays import FloatArray
from agegender.types import Interval

LEVEL = 0.95

_HALVINGS = 50  # the bound is then known to 1e-15


def binomial_interval(count: int, n: int, *, level: float = LEVEL) -> Interval:
    """A share with its two-sided Clopper-Pearson interval, all in 0..1.

    Args:
        count: Cases that have the property.
        n: Cases in all, at least 1.
        level: Share of such intervals that hold the true share, at the least.

    Raises:
        ValueError: Numbers out of range.
    """
    one_sided = (1 + level) / 2
    low, high = lower_bound(count, n, confidence=one_sided), upper_bound(count, n, confidence=one_sided)
    return Interval(count / n, low, high)


@functools.lru_cache(maxsize=20_000)  # a curve over challenge ages asks for the same counts again and again
def upper_bound(count: int, n: int, *, confidence: float = LEVEL) -> float:
    """The one-sided upper Clopper-Pearson bound of a share: it lies above the true one with this confidence.

    Args:
        count: Cases that have the property, 0..n.
        n: Cases in all, at least 1.
        confidence: Between 0 and 1.

    Returns:
        The share p at which `count` or fewer would be seen with probability 1 - confidence; 1 if all cases have it.

    Raises:
        ValueError: Numbers out of range.
    """
    if not 0 <= count <= n or n < 1 or not 0 < confidence < 1:
        raise ValueError(
            f"count must be 0..n, n at least 1 and confidence in (0, 1). Received: {count}, {n} and {confidence}"
        )
    if count == n:
        return 1.0
    if count == 0:
        return 1 - (1 - confidence) ** (1 / n)
    low, high = count / n, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_most(count, n, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def lower_bound(count: int, n: int, *, confidence: float = LEVEL) -> float:
    """The one-sided lower Clopper-Pearson bound of a share, see `upper_bound`; 0 if no case has the property."""
    return 1 - upper_bound(n - count, n, confidence=confidence)


def smallest_provable(n: int, *, confidence: float = LEVEL) -> float:
    """The smallest upper bound that n cases can show at all: that of not one error among them."""
    return upper_bound(0, n, confidence=confidence)


def cases_needed(bound: float, *, confidence: float = LEVEL) -> int:
    """How many cases without one error show that a share lies under `bound`: 299 for 1 %, 59 for 5 %."""
    if not 0 < bound < 1:
        raise ValueError(f"bound must lie between 0 and 1. Received: {bound}")
    return math.ceil(math.log(1 - confidence) / math.log(1 - bound))


def _at_most(count: int, n: int, share: float) -> float:
    """P(X <= count) of X binomial of (n, share), share strictly between 0 and 1."""
    log_factorials = _log_factorials(n)
    k = np.arange(count + 1)
    log_ways = log_factorials[n] - log_factorials[k] - log_factorials[n - k]
    return float(np.exp(log_ways + k * math.log(share) + (n - k) * math.log1p(-share)).sum())


@functools.lru_cache(maxsize=64)
def _log_factorials(n: int) -> FloatArray:
    """The logarithms of 0!, 1!, ..., n!, shape (n + 1,)."""
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
