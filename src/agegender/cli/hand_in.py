"""`agegender hand-in check` and `agegender hand-in marks`: is a folder ready, and what would each member get."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from agegender.cli.console import console, messages

if TYPE_CHECKING:
    from agegender.hand_in import Finding, HandInReport

HELP = "Check a hand-in against the brief before it is handed in, and reckon its members' marks."


def hand_in_check_command(
    folder: Annotated[
        Path,
        typer.Argument(
            exists=True,
            file_okay=False,
            show_default=False,
            help="Folder with age_gender_A.keras, age_gender_B.keras, age_gender_submit.ipynb and the PDF report.",
        ),
    ],
    *,
    name: Annotated[
        list[str] | None,
        typer.Option(
            "--name", show_default=False, help="A name that must not be found, beside those of git config; repeatable."
        ),
    ] = None,
    foreign: Annotated[
        bool, typer.Option("--foreign", help="The models were made elsewhere: do not ask what is asked of own files.")
    ] = False,
    skip_models: Annotated[
        bool, typer.Option("--skip-models", help="Do not load the models, which takes 10 to 30 s each.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check a folder that is to be handed in, and say how far each line of the marking table is decided.

    Models by name and contract; the notebook run from top to bottom, outputs kept, every step there; form, links,
    sections and length of the report; no author's name in any file. What only a person can see is said to be so.

    The exit code is 1 if any check fails.

    Example: agegender hand-in check to_submit/ --name "Ada Lovelace"
    """
    from agegender.hand_in import check_hand_in
    from agegender.models.contract import ContractReport, check_models

    def contract(files: Sequence[Path]) -> list[ContractReport]:
        return check_models(files, foreign=foreign)

    if not skip_models and not as_json:
        messages.print("Loading the models in a clean process; 10 to 30 s a file.")
    report = check_hand_in(folder, contract=None if skip_models else contract, names=name or ())
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
    else:
        _print_report(report)
    if not report.passed:
        raise typer.Exit(1)


def hand_in_marks_command(
    *,
    group: Annotated[float, typer.Option("--group", show_default=False, help="The group's mark, 0 to 100.")],
    contribution: Annotated[
        list[float],
        typer.Option(
            "--contribution", show_default=False, help="Percent of the work: 100, or one a member, as in 60 40."
        ),
    ],
    others: Annotated[
        list[float] | None, typer.Argument(show_default=False, help="The further contributions.", metavar="PERCENT")
    ] = None,
    days_late: Annotated[float, typer.Option("--days-late", min=0, help="Days after the deadline.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the marks as JSON.")] = False,
) -> None:
    """Reckon each member's mark: 0.6 x group + 0.4 x 2 x contribution x group; alone, the group's mark.

    Late, no member gets more than 40 % of the full mark; after five days, nothing.

    Example: agegender hand-in marks --group 72 --contribution 60 40
    """
    from dataclasses import asdict

    from agegender.brief import member_marks

    marks = member_marks(group, [*contribution, *(others or ())], days_late=days_late)
    if as_json:
        typer.echo(json.dumps([asdict(mark) for mark in marks], indent=2))
        return
    for mark in marks:
        console.print(f"{mark.contribution:g} %: {mark.mark} ({mark.exact:.2f})")


def _print_report(report: HandInReport) -> None:
    console.print(_table(f"Checks of {report.folder}", report.checks, named=True))
    console.print(_table("Marking table", report.marking, named=False))
    open_rows = [check for check in report.checks if check.verdict == "a person must judge"]
    if report.passed:
        rest = f"; a person must judge {len(open_rows)}" if open_rows else ""
        console.print(f"[green]No check fails[/]{rest}.")
    else:
        names = ", ".join(check.name for check in report.failed)
        console.print(f"[red]{len(report.failed)} of {len(report.checks)} checks fail:[/] {names}.", soft_wrap=True)


def _table(title: str, findings: Sequence[Finding], *, named: bool) -> Table:
    """Findings, one a line; `named` puts a check's name above what it asks, since the marking table refers to it."""
    styles = {"pass": "green", "fail": "red", "a person must judge": "yellow"}
    table = Table(title=escape(title), title_justify="left", expand=False)
    for heading in ("Criterion", "Verdict", "Found", "What to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        verdict = f"[{styles[finding.verdict]}]{finding.verdict.value}[/]"
        asked = f"[b]{finding.name}[/]\n{escape(finding.criterion)}" if named else escape(finding.criterion)
        table.add_row(asked, verdict, escape(finding.found), escape(finding.advice))
    return table
