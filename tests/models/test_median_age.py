"""The median of a distribution by two fixed layers."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from agegender.errors import SettingError
from agegender.models.age_targets import AGE_BINS, BIN_AGES, age_distribution_targets
from agegender.models.custom_cnn import CustomCnn, build_custom_cnn
from agegender.models.network import median_age

SMALL = CustomCnn(stem_channels=(8, 8), stage_channels=(8, 16), stage_blocks=(1, 1), age_readout="median")


@pytest.fixture(scope="module")
def reader() -> keras.Model:
    distribution = keras.Input((AGE_BINS,))
    return keras.Model(distribution, median_age(distribution))


def test_of_a_symmetric_bump_it_is_its_centre(reader: keras.Model) -> None:
    ages = np.array([0.0, 1.0, 5.0, 18.0, 30.5, 47.0, 90.0], dtype=np.float32)
    answers = np.asarray(reader(age_distribution_targets(ages, 6.0)))[:, 0]
    np.testing.assert_allclose(answers[1:], ages[1:], atol=0.1)
    assert 0 <= answers[0] < 0.5


def test_a_long_tail_draws_it_less_than_the_mean(reader: keras.Model) -> None:
    bumps = age_distribution_targets(np.array([30.0, 70.0]), 4.0)
    mixed = (0.8 * bumps[0] + 0.2 * bumps[1])[None].astype("float32")
    median = float(np.asarray(reader(mixed))[0, 0])
    cumulative = np.cumsum(mixed[0])
    exact = np.interp(0.5, cumulative, BIN_AGES + 0.5)
    assert median == pytest.approx(exact, abs=0.3)
    assert median < float(mixed[0] @ BIN_AGES) - 6


def test_a_saved_model_may_read_the_median_and_training_takes_the_mean() -> None:
    keras.utils.set_random_seed(1)
    network = build_custom_cnn(SMALL)
    pixels = np.random.default_rng(0).random((4, 128, 128, 3), dtype=np.float32)
    learnt = network.training(pixels)
    np.testing.assert_allclose(
        np.asarray(learnt["age"])[:, 0], np.asarray(learnt["age_distribution"]) @ BIN_AGES, rtol=1e-4
    )
    answers, _ = network.contract(pixels)
    inner = keras.Model(network.contract.input, network.contract.get_layer("age_below_median").input)
    np.testing.assert_allclose(np.asarray(answers), np.asarray(median_of(inner(pixels))), atol=0.3)


def median_of(distributions: object) -> np.ndarray:
    rows = np.asarray(distributions)
    return np.array([[np.interp(0.5, np.cumsum(row), BIN_AGES + 0.5)] for row in rows])


def test_another_readout_is_refused() -> None:
    with pytest.raises(SettingError, match="mean or median"):
        build_custom_cnn(CustomCnn(age_readout="mode"))
