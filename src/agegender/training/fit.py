"""Train one network by its recipe: phases, epochs, curves, checkpoints. The only place that compiles for training."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from agegender.artifacts import plain, write_text
from agegender.errors import InputError, Interrupted, SettingError
from agegender.models.losses import training_losses
from agegender.models.pretrained_cnn import WeightsOrigin
from agegender.training.averaging import averaged_weights, measure_norms
from agegender.training.batches import EpochBatches, FaceArrays
from agegender.training.checkpoint import (
    TrainingState,
    read_state,
    restore_model,
    restore_optimizer,
    restore_own,
    save_checkpoint,
)
from agegender.training.curves import measure
from agegender.training.devices import check_batch, devices_in_use
from agegender.training.learner import Learner, contract_model, learner, moved, take_weights
from agegender.training.optimizer import AveragingAdamW
from agegender.training.recipe import Phase, Recipe
from agegender.training.soft_targets import Answers, Teachers, own_answers, share_at
from agegender.types import Announce, nobody

CHECKPOINT = "checkpoint.npz"
HISTORY = "history.csv"
SMALLEST_SET = 8
"""Fewer training images than this are a mistake, not a data set."""


@dataclass(frozen=True)
class TrainedModel:
    """A finished training.

    Attributes:
        contract: The float32 model of the brief's contract, compiled with built-in losses and metrics.
        history: One row an epoch.
        origin: Which weights the trunk started from.
        seconds: Time spent, all sessions together.
    """

    contract: keras.Model
    history: pd.DataFrame
    origin: WeightsOrigin
    seconds: float


@dataclass(frozen=True, eq=False)
class Start:
    """A finished training that did the first phases of a recipe already, or several of different seeds.

    The mean of the weights of several trainings from one start is one network that is often better than each of them
    (Wortsman et al., "Model soups", ICML 2022), provided that they are near enough to each other: networks that start
    from the same ImageNet weights are, networks from random weights are not.

    Attributes:
        models: Recipes and files of the saved models; of several, the mean of the weights is taken.
        history: Rows of the first of them, one an epoch.
        seconds: It took.
    """

    models: tuple[tuple[Recipe, Path], ...]
    history: list[dict[str, Any]]
    seconds: float

    def __str__(self) -> str:
        """The files' names."""
        return " and ".join(str(file) for _, file in self.models)


def train(
    recipe: Recipe,
    training: FaceArrays,
    validation: FaceArrays | None,
    folder: Path,
    *,
    seed: int,
    teachers: Teachers | None = None,
    start: Start | None = None,
    data_fingerprint: str = "",
    resume: bool = False,
    announce: Announce = nobody,
) -> TrainedModel:
    """Train a network, leaving a checkpoint and the history in `folder` after each epoch.

    Within `devices.every_device().scope()` each batch is split over several devices.

    Args:
        recipe: What to do.
        training: Images to learn from.
        validation: Images to measure only, or None.
        folder: Where checkpoint and history stand.
        seed: Of weights, order of images, augmentation and dropout.
        teachers: Trained networks to learn from, for a recipe with a `teacher_share`.
        start: A training whose weights and history this one goes on from, at the phase after its own.
        data_fingerprint: Hash of data, split, teachers and start; a checkpoint of other data is refused.
        resume: Go on from the checkpoint in `folder`, if there is one.
        announce: Takes one line an epoch.

    Raises:
        Interrupted: The user pressed Ctrl-C; the last finished epoch is kept.
        SettingError: The checkpoint belongs to another recipe, seed or data, or the recipe contradicts itself or
            has batches that cannot be split over the devices.
        InputError: Too few images.
    """
    _check(recipe, training, teachers)
    if start is not None and len(start.history) == recipe.epochs:
        return _saved_anew(recipe, start, training, folder, announce)
    fingerprint = _fingerprint(recipe, seed, data_fingerprint)
    checkpoint = folder / CHECKPOINT
    state = _state_to_resume(checkpoint, fingerprint) if resume else None

    keras.utils.set_random_seed(seed)
    own: Answers | None = None
    if state is None:
        state = _first_state(start, fingerprint)
        at = recipe.phase_at(max(state.epochs_done - 1, 0))
        student = learner(recipe, at)
        if start is not None:
            _take_over(student, start, training)
            announce(f"{recipe.model}: {start} did the first {state.epochs_done} of {recipe.epochs} epochs")
    else:
        at = recipe.phase_at(state.epochs_done - 1)
        student = learner(recipe, at)
        restore_model(checkpoint, student.model)
        own = restore_own(checkpoint)
        announce(f"{recipe.model}: going on after epoch {state.epochs_done} of {recipe.epochs}")
    model = student.model
    norm_faces, curve_faces = training.subset(recipe.norm_images, seed), training.subset(recipe.curve_images, seed)

    begin = 0
    try:
        for phase in recipe.phases:
            end = begin + phase.epochs
            if state.epochs_done < end or end == recipe.epochs:
                if recipe.network_in(phase) != recipe.network_in(at):
                    student, at = moved(student, recipe, phase, seed), phase
                    model = student.model
                start_phase(student, recipe, phase, len(training))
                if begin < state.epochs_done:
                    restore_optimizer(checkpoint, model)
            for epoch in range(max(begin, state.epochs_done), end):
                started = time.perf_counter()
                row = _train_epoch(model, recipe, phase, training, epoch, seed, own, teachers)
                with averaged_weights(model, norm_faces, recipe.norm_images, seed):
                    row |= _curves(model, recipe, curve_faces, validation)
                    shared = epoch + 1 < recipe.epochs and _own_share(recipe, epoch + 1)
                    own = own_answers(model, training) if shared else None
                seconds = state.seconds + time.perf_counter() - started
                state = TrainingState(epoch + 1, [*state.history, row], fingerprint, seconds)
                last_of_phase = epoch + 1 == end and end < recipe.epochs
                save_checkpoint(checkpoint, model, state, with_optimizer=not last_of_phase, own=own)
                write_text(folder / HISTORY, pd.DataFrame(state.history).to_csv(index=False))
                announce(_line(recipe, row, state))
            begin = end
    except KeyboardInterrupt:
        raise Interrupted(
            f"Training of {recipe.model} stopped after epoch {state.epochs_done} of {recipe.epochs}; "
            "the same command with --resume goes on from there."
        ) from None

    with averaged_weights(model, training, len(training), seed):
        contract = contract_model(recipe, model)
    return TrainedModel(contract, pd.DataFrame(state.history), student.origin, state.seconds)


def _saved_anew(recipe: Recipe, start: Start, training: FaceArrays, folder: Path, announce: Announce) -> TrainedModel:
    """The weights of a whole training in a file that does something else with them: no epoch is left."""
    student = learner(recipe)
    _take_over(student, start, training)
    announce(f"{recipe.model}: {start} did all {recipe.epochs} epochs; its weights are saved anew")
    history = pd.DataFrame(start.history)
    write_text(folder / HISTORY, history.to_csv(index=False))
    return TrainedModel(contract_model(recipe, student.model), history, student.origin, start.seconds)


def _check(recipe: Recipe, training: FaceArrays, teachers: Teachers | None) -> None:
    """Refuse what could not be trained."""
    if recipe.teacher_share and teachers is None:
        raise SettingError(
            f"The recipe of {recipe.model} wants a share of {recipe.teacher_share:g} from teachers and none are given. "
            f"Give --taught-by FILE.keras, or --set {recipe.model}.teacher_share=0."
        )
    if recipe.network_in(recipe.phases[-1]) != recipe.network:
        raise SettingError(
            f"The last phase of {recipe.model} is at {recipe.phases[-1].side} pixels and its network at "
            f"{recipe.network.side}: set phases.-1.side=0."
        )
    if len(training) < SMALLEST_SET:
        raise InputError(f"{len(training)} images to train on. Give at least {SMALLEST_SET}.")
    check_batch(recipe.model, min(recipe.batch_size, len(training)), devices_in_use())


def _fingerprint(recipe: Recipe, seed: int, data: str) -> str:
    content = json.dumps([dataclasses.asdict(recipe), seed, data], default=plain, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _first_state(start: Start | None, fingerprint: str) -> TrainingState:
    if start is None:
        return TrainingState(0, [], fingerprint, 0.0)
    return TrainingState(len(start.history), start.history, fingerprint, start.seconds)


def _take_over(student: Learner, start: Start, training: FaceArrays) -> None:
    """Give a network the weights that a training begins with, and batch norm of a mean of them its own statistics."""
    take_weights(student.model, start.models)
    if len(start.models) > 1:
        measure_norms(student.model, training)


def _state_to_resume(checkpoint: Path, fingerprint: str) -> TrainingState | None:
    state = read_state(checkpoint)
    if state is not None and state.fingerprint != fingerprint:
        raise SettingError(
            f"{checkpoint} was made with another recipe, seed, split or data. Give the same as before to --resume, "
            "or start afresh in another --out folder."
        )
    return state


def start_phase(student: Learner, recipe: Recipe, phase: Phase, images: int) -> None:
    """Compile for a phase: which weights learn, how fast, by which curve.

    Args:
        student: Whom to compile.
        recipe: Its recipe.
        phase: One of the recipe's.
        images: How many it trains on.
    """
    steps = max(1, images // recipe.batch_size)
    total = max(1, phase.epochs * steps)
    warmup = min(round(phase.warmup_epochs * steps), total - 1)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else phase.learning_rate,
        alpha=phase.end_rate / phase.learning_rate,
        decay_steps=total - warmup,
        warmup_target=phase.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    model, trunk = student.model, student.trunk
    trunk.trainable = phase.trunk_rate > 0
    for (
        layer
    ) in student.fixed:  # thawing a model thaws what is in it, fixed kernels of the input's size and colours too
        layer.trainable = False
    optimizer = AveragingAdamW(
        rate,
        decay=recipe.weight_decay,
        average_decay=math.exp(-1.0 / max(1.0, recipe.average_epochs * steps)),
        multipliers={} if phase.trunk_rate in (0, 1) else _trunk_multipliers(trunk, phase.trunk_rate),
        clip_norm=recipe.clip_norm,
    )
    model.compile(optimizer=optimizer, jit_compile="auto", **training_losses(recipe.losses))
    optimizer.build(model.trainable_variables)


def _trunk_multipliers(trunk: keras.Model, rate: float) -> dict[str, float]:
    return {variable.path: rate for variable in trunk.trainable_variables}


def _own_share(recipe: Recipe, epoch: int) -> float:
    return share_at(epoch, recipe.epochs, recipe.self_distillation)


def epoch_batches(
    recipe: Recipe,
    training: FaceArrays,
    epoch: int,
    seed: int,
    own: Answers | None = None,
    teachers: Teachers | None = None,
) -> EpochBatches:
    """The augmented batches of one epoch, as a recipe wants them."""
    own_share = _own_share(recipe, epoch)
    return EpochBatches(
        training,
        batch_size=recipe.batch_size,
        epoch=epoch,
        seed=seed,
        augmentation=recipe.augmentation_in(recipe.phase_at(epoch)),
        age_sd_years=recipe.age_sd_years,
        own=(own, own_share) if own is not None and own_share else None,
        teachers=(teachers, recipe.teacher_share) if teachers is not None and recipe.teacher_share else None,
    )


def _train_epoch(
    model: keras.Model,
    recipe: Recipe,
    phase: Phase,
    training: FaceArrays,
    epoch: int,
    seed: int,
    own: Answers | None,
    teachers: Teachers | None,
) -> dict[str, Any]:
    batches = epoch_batches(recipe, training, epoch, seed, own, teachers)
    if keras.backend.backend() != "tensorflow":
        # Else the first `fit` after compiling looks at a batch for its shapes and puts it last: a training that goes on
        # would learn in another order than an unbroken one.
        model._symbolic_build(data_batch=batches[0])
    started = time.perf_counter()
    record = model.fit(batches, epochs=1, verbose="0", shuffle=False)
    seconds = time.perf_counter() - started
    loss = float(record.history["loss"][-1])
    if not math.isfinite(loss):
        raise SettingError(
            f"The loss of {recipe.model} became {loss} in epoch {epoch + 1}. Lower the learning rate, as in "
            f"--set {recipe.model}.phases.0.learning_rate={phase.learning_rate / 4:g}."
        )
    return {
        "epoch": epoch + 1,
        "phase": phase.name,
        "seconds": round(seconds, 2),
        "images_per_second": round(len(batches) * batches.batch_size / seconds, 1),
        "devices": devices_in_use(),
        "learning_rate": float(np.asarray(keras.ops.convert_to_numpy(model.optimizer.learning_rate))),
        "train_loss_batches": loss,
    }


def _curves(model: keras.Model, recipe: Recipe, training: FaceArrays, validation: FaceArrays | None) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, faces in (("train", training), ("validation", validation)):
        point = measure(model, faces, recipe.losses, recipe.age_sd_years) if faces is not None and len(faces) else None
        for key in ("age_loss", "age_mae", "gender_loss", "gender_accuracy"):
            row[f"{name}_{key}"] = getattr(point, key) if point else None
    return row


def _line(recipe: Recipe, row: dict[str, Any], state: TrainingState) -> str:
    """One epoch in one line."""
    parts = [
        f"{recipe.model} {row['epoch']:>3}/{recipe.epochs} {row['phase']}",
        f"loss {row['train_loss_batches']:.3f}",
        f"train {row['train_age_mae']:.2f} years {row['train_gender_accuracy']:.1%}",
    ]
    if row["validation_age_mae"] is not None:
        parts.append(f"validation {row['validation_age_mae']:.2f} years {row['validation_gender_accuracy']:.1%}")
    left = state.seconds / state.epochs_done * (recipe.epochs - state.epochs_done)
    parts += [f"{row['images_per_second']:.0f} images/s", f"{left / 60:.0f} min left"]
    return " | ".join(parts)
