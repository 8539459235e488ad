"""What the figures ask of a prediction table: its columns are there, it has rows, and its numbers can be drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from agegender.errors import InputError
from agegender.labels import Gender
from agegender.metrics import answered_female

AGE_COLUMNS = ("age", "predicted_age")
GENDER_COLUMNS = ("gender", "female_probability")


def require_columns(predictions: pd.DataFrame, columns: Sequence[str]) -> None:
    """Check a prediction table before it is drawn.

    Raises:
        InputError: A column is missing, there is no row, or a number is not finite.
    """
    missing = [column for column in columns if column not in predictions]
    if missing:
        raise InputError(
            f"The prediction table lacks the columns {missing}. Received: {list(predictions.columns)}. "
            "Write it with `agegender evaluate`."
        )
    if predictions.empty:
        raise InputError("The prediction table has no row, so there is nothing to draw. Evaluate at least one image.")
    for column in set(columns) & {"age", "predicted_age", "female_probability"}:
        bad = int((~np.isfinite(predictions[column].to_numpy(float))).sum())
        if bad:
            raise InputError(
                f"{bad} of {len(predictions)} values of {column} are not finite. Check the model's answers."
            )


def answered_genders(predictions: pd.DataFrame) -> np.ndarray:
    """The gender that the model answers for each row, names of shape (n,)."""
    female = answered_female(predictions["female_probability"].to_numpy(float))
    return np.where(female, Gender.FEMALE.value, Gender.MALE.value)
