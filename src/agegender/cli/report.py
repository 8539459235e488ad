"""`agegender report`: a run as a PDF report or as one page for the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

HAND_IN = "hand-in.toml"


def report_command(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run, or of shipped models.", show_default=False)],
    *,
    html: Annotated[
        bool, typer.Option("--html", help="Write one self-contained HTML page instead of the PDF report.")
    ] = False,
    hand_in: Annotated[
        Path | None,
        typer.Option(
            "--hand-in",
            help="Contribution form and share links for the cover page. By default RUN/hand-in.toml, if it is there.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write. By default RUN/report.pdf or .html.", show_default=False),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            "-d",
            help="With --html: the measured images, to show the faces that were read worst.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write what a run is worth: a PDF report of at most 1,500 words, or a page for the browser.

    Every number, sentence and figure comes from the run's own files: what the curves show, which
    model is better and whether chance explains it, for whom errors are largest. It needs no network
    and shows no author's name and no face of a person.

    hand-in.toml holds what only you know: `agreed = true`, a table `members` for each ID with `id`,
    `percentage` and perhaps a `reason`, and a table `links` with A and B.

    Example: agegender report runs/mine --hand-in hand-in.toml
    """
    from agegender.brief import WORD_LIMIT, read_hand_in
    from agegender.cli.console import console, messages, progress
    from agegender.errors import SettingError
    from agegender.optional import require
    from agegender.run_folder import open_run

    require("matplotlib", "report")
    if data is not None and not html:
        raise SettingError("--data is about --html: the PDF report shows no face of the data.")
    if hand_in is not None and html:
        raise SettingError("--hand-in is about the PDF report: the page has no cover.")
    folder, _ = open_run(run)
    path = hand_in or (folder.root / HAND_IN if (folder.root / HAND_IN).is_file() else None)
    form = read_hand_in(path) if path is not None and not html else None

    from agegender.reporting.report import gather_facts, write_page, write_report

    facts = gather_facts(run)
    if html:
        faces = None
        if data is not None:
            from agegender.data.dataset import load_dataset

            faces = load_dataset(data, progress=progress)
        page = write_page(facts, out or folder.root / "report.html", data=faces, progress=progress)
        console.print(f"Wrote {escape(str(page))}", soft_wrap=True)
        return
    written = write_report(facts, out or folder.root / "report.pdf", hand_in=form, progress=progress)
    for warning in written.warnings:
        messages.print(f"[yellow]Warning:[/] {escape(warning)}", soft_wrap=True)
    console.print(
        f"Wrote {escape(str(written.path))}: {written.words:,} words of at most {WORD_LIMIT:,}", soft_wrap=True
    )
