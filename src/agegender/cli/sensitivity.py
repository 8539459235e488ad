"""`agegender sensitivity`: what input a model wants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from agegender.cli.console import console, messages, progress
from agegender.cli.gender_codes import HELP as GENDER_CODES_HELP
from agegender.cli.gender_codes import parse_gender_codes

if TYPE_CHECKING:
    from agegender.evaluation.sensitivity import Condition

TABLE_FILE = "sensitivity.csv"
MOST_MODELS_DRAWN = 2
"""More lines in one panel cannot be told apart."""


def sensitivity_command(
    models: Annotated[list[Path], typer.Argument(help="Model files (.keras), one or more.", show_default=False)],
    *,
    data: Annotated[
        Path, typer.Option("--data", "-d", help="Folder, archive or table of labelled faces.", show_default=False)
    ],
    split: Annotated[
        Path | None,
        typer.Option(help="A run's split.json: measure on its validation images only.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for sensitivity.csv and a figure.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of noise and intervals.")] = 0,
    gender_codes: Annotated[
        str | None, typer.Option("--gender-codes", help=GENDER_CODES_HELP, show_default=False)
    ] = None,
) -> None:
    """Measure how errors grow as the same images are compressed, blurred, darkened, tilted, cropped, made grey.

    Each image is changed in about 40 ways; a change of the error is paired by image, with its 95 % interval. A looser
    crop shows the mirror image of the rim, since nobody knows what stood there.

    Example: agegender sensitivity runs/mine/age_gender_A.keras --data faces/train_val --split runs/mine/split.json
    """
    from agegender.artifacts import atomic_path, explained_writes
    from agegender.backend import require_backend

    require_backend()
    from agegender.data.dataset import load_dataset
    from agegender.data.splits import load_split
    from agegender.errors import InputError, SettingError
    from agegender.evaluation import checked_file, load_model, short_names
    from agegender.evaluation.sensitivity import measure_sensitivity, sensitivity_table
    from agegender.optional import require

    # Everything that can be wrong with the request is found before the long part.
    for path in models:
        checked_file(path)
    if out is not None:
        require("matplotlib", "report")
        if len(models) > MOST_MODELS_DRAWN:
            raise SettingError(f"With --out give at most {MOST_MODELS_DRAWN} models. Received: {len(models)}")
        with explained_writes(out):
            out.mkdir(parents=True, exist_ok=True)
    dataset = load_dataset(data, gender_codes=parse_gender_codes(gender_codes), progress=progress)
    for note in dataset.notes:
        messages.print(escape(note))
    table, images = dataset.table, dataset.images
    if split is not None:
        rows = dataset.select(load_split(split, table).validation)
        if not len(rows):
            raise InputError(f"{split} holds out no image for validation. Give the split of a run that does.")
        table, images = table.iloc[rows].reset_index(drop=True), images[rows]
    conditions: list[Condition] = []
    for name, path in zip(short_names(models), models, strict=True):
        found = measure_sensitivity(load_model(path), name, table, images, seed=seed, progress=progress)
        console.print(_table(found, len(table), dataset.drawn))
        conditions += found
    if out is not None:
        with atomic_path(out / TABLE_FILE) as temporary:
            sensitivity_table(conditions).to_csv(temporary, index=False)
        _draw(conditions, out, dataset.drawn)
        messages.print(f"Wrote {TABLE_FILE} and the figure sensitivity to {escape(str(out))}.")


def _draw(conditions: list[Condition], out: Path, drawn: bool) -> None:
    from agegender.reporting import save_figure
    from agegender.reporting.sensitivity import sensitivity_caption, sensitivity_figure

    figure = sensitivity_figure(conditions, drawn=drawn)
    save_figure(figure, out, "sensitivity", sensitivity_caption(conditions, drawn=drawn))


def _table(conditions: tuple[Condition, ...], count: int, drawn: bool) -> Table:
    from agegender.cli.evaluation_tables import DRAWN_MARK

    plain = conditions[0]
    title = (
        f"{escape(plain.model)}: {count:,} images; as they are {plain.mae.value:.2f} years, "
        f"{100 * plain.gender_accuracy.value:.1f} %{f' ({DRAWN_MARK})' if drawn else ''}"
    )
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", caption_justify="left")
    table.caption = "* mild: users meet it every day"
    for heading in ("change", "level"):
        table.add_column(heading)
    for heading in ("age error, years\nagainst as they are", "gender, points\nagainst as they are"):
        table.add_column(heading, justify="right")
    former = ""
    for condition in conditions[1:]:
        age, gender = condition.mae_change, condition.gender_change
        table.add_row(
            escape(condition.distortion) if condition.distortion != former else "",
            f"{condition.level:g}{' *' if condition.mild else ''}",
            f"{age.value:+.2f} [dim]({age.low:+.2f} to {age.high:+.2f})[/]",
            f"{100 * gender.value:+.1f} [dim]({100 * gender.low:+.1f} to {100 * gender.high:+.1f})[/]",
        )
        former = condition.distortion
    return table
