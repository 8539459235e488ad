"""The `agegender` command: registers one function a command and turns errors into exit codes."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import typer
from rich.markup import escape

from agegender import __version__
from agegender.backend import choose_backend
from agegender.cli.audit import audit_command
from agegender.cli.calibrate import calibrate_command
from agegender.cli.card import card_command
from agegender.cli.check import check_command
from agegender.cli.console import messages
from agegender.cli.draw import draw_command
from agegender.cli.evaluate import evaluate_command
from agegender.cli.explain import explain_command
from agegender.cli.export import export_command
from agegender.cli.fairness import fairness_command
from agegender.cli.hand_in import HELP as HAND_IN_HELP
from agegender.cli.hand_in import hand_in_check_command, hand_in_marks_command
from agegender.cli.intervals import intervals_command
from agegender.cli.notebook import notebook_command
from agegender.cli.page import page_command
from agegender.cli.predict import predict_command
from agegender.cli.prepare import prepare_command
from agegender.cli.report import report_command
from agegender.cli.run import run_command
from agegender.cli.sensitivity import sensitivity_command
from agegender.cli.serve import serve_command
from agegender.cli.split import split_command
from agegender.cli.thresholds import thresholds_command
from agegender.errors import AgegenderError, Interrupted
from agegender.optional import explained_imports

HELP = """From a folder of labelled faces to two trained, measured, contract-tested Keras models of age and gender.

[b]run[/b] is the main job: data, split, Model A from scratch, Model B from ImageNet, learning curves, test figures.
With no --data it uses faces that the package draws itself, so it works anywhere.

Age and a binary gender guessed from looks are limits of a data set, not facts about a person.
The models are for measurement and research, not for decisions about people.
"""


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"agegender {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    del version


def _explained(command: Callable[..., None]) -> Callable[..., None]:
    """Say which extra a command lacks, and let Ctrl-C end it with its own exit code; click would say abort and 1."""

    @functools.wraps(command)
    def wrapped(*values: Any, **named: Any) -> None:
        try:
            with explained_imports():
                command(*values, **named)
        except KeyboardInterrupt:
            raise Interrupted("Nothing half-written was left; what was finished stays.") from None

    return wrapped


COMMANDS: dict[str, Callable[..., None]] = {
    "run": run_command,
    "evaluate": evaluate_command,
    "notebook": notebook_command,
    "sensitivity": sensitivity_command,
    "explain": explain_command,
    "calibrate": calibrate_command,
    "intervals": intervals_command,
    "fairness": fairness_command,
    "thresholds": thresholds_command,
    "audit": audit_command,
    "check": check_command,
    "card": card_command,
    "export": export_command,
    "predict": predict_command,
    "serve": serve_command,
    "page": page_command,
    "report": report_command,
    "prepare": prepare_command,
    "draw": draw_command,
    "split": split_command,
}

HAND_IN_COMMANDS: dict[str, Callable[..., None]] = {"check": hand_in_check_command, "marks": hand_in_marks_command}


def _app(commands: Mapping[str, Callable[..., None]]) -> typer.Typer:
    """A command line of some commands."""
    made = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False)
    made.callback()(_options)
    for name, command in commands.items():
        made.command(name)(_explained(command))
    return made


app = _app(COMMANDS)
hand_in = typer.Typer(help=HAND_IN_HELP, no_args_is_help=True)
for _name, _command in HAND_IN_COMMANDS.items():
    hand_in.command(_name)(_explained(_command))
app.add_typer(hand_in, name="hand-in")


def _asked_for(words: Sequence[str]) -> typer.Typer:
    """The whole command line, or that of the one command that is asked for: to build the others takes time."""
    name = words[0] if words else ""
    return _app({name: COMMANDS[name]}) if name in COMMANDS else app


def main() -> None:
    """Run the command line and exit.

    0 done, 1 a check of a hand-in fails, 2 bad usage, 3 bad input, 4 cannot write, 5 bad model, 6 an extra is missing,
    7 a cluster fails, 130 stopped.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    choose_backend()
    try:
        _asked_for(sys.argv[1:])()
    except Interrupted as stop:
        messages.print(f"[yellow]Stopped.[/] {escape(str(stop))}")
        sys.exit(stop.exit_code)
    except AgegenderError as error:
        messages.print(f"[red]Error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(error.exit_code)
