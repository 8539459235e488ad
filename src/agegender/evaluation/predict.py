"""A model file and images in, a prediction table out, exactly as the brief's marker does it.

Plain `keras.models.load_model` in safe mode, pixels over 255 as float32, `model.predict` in batches, in either channel
order. The rest of the package reads the table and never sees the model.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from agegender.errors import ModelError, SettingError
from agegender.evaluation.outputs import OutputPlaces, find_outputs
from agegender.optional import require
from agegender.types import Progress, silent

if TYPE_CHECKING:
    import keras

Order = Literal["rgb", "bgr"]
ORDERS: tuple[Order, ...] = ("rgb", "bgr")

INPUT_SHAPE = (None, 128, 128, 3)
BATCH_SIZE = 100
"""The marker's. Some kernels round differently for another batch size, in the sixth digit."""

DISTRIBUTION_LAYER = "age_distribution"

_RUN_IMAGES = 500  # 98 MB as float32: large folders are never in memory whole


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A model that was found to take faces and to answer age and gender.

    Attributes:
        keras_model: As loaded.
        places: Which of its outputs is which.
        path: Where it came from; None if it was built in memory.
    """

    keras_model: keras.Model
    places: OutputPlaces
    path: Path | None = None


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


def checked_file(path: str | Path) -> Path:
    """Check, without Keras, that a file can be a saved model.

    Raises:
        ModelError: It is not there, has another suffix, or is no whole archive.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"No model file at {path}. Give the path of a file saved with model.save('NAME.keras').")
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise ModelError(
            f"{path} is not a .keras file, or it is cut short. Save the whole model with model.save('NAME.keras')."
        )
    return path


def load_model(path: str | Path, *, outputs: Sequence[str] | None = None) -> LoadedModel:
    """Load a `.keras` file plainly and check that it takes faces and gives age and gender.

    Args:
        path: The file.
        outputs: What its outputs are, in its own order, where neither names nor a sigmoid tell.

    Raises:
        ModelError: No such file, not a model that plain Keras loads in safe mode, or inputs or outputs of other shapes.
        MissingExtraError: Keras or its backend is not installed.
    """
    path = checked_file(path)
    models = require("keras", "train").models
    try:
        with warnings.catch_warnings():
            # Of no concern here: the optimiser's state is not used, and often not saved.
            warnings.filterwarnings("ignore", message="Skipping variable loading for optimizer")
            model = models.load_model(path, safe_mode=True)
    except Exception as error:  # what a foreign file's configuration can raise has no common base
        raise ModelError(
            f"Plain Keras cannot load {path}: {_first_lines(error)} "
            "Expected a model of built-in layers only: no Lambda, no custom objects, loaded in safe mode."
        ) from error
    return checked_model(model, outputs=outputs, path=path)


def checked_model(model: keras.Model, *, outputs: Sequence[str] | None = None, path: Path | None = None) -> LoadedModel:
    """Check a model's inputs and outputs against the contract and find out which output is which.

    Raises:
        ModelError: They differ; the message says what was received.
    """
    name = path.name if path else model.name
    inputs = [tuple(tensor.shape) for tensor in getattr(model, "inputs", None) or []]
    if inputs != [INPUT_SHAPE]:
        raise ModelError(
            f"{name}: expected one input of shape {INPUT_SHAPE}. Received: {_listed(inputs)}. "
            "Build the model with keras.Input((128, 128, 3)); images are not resized for it."
        )
    shapes = [tuple(tensor.shape) for tensor in model.outputs]
    if shapes != [(None, 1), (None, 1)]:
        softmax = any(shape == (None, 2) for shape in shapes)
        hint = " A gender of two softmax units must become one: Dense(1, activation='sigmoid')." if softmax else ""
        raise ModelError(
            f"{name}: expected two outputs of 1 unit each, age in years and the probability of female. "
            f"Received: {_listed(shapes)}, named {', '.join(map(str, model.output_names))}.{hint}"
        )
    try:
        return LoadedModel(model, find_outputs(model, outputs), path)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error


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

    Args:
        model: From `load_model` or `checked_model`.
        images: RGB pixels 0..255, uint8 of shape (n, 128, 128, 3); may be a memory map.
        orders: `rgb` feeds the images as they are, `bgr` with the channels reversed.
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
    runner = _with_distribution(model) if with_distribution else model.keras_model
    tree = require("keras", "train").tree
    parts: dict[Order, list[list[npt.NDArray]]] = {order: [] for order in orders}
    # Runs of whole batches: every batch holds the images it would hold if all were predicted at once.
    run = max(1, _RUN_IMAGES // batch_size) * batch_size
    for end in progress(range(1, len(images) + 1), total=len(images), title=title):
        if end % run and end != len(images):
            continue
        pixels = images[(end - 1) // run * run : end].astype(np.float32) / 255.0
        for order in orders:
            fed = pixels if order == "rgb" else pixels[..., ::-1]
            answers = runner.predict(fed, batch_size=batch_size, verbose=0)  # pyright: ignore[reportArgumentType] - Keras infers str from its default
            parts[order].append([np.asarray(answer) for answer in tree.flatten(answers)])
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


def _with_distribution(model: LoadedModel) -> keras.Model:
    """The same graph with the softmax over ages as a third output."""
    network = model.keras_model
    try:
        distribution = network.get_layer(DISTRIBUTION_LAYER).output
    except ValueError as error:
        raise ModelError(f"{network.name}: there is no layer named {DISTRIBUTION_LAYER} to read.") from error
    runner = require("keras", "train").Model(network.inputs, [*network.outputs, distribution])
    runner.jit_compile = network.jit_compile  # compiled in another way it would round in another way
    return runner


def _predictions(model: LoadedModel, answers: list[npt.NDArray]) -> Predictions:
    age = answers[model.places.age][:, 0].astype(np.float64)
    female = answers[model.places.gender][:, 0].astype(np.float64)
    name = model.path.name if model.path else model.keras_model.name
    for what, values in (("age", age), ("gender", female)):
        if not np.isfinite(values).all():
            raise ModelError(
                f"{name}: {what} is not a finite number for {(~np.isfinite(values)).sum():,} of {len(values):,} images."
            )
    if female.min() < 0 or female.max() > 1:
        raise ModelError(
            f"{name}: gender must be a probability of female in 0..1. Received: {female.min():.4g} to "
            f"{female.max():.4g}. End it in a sigmoid, or correct --outputs if this is the age."
        )
    return Predictions(age, female, answers[2].astype(np.float32) if len(answers) > 2 else None)


def _listed(shapes: Sequence[tuple]) -> str:
    return ", ".join(map(str, shapes)) or "none"


def _first_lines(error: Exception) -> str:
    """The start of an error's text: Keras puts whole layer configurations into some."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 400 else text[:400] + " ..."
