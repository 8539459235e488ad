"""What a report says about a run, gathered once from its folder: every sentence, table and figure reads these facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from agegender.artifacts import read_json
from agegender.errors import InputError
from agegender.evaluation.compare import ComparisonResult, OrderAgreement
from agegender.evaluation.evaluate import EvaluationResult, female_labels
from agegender.evaluation.suite import Evaluation, load_evaluation
from agegender.labels import Race
from agegender.lineage import stretches
from agegender.metrics.baseline import ConstantPredictor, constant_predictor
from agegender.models.describe import ArchitectureBlock
from agegender.reporting.blocks import model_blocks
from agegender.reporting.report.calibration import CalibrationFacts, calibration_facts
from agegender.run_folder import MODELS, RunFolder, open_run

ORDER = "rgb"
"""Figures are of this channel order; the other one is mentioned where it differs."""


@dataclass(frozen=True, slots=True)
class PhaseFacts:
    """A stretch of epochs of a recipe; the names and units are those of `training.recipe.Phase`."""

    name: str
    epochs: int
    learning_rate: float
    warmup_epochs: float = 0.0
    end_rate: float = 0.0
    trunk_rate: float = 1.0
    augmentation_strength: float = 1.0
    side: int = 0
    noise_share: float = 0.0


@dataclass(frozen=True, slots=True)
class RecipeFacts:
    """A recipe as its JSON holds it, read without Keras; names and units are those of `training.recipe.Recipe`.

    Attributes:
        network: Values of `CustomCnn` or `PretrainedCnn`.
        phases: In order.
        batch_size: Images a step.
        weight_decay: Of AdamW.
        losses: Values of `LossWeights`.
        augmentation: Values of `Augmentation`.
        age_sd_years: Width of an adult's age label, years.
        average_epochs: Time constant of the average of weights, epochs.
        self_distillation: Share, 0..1.
        teacher_share: Share, 0..1.
        precision: While training.
    """

    network: Mapping[str, Any]
    phases: tuple[PhaseFacts, ...]
    batch_size: int
    weight_decay: float
    losses: Mapping[str, float]
    augmentation: Mapping[str, float]
    age_sd_years: float = 2.0
    average_epochs: float = 0.0
    self_distillation: float = 0.0
    teacher_share: float = 0.0
    precision: str = "float32"

    @property
    def epochs(self) -> int:
        """All phases together."""
        return sum(phase.epochs for phase in self.phases)


@dataclass(frozen=True, slots=True, eq=False)
class ModelFacts:
    """One model of a run.

    Attributes:
        letter: `A` or `B`.
        parameters: Weights in all, trained or fixed.
        start: `imagenet`, `random` or `file`: which weights the training began with.
        source: Where those came from, for people.
        recipe: How it was trained.
        blocks: Its architecture, the trunk first.
        history: One row an epoch, of the training that the learning curves show.
        result: What it is worth on the measured images.
        agreement: How far its answers to the two channel orders agree; None if one was measured.
        trained_on: Images that the file learnt from.
        curves_trained_on: Images that the training of the curves learnt from.
        curves_validated_on: Images held out in it; 0 if none were.
        twin: Whether the curves are of a twin: the same recipe with images held out.
        begun: Epochs of the file's recipe that learnt from the images of the curves alone, before the rest learnt from
            all of its own; 0 if it learnt from the same images throughout.
        seed: Of the training that the curves show.
        seconds: It took.
        averaged: Trainings of several seeds from the mean of whose weights this one went on; 0 if of one or none.
        teachers: Trained models whose answers were part of the targets.
        answers: Its rows of the prediction table.
        calibration: As its sidecar holds it; None if it was not calibrated.
    """

    letter: str
    parameters: int
    start: str
    source: str
    recipe: RecipeFacts
    blocks: tuple[ArchitectureBlock, ...]
    history: pd.DataFrame
    result: EvaluationResult
    agreement: OrderAgreement | None
    trained_on: int
    curves_trained_on: int
    curves_validated_on: int
    twin: bool
    begun: int
    seed: int
    seconds: float
    averaged: int
    teachers: int
    answers: pd.DataFrame
    calibration: CalibrationFacts | None

    @property
    def name(self) -> str:
        """`Model A` or `Model B`."""
        return f"Model {self.letter}"


@dataclass(frozen=True, slots=True, eq=False)
class RunFacts:
    """Everything a report says.

    Attributes:
        folder: Of the run.
        models: By letter, those that the run holds, A before B.
        measured_on: `test` or `validation` images.
        images: How many of them.
        drawn: The faces are drawn: nothing here says anything about people.
        utkface: The images are labelled in the manner of UTKFace.
        near_duplicates: Images with a near-duplicate, as the split counted them; None if it did not.
        constant: The best constant answer of the training labels, on the measured images.
        constant_of_measured: The constant was chosen on the measured labels, since the run's record holds none.
        comparison: The paired test of A against B; None with one model.
        versions: Of what the run computed with.
    """

    folder: RunFolder
    models: Mapping[str, ModelFacts]
    measured_on: str
    images: int
    drawn: bool
    utkface: bool
    near_duplicates: int | None
    constant: ConstantPredictor
    constant_of_measured: bool
    comparison: ComparisonResult | None
    versions: Mapping[str, str]


def gather_facts(root: str | Path) -> RunFacts:
    """Read a run folder, or the folder of shipped models.

    Raises:
        InputError: It is no run, is not finished, holds no model, or was measured on nothing.
    """
    folder, record = open_run(Path(root))
    if not record.get("finished"):
        raise InputError(f"The run {root} is not finished. Go on with it: agegender run ... --out {root} --resume.")
    if not folder.metrics.is_file() or not folder.predictions.is_file():
        raise InputError(
            f"{root} has no metrics.json and predictions.parquet, so there is nothing to report. Measure its models: "
            f"agegender evaluate {root}/*.keras --data FACES --out {root}"
        )
    evaluation = load_evaluation(folder.metrics)
    answers = pd.read_parquet(folder.predictions)
    letters = [letter for letter in MODELS if folder.sidecar(letter).is_file()]
    measured = {model.name for model in evaluation.models}
    if not letters or not measured.issuperset(letters):
        raise InputError(
            f"{root} must hold measured models with their sidecars. Received: sidecars of {letters or 'none'}, "
            f"measurements of {sorted(measured)}."
        )
    models = {letter: _model(folder, letter, evaluation, answers) for letter in letters}
    first = answers.drop_duplicates("file")
    constant = record.get("constant_predictor")
    split = read_json(folder.split) if folder.split.is_file() else {}
    return RunFacts(
        folder=folder,
        models=models,
        measured_on=record.get("measured_on", "test"),
        images=evaluation.n,
        drawn=evaluation.drawn,
        utkface=not evaluation.drawn and _has_races(answers),
        near_duplicates=split.get("made_from", {}).get("files_with_near_duplicates"),
        constant=ConstantPredictor(**constant)
        if constant
        else constant_predictor(first["age"], female_labels(first), first["age"], female_labels(first)),
        constant_of_measured=not constant,
        comparison=_comparison(evaluation, letters),
        versions=record.get("versions", {}),
    )


def _comparison(evaluation: Evaluation, letters: Sequence[str]) -> ComparisonResult | None:
    """The paired test of A against B, if the run holds both."""
    if set(letters) != set(MODELS):
        return None
    return next((pair for pair in evaluation.comparisons if (pair.first, pair.second) == MODELS), None)


def _model(folder: RunFolder, letter: str, evaluation: Evaluation, answers: pd.DataFrame) -> ModelFacts:
    sidecar = read_json(folder.sidecar(letter))
    curves = sidecar.get("twin") or sidecar
    start = sidecar.get("started_from") or {}
    history = folder.training(letter) / "history.csv"
    if not history.is_file():
        raise InputError(f"{history} is missing: a report needs the learning curves that training left there.")
    rows = (answers["model"].astype(str) == letter) & (answers["order"].astype(str) == ORDER)
    return ModelFacts(
        letter=letter,
        parameters=int(sidecar["parameters"]),
        start=start.get("start", "random"),
        source=start.get("source", ""),
        recipe=_recipe(sidecar["recipe"]),
        blocks=model_blocks(folder, letter),
        history=pd.read_csv(history),
        result=evaluation.result(letter, ORDER),
        agreement=next((one for one in evaluation.order_agreement if one.model == letter), None),
        trained_on=sidecar["split"]["train"],
        curves_trained_on=curves["split"]["train"],
        curves_validated_on=curves["split"]["of"] - curves["split"]["train"],
        twin="twin" in sidecar,
        begun=_begun(sidecar),
        seed=curves["seed"],
        seconds=float(curves["training_seconds"]),
        averaged=_averaged(sidecar),
        teachers=len(sidecar.get("teachers") or ()),
        answers=answers.loc[rows].reset_index(drop=True),
        calibration=calibration_facts(sidecar),
    )


def _begun(sidecar: Mapping[str, Any]) -> int:
    images = sidecar["split"]["train"]
    return sum(stretch.epochs for stretch in stretches(sidecar) if stretch.images < images)


def _averaged(sidecar: Mapping[str, Any]) -> int:
    others = (sidecar.get("went_on_from") or {}).get("averaged_with")
    return len(others) + 1 if others else 0


def _recipe(record: Mapping[str, Any]) -> RecipeFacts:
    """A recorded recipe; values that this version does not print are passed over."""
    phases = tuple(PhaseFacts(**_known(PhaseFacts, phase)) for phase in record["phases"])
    return RecipeFacts(**{**_known(RecipeFacts, record), "phases": phases})


def _known(kind: type, record: Mapping[str, Any]) -> dict[str, Any]:
    return {item.name: record[item.name] for item in fields(kind) if item.name in record}


def _has_races(answers: pd.DataFrame) -> bool:
    """Whether the images have UTKFace's third field: nobody else's labels name these five groups."""
    return (
        "race" in answers
        and set(answers["race"].dropna().astype(str).unique()) <= {str(race) for race in Race}
        and len(answers["race"].dropna()) > 0
    )
