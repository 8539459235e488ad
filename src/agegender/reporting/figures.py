"""All pictures of a run in one call: what there is to draw is drawn, captioned and written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from agegender.evaluation.evaluate import EvaluationResult
from agegender.models.describe import ArchitectureBlock
from agegender.reporting.architecture import architecture, architecture_caption
from agegender.reporting.confusion import confusion_matrix, confusion_matrix_caption
from agegender.reporting.curves import (
    CURVES,
    learning_curve,
    learning_curve_caption,
    learning_curves,
    learning_curves_caption,
)
from agegender.reporting.grids import (
    augmented_grid,
    augmented_grid_caption,
    sample_grid,
    sample_grid_caption,
    worst_errors,
    worst_errors_caption,
    worst_rows,
)
from agegender.reporting.groups import error_by_group, error_by_group_caption
from agegender.reporting.save import save_figure
from agegender.reporting.scatter import predicted_against_true, predicted_against_true_caption
from agegender.types import Progress, silent

WORST_SHOWN = 12

ImagesOf = Callable[[Sequence[str]], np.ndarray]
"""Files of a prediction table to their images, uint8 RGB of shape (n, height, width, 3), in the order asked for."""

Picture = tuple[str, Callable[[], tuple[Figure, str]]]
"""A file name without suffix, and what makes the figure and its caption."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleImages:
    """Images to show with their labels; `choose_samples` picks a fair set.

    Attributes:
        images: uint8 RGB, shape (n, height, width, 3); 20 or more make a good grid.
        ages: Years, length n.
        genders: Names, length n.
    """

    images: np.ndarray
    ages: Sequence[float] | np.ndarray
    genders: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class AugmentedImages:
    """Training images beside what augmentation makes of them.

    Attributes:
        originals: uint8 RGB, shape (n, height, width, 3).
        variants: uint8 RGB, shape (n, variants, height, width, 3); 4 rows of 5 variants fill a page's width.
    """

    originals: np.ndarray
    variants: np.ndarray


def run_figures(
    folder: str | Path,
    *,
    drawn: bool,
    histories: Mapping[str, pd.DataFrame] | None = None,
    architectures: Mapping[str, Sequence[ArchitectureBlock]] | None = None,
    results: Sequence[EvaluationResult] = (),
    predictions: pd.DataFrame | None = None,
    images_of: ImagesOf | None = None,
    samples: SampleImages | None = None,
    augmented: AugmentedImages | None = None,
    progress: Progress = silent,
) -> list[Path]:
    """Draw and write every picture of a run; what is not given is not drawn.

    Files, for a model `A`: `A_architecture`, `A_gender_loss`, `A_gender_accuracy`, `A_age_loss`, `A_age_mae`,
    `A_learning_curves`, `A_confusion`, `A_error_by_age` (and by every other column but gender that was measured),
    `A_predicted_age`, `A_worst_age`, `A_worst_gender`, and once a run `samples` and `augmentation`; each as PNG and
    SVG, with `captions.json` beside them.

    Args:
        folder: Where to write, such as `run/figures`.
        drawn: The run was made on drawn faces; every figure of data says so.
        histories: Model letter to its `history.csv`.
        architectures: Model letter to what `describe` gives.
        results: As `evaluate_models` gives them; those in channel order `rgb` are drawn.
        predictions: The prediction table with a column `model`; where it has a column `order`, its `rgb` rows count.
        images_of: Gives the images of the prediction table's files, for the worst errors.
        samples: Images to show with their labels.
        augmented: Training images and their variants.
        progress: How to show how far it is.

    Returns:
        The pictures written, PNG and SVG, in the order drawn.

    Raises:
        InputError: What was given cannot be drawn; the message says what is missing.
        OutputError: The folder cannot be written or the disk is full.
    """
    pictures: list[Picture] = [
        *_data_pictures(samples, augmented, drawn),
        *(picture for letter, blocks in (architectures or {}).items() for picture in _architecture(letter, blocks)),
        *(picture for letter, history in (histories or {}).items() for picture in _curves(letter, history, drawn)),
        *(picture for result in results if result.order == "rgb" for picture in _result_pictures(result, drawn)),
        *(
            picture
            for letter, rows in _by_model(predictions)
            for picture in _prediction_pictures(letter, rows, images_of, drawn)
        ),
    ]
    written: list[Path] = []
    for name, make in progress(pictures, total=len(pictures), title="Figures"):
        figure, caption = make()
        # A model's name may be a path and a column's may be anything; a file's may not.
        written += save_figure(figure, folder, re.sub(r"[^\w.-]+", "-", name), caption)
    return written


def _by_model(predictions: pd.DataFrame | None) -> Iterator[tuple[str, pd.DataFrame]]:
    if predictions is None:
        return
    rgb = predictions["order"].astype(str) == "rgb" if "order" in predictions else np.full(len(predictions), True)
    models = predictions["model"].astype(str)
    for letter in dict.fromkeys(models[rgb]):
        yield letter, predictions.loc[rgb & (models == letter)].reset_index(drop=True)


def _data_pictures(samples: SampleImages | None, augmented: AugmentedImages | None, drawn: bool) -> Iterator[Picture]:
    if samples is not None:
        yield (
            "samples",
            lambda: (
                sample_grid(samples.images, samples.ages, samples.genders, drawn=drawn),
                sample_grid_caption(samples.ages, samples.genders, drawn=drawn),
            ),
        )
    if augmented is not None:
        yield (
            "augmentation",
            lambda: (
                augmented_grid(augmented.originals, augmented.variants, drawn=drawn),
                augmented_grid_caption(augmented.originals, augmented.variants, drawn=drawn),
            ),
        )


def _architecture(letter: str, blocks: Sequence[ArchitectureBlock]) -> Iterator[Picture]:
    model = f"Model {letter}"
    yield (
        f"{letter}_architecture",
        lambda: (architecture(blocks, model=model), architecture_caption(blocks, model=model)),
    )


def _curves(letter: str, history: pd.DataFrame, drawn: bool) -> Iterator[Picture]:
    model = f"Model {letter}"
    for curve in CURVES:
        yield (
            f"{letter}_{curve.key}",
            lambda key=curve.key: (
                learning_curve(history, key, model=model, drawn=drawn),
                learning_curve_caption(history, key, model=model, drawn=drawn),
            ),
        )
    yield (
        f"{letter}_learning_curves",
        lambda: (
            learning_curves(history, model=model, drawn=drawn),
            learning_curves_caption(history, model=model, drawn=drawn),
        ),
    )


def _result_pictures(result: EvaluationResult, drawn: bool) -> Iterator[Picture]:
    model = f"Model {result.model}"
    yield (
        f"{result.model}_confusion",
        lambda: (
            confusion_matrix(result.confusion, model=model, drawn=drawn),
            confusion_matrix_caption(result.confusion, model=model, drawn=drawn),
        ),
    )
    for column in dict.fromkeys(part.column for part in result.slices):
        if column != "gender":  # the confusion matrix says it
            yield (
                f"{result.model}_error_by_{column}",
                lambda column=column: (
                    error_by_group(result, column, model=model, drawn=drawn),
                    error_by_group_caption(result, column, model=model, drawn=drawn),
                ),
            )


def _prediction_pictures(letter: str, rows: pd.DataFrame, images_of: ImagesOf | None, drawn: bool) -> Iterator[Picture]:
    model = f"Model {letter}"
    yield (
        f"{letter}_predicted_age",
        lambda: (
            predicted_against_true(rows, model=model, drawn=drawn),
            predicted_against_true_caption(rows, model=model, drawn=drawn),
        ),
    )
    if images_of is None:
        return
    for by in ("age", "gender"):
        worst = rows.iloc[worst_rows(rows, by, WORST_SHOWN)].reset_index(drop=True)
        if len(worst):  # a model may have no wrong gender
            yield (
                f"{letter}_worst_{by}",
                lambda by=by, worst=worst: (
                    worst_errors(images_of(worst["file"].tolist()), worst, by=by, model=model, drawn=drawn),
                    worst_errors_caption(worst, by=by, model=model, of_images=len(rows), drawn=drawn),
                ),
            )
