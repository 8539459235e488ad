"""`agegender check` prints what breaks and what to do, and ends with code 5 when anything does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from agegender.cli.check import check_command
from agegender.cli.console import console
from agegender.errors import ModelError
from agegender.models.contract import TERMS


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from agegender.models.custom_cnn import CustomCnn, build_custom_cnn
    from agegender.models.losses import SAVED_LOSSES, SAVED_METRICS
    from agegender.models.saving import save_model

    plan = CustomCnn(stem_channels=(4, 8), stage_channels=(8, 8, 8), stage_blocks=(1, 1, 1))
    model: Any = build_custom_cnn(plan).contract
    model.compile(loss=SAVED_LOSSES, metrics=SAVED_METRICS)
    return save_model(model, tmp_path_factory.mktemp("check") / "good.keras")


def invoke(*arguments: str | Path) -> Any:
    app = typer.Typer()
    app.command()(check_command)
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])


def test_a_good_file_is_shown_to_keep_the_contract(good: Path) -> None:
    result = invoke(good)
    assert result.exit_code == 0, result.output
    assert "good.keras keeps the contract." in result.stdout
    for name in TERMS:
        assert name in result.stdout
    assert "broken" not in result.stdout


def test_bad_files_end_with_code_5_and_json_says_why(tmp_path: Path) -> None:
    text, weights = tmp_path / "text.keras", tmp_path / "model.weights.h5"
    for file in (text, weights):
        file.write_bytes(b"no model")
    result = invoke(text, weights, "--json")
    assert isinstance(result.exception, ModelError)
    assert result.exception.exit_code == 5
    assert "2 of 2 model files break the contract. text.keras: whole_file, loads;" in str(result.exception)
    reports = json.loads(result.stdout)
    assert [report["file"] for report in reports] == [str(text), str(weights)]
    for report in reports:
        assert report["passed"] is False
        broken = [check for check in report["checks"] if check["outcome"] == "broken"]
        assert [check["name"] for check in broken] == ["whole_file", "loads"]
        assert all(check["found"] and check["expected"] and check["advice"] for check in broken)


def test_a_table_of_a_bad_file_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_width", 250)  # a narrow table breaks the advice into lines
    bad = tmp_path / "[bold]bad.keras"
    bad.write_bytes(b"no model")
    result = invoke(bad, "--foreign")
    assert isinstance(result.exception, ModelError)
    assert "[bold]bad.keras breaks the contract." in result.stdout
    assert TERMS["whole_file"].advice in result.stdout
    assert "not made" in result.stdout


def test_a_file_that_is_not_there_is_bad_usage(tmp_path: Path) -> None:
    assert invoke(tmp_path / "none.keras").exit_code == 2
