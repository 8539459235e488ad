"""Channel order and mirroring by plain layers."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from agegender.models.input_layers import IMAGE_SIZE, affine_colours, mirrored, red_first, resized

SHAPE = (IMAGE_SIZE, IMAGE_SIZE, 3)


@pytest.fixture(scope="module")
def order_model() -> keras.Model:
    images = keras.Input(SHAPE)
    return keras.Model(images, red_first(images))


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((4, *SHAPE), dtype=np.float32)


def test_red_is_put_first_whatever_comes(order_model: keras.Model) -> None:
    reddish = noise(0) * np.array([1.0, 0.8, 0.6], dtype=np.float32)
    np.testing.assert_array_equal(order_model.predict(reddish, verbose="0"), reddish)
    np.testing.assert_array_equal(order_model.predict(reddish[..., ::-1], verbose="0"), reddish)


@pytest.mark.parametrize("gains", [(0.6, 0.8, 1.0), (1.0, 1.0, 1.0), (0.9999, 1.0, 1.0)])
def test_both_orders_of_any_image_give_the_same(order_model: keras.Model, gains: tuple[float, ...]) -> None:
    images = noise(1) * np.array(gains, dtype=np.float32)
    first = order_model.predict(images, verbose="0")
    second = order_model.predict(images[..., ::-1], verbose="0")
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_grey_stays_grey(order_model: keras.Model) -> None:
    grey = np.repeat(noise(2)[..., :1], 3, axis=-1)
    np.testing.assert_allclose(order_model.predict(grey, verbose="0"), grey, atol=1e-6)


def test_a_blue_border_does_not_count(order_model: keras.Model) -> None:
    images = np.zeros((1, *SHAPE), dtype=np.float32)
    images[..., 2] = 1.0
    images[:, 32:96, 32:96] = (0.7, 0.5, 0.4)
    np.testing.assert_array_equal(order_model.predict(images, verbose="0"), images)


def test_mirrored_is_the_mirror_image() -> None:
    images = keras.Input(SHAPE)
    model = keras.Model(images, mirrored(images))
    values = noise(3)
    np.testing.assert_array_equal(model.predict(values, verbose="0"), values[:, :, ::-1])


def test_affine_colours() -> None:
    matrix, offset = np.arange(9.0).reshape(3, 3), np.array([1.0, -2.0, 0.5])
    images = keras.Input(SHAPE)
    model = keras.Model(images, affine_colours(images, matrix, offset, "colours"))
    values = noise(4)
    np.testing.assert_allclose(model.predict(values, verbose="0"), values @ matrix + offset, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("side", [64, 96, 160, 192])
def test_resized_is_cubic_interpolation(side: int) -> None:
    from PIL import Image

    images = keras.Input(SHAPE)
    model = keras.Model(images, resized(images, side))
    values = noise(4)
    answer = model.predict(values, verbose="0")
    wanted = np.stack(
        [
            np.stack(
                [
                    np.asarray(Image.fromarray(channel).resize((side, side), Image.Resampling.BICUBIC))
                    for channel in image
                ],
                -1,
            )
            for image in np.moveaxis(values, -1, 1)
        ]
    )
    assert answer.shape == (4, side, side, 3)
    inner = slice(4, -4)  # beyond the border Pillow leaves pixels out where this repeats the last one
    np.testing.assert_allclose(answer[:, inner, inner], wanted[:, inner, inner], atol=1e-5)
    assert answer.min() > -0.6
    assert answer.max() < 1.6


def test_resized_to_the_same_side_is_the_same_tensor() -> None:
    images = keras.Input(SHAPE)
    assert resized(images, IMAGE_SIZE) is images
