"""Sensitivity of a model whose answer is known: it reads brightness."""

from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from agegender.data.distortions import DISTORTIONS
from agegender.errors import SettingError
from agegender.evaluation.load import checked_model
from agegender.evaluation.sensitivity import measure_sensitivity, sensitivity_table

LIGHT = next(way for way in DISTORTIONS if way.name == "light")
TILT = next(way for way in DISTORTIONS if way.name == "tilt")


@pytest.fixture(scope="module")
def brightness_reader() -> Any:
    """Age is 100 times the mean of all pixels; female where that is above one half."""
    image = keras.Input((128, 128, 3))
    colour = keras.layers.GlobalAveragePooling2D()(image)
    age = keras.layers.Dense(1, use_bias=False, name="age")
    gender = keras.layers.Dense(1, "sigmoid", name="gender")
    model = keras.Model(image, [age(colour), gender(colour)])
    age.set_weights([np.full((3, 1), 100 / 3, np.float32)])
    gender.set_weights([np.full((3, 1), 200 / 3, np.float32), np.array([-100.0], np.float32)])
    return checked_model(model)


@pytest.fixture(scope="module")
def flat_images() -> np.ndarray:
    return np.stack([np.full((128, 128, 3), value, np.uint8) for value in (51, 102, 153, 204)])


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {"file": list("abcd"), "age": [20.0, 40.0, 60.0, 80.0], "gender": ["male", "male", "female", "female"]}
    )


def test_errors_are_those_of_the_changed_pixels(
    brightness_reader: Any, flat_images: np.ndarray, table: pd.DataFrame
) -> None:
    found = measure_sensitivity(
        brightness_reader, "A", table, flat_images, distortions=(LIGHT, TILT), batch_size=4, resamples=200
    )
    assert [condition.distortion for condition in found] == ["", *["light"] * 6, *["tilt"] * 6]
    assert found[0].mae.value == pytest.approx(0.0, abs=0.02)
    assert found[0].gender_accuracy.value == 1.0
    half = next(condition for condition in found if condition.level == 0.6)
    assert half.mae.value == pytest.approx(0.4 * 50, abs=0.2)
    assert half.mae_change.value == pytest.approx(half.mae.value, abs=0.02)
    assert half.mae_change.low < half.mae_change.value < half.mae_change.high
    assert not half.mild
    assert half.gender_change.value == pytest.approx(-0.5)  # 153 and 204 become 92 and 122, both below one half
    assert next(condition for condition in found if condition.level == 1.2).mild
    assert all(condition.mae_change.value == pytest.approx(0, abs=0.02) for condition in found[7:])


def test_the_table_has_a_row_a_condition(brightness_reader: Any, flat_images: np.ndarray, table: pd.DataFrame) -> None:
    found = measure_sensitivity(brightness_reader, "A", table, flat_images, distortions=(LIGHT,), resamples=100)
    rows = sensitivity_table(found)
    assert rows["level"].tolist() == [0.0, *LIGHT.levels]
    low, mae, high = (rows[name].to_numpy() for name in ("mae_low", "mae", "mae_high"))
    assert np.all(low <= mae)
    assert np.all(mae <= high)


def test_no_image_is_refused(brightness_reader: Any, flat_images: np.ndarray, table: pd.DataFrame) -> None:
    with pytest.raises(SettingError, match="No image"):
        measure_sensitivity(brightness_reader, "A", table.iloc[:0], flat_images[:0])
