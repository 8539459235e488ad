"""The randomisation check: it passes where maps come from what was learnt, and fails where they show the image."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest

from agegender.errors import SettingError
from agegender.evaluation.explain import explain_faces
from agegender.evaluation.load import LoadedModel, checked_model
from agegender.evaluation.sanity import check_sanity, rank_correlation, redrawn_weights
from agegender.models.custom_cnn import CustomCnn, build_custom_cnn
from agegender.models.probe_images import face_like_images

FACES = face_like_images(4, seed=9)


@pytest.fixture(scope="module")
def small_network() -> LoadedModel:
    keras.utils.set_random_seed(5)
    plan = CustomCnn(stem_channels=(8, 8), stage_channels=(8, 16, 16), stage_blocks=(1, 1, 1))
    return checked_model(build_custom_cnn(plan).contract)


def answers(model: LoadedModel) -> list[np.ndarray]:
    return model.keras_model.predict(FACES / np.float32(255), verbose=0)


def test_maps_change_when_weights_are_random_and_the_weights_come_back(small_network: LoadedModel) -> None:
    before = answers(small_network)
    explained = explain_faces(small_network, FACES)
    first = check_sanity(small_network, FACES, explained, redraws=2, seed=1)
    assert [result.output for result in first] == ["age", "gender"]
    for result in first:
        assert (result.compared, result.not_compared) == (8, 0)
        assert -0.9 < result.correlation < 0.9
        assert 0.3 < result.redrawn_share < 1
    assert first == check_sanity(small_network, FACES, explained, redraws=2, seed=1), "the seed decides"
    for one, other in zip(before, answers(small_network), strict=True):
        np.testing.assert_array_equal(one, other)


def test_random_weights_change_what_is_learnt_and_nothing_that_is_built_in(small_network: LoadedModel) -> None:
    model = small_network.keras_model
    trunk = model.get_layer("custom_trunk")
    built_in = [model.get_layer(name) for name in ("order_reversed", "mirror_columns", "age")]
    learnt = [trunk.get_layer("stem1_conv"), trunk.get_layer("stage2_block1_second_norm"), model.get_layer("gender")]
    former = [layer.get_weights() for layer in (*built_in, *learnt)]
    plain = explain_faces(small_network, FACES)
    with redrawn_weights(small_network, seed=3):
        now = [layer.get_weights() for layer in (*built_in, *learnt)]
        other = explain_faces(small_network, FACES)
    same = [all(map(np.array_equal, one, two)) for one, two in zip(former, now, strict=True)]
    assert same == [True] * 3 + [False] * 3
    assert np.all(np.abs(plain.age.cells - other.age.cells).max(axis=(1, 2)) > 0)
    with pytest.raises(ZeroDivisionError), redrawn_weights(small_network, seed=3):
        raise ZeroDivisionError
    for layer, weights in zip((*built_in, *learnt), former, strict=True):
        for one, two in zip(layer.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(one, two)


def test_a_frozen_trunk_is_drawn_anew_where_it_looks_at_several_pixels() -> None:
    image = keras.Input((128, 128, 3))
    spatial = keras.layers.Conv2D(4, 8, strides=8, trainable=False, name="spatial")
    depthwise = keras.layers.DepthwiseConv2D(3, trainable=False, name="depthwise")
    x = keras.layers.GlobalAveragePooling2D()(depthwise(spatial(image)))
    model = keras.Model(
        image, [keras.layers.Dense(1, name="age")(x), keras.layers.Dense(1, "sigmoid", name="gender")(x)]
    )
    kernels = [layer.get_weights()[0] for layer in (spatial, depthwise)]
    with redrawn_weights(checked_model(model), seed=0) as share:
        redrawn = [layer.get_weights()[0] for layer in (spatial, depthwise)]
    assert share == 1
    assert not any(map(np.array_equal, kernels, redrawn))
    assert redrawn[0].std() == pytest.approx(math.sqrt(2 / (8 * 8 * 3)), rel=0.1)
    assert redrawn[1].std() == pytest.approx(math.sqrt(2 / 9), rel=0.4)


def test_maps_that_only_show_the_image_fail() -> None:
    """A network of pixels alone: on grey images each map is the image times one number, whatever the weights are."""
    image = keras.Input((128, 128, 3))
    colour = keras.layers.GlobalAveragePooling2D()(image)
    age, gender = keras.layers.Dense(1, name="age"), keras.layers.Dense(1, "sigmoid", name="gender")
    model = checked_model(keras.Model(image, [age(colour), gender(colour)]))
    grey = FACES.mean(axis=-1, keepdims=True).round().astype(np.uint8).repeat(3, axis=-1)
    for result in check_sanity(model, grey, explain_faces(model, grey), redraws=3):
        assert result.correlation_without_sign == pytest.approx(1.0, abs=1e-3)
        assert not result.passed


def test_flat_maps_are_counted_and_not_compared() -> None:
    """Its age reads every cell with weight zero, so there is nothing to rank."""
    image = keras.Input((128, 128, 3))
    x = keras.layers.Flatten()(keras.layers.Conv2D(2, 16, strides=16)(image))
    age = keras.layers.Dense(1, name="age", kernel_initializer="zeros")
    model = checked_model(keras.Model(image, [age(x), keras.layers.Dense(1, "sigmoid", name="gender")(x)]))
    flat, sloped = check_sanity(model, FACES, explain_faces(model, FACES), redraws=2)
    assert (flat.compared, flat.not_compared) == (0, 8)
    assert math.isnan(flat.correlation)
    assert not flat.passed
    assert sloped.compared == 8


def test_rank_correlation_is_spearmans() -> None:
    # Ranks 1, 2.5, 2.5, 4 and 2, 1, 3, 4: deviations multiply to 3, their squares sum to 4.5 and 5; 3 / sqrt(22.5).
    assert rank_correlation(np.array([0.1, 5.0, 5.0, 7.0]), np.array([3.0, 2.0, 8.0, 9.0])) == pytest.approx(0.6324555)
    rising = np.arange(12.0).reshape(3, 4)
    assert rank_correlation(rising, np.exp(rising)) == pytest.approx(1.0)
    assert rank_correlation(rising, -rising) == pytest.approx(-1.0)
    assert math.isnan(rank_correlation(rising, np.ones((3, 4))))


def test_senseless_settings_are_refused(small_network: LoadedModel) -> None:
    explained = explain_faces(small_network, FACES[:2])
    with pytest.raises(SettingError, match="At least 1 redraw"):
        check_sanity(small_network, FACES[:2], explained, redraws=0)
    with pytest.raises(SettingError, match="2 explained for 4 images"):
        check_sanity(small_network, FACES, explained)
