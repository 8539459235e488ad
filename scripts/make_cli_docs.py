"""Write docs/commands.md from the commands' own help; a test checks that it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer.main
from typer.testing import CliRunner

from agegender.cli.app import app

TARGET = Path(__file__).parent.parent / "docs" / "commands.md"
WIDTH = "100"


def _words(name: str, command: Any) -> list[list[str]]:
    """What to type for a command, and for each command of a group."""
    inner = getattr(command, "commands", {})
    return [[name], *([name, *words] for key, part in inner.items() for words in _words(key, part))]


def commands_page() -> str:
    """The help of `agegender` and of each command, as Markdown."""
    runner = CliRunner(env={"COLUMNS": WIDTH, "TERMINAL_WIDTH": WIDTH, "NO_COLOR": "1", "TERM": "dumb"})
    group = typer.main.get_group(app)
    commands = [words for name, command in group.commands.items() for words in _words(name, command)]
    parts = ["# Commands", "", "Written by `python scripts/make_cli_docs.py` from the commands' own help."]
    for words in ([], *commands):
        answer = runner.invoke(app, [*words, "--help"], prog_name="agegender")
        help_text = "\n".join(line.rstrip() for line in answer.output.strip().splitlines())
        parts += ["", f"## agegender {' '.join(words)}".rstrip(), "", "```", help_text, "```"]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit("usage: python scripts/make_cli_docs.py")
    TARGET.write_text(commands_page(), encoding="utf-8")
    print(f"Wrote {TARGET}")
