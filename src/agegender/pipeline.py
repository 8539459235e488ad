"""The main job as one readable page: data, split, train A and B, evaluate, draw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agegender.artifacts import read_json
from agegender.backend import require_backend
from agegender.data import save_split  # by the package, which says what to install where pandas is missing
from agegender.main_job.fitting import devices_to_share, is_trained, models_to_learn_from, train_and_save
from agegender.main_job.inputs import load_data, split_faces
from agegender.main_job.measuring import constant_answer, draw, evaluate
from agegender.main_job.settings import RunSettings
from agegender.metrics.baseline import ConstantPredictor
from agegender.optional import require
from agegender.run_folder import RunFolder
from agegender.types import Announce, Progress, nobody, silent

if TYPE_CHECKING:
    from agegender.evaluation import Evaluation

__all__ = ["RunResult", "RunSettings", "run"]


@dataclass(frozen=True)
class RunResult:
    """What a run left behind.

    Attributes:
        folder: Where.
        evaluation: Of the models on `measured_on`.
        measured_on: `test` or `validation`.
        constant: What the best constant answer gives on the same images; None when nothing was measured.
        figures: Pictures written.
        drawn: Whether any of it was learnt from drawn faces.
    """

    folder: RunFolder
    evaluation: Evaluation | None
    measured_on: str
    constant: ConstantPredictor | None
    figures: list[Path]
    drawn: bool


def run(settings: RunSettings, *, announce: Announce = nobody, progress: Progress = silent) -> RunResult:
    """Do the main job.

    Raises:
        AgegenderError: Bad input or settings, or nothing can be written; what was finished stays and can be resumed.
    """
    require_backend()
    require("matplotlib", "report")
    folder = RunFolder(settings.out)
    recipes = {model: settings.recipe(model) for model in settings.models}
    devices = devices_to_share(recipes) if settings.distribute else None
    comparable = settings.comparable()
    folder.claim(comparable, resume=settings.resume)
    faces, test = load_data(settings, folder, announce, progress)
    split = split_faces(settings, folder, faces)
    for model, recipe in recipes.items():
        if not is_trained(model, folder):  # what is refused is refused before there is a run
            models_to_learn_from(recipe, settings, faces, split)
    folder.begin(comparable)
    save_split(split, folder.split)
    announce(f"Split {split.name}: {len(split.train):,} to train, {len(split.validation):,} to validate")
    if test is None and not split.validation:
        announce("No --test and no validation images: the models are trained and checked, but measured on nothing.")

    for model, recipe in recipes.items():
        train_and_save(model, recipe, settings, folder, faces, split, announce, devices=devices)

    measured_on = "test" if test is not None else "validation"
    evaluation, predictions = evaluate(settings, folder, faces, test, split, progress)
    constant = constant_answer(faces, split, predictions) if predictions is not None else None
    figures = draw(settings, folder, faces, test, split, recipes, evaluation, predictions, progress)
    folder.finish(
        {
            "drawn": faces.drawn,
            "measured_on": measured_on,
            "constant_predictor": constant,
            "data": faces.fingerprint,
            "corrections": faces.corrections,
            "devices": {model: read_json(folder.sidecar(model)).get("devices", []) for model in settings.models},
        }
    )
    return RunResult(folder, evaluation, measured_on, constant, figures, faces.drawn)
