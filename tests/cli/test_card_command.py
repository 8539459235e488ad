"""`agegender card` writes where it is told and names what it cannot fill."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from agegender.artifacts import read_json, write_json
from agegender.cli.app import app
from agegender.errors import InputError


def test_cards_of_a_run_and_a_record_without_a_fact(trained_run: Path, tmp_path: Path) -> None:
    runner = CliRunner(env={"COLUMNS": "200"})
    result = runner.invoke(app, ["card", str(trained_run), "--out", str(tmp_path), "--model", "A"])
    assert result.exit_code == 0, result.output
    assert [path.name for path in tmp_path.iterdir()] == ["model_card_A.md"]
    for name in ("run.json", "metrics.json", "age_gender_A.keras"):
        (tmp_path / name).write_bytes((trained_run / name).read_bytes())
    sidecar = read_json(trained_run / "age_gender_A.json")
    del sidecar["split"]
    write_json(tmp_path / "age_gender_A.json", sidecar)
    result = runner.invoke(app, ["card", str(tmp_path), "--model", "A"])
    assert isinstance(result.exception, InputError)
    assert "unfilled section 'Training data' (it needs split.train in age_gender_A.json)" in str(result.exception)
