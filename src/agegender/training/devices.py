"""One training over all devices of a machine: `keras.distribution`'s data parallelism, and nothing of our own.

Each device holds every weight and gets an equal part of each batch. JAX computes as if there were one large device:
loss, gradient and the statistics of batch norm are those of the whole batch, so that more devices change a result by
rounding alone. While a distribution is in force (`with every_device().scope():`), whatever Keras builds and fits is
spread.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from agegender.errors import SettingError

BACKEND = "jax"


def every_device() -> keras.distribution.DataParallel:
    """Data parallelism over all devices of the kind that the backend prefers: GPUs if there are any.

    Raises:
        SettingError: The backend is not JAX, or there is one device.
    """
    backend = keras.backend.backend()
    if backend != BACKEND:
        raise SettingError(
            f"--distribute trains on several devices through keras.distribution, which needs the backend {BACKEND}. "
            f"Received: the backend {backend}. Install agegender[jax] and set KERAS_BACKEND={BACKEND}, or leave "
            "--distribute away."
        )
    names = keras.distribution.list_devices()
    if len(names) < 2:
        raise SettingError(
            f"--distribute needs two devices or more. Received: {', '.join(names) or 'none'}, all that JAX finds. "
            "Leave --distribute away, or install the JAX of your GPUs, such as jax[cuda12]."
        )
    return keras.distribution.DataParallel(devices=names)


def device_names(distribution: keras.distribution.DataParallel) -> list[str]:
    """The devices of a distribution, such as `gpu:0`."""
    return [str(name) for name in distribution.device_mesh.devices.flatten()]


def devices_in_use() -> int:
    """Over how many devices batches are split here; 1 without a distribution in force."""
    distribution: Any = keras.distribution.distribution()
    return 1 if distribution is None else int(distribution.device_mesh.devices.size)


def check_batch(model: str, images: int, devices: int) -> None:
    """Refuse a batch that cannot be split evenly.

    Args:
        model: `A` or `B`.
        images: In a batch.
        devices: That share it.

    Raises:
        SettingError: It cannot.
    """
    if images % devices:
        nearest = max(devices, images // devices * devices)
        raise SettingError(
            f"Each batch of Model {model} is split over {devices} devices: its size must be a multiple of {devices}. "
            f"Received: batches of {images} images. Give --set {model}.batch_size={nearest}, or leave --distribute "
            "away."
        )


def predict_evenly(model: keras.Model, pixels: np.ndarray, batch_size: int) -> dict[str, np.ndarray]:
    """Answers of a training model, by output; every batch can be split over the devices in use.

    Args:
        model: A model with named outputs.
        pixels: (n, 128, 128, 3) float32 in 0..1, n at least 1.
        batch_size: Images a forward pass; rounded up to a multiple of the devices, and so are the images, by copies of
            the last one whose answers are dropped.

    Returns:
        Arrays of n rows.
    """
    devices = devices_in_use()
    spare = -len(pixels) % devices
    if spare:
        pixels = np.concatenate([pixels, np.repeat(pixels[-1:], spare, axis=0)])
    answers = model.predict(pixels, batch_size=batch_size + -batch_size % devices, verbose="0")
    return {name: values[: len(values) - spare] for name, values in answers.items()}
