"""What a model does not know: age intervals that hold, an honest probability of gender, and when to say "unsure".

Everything is fitted on calibration images into frozen parameters, which then apply to any images. The room needs NumPy
alone, so that any way of running a model (Keras, ONNX) can apply a calibration.
"""

from agegender.uncertainty.calibration import (
    KEY,
    UNSURE,
    CalibratedAnswers,
    Calibration,
    read_calibration,
)
from agegender.uncertainty.conformal import LEVEL, AgeIntervals, FittedIntervals, fit_intervals
from agegender.uncertainty.coverage import coverage_band
from agegender.uncertainty.selection import Candidate, chosen, compare_methods
from agegender.uncertainty.temperature import GenderTemperature, fit_temperature
from agegender.uncertainty.unsure import UnsureRule, fit_unsure

__all__ = [
    "KEY",
    "LEVEL",
    "UNSURE",
    "AgeIntervals",
    "CalibratedAnswers",
    "Calibration",
    "Candidate",
    "FittedIntervals",
    "GenderTemperature",
    "UnsureRule",
    "chosen",
    "compare_methods",
    "coverage_band",
    "fit_intervals",
    "fit_temperature",
    "fit_unsure",
    "read_calibration",
]
