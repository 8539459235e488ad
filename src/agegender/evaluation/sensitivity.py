"""What input a model wants: how its errors grow as the same images are tilted, blurred, darkened, cropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from agegender.data.distortions import DISTORTIONS, Distortion
from agegender.errors import SettingError
from agegender.evaluation.evaluate import SEED, absolute_errors, right_genders
from agegender.evaluation.load import LoadedModel
from agegender.evaluation.predict import BATCH_SIZE, predict_faces, prediction_table
from agegender.metrics.bootstrap import MEAN, RESAMPLES, bootstrap_intervals
from agegender.types import Interval, Progress, silent


@dataclass(frozen=True, slots=True)
class Condition:
    """One model measured on images changed in one way.

    Attributes:
        model: Its name.
        distortion: Name of the distortion; empty for the images as they are.
        level: Of the distortion, in its unit; 0 for the images as they are.
        mild: Whether users meet this every day.
        mae: Mean absolute error of age, years.
        mae_change: That minus the same images' unchanged, years, paired by image; above 0 is worse.
        gender_accuracy: 0..1.
        gender_change: That minus the same images' unchanged, -1..1; below 0 is worse.
    """

    model: str
    distortion: str
    level: float
    mild: bool
    mae: Interval
    mae_change: Interval
    gender_accuracy: Interval
    gender_change: Interval


def measure_sensitivity(
    model: LoadedModel,
    name: str,
    table: pd.DataFrame,
    images: npt.NDArray[np.uint8],
    *,
    distortions: Sequence[Distortion] = DISTORTIONS,
    batch_size: int = BATCH_SIZE,
    seed: int = SEED,
    resamples: int = RESAMPLES,
    progress: Progress = silent,
) -> tuple[Condition, ...]:
    """Measure a model on images as they are and changed in every way.

    Args:
        model: From `load_model`.
        name: What to call it.
        table: Labels, one row an image.
        images: (n, 128, 128, 3) uint8, RGB.
        distortions: Ways of changing them.
        batch_size: Images a forward pass.
        seed: Of noise and bootstraps.
        resamples: Of the bootstraps.
        progress: Shows how far it is.

    Returns:
        The images as they are first, then a condition a distortion and level, in order.

    Raises:
        SettingError: No image.
    """
    if not len(images):
        raise SettingError("No image to measure sensitivity on.")
    conditions = [(None, 0.0), *((way, float(level)) for way in distortions for level in way.levels)]
    plain: tuple[np.ndarray, np.ndarray] | None = None
    measured = []
    for way, level in progress(conditions, total=len(conditions), title=f"Sensitivity of {name}"):
        changed = images if way is None else way.apply(images, level, seed)
        answers = prediction_table(table, predict_faces(model, changed, batch_size=batch_size)["rgb"])
        errors, right = absolute_errors(answers), right_genders(answers).astype(np.float64)
        plain = plain or (errors, right)
        columns = {"mae": errors, "mae_change": errors - plain[0], "gender": right, "gender_change": right - plain[1]}
        found = bootstrap_intervals(
            {key: (MEAN, values) for key, values in columns.items()}, seed=seed, resamples=resamples
        )
        measured.append(
            Condition(
                model=name,
                distortion="" if way is None else way.name,
                level=level,
                mild=way is not None and level in way.mild,
                mae=found["mae"],
                mae_change=found["mae_change"],
                gender_accuracy=found["gender"],
                gender_change=found["gender_change"],
            )
        )
    return tuple(measured)


def sensitivity_table(conditions: Sequence[Condition]) -> pd.DataFrame:
    """One row a condition, each interval as three columns (`mae`, `mae_low`, `mae_high`), for CSV."""
    rows = []
    for condition in conditions:
        row: dict[str, object] = {key: getattr(condition, key) for key in ("model", "distortion", "level", "mild")}
        for key in ("mae", "mae_change", "gender_accuracy", "gender_change"):
            interval: Interval = getattr(condition, key)
            row |= {key: interval.value, f"{key}_low": interval.low, f"{key}_high": interval.high}
        rows.append(row)
    return pd.DataFrame(rows)
