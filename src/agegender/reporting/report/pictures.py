"""The figures of a report, drawn when they are asked for, each with its caption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from agegender.data.drawn import draw_face
from agegender.reporting.architecture import architecture, architecture_caption
from agegender.reporting.confusion import confusion_matrix, confusion_matrix_caption
from agegender.reporting.curves import learning_curves, learning_curves_caption
from agegender.reporting.grids import augmented_grid, augmented_grid_caption
from agegender.reporting.groups import error_by_group, error_by_group_caption
from agegender.reporting.report.document import FigureBlock
from agegender.reporting.report.facts import ModelFacts, RunFacts
from agegender.reporting.report.performance import EXPLANATION
from agegender.reporting.save import figure_svg, read_captions
from agegender.reporting.scatter import predicted_against_true, predicted_against_true_caption
from agegender.training.augment import Augmentation, augment_image

AUGMENTED_FACES, VARIANTS, FACES_SEED = 2, 6, 11
"""Drawn faces, so that a report shows no person."""

WIDTHS = {"architecture": 0.82, "learning_curves": 0.94, "error_by_age": 0.94}
"""Shares of the text's width; everything else takes all of its place."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One figure.

    Attributes:
        key: Its name, such as `A_architecture`.
        caption: Full sentences.
        content: Makes the file.
        suffix: `svg` or `png`.
    """

    key: str
    caption: str
    content: Callable[[], bytes]
    suffix: str = "svg"

    @property
    def block(self) -> FigureBlock:
        """Its place in a document."""
        kind = self.key.split("_", 1)[-1]
        # A tall diagram at the top of a page would stand above the heading of its own section.
        place = "bottom" if kind == "architecture" else "auto"
        return FigureBlock(self.key, self.caption, WIDTHS.get(kind, 1.0), place)


def report_pictures(facts: RunFacts) -> dict[str, Picture]:
    """Every figure of a run that a report can show, by key."""
    first = next(iter(facts.models.values()))
    pictures = [_augmentation(first)]
    for model in facts.models.values():
        pictures += [*_of_model(model, facts.drawn), *_explanation(facts, model)]
    return {picture.key: picture for picture in pictures}


def _picture(key: str, make: Callable[[], Figure], caption: str) -> Picture:
    return Picture(key, caption, lambda: figure_svg(make(), key, caption))


def _augmentation(model: ModelFacts) -> Picture:
    faces = [draw_face(index, FACES_SEED)[0] for index in range(AUGMENTED_FACES)]
    settings = Augmentation(
        **{
            name: value
            for name, value in model.recipe.augmentation.items()
            if name in Augmentation.__dataclass_fields__
        }
    )
    rng = np.random.default_rng(FACES_SEED)
    variants = np.stack([np.stack([augment_image(face, settings, rng) for _ in range(VARIANTS)]) for face in faces])
    originals = np.stack(faces)
    caption = augmented_grid_caption(originals, variants, drawn=False)
    caption = caption.replace("training images", "drawn faces").replace("training image", "drawn face")
    return _picture("augmentation", lambda: augmented_grid(originals, variants, drawn=True), caption)


def _of_model(model: ModelFacts, drawn: bool) -> list[Picture]:
    letter, name, result = model.letter, model.name, model.result
    whose = f"{name}, twin" if model.twin else name
    pictures = [
        _picture(
            f"{letter}_architecture",
            lambda: architecture(model.blocks, model=name),
            architecture_caption(model.blocks, model=name).replace("`", ""),
        ),
        _picture(
            f"{letter}_learning_curves",
            lambda: learning_curves(model.history, model=whose, drawn=drawn),
            learning_curves_caption(model.history, model=whose, drawn=drawn),
        ),
        _picture(
            f"{letter}_predicted_age",
            lambda: predicted_against_true(model.answers, model=name, drawn=drawn),
            predicted_against_true_caption(model.answers, model=name, drawn=drawn),
        ),
        _picture(
            f"{letter}_confusion",
            lambda: confusion_matrix(result.confusion, model=name, drawn=drawn),
            confusion_matrix_caption(result.confusion, model=name, drawn=drawn),
        ),
    ]
    for column in dict.fromkeys(part.column for part in result.slices):
        if column != "gender":
            pictures.append(
                _picture(
                    f"{letter}_error_by_{column}",
                    lambda column=column: error_by_group(result, column, model=name, drawn=drawn),
                    error_by_group_caption(result, column, model=name, drawn=drawn),
                )
            )
    return pictures


def _explanation(facts: RunFacts, model: ModelFacts) -> list[Picture]:
    """The figure that `agegender explain ... --out RUN/<letter>` left there with its caption."""
    folder = facts.folder.training(model.letter)
    caption = read_captions(folder).get(EXPLANATION)
    file = next((file for suffix in ("svg", "png") if (file := folder / f"{EXPLANATION}.{suffix}").is_file()), None)
    if caption is None or file is None:
        return []
    return [Picture(f"{model.letter}_{EXPLANATION}", caption, file.read_bytes, file.suffix[1:])]
