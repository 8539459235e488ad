"""Noisy images are softened, clear ones pass as they are."""

from __future__ import annotations

import cv2
import keras
import numpy as np
import pytest

from agegender.errors import SettingError
from agegender.models.input_layers import IMAGE_SIZE
from agegender.models.noise_layers import NOISE_OF_MAGNITUDE, gaussian_matrix, noise_magnitudes, noise_softened
from agegender.models.probe_images import face_like_images

SHAPE = (IMAGE_SIZE, IMAGE_SIZE, 3)


@pytest.fixture(scope="module")
def clear() -> np.ndarray:
    """Faces without a camera's noise, in 0..1."""
    faces = face_like_images(4).astype(np.float32) / 255
    return np.stack([cv2.GaussianBlur(face, (0, 0), 1.5) for face in faces])


def noisy(images: np.ndarray, levels: float) -> np.ndarray:
    return images + np.random.default_rng(2).normal(0, levels / 255, images.shape).astype(np.float32)


@pytest.fixture(scope="module")
def softened() -> keras.Model:
    images = keras.Input(SHAPE)
    return keras.Model(images, noise_softened(images, 0.85))


@pytest.mark.parametrize("levels", [1.0, 5.0, 10.0, 20.0])
def test_the_noise_is_estimated(clear: np.ndarray, levels: float) -> None:
    images = keras.Input(SHAPE)
    estimate = keras.Model(images, noise_magnitudes(images))
    magnitudes = np.asarray(estimate(noisy(clear, levels)))
    assert magnitudes.shape == (4, 1, 1, 6)
    found = 255 * NOISE_OF_MAGNITUDE * magnitudes.sum(axis=-1).ravel() / 3
    np.testing.assert_allclose(found, levels, rtol=0.05, atol=0.2)


def test_clear_images_pass_as_they_are(softened: keras.Model, clear: np.ndarray) -> None:
    assert np.abs(np.asarray(softened(clear)) - clear).max() < 1e-3


@pytest.mark.parametrize("levels", [8.0, 20.0])
def test_noisy_images_are_blurred(softened: keras.Model, clear: np.ndarray, levels: float) -> None:
    given = noisy(clear, levels)
    blurred = np.stack([cv2.GaussianBlur(face, (9, 9), 0.85, borderType=cv2.BORDER_REPLICATE) for face in given])
    answer = np.asarray(softened(given))
    np.testing.assert_allclose(answer, blurred, atol=2e-3)
    assert np.std(answer - clear) < 0.5 * np.std(given - clear)


def test_the_order_of_channels_does_not_matter(softened: keras.Model, clear: np.ndarray) -> None:
    given = noisy(clear, 3.5)
    other = np.asarray(softened(given[..., ::-1]))[..., ::-1]
    np.testing.assert_allclose(other, np.asarray(softened(given)), atol=1e-5)


def test_without_a_blur_it_is_the_same_tensor() -> None:
    images = keras.Input(SHAPE)
    assert noise_softened(images, 0.0) is images


@pytest.mark.parametrize("pixels", [-0.5, 3.5, float("nan")])
def test_a_blur_that_leaves_no_face_is_refused(pixels: float) -> None:
    with pytest.raises(SettingError, match="from 0 to 3 pixels"):
        noise_softened(keras.Input(SHAPE), pixels)


def test_a_blur_keeps_the_mean() -> None:
    matrix = gaussian_matrix(16, 0.85)
    np.testing.assert_allclose(matrix.sum(axis=0), 1.0)
    np.testing.assert_allclose(matrix[:, 8] @ np.arange(16), 8.0)
