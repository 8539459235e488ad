"""A model file in, a model out that is known to take faces and to answer age and gender: loaded as anyone would."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agegender.errors import ModelError
from agegender.evaluation.outputs import OutputPlaces, find_outputs
from agegender.optional import require

if TYPE_CHECKING:
    import keras

INPUT_SHAPE = (None, 128, 128, 3)


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

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.path.name if self.path else self.keras_model.name


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
            f"Plain Keras cannot load {path}: {_cause(error)} "
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


def _listed(shapes: Sequence[tuple]) -> str:
    return ", ".join(map(str, shapes)) or "none"


def _cause(error: Exception) -> str:
    """Why Keras refused, in at most 400 characters: it puts the cause last, behind whole layer configurations."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = text.rpartition("Exception encountered: ")[2]
    return text if len(text) <= 400 else text[:400] + " ..."
