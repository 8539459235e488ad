"""Age thresholds, measured as age-assurance tests do: who under a legal age passes, and who above it is stopped.

A person passes if a score, the estimated age or the lower end of its interval, is at or above a challenge age C. For a
legal age L, a false positive is a person under L who passes, a false negative a person of L or more who does not. A
challenge age above L ("Challenge 25" for 18) buys fewer false positives with more false negatives.

Rates among everybody under L are flattered by babies, whom nobody takes for 18, so they are given for the years just
below L too (`NEAR_YEARS`).

Sources: NIST IR 8525, "Face Analysis Technology Evaluation: Age Estimation and Verification", 2024 (false positive
rate at a challenge age, mean absolute error, sign and spread of the error by age); ISO/IEC 27566-1, "Age assurance
systems, part 1: Framework" (false positive and false negative as the two errors of an age decision). The smallest
challenge age under a bound: Bates et al., "Distribution-Free, Risk-Controlling Prediction Sets", JACM 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agegender.labels import AGE_BANDS
from agegender.metrics.arrays import BoolArray, FloatArray, float_rows, same_length
from agegender.metrics.bootstrap import MEAN, RESAMPLES, Seed, Statistic, bootstrap_intervals
from agegender.metrics.proportions import binomial_interval, cases_needed, smallest_provable, upper_bound
from agegender.metrics.slices import slices_by_band
from agegender.types import Interval

LEGAL_AGES: tuple[int, ...] = (13, 16, 18, 21, 25)
"""Ages, in years, that laws and terms of use ask for."""

NEAR_YEARS = 5
"""How many years below a legal age count as just below it."""

CHALLENGE_AGES: tuple[float, ...] = tuple(np.arange(0.0, 80.25, 0.5).tolist())
"""Years; fixed before any data are seen, which the guarantee of `smallest_challenge_age` needs."""

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of errors among some people.

    Attributes:
        errors: How many.
        n: Among how many.
        interval: The share with its 95 % Clopper-Pearson interval, 0..1; None where there is nobody.
    """

    errors: int
    n: int
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What happens at one challenge age.

    Attributes:
        challenge: Years; who scores this or more passes.
        false_positive: Among everybody under the legal age.
        near_false_positive: Among those less than `NEAR_YEARS` years under it.
        false_negative: Among everybody at or above the legal age.
    """

    challenge: float
    false_positive: Rate
    near_false_positive: Rate
    false_negative: Rate


@dataclass(frozen=True, slots=True)
class SafeChallenge:
    """The smallest challenge age that keeps false positives under a bound, with confidence.

    Attributes:
        bound: The rate that was asked for, 0..1.
        confidence: That the true rate is not above it.
        near: Whether it was asked of those just under the legal age, not of everybody under it.
        n: How many of them there are.
        challenge: Years; None if none can be shown to be safe.
        upper_bound: Of the rate at that challenge age.
        false_negative: What it costs: the rate among those at or above the legal age.
        smallest_provable: The smallest bound that so few people can show at all, without one error among them.
        needed: How many people without an error would show the bound asked for.
    """

    bound: float
    confidence: float
    near: bool
    n: int
    challenge: float | None
    upper_bound: float | None
    false_negative: Rate | None
    smallest_provable: float | None
    needed: int


@dataclass(frozen=True, slots=True)
class BandErrors:
    """Errors of age in one band of true age, years.

    Attributes:
        name: Such as `10-17`.
        n: Images.
        few: Whether there are too few for the figures to mean much.
        mae: Mean absolute error.
        bias: Mean signed error; above 0 is taken for older.
        sd: Standard deviation of the signed error.
    """

    name: str
    n: int
    few: bool
    mae: Interval
    bias: Interval
    sd: Interval


def rate(errors: int, n: int) -> Rate:
    """A share of errors with its interval, if there is anybody."""
    return Rate(errors, n, binomial_interval(errors, n) if n else None)


def operating_point(
    ages: npt.ArrayLike, scores: npt.ArrayLike, legal_age: float, challenge_age: float
) -> OperatingPoint:
    """The error rates of one legal age at one challenge age.

    Args:
        ages: True ages in years, shape (n,).
        scores: Estimated ages, or lower ends of intervals, in years, shape (n,).
        legal_age: Years.
        challenge_age: Years.

    Raises:
        ValueError: Arrays that are empty, not finite or of different length.
    """
    return curve(ages, scores, legal_age, [challenge_age])[0]


def curve(
    ages: npt.ArrayLike, scores: npt.ArrayLike, legal_age: float, challenge_ages: Sequence[float] = CHALLENGE_AGES
) -> tuple[OperatingPoint, ...]:
    """The error rates of one legal age over challenge ages, in their order; see `operating_point`."""
    true, score = _checked(ages, scores)
    under, near = true < legal_age, _near(true, legal_age)
    points = []
    for challenge in challenge_ages:
        passes = score >= challenge
        points.append(
            OperatingPoint(
                challenge=float(challenge),
                false_positive=_share(passes, under),
                near_false_positive=_share(passes, near),
                false_negative=_share(~passes, ~under),
            )
        )
    return tuple(points)


def smallest_challenge_age(
    ages: npt.ArrayLike,
    scores: npt.ArrayLike,
    legal_age: float,
    *,
    bound: float,
    confidence: float = CONFIDENCE,
    near: bool = False,
    challenge_ages: Sequence[float] = CHALLENGE_AGES,
) -> SafeChallenge:
    """The smallest challenge age, at or above the legal age, whose false positive rate is shown to be under a bound.

    Challenge ages are tried from the highest down for as long as the upper Clopper-Pearson bound of the rate stays at
    or under `bound`. Since the true rate only grows on the way down, the one confidence holds for the choice as a
    whole, with no correction for the many that were tried (Bates et al. 2021).

    Args:
        ages: True ages in years, shape (n,).
        scores: Estimated ages, or lower ends of intervals, in years, shape (n,).
        legal_age: Years.
        bound: The largest false positive rate allowed, between 0 and 1.
        confidence: Between 0 and 1.
        near: Ask it of those just under the legal age, which is stricter.
        challenge_ages: What to choose from, fixed before the data were seen; ascending.

    Raises:
        ValueError: Arrays that are empty, not finite or of different length, or a bound out of range.
    """
    needed = cases_needed(bound, confidence=confidence)
    true, score = _checked(ages, scores)
    whom = _near(true, legal_age) if near else true < legal_age
    n = int(whom.sum())
    if not n:
        return SafeChallenge(bound, confidence, near, 0, None, None, None, None, needed)
    found: tuple[float, float] | None = None
    for challenge in sorted((c for c in challenge_ages if c >= legal_age), reverse=True):
        highest = upper_bound(int((score[whom] >= challenge).sum()), n, confidence=confidence)
        if highest > bound:
            break
        found = float(challenge), highest
    least = smallest_provable(n, confidence=confidence)
    if found is None:
        return SafeChallenge(bound, confidence, near, n, None, None, None, least, needed)
    false_negative = _share(score < found[0], true >= legal_age)
    return SafeChallenge(bound, confidence, near, n, *found, false_negative, least, needed)


def errors_by_band(
    ages: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    bands: Sequence[tuple[int, int]] = AGE_BANDS,
    seed: Seed = 0,
    resamples: int = RESAMPLES,
) -> tuple[BandErrors, ...]:
    """Mean absolute error, signed bias and standard deviation of the error in each band of true age.

    Args:
        ages: True ages in years, shape (n,).
        predicted: Estimated ages in years, shape (n,).
        bands: Inclusive whole bounds in years.
        seed: Of the bootstrap.
        resamples: Of the bootstrap.

    Raises:
        ValueError: Arrays that are empty, not finite or of different length, or an age in no band.
    """
    true, estimate = _checked(ages, predicted)
    found = []
    for part in slices_by_band("age", true, bands):
        errors = estimate[part.rows] - true[part.rows]
        columns = {"mae": (MEAN, np.abs(errors)), "bias": (MEAN, errors), "sd": (STANDARD_DEVIATION, errors)}
        intervals = bootstrap_intervals(columns, seed=seed, resamples=resamples)
        found.append(BandErrors(part.name, len(errors), part.few, **intervals))
    return tuple(found)


def weighted_sd(values: FloatArray, counts: FloatArray) -> FloatArray:
    """The standard deviation of (n,) values under each line of (r, n) counts, shape (r,); 0 for a single row."""
    n = counts.sum(axis=1)
    centred = values - values.mean()  # keeps the digits that the difference of two large squares would lose
    mean = counts @ centred / n
    variance = np.maximum(counts @ centred**2 / n - mean**2, 0)
    return np.sqrt(variance * n / np.maximum(n - 1, 1))


STANDARD_DEVIATION = Statistic(weighted_sd, smooth=True)


def _checked(ages: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    true, score = float_rows(ages, name="ages"), float_rows(scores, name="scores")
    same_length(true, score, names="ages and scores")
    return true, score


def _near(true: FloatArray, legal_age: float) -> BoolArray:
    return (true < legal_age) & (true >= legal_age - NEAR_YEARS)


def _share(wrong: BoolArray, among: BoolArray) -> Rate:
    return rate(int((wrong & among).sum()), int(among.sum()))
