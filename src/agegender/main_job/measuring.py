"""Measure and draw what a run has trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from agegender.artifacts import read_json, write_json
from agegender.data.dataset import Dataset
from agegender.data.splits import Split
from agegender.main_job.settings import RunSettings
from agegender.metrics.baseline import ConstantPredictor, constant_predictor
from agegender.run_folder import RunFolder
from agegender.types import Progress

if TYPE_CHECKING:
    from agegender.evaluation import Evaluation
    from agegender.training.recipe import Recipe

SAMPLES_SHOWN, AUGMENTED_SHOWN, VARIANTS_SHOWN = 24, 4, 5


def evaluate(
    settings: RunSettings, folder: RunFolder, faces: Dataset, test: Dataset | None, split: Split, progress: Progress
) -> tuple[Evaluation, pd.DataFrame] | tuple[None, None]:
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


def constant_answer(faces: Dataset, split: Split, predictions: pd.DataFrame) -> ConstantPredictor:
    """The best constant answer of the training labels, on the images that the models were measured on."""
    trained = faces.table.iloc[faces.select(split.train)]
    measured = predictions.drop_duplicates("file")
    return constant_predictor(
        trained["age"], trained["gender"].astype(str) == "female", measured["age"], measured["gender"] == "female"
    )


def draw(
    settings: RunSettings,
    folder: RunFolder,
    faces: Dataset,
    test: Dataset | None,
    split: Split,
    recipes: dict[str, Recipe],
    evaluation: Evaluation | None,
    predictions: pd.DataFrame | None,
    progress: Progress,
) -> list[Path]:
    """Every picture of the run; the paths written."""
    from agegender.reporting.blocks import model_blocks
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
        architectures={model: model_blocks(folder, model) for model in settings.models},
        results=evaluation.results if evaluation is not None else (),
        predictions=predictions,
        images_of=lambda files: measured.images[measured.select(files)],
        samples=SampleImages(faces.images[rows], ages[rows], genders[rows].tolist()),
        augmented=AugmentedImages(originals, np.stack([np.stack(row) for row in variants])),
        progress=progress,
    )
