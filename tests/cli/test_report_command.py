"""`agegender report` writes a PDF or a page, says how many words, and warns of what is missing."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from agegender.cli.report import report_command
from agegender.errors import AgegenderError, InputError, SettingError

HAND_IN = """
agreed = true
[[members]]
id = "s1234567"
percentage = 100
[links]
A = "https://drive.google.com/file/d/1AbCdEfGhIjKlMn/view?usp=sharing"
B = "https://drive.google.com/file/d/1AbCdEfGhIjKlMo/view?usp=sharing"
"""


@pytest.fixture
def run(planted: ModuleType, tmp_path: Path) -> Path:
    return planted.plant(tmp_path / "run", images=200)


def invoke(*arguments: str | Path) -> Any:
    app = typer.Typer()
    app.command()(report_command)
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])


def test_a_report_is_written_into_the_run_with_its_hand_in(run: Path) -> None:
    (run / "hand-in.toml").write_text(HAND_IN)
    result = invoke(run)
    assert result.exit_code == 0, result.output
    assert (run / "report.pdf").read_bytes().startswith(b"%PDF")
    assert "words of at most 1,500" in result.stdout
    assert "Warning" not in result.stderr


def test_what_is_missing_is_warned_of_and_the_file_goes_where_asked(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere" / "mine.pdf"
    result = invoke(run, "--out", out)
    assert result.exit_code == 0, result.output
    assert out.is_file()
    assert not (run / "report.pdf").exists()
    assert "Warning: No hand-in.toml" in result.stderr


def test_a_page_is_written(run: Path) -> None:
    result = invoke(run, "--html")
    assert result.exit_code == 0, result.output
    assert "<!doctype html>" in (run / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["--data", "faces"], SettingError, "--html"),
        (["--html", "--hand-in", "hand-in.toml"], SettingError, "no cover"),
        (["--hand-in", "none.toml"], InputError, "none.toml"),
    ],
)
def test_wrong_requests_say_why(run: Path, arguments: list[str], error: type[AgegenderError], said: str) -> None:
    result = invoke(run, *arguments)
    assert isinstance(result.exception, error)
    assert said in str(result.exception)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    result = invoke(tmp_path)
    assert isinstance(result.exception, InputError)
    assert "no run folder" in str(result.exception)
