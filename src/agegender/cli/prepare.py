"""`agegender prepare`: the brief's 5,000 crops out of the public UTKFace release."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from agegender.cli.console import console, messages, progress


def prepare_command(
    source: Annotated[
        str,
        typer.Argument(
            help="The public UTKFace release of aligned, cropped 200-pixel pictures: a folder, a .zip or a .tar(.gz); "
            "or kaggle:jangedoo/utkface-new, which downloads it (needs the extra 'kaggle').",
            show_default=False,
        ),
    ],
    destination: Annotated[
        Path,
        typer.Argument(
            help="The folder to fill with 128-pixel crops; new, or from an earlier run.", show_default=False
        ),
    ],
) -> None:
    """Rebuild the brief's 5,000 training crops from the public UTKFace release.

    Picks the brief's file names (their list travels with this package, no picture does), resizes to 128 x 128
    (bilinear) and saves as JPEG of quality 75, as the brief's were made. A stopped run goes on where it was when given
    again; a second source fills in what the first one lacked. Names that were not found are written beside the folder,
    to DESTINATION-missing.txt.

    UTKFace is for non-commercial research, and its images stay their owners'.
    """
    # Decoders and tables load here, so that `agegender --help` stays quick.
    from agegender.data.prepare import prepare

    result = prepare(source, destination, progress=progress)
    total = result.written + result.kept
    repeated = f" (further copies in the source, not used: {result.repeated:,})" if result.repeated else ""
    console.print(
        f"{total:,} of the brief's {result.wanted:,} faces stand in {escape(str(result.destination))}: "
        f"{result.written:,} written, {result.kept:,} kept{repeated}.",
        soft_wrap=True,
    )
    if result.missing_list is not None:
        console.print(
            f"[yellow]{len(result.missing):,} missing from the source, {len(result.unusable):,} unusable[/]: "
            f"listed in {escape(str(result.missing_list))}. Run again with another source to add them.",
            soft_wrap=True,
        )
    messages.print(f"Next: agegender run --data {escape(shlex.quote(str(destination)))}", soft_wrap=True)
