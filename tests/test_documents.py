"""What the repository says about itself is true: commands in the README exist, help pages are up to date."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import typer.main

from agegender.cli.app import app

ROOT = Path(__file__).parent.parent


def test_the_page_of_commands_is_up_to_date(script: Callable[[str], ModuleType]) -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert page == script("make_cli_docs").commands_page(), "run: python scripts/make_cli_docs.py"


def test_commands_and_options_of_the_readme_exist() -> None:
    commands = typer.main.get_group(app).commands
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^(?:\.venv/bin/)?agegender ([a-z-]+)(.*)$", text, flags=re.MULTILINE)
    assert len(lines) >= 5
    for name, rest in lines:
        assert name in commands, name
        command = commands[name]
        if inner := getattr(command, "commands", None):
            command = inner[rest.split()[0]]
        known = {option for parameter in command.params for option in parameter.opts}
        for option in re.findall(r"(?<!\S)(--[a-z-]+)", rest.split("#")[0]):
            assert option in known, f"agegender {name} {option}"


def test_targets_of_the_makefile_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"^make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert {"run", "test"} <= named <= targets


def test_links_and_pictures_of_the_documents_exist() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_no_python_file_is_too_long() -> None:
    folders = ("src", "tests", "scripts", "benchmarks")
    long = {
        str(path.relative_to(ROOT)): count
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long
