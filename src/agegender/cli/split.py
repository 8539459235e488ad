"""`agegender split`: write the split of a data set to a file, without training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agegender.cli.console import console, messages, progress
from agegender.cli.gender_codes import HELP as GENDER_CODES_HELP
from agegender.cli.gender_codes import parse_gender_codes


def split_command(
    data: Annotated[str, typer.Argument(help="Labelled faces: a folder, archive or table.")],
    out: Annotated[Path, typer.Option(help="The split.json to write; with --folds, a folder.")] = Path("split.json"),
    seed: Annotated[int, typer.Option(help="The same seed gives the same split.")] = 1,
    validation_fraction: Annotated[float, typer.Option(help="Share held out for validation.")] = 0.2,
    gender_codes: Annotated[str | None, typer.Option(help=GENDER_CODES_HELP)] = None,
    folds: Annotated[int | None, typer.Option(help="Write this many splits; each image validates once.")] = None,
) -> None:
    """Split a data set by age, gender and near-duplicates, and save the split for `run --split`.

    Two pictures of one photograph never stand on both sides.
    """
    from agegender.data.dataset import load_dataset
    from agegender.data.duplicates import near_duplicate_groups
    from agegender.data.splits import make_folds, make_split, save_split

    dataset = load_dataset(data, gender_codes=parse_gender_codes(gender_codes), progress=progress)
    for note in dataset.notes:
        messages.print(note, markup=False)
    groups = near_duplicate_groups(dataset.images)
    if folds is None:
        splits = {out: make_split(dataset.table, groups, validation_fraction=validation_fraction, seed=seed)}
    else:
        made = make_folds(dataset.table, groups, folds=folds, seed=seed)
        splits = {out / f"{split.name}.json": split for split in made}
    for path, split in splits.items():
        save_split(split, path)
        console.print(f"{path}: {len(split.train):,} to train, {len(split.validation):,} to validate", soft_wrap=True)
