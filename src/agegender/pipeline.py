"""The main job as one readable page: data, split, train A and B, evaluate, draw."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from agegender.artifacts import plain, read_json, sha256_file, write_json, write_text
from agegender.backend import require_backend, usable_precision
from agegender.data.dataset import Dataset, UnusableDataError, load_dataset, write_rejected
from agegender.data.drawn import draw_faces
from agegender.data.duplicates import near_duplicate_groups
from agegender.data.readers import is_table
from agegender.data.splits import Split, load_split, make_folds, make_split, save_split, train_on_all
from agegender.errors import SettingError
from agegender.metrics.baseline import ConstantPredictor, constant_predictor
from agegender.optional import require
from agegender.run_folder import MODELS, RunFolder, versions
from agegender.types import Progress, silent

DRAWN_COUNT, DRAWN_SEED = 1200, 1
DRAWN_TEST_COUNT, DRAWN_TEST_SEED = 400, 2
"""The embedded default: training faces of one seed, test faces of another."""

SAMPLES_SHOWN, AUGMENTED_SHOWN, VARIANTS_SHOWN = 24, 4, 5

Announce = Callable[[str], None]


def _nobody(line: str) -> None:
    """The `Announce` that tells nobody."""


@dataclass(frozen=True)
class RunSettings:
    """What a run is asked to do.

    Attributes:
        out: The run's folder.
        data: Labelled faces; None draws them.
        test: Other labelled faces to measure on; None measures on the validation images (on drawn faces of another
            seed, if `data` is None too).
        models: `A`, `B` or both.
        seed: Of split, weights, order, augmentation.
        validation_fraction: Held out, 0..1.
        train_on_all: Use every image to train; there is then no validation.
        split_file: A saved split to use.
        fold: Which of how many folds to hold out, counted from 1, in place of a fraction.
        changes: By model, values of the recipe to change: path and text, as in `--set A.batch_size=32`.
        resume: Go on with an unfinished run in `out`.
        gender_codes: What the codes in a table's gender column mean, such as `{"0": "male"}`; names need none.
        strict_size: Reject images that are not 128 x 128.
        allow_rejected: Go on even if over a tenth of the files cannot be used.
    """

    out: Path
    data: str | None = None
    test: str | None = None
    models: tuple[str, ...] = MODELS
    seed: int = 1
    validation_fraction: float = 0.2
    train_on_all: bool = False
    split_file: Path | None = None
    fold: tuple[int, int] | None = None
    changes: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    resume: bool = False
    gender_codes: dict[int | str, str] | None = None
    strict_size: bool = False
    allow_rejected: bool = False


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
    evaluation: Any
    measured_on: str
    constant: ConstantPredictor | None
    figures: list[Path]
    drawn: bool


def run(settings: RunSettings, *, announce: Announce = _nobody, progress: Progress = silent) -> RunResult:
    """Do the main job.

    Raises:
        AgegenderError: Bad input or settings, or nothing can be written; what was finished stays and can be resumed.
    """
    require_backend()
    require("matplotlib", "report")
    folder = RunFolder(settings.out)
    comparable = _comparable(settings)
    folder.claim(comparable, resume=settings.resume)
    faces, test = _load_data(settings, folder, announce, progress)
    recipes = {model: _recipe(settings, model) for model in settings.models}
    folder.begin(comparable)
    split = _split(settings, folder, faces)
    announce(f"Split {split.name}: {len(split.train):,} to train, {len(split.validation):,} to validate")
    if test is None and not split.validation:
        announce("No --test and no validation images: the models are trained and checked, but measured on nothing.")

    for model, recipe in recipes.items():
        _train_and_save(model, recipe, settings, folder, faces, split, announce)

    measured_on = "test" if test is not None else "validation"
    evaluation, predictions = _evaluate(settings, folder, faces, test, split, progress)
    constant = _constant(faces, split, predictions) if predictions is not None else None
    figures = _draw(settings, folder, faces, test, split, recipes, evaluation, predictions, progress)
    folder.finish(
        {
            "drawn": faces.drawn,
            "measured_on": measured_on,
            "constant_predictor": constant,
            "data": faces.fingerprint,
        }
    )
    return RunResult(folder, evaluation, measured_on, constant, figures, faces.drawn)


def _comparable(settings: RunSettings) -> dict[str, Any]:
    """The settings that must be the same for a run to be resumed, in JSON's own types."""
    record = dataclasses.asdict(settings)
    for free in ("resume", "out"):
        record.pop(free)
    return json.loads(json.dumps(record, default=plain))


def _recipe(settings: RunSettings, model: str) -> Any:
    from agegender.training.recipe import override
    from agegender.training.recipes import default_recipe

    recipe = default_recipe(model, drawn=settings.data is None)
    for path, text in settings.changes.get(model, ()):
        recipe = override(recipe, path, text)
    return dataclasses.replace(recipe, precision=usable_precision(recipe.precision))


def _load_data(
    settings: RunSettings, folder: RunFolder, announce: Announce, progress: Progress
) -> tuple[Dataset, Dataset | None]:
    data, test = settings.data, settings.test
    if data is None:
        if test is not None:
            raise SettingError("--test needs --data: models that learnt from drawn faces are measured on drawn faces.")
        announce("No --data: using faces that this package draws. Figures on them say nothing about people.")
        root = folder.root / "drawn_faces"
        data = str(draw_faces(root / "train_val", count=DRAWN_COUNT, seed=DRAWN_SEED, progress=progress))
        test = str(draw_faces(root / "test", count=DRAWN_TEST_COUNT, seed=DRAWN_TEST_SEED, progress=progress))

    tables = any(is_table(source) for source in (data, test) if source is not None)

    def load(source: str, rejected: Path) -> Dataset:
        try:
            dataset = load_dataset(
                source,
                strict_size=settings.strict_size,
                allow_rejected=settings.allow_rejected,
                gender_codes=settings.gender_codes if is_table(source) or not tables else None,
                progress=progress,
            )
        except UnusableDataError as error:
            if len(error.rejected):
                write_text(rejected, error.rejected.to_csv(index=False))
                raise UnusableDataError(f"{error} Every file and its reason: {rejected}", error.rejected) from error
            raise
        write_rejected(dataset, rejected)
        announce(f"{source}: {len(dataset):,} faces, {len(dataset.rejected):,} files rejected")
        for note in dataset.notes:
            announce(note)
        return dataset

    faces = load(data, folder.rejected)
    return faces, load(test, folder.root / "rejected_test.csv") if test is not None else None


def _split(settings: RunSettings, folder: RunFolder, faces: Dataset) -> Split:
    if folder.split.is_file():
        return load_split(folder.split, faces.table)
    if settings.split_file is not None:
        split = load_split(settings.split_file, faces.table)
    else:
        groups = near_duplicate_groups(faces.images)
        if settings.train_on_all:
            split = train_on_all(faces.table, groups, settings.seed)
        elif settings.fold is not None:
            number, folds = settings.fold
            split = make_folds(faces.table, groups, folds=folds, seed=settings.seed)[number - 1]
        else:
            split = make_split(
                faces.table, groups, validation_fraction=settings.validation_fraction, seed=settings.seed
            )
    save_split(split, folder.split)
    return split


def _train_and_save(
    model: str,
    recipe: Any,
    settings: RunSettings,
    folder: RunFolder,
    faces: Dataset,
    split: Split,
    announce: Announce,
) -> None:
    """Train one model and write it with its sidecar, unless a resumed run has done so."""
    if folder.sidecar(model).is_file() and folder.model(model).is_file():
        announce(f"Model {model} is trained already: {folder.model(model)}")
        return
    import keras

    from agegender.models.saving import save_model
    from agegender.training.batches import FaceArrays
    from agegender.training.fit import train

    ages = faces.table["age"].to_numpy(dtype=np.float32)
    genders = _gender_targets(faces)
    training = FaceArrays(faces.images, ages, genders, faces.select(split.train))
    validation = FaceArrays(faces.images, ages, genders, faces.select(split.validation)) if split.validation else None
    split_hash = hashlib.sha256(json.dumps([split.train, split.validation]).encode()).hexdigest()
    write_json(folder.training(model) / "recipe.json", recipe)
    announce(f"Model {model}: {recipe.epochs} epochs on {len(training):,} images, {recipe.precision}")
    trained = train(
        recipe,
        training,
        validation,
        folder.training(model),
        seed=settings.seed,
        data_fingerprint=f"{faces.fingerprint}/{split_hash}",
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
            "recipe": recipe,
            "seed": settings.seed,
            "split": {"name": split.name, "sha256": split_hash, "train": len(split.train), "of": len(faces)},
            "data": {"fingerprint": faces.fingerprint, "drawn": faces.drawn},
            "versions": versions(),
            "training_seconds": round(trained.seconds, 1),
            "last_epoch": {key: (None if value != value else value) for key, value in last.to_dict().items()},  # noqa: PLR0124
        },
    )
    announce(f"Wrote {folder.model(model)}")
    del trained
    keras.utils.clear_session()
    gc.collect()


def _gender_targets(faces: Dataset) -> np.ndarray:
    from agegender.labels import Gender

    return np.array([Gender(name).code for name in faces.table["gender"]], dtype=np.float32)


def _evaluate(
    settings: RunSettings, folder: RunFolder, faces: Dataset, test: Dataset | None, split: Split, progress: Progress
) -> tuple[Any, Any]:
    """Measure the saved files as the marker would: on the test data, else on the validation images."""
    from agegender.evaluation.suite import evaluate_models, save_evaluation, save_predictions

    if test is None and not split.validation:
        return None, None
    evaluation, predictions = evaluate_models(
        [folder.model(model) for model in settings.models],
        test if test is not None else faces,
        names=settings.models,
        files=None if test is not None else split.validation,
        progress=progress,
    )
    save_evaluation(evaluation, folder.metrics)
    save_predictions(predictions, folder.predictions)
    for model in settings.models:
        figures = {result.order: result.figures for result in evaluation.results if result.model == model}
        name = "test" if test is not None else "validation"
        write_json(folder.sidecar(model), read_json(folder.sidecar(model)) | {name: figures})
    return evaluation, predictions


def _constant(faces: Dataset, split: Split, predictions: Any) -> ConstantPredictor:
    """The best constant answer of the training labels, on the images that the models were measured on."""
    trained = faces.table.iloc[faces.select(split.train)]
    measured = predictions.drop_duplicates("file")
    return constant_predictor(
        trained["age"], trained["gender"].astype(str) == "female", measured["age"], measured["gender"] == "female"
    )


def _draw(
    settings: RunSettings,
    folder: RunFolder,
    faces: Dataset,
    test: Dataset | None,
    split: Split,
    recipes: dict[str, Any],
    evaluation: Any,
    predictions: Any,
    progress: Progress,
) -> list[Path]:
    import keras
    import pandas as pd

    from agegender.models.describe import describe
    from agegender.reporting.figures import AugmentedImages, SampleImages, run_figures
    from agegender.reporting.grids import choose_samples
    from agegender.training.augment import augment_image

    measured = test if test is not None else faces
    rng = np.random.default_rng(settings.seed)
    rows = faces.select(split.train)
    ages, genders = faces.table["age"].to_numpy(), faces.table["gender"].astype(str).to_numpy()
    rows = rows[choose_samples(ages[rows], genders[rows].tolist(), count=SAMPLES_SHOWN, seed=settings.seed)]
    originals = faces.images[rng.permutation(rows)[:AUGMENTED_SHOWN]]
    augmentation = next(iter(recipes.values())).augmentation
    variants = [[augment_image(image, augmentation, rng) for _ in range(VARIANTS_SHOWN)] for image in originals]
    return run_figures(
        folder.figures,
        drawn=faces.drawn,
        histories={model: pd.read_csv(folder.training(model) / "history.csv") for model in settings.models},
        architectures={model: describe(keras.models.load_model(folder.model(model))) for model in settings.models},
        results=evaluation.results if evaluation is not None else (),
        predictions=predictions,
        images_of=lambda files: measured.images[measured.select(files)],
        samples=SampleImages(faces.images[rows], ages[rows], genders[rows].tolist()),
        augmented=AugmentedImages(originals, np.stack([np.stack(row) for row in variants])),
        progress=progress,
    )
