"""Results with known numbers for the figures: made up here, never quoted anywhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from agegender.evaluation.evaluate import EvaluationResult, evaluate_predictions


@pytest.fixture
def history() -> pd.DataFrame:
    """12 epochs in three phases; at the last one training and validation differ by known amounts."""
    epochs = np.arange(1, 13)
    fall = np.exp(-epochs / 4)
    frame = pd.DataFrame(
        {
            "epoch": epochs,
            "phase": ["heads"] * 3 + ["top"] * 3 + ["all"] * 6,
            "train_age_mae": 4 + 10 * fall,
            "train_age_loss": 3 + 2 * fall,
            "train_gender_loss": 0.2 + 0.5 * fall,
            "train_gender_accuracy": 0.95 - 0.4 * fall,
            "validation_age_mae": 4.5 + 10 * fall,
            "validation_age_loss": 3.1 + 2 * fall,
            "validation_gender_loss": 0.25 + 0.5 * fall,
            "validation_gender_accuracy": 0.93 - 0.4 * fall,
        }
    )
    last = frame.index[-1]
    frame.loc[last, ["train_age_mae", "validation_age_mae"]] = [4.124, 4.966]
    frame.loc[last, ["train_age_loss", "validation_age_loss"]] = [3.1004, 3.0996]
    frame.loc[last, ["train_gender_loss", "validation_gender_loss"]] = [0.2344, 0.2341]
    frame.loc[last, ["train_gender_accuracy", "validation_gender_accuracy"]] = [0.9312, 0.9158]
    return frame


@pytest.fixture
def predictions() -> pd.DataFrame:
    """200 answers over all age bands, a few of gender wrong, with a group column."""
    rng = np.random.default_rng(5)
    ages = rng.integers(0, 95, 200)
    female = rng.random(200) < 0.5
    chance = np.where(female, 0.9, 0.1)
    chance[[3, 50, 120]] = 1 - chance[[3, 50, 120]]
    chance[50] = 0.999 if not female[50] else 0.001
    return pd.DataFrame(
        {
            "file": [f"{index:03d}.jpg" for index in range(200)],
            "age": ages.astype(np.int16),
            "gender": pd.Categorical(np.where(female, "female", "male"), ["male", "female"]),
            "race": pd.Categorical(rng.choice(["White", "Black"], 200)),
            "predicted_age": ages + rng.normal(0.5, 4, 200),
            "female_probability": chance,
        }
    )


@pytest.fixture
def result(predictions: pd.DataFrame) -> EvaluationResult:
    return evaluate_predictions(predictions, model="A", resamples=200)


@pytest.fixture
def faces() -> np.ndarray:
    """30 distinct pictures, uint8 (30, 128, 128, 3)."""
    return np.random.default_rng(6).integers(0, 256, (30, 128, 128, 3), dtype=np.uint8)


class Texts:
    """Reads what stands in a figure, and where."""

    @staticmethod
    def of(figure: Figure) -> list[str]:
        """Every visible text but the numbers of the ticks, which only drawing makes."""
        return [artist.get_text() for artist in visible_texts(figure)]

    @staticmethod
    def boxes(figure: Figure) -> dict[str, list[float]]:
        """Where each text lies once drawn, in pixels: left, bottom, right, top."""
        FigureCanvasAgg(figure).draw()
        return {
            artist.get_text(): list(map(float, artist.get_window_extent().extents)) for artist in visible_texts(figure)
        }


def visible_texts(figure: Figure) -> list[Text]:
    found = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [artist for artist in found if isinstance(artist, Text) and artist.get_text()]


@pytest.fixture
def texts() -> type[Texts]:
    return Texts
