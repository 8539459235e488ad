"""Tests of two models on the same images: is the difference more than chance?

Age: a permutation test. If the two models were equally good, swapping their errors on any one image would change
nothing, so the mean difference is set against those with the sign of each image's difference flipped at random.
Sources: Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses", 2005, chapter 3 (matched pairs);
Phipson, Smyth, "Permutation P-values Should Never Be Zero", SAGMB 2010 (the observed arrangement is one of the draws).

Gender: McNemar's test in its exact form, on the images where exactly one of the two models is right.
Sources: McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
Psychometrika 1947; Dietterich, "Approximate Statistical Tests for Comparing Supervised Classification Learning
Algorithms", Neural Computation 1998.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agegender.metrics.arrays import float_rows
from agegender.metrics.bootstrap import Seed

FLIPS = 10_000
"""The smallest p value that can come out is then 1 / 10,001, and one near 0.05 is known to within 0.004."""

_CHUNK_ELEMENTS = 250_000  # 2 MB of float64, which stays in a core's cache


def sign_flip_p_value(differences: npt.ArrayLike, *, seed: Seed, flips: int = FLIPS) -> float:
    """The two-sided p value of a mean paired difference being 0.

    Args:
        differences: One number an image, first model's absolute error minus the second's, shape (n,).
        seed: Of the flips.
        flips: How many random arrangements.

    Returns:
        A p value in (0, 1].

    Raises:
        ValueError: `differences` is empty or not finite, or `flips` is below 1.
    """
    rows = float_rows(differences, name="differences")
    if flips < 1:
        raise ValueError(f"flips must be 1 or more. Received: {flips}")
    rng = np.random.default_rng(seed)
    observed = abs(rows.sum())
    # Sums of the same numbers in another order differ in the last digits; those are ties, not smaller sums.
    bound = observed - 1e-12 * np.abs(rows).sum()
    at_least = 0
    lines = max(1, _CHUNK_ELEMENTS // len(rows))
    for start in range(0, flips, lines):
        flipped = rng.integers(0, 2, size=(min(lines, flips - start), len(rows)), dtype=np.int8)
        sums = rows.sum() - 2 * (flipped.astype(np.float64) @ rows)
        at_least += int((np.abs(sums) >= bound).sum())
    return (at_least + 1) / (flips + 1)


def mcnemar_exact_p_value(first_only: int, second_only: int) -> float:
    """The two-sided exact p value that two classifiers have the same accuracy.

    Args:
        first_only: Images that only the first model got right.
        second_only: Images that only the second model got right.

    Returns:
        min(1, 2 P(X <= smaller count)) with X binomial of (first_only + second_only, 1/2); 1 where they never differ.

    Raises:
        ValueError: A count is negative.
    """
    if min(first_only, second_only) < 0:
        raise ValueError(f"counts must be 0 or more. Received: {first_only} and {second_only}")
    n = first_only + second_only
    # Whole numbers up to the last division, so that thousands of images do not add up rounding errors.
    ways, tail = 1, 0
    for k in range(min(first_only, second_only) + 1):
        tail += ways
        ways = ways * (n - k) // (k + 1)
    return min(1.0, 2 * tail / 2**n)
