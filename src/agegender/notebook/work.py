"""What the notebook works on: a run that it trains itself, or a finished one that it shows."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agegender.artifacts import read_json
from agegender.data.dataset import Dataset, load_dataset
from agegender.data.drawn import draw_faces
from agegender.data.duplicates import near_duplicate_groups
from agegender.data.readers import is_table
from agegender.data.splits import Split, load_split, make_split, save_split
from agegender.errors import InputError
from agegender.main_job.inputs import DRAWN_SEED, load_data, split_faces
from agegender.main_job.measuring import constant_answer
from agegender.main_job.settings import RunSettings
from agegender.run_folder import MODELS, RunFolder, open_run
from agegender.types import Announce, silent

if TYPE_CHECKING:
    import pandas as pd

    from agegender.training.recipe import Recipe

PICTURES_DRAWN = 240
"""Faces drawn for the pictures where a run is shown and its images are not at hand."""


@dataclass(frozen=True)
class Work:
    """The data, the run's folder and its settings.

    Attributes:
        settings: Of the run, as `agegender run` has them.
        folder: Where it stands.
        faces: Images to show and, unless the run is finished, to learn from.
        test: Images to measure on; None where there are none.
        shown: The run was finished before: its training is shown, nothing is trained.
        announce: Prints a line in which folders have short names.
    """

    settings: RunSettings
    folder: RunFolder
    faces: Dataset
    test: Dataset | None
    shown: bool
    announce: Announce

    @property
    def drawn_recipe(self) -> bool:
        """Whether the recipes for drawn faces were the starting point."""
        return self.settings.data is None

    def recipe(self, model: str) -> Recipe:
        """The recipe of `A` or `B`: of a finished run the recorded one.

        Raises:
            SettingError: A change names no value of it, or it was recorded by another version.
        """
        from agegender.training.recipe import Recipe, from_record  # noqa: PLC0415 - brings Keras

        if not self.shown:
            return self.settings.recipe(model)
        return from_record(Recipe, read_json(self.folder.training(model) / "recipe.json"))

    def split(self) -> Split:
        """Which images train and which validate: the run's own, or one of the pictures if the run has other images."""
        if not self.shown:
            split = split_faces(self.settings, self.folder, self.faces)
            save_split(split, self.folder.split)
            return split
        if self.has_images:
            return load_split(self.folder.split, self.faces.table)
        return make_split(self.faces.table, near_duplicate_groups(self.faces.images), seed=self.settings.seed)

    @property
    def has_images(self) -> bool:
        """Whether `faces` are the images of the run itself."""
        if not self.shown:
            return True
        listed = read_json(self.folder.split)
        return {*listed["train"], *listed["validation"]} == set(self.faces.table["file"])

    def sidecar(self, model: str) -> dict[str, Any]:
        """What is known of a trained model."""
        return read_json(self.folder.sidecar(model))

    def measured_on(self) -> str:
        """`test` or `validation`: which images the figures are about."""
        if self.shown and self.test is None:
            return read_json(self.folder.record).get("measured_on", "test")
        return "test" if self.test is not None else "validation"

    def constant(self) -> dict[str, Any] | None:
        """What the best constant answer gave on the measured images, if the run's record has it for them."""
        if self.shown and self.test is not None:
            return None
        return read_json(self.folder.record).get("constant_predictor")

    def finish(self, split: Split, predictions: pd.DataFrame) -> None:
        """Complete the record of a run that was trained here, as `agegender run` does."""
        facts = {
            "drawn": self.faces.drawn,
            "measured_on": self.measured_on(),
            "constant_predictor": constant_answer(self.faces, split, predictions),
            "data": self.faces.fingerprint,
        }
        self.folder.finish(facts)


def open_work(
    *,
    data: str = "",
    test: str = "",
    run: str = "",
    train_in: str = "runs/notebook",
    seed: int = 1,
    changes: Mapping[str, Sequence[Sequence[str]]] | None = None,
    phases: int | None = None,
    gender_codes: Mapping[str, str] | None = None,
) -> Work:
    """Load the data and open the run.

    Args:
        data: Labelled faces; empty draws them.
        test: Other labelled faces to measure on; empty measures on the validation images, or shows what was measured.
        run: The folder of a finished run to show; empty trains.
        train_in: The folder of a run to train, or to go on with.
        seed: Of split, weights, order and augmentation of a run that is trained.
        changes: By model, values of the recipe to change, such as `{"A": [["phases.-1.epochs", "2"]]}`.
        phases: Only so many of the recipes' phases, from the first; None does them all.
        gender_codes: What the codes in a table's gender column mean, such as `{"0": "male", "1": "female"}`.

    Raises:
        InputError: The run is not finished or lacks something, or the data cannot be used.
        SettingError: The folder holds a run of other settings.
    """
    announce = _with_short_names({data: "DATA", test: "TEST", run: "RUN", train_in: "RUN"})
    if run:
        return _shown_work(run, data, test, gender_codes, announce)
    settings = RunSettings(
        out=Path(train_in),
        data=data or None,
        test=test or None,
        seed=seed,
        changes={model: tuple((path, value) for path, value in pairs) for model, pairs in (changes or {}).items()},
        phases=phases,
        gender_codes={**gender_codes} if gender_codes else None,
        resume=True,
    )
    folder = RunFolder(settings.out)
    folder.claim(settings.comparable(), resume=True)
    faces, measured = load_data(settings, folder, announce, silent)
    folder.begin(settings.comparable())
    return Work(settings, folder, faces, measured, shown=False, announce=announce)


def _shown_work(run: str, data: str, test: str, gender_codes: Mapping[str, str] | None, announce: Announce) -> Work:
    folder, record = open_run(Path(run))
    if not record["finished"]:
        raise InputError(f"The run {run} is not finished. Go on with it: agegender run --out {run} ... --resume.")
    lacking = [model for model in MODELS if not (folder.model(model).is_file() and folder.sidecar(model).is_file())]
    if lacking:
        raise InputError(
            f"The run {run} has no trained Model {' and no Model '.join(lacking)}; the notebook is about both. "
            "Give the --out folder of an `agegender run` of both."
        )
    if not test and not folder.metrics.is_file():
        raise InputError(f"The run {run} was measured on nothing. Give labelled faces to measure on: --test FOLDER.")
    settings = RunSettings(
        out=folder.root, data=record["settings"]["data"], seed=record["settings"]["seed"], resume=True
    )
    if data:
        faces = load_dataset(data, gender_codes=_codes(data, gender_codes))
        announce(f"{data}: {len(faces):,} faces, {len(faces.rejected):,} files rejected")
    else:
        with tempfile.TemporaryDirectory(prefix="agegender-") as temporary:
            faces = load_dataset(draw_faces(Path(temporary, "faces"), count=PICTURES_DRAWN, seed=DRAWN_SEED))
        announce(f"No images given: {len(faces):,} faces drawn by the package stand for them in pictures.")
    measured = load_dataset(test, gender_codes=_codes(test, gender_codes)) if test else None
    return Work(settings, folder, faces, measured, shown=True, announce=announce)


def _codes(source: str, gender_codes: Mapping[str, str] | None) -> Mapping[int | str, str] | None:
    """Codes are of a table; names of image files hold their own."""
    return {**gender_codes} if gender_codes and is_table(source) else None


def _with_short_names(names: Mapping[str, str]) -> Announce:
    """A print in which folders are called by short names: a notebook is passed on, paths are its maker's own."""
    known = sorted((item for item in names.items() if Path(item[0]).is_absolute()), key=lambda item: -len(item[0]))

    def announce(line: str) -> None:
        for path, name in known:
            line = line.replace(path, name)
        print(line, flush=True)  # noqa: T201 - the output of a notebook's cell

    return announce
