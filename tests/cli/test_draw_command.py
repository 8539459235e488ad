"""`agegender draw` through typer, with real drawing."""

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from agegender.cli.draw import draw_command
from agegender.data.drawn import LabelNoise, read_marker
from agegender.errors import OutputError

runner = CliRunner()


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command("draw")(draw_command)
    return app


def test_draws_what_was_asked_for_and_says_where(app: typer.Typer, tmp_path: Path) -> None:
    target = tmp_path / "faces"
    options = ["--count", "5", "--seed", "9", "--age-noise", "0", "--gender-noise", "0.5"]
    result = runner.invoke(app, [str(target), *options])
    assert result.exit_code == 0, result.output
    assert "5 drawn faces of seed 9" in result.output
    assert len(list(target.glob("*.jpg"))) == 5
    marker = read_marker(target)
    assert (marker.count, marker.seed, marker.label_noise) == (5, 9, LabelNoise(0.0, 0.5))


def test_other_faces_in_the_way_stop_it(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    result = runner.invoke(app, [str(tmp_path), "--count", "2"])
    assert isinstance(result.exception, OutputError)


def test_impossible_counts_are_bad_usage(app: typer.Typer, tmp_path: Path) -> None:
    result = runner.invoke(app, [str(tmp_path / "faces"), "--count", "0"])
    assert result.exit_code == 2
    assert not (tmp_path / "faces").exists()


def test_help_says_what_it_draws(app: typer.Typer) -> None:
    result = runner.invoke(app, ["--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    text = re.sub(r"\s+", " ", result.output)
    assert "no person is shown" in text
    assert "--seed" in text
