"""`agegender card`: a model card for each model of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape


def card_command(
    run: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, show_default=False, help="A run folder, or one of shipped models."
        ),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", show_default=False, help="Folder for the cards; by default the run folder."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", show_default=False, help="A or B; repeatable; by default every finished model."),
    ] = None,
    data_set: Annotated[
        str | None,
        typer.Option(
            "--data-set",
            show_default=False,
            help="Where the training images come from: utkface, or a name of your own with --data-licence. "
            "Drawn faces need none.",
        ),
    ] = None,
    data_licence: Annotated[
        str | None,
        typer.Option("--data-licence", show_default=False, help="The terms of a data set of your own, in a sentence."),
    ] = None,
) -> None:
    """Write a model card for each model: use, data, figures with intervals and by group, limits, licences.

    Everything comes from the run's records. A section that they cannot fill is an error that names it.

    Example: agegender card runs/mine --data-set utkface
    """
    from agegender.cards import write_cards
    from agegender.cli.console import console

    for path in write_cards(run, out=out, models=model, data_set=data_set, data_licence=data_licence):
        console.print(f"Wrote {escape(str(path))}", soft_wrap=True)
