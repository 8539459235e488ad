"""A model and images in, a prediction table out, exactly as the brief's marker does it.

Pixels over 255 as float32, the forward pass of `model.predict` in batches, in either channel order. The rest of the
package reads the table and never sees the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from agegender.data.parallel import ordered_map, usable_cores
from agegender.errors import ModelError, SettingError
from agegender.evaluation.graph import last_image, tensor_made_by
from agegender.evaluation.load import INPUT_SHAPE, LoadedModel
from agegender.optional import require
from agegender.types import Progress, silent

if TYPE_CHECKING:
    import keras

Order = Literal["rgb", "bgr"]
ORDERS: tuple[Order, ...] = ("rgb", "bgr")

BATCH_SIZE = 32
"""Images a forward pass: on 2 cores 949 images take Model A 6.4 s in batches of 32, and 10.5 s in batches of 100."""

DISTRIBUTION_LAYER = "age_distribution"

_MOST_THREADS = 4  # each holds a batch's feature maps

_RUN_IMAGES = 320  # whole batches, 63 MB as float32: large folders are never in memory whole

Pixels = npt.NDArray[np.float32]
Ask = Callable[[Pixels], list[npt.NDArray]]


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """A model's answers, row i for image i.

    Attributes:
        age: Years, float64 of shape (n,).
        female_probability: 0..1, float64 of shape (n,).
        age_distribution: Probabilities, float32 of shape (n, ages), where asked for.
    """

    age: npt.NDArray[np.float64]
    female_probability: npt.NDArray[np.float64]
    age_distribution: npt.NDArray[np.float32] | None = None


def predict_faces(
    model: LoadedModel,
    images: npt.NDArray[np.uint8],
    *,
    orders: Sequence[Order] = ("rgb",),
    batch_size: int = BATCH_SIZE,
    with_distribution: bool = False,
    progress: Progress = silent,
    title: str = "Predicting",
) -> dict[Order, Predictions]:
    """Run a model over images, in each channel order asked for.

    Where a network itself brings both orders of an image to the same pixels, before anything else, the second order is
    not computed again: equal numbers go through the same layers. This is compared bit by bit, a batch at a time.

    Args:
        model: From `load_model` or `checked_model`.
        images: RGB pixels 0..255, uint8 of shape (n, 128, 128, 3); may be a memory map.
        orders: One or both; `rgb` feeds the images as they are, `bgr` with the channels reversed.
        batch_size: Images a forward pass.
        with_distribution: Also give the inner layer `age_distribution`, from the same forward pass.
        progress: Shows how far it is.
        title: What the progress says.

    Raises:
        SettingError: Images of another type or shape, no image, or a batch size below 1.
        ModelError: Answers that are not finite, a gender outside 0..1, or no `age_distribution` layer.
    """
    if images.dtype != np.uint8 or images.shape[1:] != INPUT_SHAPE[1:] or not len(images):
        raise SettingError(
            f"images must be uint8 of shape (n, 128, 128, 3) with n at least 1. "
            f"Received: {images.dtype} of shape {images.shape}"
        )
    if batch_size < 1:
        raise SettingError(f"The batch size must be 1 or more. Received: {batch_size}")
    network = model.keras_model
    ask = _Asker(_with_distribution(network) if with_distribution else network, batch_size)
    to_image = _to_last_image(network, batch_size) if len(orders) > 1 else None
    parts: dict[Order, list[list[npt.NDArray]]] = {order: [] for order in orders}
    # Runs of whole batches: every batch holds the images it would hold if all were predicted at once.
    run = max(1, _RUN_IMAGES // batch_size) * batch_size
    for end in progress(range(1, len(images) + 1), total=len(images), title=title):
        if end % run and end != len(images):
            continue
        pixels = images[(end - 1) // run * run : end].astype(np.float32) / 255.0
        first = _in_order(pixels, orders[0])
        answers = ask(first)
        parts[orders[0]].append(answers)
        for order in orders[1:]:
            other = _in_order(pixels, order)
            if to_image is None:
                parts[order].append(ask(other))
                continue
            different = _different(to_image(first)[0], to_image(other)[0], batch_size)
            parts[order].append(_answered_again(ask, other, answers, different))
            if different.all():
                to_image = None
    return {
        order: _predictions(model, [np.concatenate(answers) for answers in zip(*runs, strict=True)])
        for order, runs in parts.items()
    }


def prediction_table(table: pd.DataFrame, predictions: Predictions) -> pd.DataFrame:
    """The face table with a model's answers beside the labels.

    Args:
        table: Columns `file`, `age`, `gender` and any groups, row i for answer i.
        predictions: As many rows.

    Returns:
        A new table with `predicted_age` (years), `female_probability` (0..1) and, where predicted,
        `age_distribution` (a list of float32 a row) added.

    Raises:
        SettingError: The numbers of rows differ.
    """
    if len(table) != len(predictions.age):
        raise SettingError(f"table and predictions differ in rows. Received: {len(table)} and {len(predictions.age)}")
    answers = table.reset_index(drop=True)
    answers["predicted_age"] = predictions.age
    answers["female_probability"] = predictions.female_probability
    if predictions.age_distribution is not None:
        answers["age_distribution"] = list(predictions.age_distribution)
    return answers


def _in_order(pixels: Pixels, order: Order) -> Pixels:
    return pixels if order == "rgb" else pixels[..., ::-1]


class _Asker:
    """A function from pixels to a network's answers, one array an output.

    A forward pass leaves cores idle between its large operations, so several batches go through it at once where the
    backend allows that: TensorFlow's compiled functions do, while with JAX and PyTorch Keras keeps state in the model.
    """

    def __init__(self, network: keras.Model, batch_size: int) -> None:
        keras = require("keras", "train")
        self._flatten = keras.tree.flatten
        self._network: Any = network
        self._batch_size = batch_size
        self._threads = min(usable_cores(), _MOST_THREADS) if keras.backend.backend() == "tensorflow" else 1
        self._compiled_for = 0

    def __call__(self, pixels: Pixels) -> list[npt.NDArray]:
        """Answers to (n, 128, 128, 3) pixels, n at least 1."""
        batches = [pixels[start : start + self._batch_size] for start in range(0, len(pixels), self._batch_size)]
        if not self._compiled_for:
            self._compiled_for = len(batches[0])
        first = [self._answer(batches[0])]  # alone: it may have to compile
        rest = ordered_map(self._answer, batches[1:], self._threads)
        return [np.concatenate(parts) for parts in zip(*first, *rest, strict=True)]

    def _answer(self, batch: Pixels) -> list[npt.NDArray]:
        """One batch's answers; a short batch is filled up, which is cheaper than compiling for its length."""
        count = len(batch)
        if count < self._compiled_for:
            batch = np.concatenate([batch, np.repeat(batch[-1:], self._compiled_for - count, axis=0)])
        answers = self._flatten(self._network.predict_on_batch(batch))
        return [np.asarray(answer)[:count] for answer in answers]


def _with_distribution(network: keras.Model) -> keras.Model:
    """The same graph with the softmax over ages as a third output."""
    distribution = tensor_made_by(network, DISTRIBUTION_LAYER)
    if distribution is None:
        raise ModelError(
            f"{network.name}: expected one inner layer named {DISTRIBUTION_LAYER}, to read its distribution over ages. "
            "There is none; ask without the distribution."
        )
    return _part_of(network, [*network.outputs, distribution])


def _to_last_image(network: keras.Model, batch_size: int) -> Ask | None:
    """From pixels to what all answers are computed from, if the network has such a place."""
    image = last_image(network)
    return None if image is None else _Asker(_part_of(network, [image]), batch_size)


def _part_of(network: keras.Model, outputs: list[Any]) -> keras.Model:
    part = require("keras", "train").Model(network.inputs, outputs)
    part.jit_compile = network.jit_compile  # compiled in another way it would round in another way
    return part


def _different(first: Pixels, other: Pixels, batch_size: int) -> npt.NDArray[np.bool_]:
    """Which images stand in a batch that is not equal bit by bit in both, shape (n,)."""
    image_differs = (first != other).any(axis=(1, 2, 3))
    starts = np.arange(0, len(first), batch_size)
    batch_differs = np.logical_or.reduceat(image_differs, starts)
    return np.repeat(batch_differs, batch_size)[: len(first)]


def _answered_again(
    ask: Ask, pixels: Pixels, known: list[npt.NDArray], different: npt.NDArray[np.bool_]
) -> list[npt.NDArray]:
    """The known answers, with those of the images that are different asked for anew."""
    if not different.any():
        return known
    answers = [answer.copy() for answer in known]
    for answer, anew in zip(answers, ask(pixels[different]), strict=True):
        answer[different] = anew
    return answers


def _predictions(model: LoadedModel, answers: list[npt.NDArray]) -> Predictions:
    age = answers[model.places.age][:, 0].astype(np.float64)
    female = answers[model.places.gender][:, 0].astype(np.float64)
    for what, values in (("age", age), ("gender", female)):
        if not np.isfinite(values).all():
            raise ModelError(
                f"{model.name}: {what} is not a finite number for {(~np.isfinite(values)).sum():,} of "
                f"{len(values):,} images. Train it anew with a smaller learning rate, or check its weights."
            )
    if female.min() < 0 or female.max() > 1:
        raise ModelError(
            f"{model.name}: gender must be a probability of female in 0..1. Received: {female.min():.4g} to "
            f"{female.max():.4g}. End it in a sigmoid, or correct --outputs if this is the age."
        )
    return Predictions(age, female, answers[2].astype(np.float32) if len(answers) > 2 else None)
