"""What a run is asked to do, and with which recipes."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agegender.artifacts import plain
from agegender.backend import usable_precision
from agegender.errors import SettingError
from agegender.run_folder import MODELS

if TYPE_CHECKING:
    from agegender.training.recipe import Recipe


TEACHER_SHARE = 0.5
"""Of the targets, where teachers are given and the recipe's value is not changed."""


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
        taught_by: Trained model files whose answers are a share of the targets.
        start_from: Finished runs of the recipe's first phases, to go on from the mean of their weights.
        again: So many of the last phases that those runs did are done once more, with this run's values.
        phases: Do only so many of the recipe's phases, from the first.
        resume: Go on with an unfinished run in `out`.
        distribute: Split each batch over all devices of this machine (Keras on JAX). A run may go on with or without.
        corrections: A table of files to drop and labels to change in `data`, as `agegender audit` writes one; `test`
            is never corrected.
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
    taught_by: tuple[Path, ...] = ()
    start_from: tuple[Path, ...] = ()
    again: int = 0
    phases: int | None = None
    resume: bool = False
    distribute: bool = False
    corrections: Path | None = None
    gender_codes: dict[int | str, str] | None = None
    strict_size: bool = False
    allow_rejected: bool = False

    def comparable(self) -> dict[str, Any]:
        """The settings that must be the same for a run to be resumed, in JSON's own types."""
        record = dataclasses.asdict(self)
        for free in ("resume", "out", "distribute"):
            record.pop(free)
        return json.loads(json.dumps(record, default=plain))

    def recipe(self, model: str) -> Recipe:
        """The default recipe of a model with the changes asked for.

        Raises:
            SettingError: There is no such value, or it is of another type, there are not so many phases, or phases are
                to be done again and nothing says whose.
        """
        from agegender.training.recipe import override
        from agegender.training.recipes import default_recipe

        if self.again and not self.start_from:
            raise SettingError("--again does phases of former runs once more: name them with --start-from.")
        recipe = default_recipe(model, drawn=self.data is None)
        if self.phases is not None:
            if not 1 <= self.phases <= len(recipe.phases):
                raise SettingError(
                    f"The recipe of {model} has {len(recipe.phases)} phases "
                    f"({', '.join(phase.name for phase in recipe.phases)}). Received: {self.phases}"
                )
            recipe = dataclasses.replace(recipe, phases=recipe.phases[: self.phases])
        if self.taught_by:
            recipe = dataclasses.replace(recipe, teacher_share=TEACHER_SHARE)
        for path, text in self.changes.get(model, ()):
            recipe = override(recipe, path, text)
        return dataclasses.replace(recipe, precision=usable_precision(recipe.precision))
