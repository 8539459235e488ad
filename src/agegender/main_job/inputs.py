"""The images of a run, drawn or given, and which of them validate."""

from __future__ import annotations

from pathlib import Path

from agegender.artifacts import write_text
from agegender.data.corrections import Corrections, read_corrections
from agegender.data.dataset import Dataset, UnusableDataError, load_dataset, write_rejected
from agegender.data.drawn import draw_faces
from agegender.data.duplicates import near_duplicate_groups
from agegender.data.readers import is_table
from agegender.data.splits import Split, load_split, make_folds, make_split, train_on_all
from agegender.errors import SettingError
from agegender.main_job.settings import RunSettings
from agegender.run_folder import RunFolder
from agegender.types import Announce, Progress

DRAWN_COUNT, DRAWN_SEED = 1200, 1
DRAWN_TEST_COUNT, DRAWN_TEST_SEED = 400, 2
"""The embedded default: training faces of one seed, test faces of another."""


def load_data(
    settings: RunSettings, folder: RunFolder, announce: Announce, progress: Progress
) -> tuple[Dataset, Dataset | None]:
    """The images to learn from and those of `--test`, if any; what cannot be used is written to the run's folder.

    Raises:
        InputError: Too little of the data can be used.
        SettingError: `--test` or `--corrections` without `--data`.
    """
    data, test = settings.data, settings.test
    if data is None:
        if settings.corrections is not None:
            raise SettingError("--corrections needs --data: it names files of that data.")
        if test is not None:
            raise SettingError("--test needs --data: models that learnt from drawn faces are measured on drawn faces.")
        announce("No --data: using faces that this package draws. Figures on them say nothing about people.")
        root = folder.root / "drawn_faces"
        data = str(draw_faces(root / "train_val", count=DRAWN_COUNT, seed=DRAWN_SEED, progress=progress))
        test = str(draw_faces(root / "test", count=DRAWN_TEST_COUNT, seed=DRAWN_TEST_SEED, progress=progress))

    tables = any(is_table(source) for source in (data, test) if source is not None)

    def load(source: str, rejected: Path, corrections: Corrections | None = None) -> Dataset:
        try:
            dataset = load_dataset(
                source,
                strict_size=settings.strict_size,
                allow_rejected=settings.allow_rejected,
                gender_codes=settings.gender_codes if is_table(source) or not tables else None,
                corrections=corrections,
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

    corrections = read_corrections(settings.corrections) if settings.corrections is not None else None
    faces = load(data, folder.rejected, corrections)
    return faces, load(test, folder.root / "rejected_test.csv") if test is not None else None


def split_faces(settings: RunSettings, folder: RunFolder, faces: Dataset) -> Split:
    """The run's split: the one it already has, the one given, or a new one that keeps near-duplicates together.

    Nothing is written. One that lies there without a run is of a run that never began; save over it.
    """
    if folder.split.is_file() and folder.record.is_file():
        return load_split(folder.split, faces.table)
    if settings.split_file is not None:
        return load_split(settings.split_file, faces.table)
    groups = near_duplicate_groups(faces.images)
    if settings.train_on_all:
        return train_on_all(faces.table, groups, settings.seed)
    if settings.fold is not None:
        number, folds = settings.fold
        return make_folds(faces.table, groups, folds=folds, seed=settings.seed)[number - 1]
    return make_split(faces.table, groups, validation_fraction=settings.validation_fraction, seed=settings.seed)
