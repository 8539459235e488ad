"""The one place where a manifest's calibration meets a model's answers; without one there is no interval."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from agegender.inference.predictor import Answers
from agegender.inference.results import AgeInterval

UNSURE_BELOW = 0.8
"""Where nothing was calibrated, a gender that is answered with a lower probability is marked unsure."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Answers as they are given to people, row i for face i.

    Attributes:
        intervals: Of age; None where the model was not calibrated.
        female_probability: Calibrated where it was, 0..1, shape (n,).
        unsure_gender: The gender should not be relied on, shape (n,).
    """

    intervals: tuple[AgeInterval | None, ...]
    female_probability: npt.NDArray[np.float64]
    unsure_gender: npt.NDArray[np.bool_]


class Calibrator:
    """Reads a model's answers by its calibration (`agegender.uncertainty`), or as they are."""

    def __init__(self, record: dict[str, Any] | None) -> None:
        """Read the parameters.

        Args:
            record: What the manifest holds; None: not calibrated. It was fitted on the Keras model's answers, which the
                exported files give within the limits of `export.parity`.

        Raises:
            InputError: The record is damaged or of another version.
        """
        self._calibration: Any = None
        if record is not None:
            # Only models that were calibrated need that room.
            self._calibration = importlib.import_module("agegender.uncertainty").Calibration.from_record(record)

    def read(self, answers: Answers) -> Reading:
        """Intervals, probabilities and what is unsure, of n faces."""
        female = answers.female_probability
        if self._calibration is None or not len(female):
            unsure = np.maximum(female, 1 - female) < UNSURE_BELOW
            return Reading((None,) * len(female), female, unsure)
        distribution = answers.age_distribution.astype(np.float64)
        # In 8 bits and float32 a line's sum is 1 but for rounding; a calibration asks for it exactly.
        distribution /= distribution.sum(axis=1, keepdims=True)
        given = self._calibration.apply(answers.age, distribution, female)
        level = float(self._calibration.intervals.level)
        return Reading(
            tuple(
                AgeInterval(float(low), float(high), level)
                for low, high in zip(given.intervals.low, given.intervals.high, strict=True)
            ),
            np.asarray(given.female_probability, dtype=np.float64),
            ~self._calibration.unsure.answers(female),
        )
