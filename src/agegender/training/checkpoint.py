"""The state of an unfinished training in one file that is whole or absent, from which it goes on as if unbroken.

Chance needs no place in it: batches are functions of (seed, epoch, number), and dropout's state is among the
variables.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from agegender.artifacts import atomic_path
from agegender.training.soft_targets import Answers

FORMAT = 1


@dataclass(frozen=True)
class TrainingState:
    """How far a training is.

    Attributes:
        epochs_done: Over all phases.
        history: One row an epoch, as in `history.csv`.
        fingerprint: Hash of everything that must be the same to go on: recipe, seed, split, data.
        seconds: Spent so far.
    """

    epochs_done: int
    history: list[dict[str, Any]]
    fingerprint: str
    seconds: float


def save_checkpoint(
    path: Path, model: keras.Model, state: TrainingState, *, with_optimizer: bool, own: Answers | None = None
) -> None:
    """Write model, optimizer and state.

    Args:
        path: An .npz file; a former one is replaced in one step.
        model: The compiled training model with its raw weights.
        state: How far it is.
        with_optimizer: False at the end of a phase, since the next one starts an optimizer of its own.
        own: The answers that the next epoch's targets are blended with.
    """
    arrays = {f"model/{index}": _array(variable) for index, variable in enumerate(model.variables)}
    if with_optimizer:
        arrays |= {f"optimizer/{index}": _array(item) for index, item in enumerate(model.optimizer.variables)}
    if own is not None:
        arrays |= {"own/distribution": own.distribution, "own/female": own.female}
    record = json.dumps({"format": FORMAT, **vars(state)})
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, state=np.frombuffer(record.encode(), dtype=np.uint8), **arrays)


def _array(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable))


def read_state(path: Path) -> TrainingState | None:
    """How far the training of a checkpoint is; None when there is none or it cannot be read."""
    try:
        with np.load(path) as archive:
            record = json.loads(archive["state"].tobytes())
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    if record.pop("format", None) != FORMAT:
        return None
    return TrainingState(**record)


def restore_model(path: Path, model: keras.Model) -> None:
    """Put a checkpoint's values into the model's variables."""
    _restore(path, "model", model.variables)


def restore_optimizer(path: Path, model: keras.Model) -> None:
    """Put a checkpoint's values into the variables of the model's built optimizer."""
    _restore(path, "optimizer", model.optimizer.variables)


def restore_own(path: Path) -> Answers | None:
    """The answers that a checkpoint's next epoch is blended with, if any."""
    with np.load(path) as archive:
        if "own/female" not in archive:
            return None
        return Answers(archive["own/distribution"], archive["own/female"])


def _restore(path: Path, part: str, variables: list[Any]) -> None:
    with np.load(path) as archive:
        for index, variable in enumerate(variables):
            variable.assign(archive[f"{part}/{index}"])
