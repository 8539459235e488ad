"""The `agegender` command: registers one function a command and turns errors into exit codes."""

from __future__ import annotations

import os
import sys

import typer
from rich.markup import escape

from agegender import __version__
from agegender.cli.check import check_command
from agegender.cli.console import messages
from agegender.cli.draw import draw_command
from agegender.cli.evaluate import evaluate_command
from agegender.cli.prepare import prepare_command
from agegender.cli.run import run_command
from agegender.cli.split import split_command
from agegender.errors import AgegenderError, Interrupted

HELP = """From a folder of labelled faces to two trained, measured, contract-tested Keras models of age and gender.

[b]run[/b] is the main job: data, split, Model A from scratch, Model B from ImageNet, learning curves, test figures.
With no --data it uses faces that the package draws itself, so it works anywhere.

Age and a binary gender guessed from looks are limits of a data set, not facts about a person.
The models are for measurement and research, not for decisions about people.
"""

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"agegender {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    del version


for name, command in (
    ("run", run_command),
    ("evaluate", evaluate_command),
    ("check", check_command),
    ("prepare", prepare_command),
    ("draw", draw_command),
    ("split", split_command),
):
    app.command(name)(command)


def main() -> None:
    """Run the command line and exit: 0 done, 2 bad usage, 3 bad input, 4 cannot write, 5 bad model, 130 stopped."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    try:
        app()
    except Interrupted as stop:
        messages.print(f"[yellow]Stopped.[/] {escape(str(stop))}")
        sys.exit(stop.exit_code)
    except AgegenderError as error:
        messages.print(f"[red]Error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        messages.print("[yellow]Stopped.[/]")
        sys.exit(Interrupted.exit_code)
