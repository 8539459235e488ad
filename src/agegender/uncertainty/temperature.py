"""One number that makes a probability of gender honest: the logit is divided by a temperature.

A network trained to the end is surer than it is right; a temperature above 1 takes that back, and changes no answer.
Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from agegender.errors import InputError
from agegender.uncertainty.distribution import FloatArray

PROBABILITY_FLOOR = 1e-7
"""Probabilities are kept this far from 0 and 1 before their logit is taken, as Keras does in its loss."""

COLDEST, HOTTEST = 0.05, 20.0
"""Where the search ends: with not one wrong answer the likelihood asks for a temperature of 0."""

_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class GenderTemperature:
    """What `fit_temperature` found. Only fitting makes one.

    Attributes:
        temperature: The logit is divided by this; above 1 if the model was too sure.
        n: Calibration images.
        loss_before: Their mean cross-entropy in nats, as the model answers.
        loss_after: The same at this temperature; never more.
    """

    temperature: float
    n: int
    loss_before: float
    loss_after: float

    def apply(self, female_probability: npt.ArrayLike) -> FloatArray:
        """Calibrated probabilities of female, 0..1, float64 of shape (n,), from the model's own.

        Raises:
            InputError: Values outside 0..1, or another shape.
        """
        return sigmoid(logit(female_probability) / self.temperature)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> GenderTemperature:
        """What `dataclasses.asdict` made of one.

        Raises:
            InputError: It is something else.
        """
        try:
            fitted = cls(
                temperature=float(record["temperature"]),
                n=int(record["n"]),
                loss_before=float(record["loss_before"]),
                loss_after=float(record["loss_after"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"The record of the gender temperature is damaged ({error}). Calibrate again.") from error
        if not fitted.temperature > 0:
            raise InputError(f"A temperature is above 0. Received: {fitted.temperature}. Calibrate again.")
        return fitted


def fit_temperature(female_probability: npt.ArrayLike, female: npt.ArrayLike) -> GenderTemperature:
    """The temperature of the smallest cross-entropy on images that the model did not learn from.

    The cross-entropy is convex in 1 / temperature, so its slope is followed to 0 by halving.

    Args:
        female_probability: 0..1 as the model answers, shape (n,).
        female: Whether the label says female, booleans of shape (n,).

    Raises:
        InputError: Values outside 0..1, other shapes, or labels of one gender only.
    """
    logits = logit(female_probability)
    labels = checked_labels(female, len(logits))
    low, high = np.log(COLDEST), np.log(HOTTEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        too_sure = float(((sigmoid(logits / np.exp(middle)) - labels) * logits).mean()) > 0
        low, high = (middle, high) if too_sure else (low, middle)
    temperature = float(np.exp((low + high) / 2))
    before, after = cross_entropy(logits, labels), cross_entropy(logits / temperature, labels)
    if after > before:  # the floor of probabilities can make 1 a hair better
        temperature, after = 1.0, before
    return GenderTemperature(temperature, len(logits), before, after)


def logit(probability: npt.ArrayLike) -> FloatArray:
    """ln(p / (1 - p)) of probabilities, float64 of shape (n,), with p kept inside `PROBABILITY_FLOOR`.

    Raises:
        InputError: Values outside 0..1, or another shape.
    """
    rows = np.asarray(probability, dtype=np.float64)
    if rows.ndim != 1 or not rows.size or not ((rows >= 0) & (rows <= 1)).all():
        raise InputError(
            f"A probability of female has shape (n,) and lies in 0..1. Received: shape {rows.shape}. "
            "Give what the model's gender output answers."
        )
    rows = np.clip(rows, PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)
    return np.log(rows) - np.log1p(-rows)


def sigmoid(logits: FloatArray) -> FloatArray:
    """1 / (1 + exp(-z)), without overflow."""
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1 / (1 + small), small / (1 + small))


def cross_entropy(logits: FloatArray, labels: npt.NDArray[np.bool_]) -> float:
    """The mean binary cross-entropy in nats."""
    return float(np.logaddexp(0, np.where(labels, -logits, logits)).mean())


def checked_labels(female: npt.ArrayLike, n: int) -> npt.NDArray[np.bool_]:
    """Labels as booleans of shape (n,), of both genders.

    Raises:
        InputError: They are codes (which would hide what is meant), of another length, or of one gender only.
    """
    labels = np.asarray(female)
    if labels.dtype != np.bool_ or labels.shape != (n,):
        raise InputError(
            f"Gender labels are booleans of shape ({n},), true for female. Received: {labels.dtype} {labels.shape}."
        )
    if labels.all() or not labels.any():
        raise InputError("A calibration of gender needs images of both labels. Received: one only. Give others too.")
    return labels
