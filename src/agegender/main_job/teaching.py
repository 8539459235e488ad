"""Trained models that a new one learns from: as its start or as teachers; which are allowed, and what they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from agegender.artifacts import read_json, sha256_file
from agegender.data.splits import Split
from agegender.errors import InputError, SettingError
from agegender.lineage import learnt_from
from agegender.run_folder import open_run

if TYPE_CHECKING:
    from agegender.training.fit import Start
    from agegender.training.recipe import Recipe
    from agegender.training.soft_targets import Teachers

FROM_SCRATCH = "random"

_MAY_DIFFER = ("phases", "precision", "teacher_share")
"""Values in which a training may differ from the one that it goes on from; of the phases, those still to come."""

_NETWORK_MAY_DIFFER = ("soften_noise",)
"""Values of the network that may differ as well: they change the saved file alone, and no weight that is learnt. Where
one differs, a whole training is a beginning too: its weights are saved anew."""


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained model that teaches another one.

    Attributes:
        file: Its file name.
        sha256: Of its bytes.
        started_from: `random` only if neither it nor any teacher before it saw other weights, as sidecars say.
        seed: Of its training.
    """

    file: str
    sha256: str
    started_from: str
    seed: int


@dataclass(frozen=True, slots=True)
class Beginning(Teacher):
    """A trained model that did the first phases of another one's recipe.

    Attributes:
        epochs: Of the recipe that count as done.
        images: That it learnt from.
        done_again: Epochs that it did after those, which are done again.
        averaged_with: Others of the same recipe; the mean of all their weights is the beginning.
        earlier: What it had gone on from itself, as its sidecar says.
    """

    epochs: int
    images: int
    done_again: int = 0
    averaged_with: tuple[Teacher, ...] = ()
    earlier: dict[str, Any] | None = None


def checked_teachers(
    paths: Sequence[Path], model: str, data: str, split: Split, split_hash: str
) -> tuple[Teacher, ...]:
    """Read the teachers' sidecars and refuse what would spoil the student's figures.

    Args:
        paths: `.keras` files with their sidecars beside them.
        model: The student, `A` or `B`.
        data: Fingerprint of the student's data.
        split: Of the student.
        split_hash: Of the student's split, as sidecars hold it.

    Raises:
        InputError: A file or its sidecar is not there, or they do not belong together.
        SettingError: A teacher learnt from other images, has seen the student's validation images, or brings ImageNet
            to Model A, which learns from the given images alone.
    """
    teachers = []
    for path in paths:
        sidecar = path.with_suffix(".json")
        if not path.is_file() or not sidecar.is_file():
            raise InputError(
                f"A model to learn from is a model file with its sidecar beside it. Not both are there: {path}"
            )
        record = read_json(sidecar)
        digest = sha256_file(path)
        if record["sha256"] != digest:
            raise InputError(f"{path} is not the file that {sidecar.name} describes.")
        teacher = Teacher(path.name, digest, _first_start(record), record["seed"])
        if record["data"]["fingerprint"] != data:
            raise SettingError(f"The model {path} learnt from other images than this run is given.")
        if split.validation and record["split"]["sha256"] != split_hash:
            raise SettingError(
                f"The model {path} learnt on another split: it may have seen this run's validation images, whose "
                "figures would then be too good. Train both with the same --split or --seed."
            )
        if model == "A" and teacher.started_from != FROM_SCRATCH:
            raise SettingError(
                f"The model {path} started from {teacher.started_from} weights or was taught by one that did. "
                "Model A learns from the given images alone."
            )
        teachers.append(teacher)
    return tuple(teachers)


def _first_start(record: dict[str, Any]) -> str:
    """Its own start, or that of a model it learnt from: each record holds what those had inherited."""
    starts = [record["started_from"]["start"], *(model["started_from"] for model in learnt_from(record))]
    return next((start for start in starts if start != FROM_SCRATCH), FROM_SCRATCH)


def loaded_teachers(paths: Sequence[Path]) -> Teachers:
    """The networks of checked teachers, ready to be asked.

    Args:
        paths: Model files of `agegender run` with their sidecars, which hold the recipes.
    """
    from agegender.training.learner import trained_network
    from agegender.training.recipe import Recipe, from_record
    from agegender.training.soft_targets import Teachers

    recipes = [from_record(Recipe, read_json(path.with_suffix(".json"))["recipe"]) for path in paths]
    return Teachers([trained_network(recipe, path) for recipe, path in zip(recipes, paths, strict=True)])


def checked_start(
    roots: Sequence[Path], recipe: Recipe, data: str, split: Split, split_hash: str, *, again: int = 0
) -> tuple[Start, Beginning]:
    """The trainings of finished runs of the same recipe that another one goes on from.

    Args:
        roots: The runs' folders; of several, the mean of their weights is where the training begins.
        recipe: Of the training that goes on.
        data: Fingerprint of its data.
        split: Of its images; a run on all images holds none out.
        split_hash: Of that split, as sidecars hold it.
        again: So many of the last phases that they did do not count as done; these may have had other values.

    Raises:
        InputError: There is no such run, its model is unfinished, or its files do not belong together.
        SettingError: Its recipe is not the beginning of this one, it did not as many phases as the first or too few, it
            stands there twice, or it has seen this run's validation images.
    """
    from agegender.training.fit import Start
    from agegender.training.recipe import Recipe, from_record

    folders = [open_run(root)[0] for root in roots]
    paths = [folder.model(recipe.model) for folder in folders]
    models = checked_teachers(paths, recipe.model, data, split, split_hash)
    if len({model.sha256 for model in models}) < len(models):
        raise SettingError("The same model is given twice to go on from. Give each run once.")
    sidecars = [read_json(folder.sidecar(recipe.model)) for folder in folders]
    # A record of an earlier version lacks values that came later, which hold their defaults.
    recipes = tuple(from_record(Recipe, sidecar["recipe"]) for sidecar in sidecars)
    for path, former in zip(paths, recipes, strict=True):
        _check_beginning(path, former, recipe, len(recipes[0].phases), again)
    first = sidecars[0]
    history = pd.read_csv(folders[0].training(recipe.model) / "history.csv").astype(object)
    rows: list[dict[str, Any]] = history.where(history.notna(), None).to_dict("records")
    phases = first["recipe"]["phases"]
    if len(rows) != sum(phase["epochs"] for phase in phases):
        raise InputError(
            f"{folders[0].training(recipe.model) / 'history.csv'} does not hold an epoch a row of {paths[0]}."
        )
    done = len(rows)
    rows = rows[: sum(phase["epochs"] for phase in phases[: len(phases) - again])]
    seconds = sum(float(sidecar["training_seconds"]) for sidecar in sidecars)
    beginning = Beginning(
        **asdict(models[0]),
        epochs=len(rows),
        images=first["split"]["train"],
        done_again=done - len(rows),
        averaged_with=models[1:],
        earlier=first.get("went_on_from"),
    )
    return Start(tuple(zip(recipes, paths, strict=True)), rows, seconds), beginning


def _check_beginning(path: Path, former: Recipe, recipe: Recipe, phases: int, again: int) -> None:
    """Refuse a former recipe that is no beginning of this one, or that did other than so many phases."""
    done = len(former.phases)
    if done != phases:
        raise SettingError(f"{path} did {done} phases and the first run {phases}. Average runs of the same phases.")
    if not 0 <= again < done:
        raise SettingError(f"{path} did {done} phases; between 0 and {done - 1} can be done again. Received: {again}")
    wanted = {name: getattr(recipe.network, name) for name in _NETWORK_MAY_DIFFER}
    saved_alike = former.network == (same_network := replace(former.network, **wanted))
    former = replace(former, network=same_network)
    names = (item.name for item in fields(recipe) if item.name not in _MAY_DIFFER)
    unlike = [name for name in names if getattr(former, name) != getattr(recipe, name)]
    kept = done - again  # those that are done again may have other values
    nothing_to_do = kept > len(recipe.phases) or (kept == len(recipe.phases) and saved_alike)
    if nothing_to_do or former.phases[:kept] != recipe.phases[:kept] or unlike:
        what = f"it has other values of {', '.join(unlike)}" if unlike else "its phases are not the first of this one's"
        raise SettingError(
            f"{path} is no beginning of this recipe of {recipe.model}: {what}. "
            "Make the beginning with the same values and --phases N, or do its last phases once more with --again N."
        )
