"""`agegender check`: hold model files against the contract and say what breaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from agegender.cli.console import console, messages
from agegender.errors import ModelError

if TYPE_CHECKING:
    from agegender.models.contract import ContractReport


def check_command(
    models: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, readable=True, show_default=False, help="Model files (.keras)."),
    ],
    python: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Python of another environment to load the files in; it needs only Keras, a backend and NumPy.",
        ),
    ] = None,
    foreign: Annotated[
        bool,
        typer.Option("--foreign", help="The files were made elsewhere: what is asked of own files alone is noted."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the reports as JSON.")] = False,
) -> None:
    """Check model files against the contract: loading, shapes, ranges, channel order, layers, compilation.

    Each file is loaded in a clean process of its own, as whoever receives it would, without this package.
    The exit code is 5 if any of them breaks a line of the contract.
    """
    from agegender.models.contract import check_models  # NumPy loads only when it is needed

    if not as_json:
        messages.print(f"Loading {len(models)} file(s) in a clean process; 10 to 30 s a file.")
    reports = check_models(models, python=python, foreign=foreign)
    if as_json:
        typer.echo(json.dumps([report.as_json() for report in reports], indent=2))
    else:
        for report in reports:
            _print_report(report)
    if broken := [report for report in reports if not report.passed]:
        lines = [f"{report.file.name}: {', '.join(check.name for check in report.broken)}" for report in broken]
        raise ModelError(f"{len(broken)} of {len(reports)} model files break the contract. {'; '.join(lines)}.")


def _print_report(report: ContractReport) -> None:
    from agegender.models.contract import Outcome

    styles = {Outcome.PASSED: "green", Outcome.BROKEN: "red", Outcome.NOTED: "yellow", Outcome.NOT_MADE: "dim"}
    loaded_by = f"Keras {report.versions['keras']} on {report.versions['backend']}, Python {report.versions['python']}"
    table = Table(title=f"{escape(report.file.name)} under {loaded_by}", title_justify="left", expand=False)
    for heading in ("Check", "Outcome", "Found", "Expected, and what to do"):
        table.add_column(heading, overflow="fold")
    for check in report.checks:
        wanted = check.expected if check.outcome is Outcome.PASSED else f"{check.expected}. {check.advice}"
        outcome = f"[{styles[check.outcome]}]{check.outcome.value}[/]"
        table.add_row(check.name, outcome, escape(check.found), escape(wanted))
    console.print(table)
    verdict = "[green]keeps the contract[/]" if report.passed else "[red]breaks the contract[/]"
    console.print(f"{escape(report.file.name)} {verdict}.\n")
