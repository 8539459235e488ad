"""When to say "unsure" of a gender: a bound on the share of errors among the answers that are given.

An answer is given if the model's probability is far enough from one half. How far is read off calibration images: for
each of 24 distances, fixed before any data are seen, the share of errors among the answered has an exact upper bound;
the smallest distance whose bound is under the risk asked for is taken. The bounds hold for all 24 at once (each at a
24th of the error probability), so the choice among them costs nothing more.

Source: Geifman, El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS 2017 (SGR). Its binary search
asks of about 10 distances, which depend on the data; a fixed grid with the union over all of it needs no more images
and leaves no doubt about that. Bound: Clopper, Pearson, Biometrika 1934.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from agegender.errors import InputError, SettingError
from agegender.metrics.proportions import upper_bound
from agegender.uncertainty.temperature import checked_labels, logit, sigmoid

RISK = 0.05
CONFIDENCE = 0.95

DISTANCES: tuple[float, ...] = tuple((np.arange(24) / 3).tolist())
"""Sizes of the model's own logit, before any temperature: 0 answers always, 7.67 from a probability of 0.9995 on."""


@dataclass(frozen=True, slots=True)
class UnsureRule:
    """What `fit_unsure` found. Only fitting makes one.

    Attributes:
        distance: The smallest size of the model's own logit that is answered; None: nothing is.
        risk: The share of errors among answers that was asked for, 0..1.
        confidence: That the true share is not above it.
        n: Calibration images.
        answered: Of them, how many are answered.
        errors: Of these, how many are wrong.
        bound: Upper bound of the share of errors among answers, at `confidence`; None where nothing is answered.
    """

    distance: float | None
    risk: float
    confidence: float
    n: int
    answered: int
    errors: int
    bound: float | None

    @property
    def least_probability(self) -> float | None:
        """How probable, by the model's own answer, a gender must at least be; None where nothing is answered."""
        return None if self.distance is None else float(sigmoid(np.array([self.distance]))[0])

    def answers(self, female_probability: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which images get an answer, shape (n,).

        Args:
            female_probability: The model's own, before any temperature, 0..1, shape (n,).

        Raises:
            InputError: Values outside 0..1, or another shape.
        """
        size = np.abs(logit(female_probability))
        return np.zeros(len(size), dtype=bool) if self.distance is None else size >= self.distance

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> UnsureRule:
        """What `dataclasses.asdict` made of one.

        Raises:
            InputError: It is something else.
        """
        try:
            return cls(
                distance=None if record["distance"] is None else float(record["distance"]),
                risk=float(record["risk"]),
                confidence=float(record["confidence"]),
                n=int(record["n"]),
                answered=int(record["answered"]),
                errors=int(record["errors"]),
                bound=None if record["bound"] is None else float(record["bound"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f'The record of the "unsure" rule is damaged ({error}). Calibrate again.') from error


def fit_unsure(
    female_probability: npt.ArrayLike,
    female: npt.ArrayLike,
    *,
    risk: float = RISK,
    confidence: float = CONFIDENCE,
) -> UnsureRule:
    """Find from which probability on a gender may be answered.

    Args:
        female_probability: 0..1 as the model answers, shape (n,).
        female: Whether the label says female, booleans of shape (n,).
        risk: Largest share of errors among answers, between 0 and 1.
        confidence: That it is kept, between 0 and 1.

    Raises:
        SettingError: A risk or confidence out of range.
        InputError: Values outside 0..1, other shapes, or labels of one gender only.
    """
    if not 0 < risk < 1 or not 0 < confidence < 1:
        raise SettingError(f"Risk and confidence lie between 0 and 1. Received: {risk} and {confidence}")
    logits = logit(female_probability)
    wrong = (logits >= 0) != checked_labels(female, len(logits))
    each = 1 - (1 - confidence) / len(DISTANCES)
    for distance in DISTANCES:
        answered = np.abs(logits) >= distance
        n, errors = int(answered.sum()), int((wrong & answered).sum())
        if not n:
            break
        bound = upper_bound(errors, n, confidence=each)
        if bound <= risk:
            return UnsureRule(distance, risk, confidence, len(logits), n, errors, bound)
    return UnsureRule(None, risk, confidence, len(logits), 0, 0, None)
