"""The trained models that come with the package: where they stand, and what is known of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from agegender.artifacts import read_json, sha256_file
from agegender.backend import require_backend
from agegender.errors import ModelError, SettingError
from agegender.run_folder import MODELS, RunFolder

if TYPE_CHECKING:
    import keras

_PLACES = (Path(__file__).parent / "shipped_models", Path(__file__).parents[2] / "models")
"""In an installed package; in a checkout of the repository."""


def _folder(model: str) -> RunFolder:
    if model not in MODELS:
        raise SettingError(f"The shipped models are {' and '.join(MODELS)}. Received: {model!r}")
    for folder in map(RunFolder, _PLACES):
        if folder.sidecar(model).is_file() and folder.model(model).is_file():
            return folder
    raise ModelError(
        f"No sidecar and file of Model {model} came with this installation. Install from a release of the repository "
        "that has them, or train your own with `agegender run --data FOLDER` and load it with keras.models.load_model."
    )


def shipped_file(model: str) -> Path:
    """The `.keras` file of a shipped model, known to be the one that its sidecar describes.

    Args:
        model: `A` or `B`.

    Raises:
        SettingError: There is no model of that name.
        ModelError: The file is not there, or is not the one of the sidecar.
    """
    folder = _folder(model)
    path, wanted = folder.model(model), read_json(folder.sidecar(model))["sha256"]
    if sha256_file(path) != wanted:
        raise ModelError(
            f"{path} is not the file that its sidecar describes (sha256 {wanted[:12]}...). Install the package again."
        )
    return path


def shipped_record(model: str) -> dict[str, Any]:
    """The sidecar of a shipped model: recipe, data, split, seed, versions, hash, validation and test figures.

    Raises:
        SettingError: There is no model of that name.
        ModelError: It is not there.
    """
    return read_json(_folder(model).sidecar(model))


def shipped_manifest(model: str) -> Path:
    """The manifest of a shipped model's exported files, which run without Keras.

    Raises:
        SettingError: There is no model of that name.
        ModelError: It did not come with this installation.
    """
    if model not in MODELS:
        raise SettingError(f"The shipped models are {' and '.join(MODELS)}. Received: {model!r}")
    for folder in _PLACES:
        path = folder / f"age_gender_{model}.manifest.json"
        if path.is_file():
            return path
    raise ModelError(
        f"No exported Model {model} came with this installation. Train your own with `agegender run --data FOLDER`, "
        "export it with `agegender export MODEL.keras`, and give the .onnx file."
    )


def load_keras(model: str) -> keras.Model:
    """A shipped model as plain Keras: (n, 128, 128, 3) in 0..1 to [age in years (n, 1), P(female) (n, 1)].

    Args:
        model: `A`, trained from scratch, or `B`, which started from ImageNet.

    Raises:
        SettingError: There is no model of that name.
        ModelError: The file is not there or not whole.
        MissingExtraError: Keras or every backend is missing.
    """
    path = shipped_file(model)
    require_backend()
    import keras  # noqa: PLC0415  # after the backend was chosen

    loaded = keras.models.load_model(path)
    assert isinstance(loaded, keras.Model)
    return loaded
