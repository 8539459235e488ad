"""Train one model of a run and write it with its sidecar."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from agegender.artifacts import sha256_file, write_json
from agegender.data.dataset import Dataset
from agegender.data.splits import Split
from agegender.labels import Gender
from agegender.main_job.settings import RunSettings
from agegender.main_job.teaching import Beginning, Teacher, checked_start, checked_teachers, loaded_teachers
from agegender.run_folder import RunFolder, versions
from agegender.types import Announce

if TYPE_CHECKING:
    import keras

    from agegender.training.fit import Start
    from agegender.training.recipe import Recipe


def train_and_save(
    model: str,
    recipe: Recipe,
    settings: RunSettings,
    folder: RunFolder,
    faces: Dataset,
    split: Split,
    announce: Announce,
    *,
    devices: keras.distribution.DataParallel | None = None,
) -> None:
    """Train one model, over these devices if any, and write it with its sidecar, unless a resumed run has done so."""
    if is_trained(model, folder):
        announce(f"Model {model} is trained already: {folder.model(model)}")
        return
    import keras

    from agegender.models.saving import save_model
    from agegender.training.batches import FaceArrays
    from agegender.training.devices import device_names
    from agegender.training.fit import train

    ages = faces.table["age"].to_numpy(dtype=np.float32)
    genders = _gender_targets(faces)
    training = FaceArrays(faces.images, ages, genders, faces.select(split.train))
    validation = FaceArrays(faces.images, ages, genders, faces.select(split.validation)) if split.validation else None
    split_hash = split.sha256
    teachers, start, first = models_to_learn_from(recipe, settings, faces, split)
    write_json(folder.training(model) / "recipe.json", recipe)
    earlier = teachers if first is None else (*teachers, first, *first.averaged_with)
    names = device_names(devices) if devices is not None else []
    over = f", each batch over {', '.join(names)}" if names else ""
    announce(f"Model {model}: {recipe.epochs} epochs on {len(training):,} images, {recipe.precision}{over}")
    with devices.scope() if devices is not None else contextlib.nullcontext():
        trained = train(
            recipe,
            training,
            validation,
            folder.training(model),
            seed=settings.seed,
            teachers=loaded_teachers(settings.taught_by) if teachers else None,
            start=start,
            data_fingerprint="/".join([faces.fingerprint, split_hash, *(model.sha256 for model in earlier)]),
            resume=settings.resume,
            announce=announce,
        )
    save_model(trained.contract, folder.model(model))
    last = trained.history.iloc[-1]
    write_json(
        folder.sidecar(model),
        {
            "model": model,
            "file": folder.model(model).name,
            "sha256": sha256_file(folder.model(model)),
            "parameters": int(trained.contract.count_params()),
            "started_from": trained.origin,
            "went_on_from": first,
            "teachers": teachers,
            "recipe": recipe,
            "seed": settings.seed,
            "split": {"name": split.name, "sha256": split_hash, "train": len(split.train), "of": len(faces)},
            "data": {"fingerprint": faces.fingerprint, "drawn": faces.drawn, "corrections": faces.corrections},
            "versions": versions(),
            "devices": names,
            "training_seconds": round(trained.seconds, 1),
            "last_epoch": {key: (None if value != value else value) for key, value in last.to_dict().items()},  # noqa: PLR0124
        },
    )
    announce(f"Wrote {folder.model(model)}")
    del trained
    keras.utils.clear_session()
    gc.collect()


def is_trained(model: str, folder: RunFolder) -> bool:
    """Whether a run has finished a model: its file and its sidecar are there."""
    return folder.sidecar(model).is_file() and folder.model(model).is_file()


def models_to_learn_from(
    recipe: Recipe, settings: RunSettings, faces: Dataset, split: Split
) -> tuple[tuple[Teacher, ...], Start | None, Beginning | None]:
    """The teachers of a training and what it goes on from, if any.

    Raises:
        InputError: One of them is not there or unfinished.
        SettingError: One of them would spoil the figures, or did not begin this recipe.
    """
    split_hash = split.sha256
    teachers = checked_teachers(settings.taught_by, recipe.model, faces.fingerprint, split, split_hash)
    if not settings.start_from:
        return teachers, None, None
    again = settings.again
    return teachers, *checked_start(settings.start_from, recipe, faces.fingerprint, split, split_hash, again=again)


def devices_to_share(recipes: Mapping[str, Recipe]) -> keras.distribution.DataParallel:
    """All devices of this machine, for trainings by these recipes.

    Raises:
        SettingError: The backend cannot, there is one device, or a batch cannot be split evenly.
    """
    from agegender.training.devices import check_batch, device_names, every_device

    devices = every_device()
    for model, recipe in recipes.items():
        check_batch(model, recipe.batch_size, len(device_names(devices)))
    return devices


def _gender_targets(faces: Dataset) -> np.ndarray:
    return np.array([Gender(name).code for name in faces.table["gender"]], dtype=np.float32)
