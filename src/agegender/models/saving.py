"""Save a model as the contract wants it: whole, compiled, free of optimizer slots, readable by Keras 3.8 and later."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import keras

from agegender.artifacts import atomic_path
from agegender.errors import ModelError
from agegender.models.portable import HOW_IT_RAN, portable_config

CONFIG_NAME = "config.json"


def save_model(model: keras.Model, path: str | Path) -> Path:
    """Save a compiled model with outputs `age` and `gender` as one `.keras` file, whole or not at all.

    The file is compiled with the model's losses, loss weights and metrics and with plain SGD in place of the training
    optimizer: slots of AdamW would treble the file, and AdamW without them makes every load warn. The model itself is
    left as it is.

    Args:
        model: A graph of built-in layers, compiled with built-in losses and metrics.
        path: Ends in `.keras`; replaced if it is there.

    Returns:
        The path.

    Raises:
        ModelError: The model cannot be saved under the contract; the message says why.
        OutputError: The file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise ModelError(f"A whole model is saved as .keras. Received: {path.name}. Choose a name that ends in .keras.")
    shell = _evaluation_shell(model)
    with atomic_path(path) as temporary:
        shell.save(temporary)
        make_portable(temporary)
    return path


def make_portable(path: str | Path) -> None:
    """Rewrite the configuration inside a `.keras` file by `portable_config`; weights stay byte for byte.

    The file is written in place: give the temporary name of `atomic_path`.

    Raises:
        ModelError: A newer setting is in use.
    """
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content[CONFIG_NAME] = json.dumps(portable_config(json.loads(content[CONFIG_NAME]))).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in content.items():
            # Without a date the same weights give the same archive, but for the date in Keras's metadata.json.
            archive.writestr(zipfile.ZipInfo(name), data)


def _evaluation_shell(model: keras.Model) -> keras.Model:
    """A model on the same layers, hence the same weights, compiled for evaluation only."""
    if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        raise ModelError(f"The model {model.name!r} has no graph. Build it of layers: keras.Model(inputs, outputs).")
    if (names := list(model.output_names)) != ["age", "gender"]:
        raise ModelError(f"A saved model has the outputs age and gender, in that order. Received: {names}.")
    compiled: Any = model.get_compile_config() if model.compiled else None
    if not compiled or not compiled.get("loss"):
        raise ModelError(
            f"The model {model.name!r} is not compiled. Compile it with built-in losses and metrics before saving, "
            "so that model.evaluate works after a plain load."
        )
    compiled = {key: value for key, value in compiled.items() if key not in HOW_IT_RAN}
    compiled["optimizer"] = keras.saving.serialize_keras_object(keras.optimizers.SGD())
    shell = keras.Model(model.inputs, list(model.outputs), name=model.name)
    try:
        shell.compile_from_config(compiled)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"The model {model.name!r} is not compiled with built-in losses and metrics alone: {error}"
        ) from error
    return shell
