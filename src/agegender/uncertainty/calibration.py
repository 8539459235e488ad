"""A model's whole calibration, as its sidecar holds it: age intervals, gender temperature, the "unsure" rule.

The order is fixed: fit, write, read, apply. There is nothing to apply before something was fitted, and a file that
changed after its calibration is refused.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agegender.artifacts import read_json, sha256_file
from agegender.errors import InputError, NotCalibratedError
from agegender.labels import FEMALE_THRESHOLD, Gender
from agegender.uncertainty.conformal import AgeIntervals, FittedIntervals
from agegender.uncertainty.distribution import FloatArray
from agegender.uncertainty.temperature import GenderTemperature
from agegender.uncertainty.unsure import UnsureRule

KEY = "calibration"
"""Under which a sidecar holds it."""

VERSION = 1

UNSURE = "unsure"
"""The third answer to the question of gender."""


@dataclass(frozen=True, slots=True, eq=False)
class CalibratedAnswers:
    """What a calibrated model says of some images, row i for image i.

    Attributes:
        intervals: Of age, whole years.
        female_probability: Calibrated, 0..1, float64 of shape (n,).
        gender: `male`, `female` or `unsure`, shape (n,).
    """

    intervals: AgeIntervals
    female_probability: FloatArray
    gender: npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Everything fitted on one model's calibration images.

    Attributes:
        intervals: Of age.
        temperature: Of gender.
        unsure: When gender is answered.
        baselines: Simpler intervals fitted on the same images, to compare with; never given as an answer.
        model_sha256: The model file that it belongs to.
        calibrated_on: Which images: `set`, `data`, `n` and more, plain JSON values.
    """

    intervals: FittedIntervals
    temperature: GenderTemperature
    unsure: UnsureRule
    baselines: tuple[FittedIntervals, ...]
    model_sha256: str
    calibrated_on: dict[str, Any]

    def apply(
        self, predicted: npt.ArrayLike, distribution: npt.ArrayLike, female_probability: npt.ArrayLike
    ) -> CalibratedAnswers:
        """From a model's raw answers to calibrated ones.

        Args:
            predicted: Ages in years as the model answers them, shape (n,).
            distribution: Its distributions over ages, shape (n, 117).
            female_probability: As the model answers, 0..1, shape (n,).

        Raises:
            InputError: Other shapes, or lines that are no distributions.
        """
        raw = np.asarray(female_probability, dtype=np.float64)
        answered = self.unsure.answers(raw)
        names = np.where(raw >= FEMALE_THRESHOLD, str(Gender.FEMALE), str(Gender.MALE))
        return CalibratedAnswers(
            intervals=self.intervals.apply(predicted, distribution),
            female_probability=self.temperature.apply(raw),
            gender=np.where(answered, names, UNSURE),
        )

    def as_record(self) -> dict[str, Any]:
        """As a sidecar holds it."""
        return {
            "version": VERSION,
            "model_sha256": self.model_sha256,
            "calibrated_on": self.calibrated_on,
            "age": self.intervals.as_record(),
            "baselines": [baseline.as_record() for baseline in self.baselines],
            "gender": {"temperature": asdict(self.temperature), "unsure": asdict(self.unsure)},
        }

    @classmethod
    def from_record(cls, record: Any) -> Calibration:
        """What `as_record` gave; further keys are passed over.

        Raises:
            InputError: It is something else, or of another version.
        """
        if not isinstance(record, dict) or record.get("version") != VERSION:
            received = record.get("version") if isinstance(record, dict) else type(record).__name__
            raise InputError(
                f"Expected a calibration of version {VERSION}. Received: {received!r}. Calibrate again with this "
                "version: agegender calibrate."
            )
        try:
            return cls(
                intervals=FittedIntervals.from_record(record["age"]),
                temperature=GenderTemperature.from_record(record["gender"]["temperature"]),
                unsure=UnsureRule.from_record(record["gender"]["unsure"]),
                baselines=tuple(FittedIntervals.from_record(part) for part in record["baselines"]),
                model_sha256=str(record["model_sha256"]),
                calibrated_on=dict(record["calibrated_on"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"The calibration lacks a part ({error!r}). Calibrate again.") from error


def read_calibration(model_file: str | Path) -> Calibration:
    """The calibration in a model's sidecar, known to be of this very file.

    Args:
        model_file: A `.keras` file; its sidecar has the same name with `.json`.

    Raises:
        NotCalibratedError: There is no sidecar, no calibration in it, or the file has changed since.
        InputError: The sidecar or the calibration is damaged.
    """
    model_file = Path(model_file)
    sidecar = model_file.with_suffix(".json")
    try:
        record = read_json(sidecar) if sidecar.is_file() else {}
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"The sidecar {sidecar} cannot be read ({error}). Put the right one there.") from error
    if not isinstance(record, dict) or KEY not in record:
        raise NotCalibratedError(
            f"{model_file.name} is not calibrated: {sidecar.name} holds no {KEY}. An interval before calibration would "
            f"promise nothing. Run first: agegender calibrate {model_file.name} --data FOLDER --split split.json"
        )
    calibration = Calibration.from_record(record[KEY])
    digest = sha256_file(model_file)
    if calibration.model_sha256 != digest:
        raise NotCalibratedError(
            f"{model_file.name} has changed since it was calibrated (sha256 was "
            f"{calibration.model_sha256[:12]}..., is {digest[:12]}...). Run again: agegender calibrate"
        )
    return calibration
