"""`agegender hand-in` as typed: marks of any layout, a table or JSON of findings, and exit code 1 on any fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agegender.cli.app import app
from agegender.errors import SettingError


def invoke(*words: str) -> Any:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, list(words))


@pytest.mark.parametrize(
    "words",
    [
        ["--group", "72", "--contribution", "60", "40"],
        ["--contribution", "60", "40", "--group", "72"],
        ["--contribution", "60", "--contribution", "40", "--group", "72"],
    ],
)
def test_marks_of_two(words: list[str]) -> None:
    result = invoke("hand-in", "marks", *words)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == ["60 %: 78 (77.76)", "40 %: 66 (66.24)"]


def test_marks_of_one_late_and_as_json() -> None:
    assert invoke("hand-in", "marks", "--group", "72", "--contribution", "100").stdout == "100 %: 72 (72.00)\n"
    late = invoke("hand-in", "marks", "--group", "72", "--contribution", "60", "40", "--days-late", "3", "--json")
    assert [one["mark"] for one in json.loads(late.stdout)] == [40, 40]


def test_marks_that_make_no_sense_are_bad_usage() -> None:
    result = invoke("hand-in", "marks", "--group", "72", "--contribution", "80", "20")
    assert isinstance(result.exception, SettingError)
    assert result.exception.exit_code == 2


def test_a_folder_that_fails_ends_with_code_1_in_words_and_as_json(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    result = invoke("hand-in", "check", str(tmp_path), "--skip-models")
    assert result.exit_code == 1
    assert "Marking table" in result.stdout
    assert "notebook_file" in result.stdout
    machine = invoke("hand-in", "check", str(tmp_path), "--skip-models", "--json")
    assert machine.exit_code == 1
    content = json.loads(machine.stdout)
    assert content["passed"] is False
    assert {"name", "criterion", "verdict", "found", "advice"} == set(content["checks"][0])


def test_a_name_given_is_searched_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("thanks to Grace Hopper")
    machine = invoke("hand-in", "check", str(tmp_path), "--skip-models", "--json", "--name", "Grace Hopper")
    text = next(check for check in json.loads(machine.stdout)["checks"] if check["name"] == "anonymous_text")
    assert (text["verdict"], text["found"]) == ("fail", "'Grace Hopper' in notes.txt, line 1")
