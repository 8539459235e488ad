"""The architecture of a run's model: described once by Keras, then read from `architecture.json` beside its recipe."""

from __future__ import annotations

import contextlib
import dataclasses

from agegender.artifacts import read_json, sha256_file, write_json
from agegender.errors import InputError, OutputError
from agegender.models.describe import ArchitectureBlock, describe
from agegender.run_folder import RunFolder

FILE = "architecture.json"


def model_blocks(folder: RunFolder, letter: str) -> tuple[ArchitectureBlock, ...]:
    """The blocks of a run's model file.

    Loading a model takes seconds and Keras; so what was found is kept in `<letter>/architecture.json` with the hash of
    the file that it describes, and is used again for that file only.

    Raises:
        InputError: There is neither a description nor the model file.
        ModelError: The file is no Keras model.
        MissingExtraError: Keras is needed and missing.
    """
    path, file = folder.training(letter) / FILE, folder.model(letter)
    wanted = read_json(folder.sidecar(letter))["sha256"]
    if path.is_file() and (known := read_json(path)).get("sha256") == wanted:
        return tuple(_block(block) for block in known["blocks"])
    if not file.is_file():
        raise InputError(
            f"{file} is missing, and so is a description of it ({path}). Train it again, or bring it back."
        )
    if sha256_file(file) != wanted:
        raise InputError(f"{file} is not the file that its sidecar describes. Bring the run's own file back.")
    from agegender.backend import require_backend  # noqa: PLC0415 - only where nothing is kept yet
    from agegender.evaluation.load import load_model  # noqa: PLC0415

    require_backend()
    blocks = tuple(describe(load_model(file).keras_model))
    with contextlib.suppress(OutputError):  # a run that cannot be written can be reported all the same, only slower
        write_json(path, {"sha256": wanted, "blocks": blocks})
    return blocks


def _block(content: dict) -> ArchitectureBlock:
    known = {item.name for item in dataclasses.fields(ArchitectureBlock)}
    values = {name: value for name, value in content.items() if name in known}
    return ArchitectureBlock(**{**values, "output_shape": tuple(values["output_shape"])})
