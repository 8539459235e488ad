"""`agegender predict` prints, writes, draws, goes on, and says by its exit code whether anything failed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from agegender.cli.console import console
from agegender.cli.predict import predict_command
from agegender.errors import InputError, OutputError, SettingError


def invoke(*arguments: str | Path, piped: str = "") -> Any:
    app = typer.Typer()
    app.command()(predict_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=piped)


@pytest.fixture
def photos(photograph: Path, drawn_folder: Path, tmp_path: Path) -> Path:
    """A photograph, a picture without a face, a broken one, and a text."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "hopper.jpg").write_bytes(photograph.read_bytes())
    Image.new("RGB", (90, 70), (90, 140, 200)).save(folder / "sky.png")
    (folder / "broken.jpg").write_bytes(photograph.read_bytes()[:999])
    (folder / "notes.md").write_text("no image")
    return folder


def test_a_folder_becomes_a_table_with_a_status_for_every_image(photos: Path, tiny_onnx: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces.csv"
    result = invoke(photos, "--out", out, "--model", tiny_onnx, "--draw", tmp_path / "seen")
    assert isinstance(result.exception, InputError)
    assert result.exception.exit_code == 3
    assert "1 of 3 images could not be used" in str(result.exception)
    table = pd.read_csv(out)
    assert dict(zip(table["file"].map(lambda name: Path(name).name), table["status"], strict=True)) == {
        "broken.jpg": "truncated",
        "hopper.jpg": "ok",
        "sky.png": "no_face",
    }
    face = table[table["status"] == "ok"].iloc[0]
    assert face["left"] < face["left_eye_x"] < face["right_eye_x"] < face["right"]
    assert face["gender"] in ("male", "female")
    assert 0 <= face["age"] <= 116
    seen = {path.name.rsplit("_", 1)[0]: Image.open(path).size for path in (tmp_path / "seen").iterdir()}
    assert seen == {"hopper": (512, 600), "sky": (256, 199)}
    again = invoke(photos, "--out", out, "--model", tiny_onnx)
    assert isinstance(again.exception, OutputError)


def test_without_out_the_answers_are_printed(photos: Path, tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_width", 200)
    result = invoke(photos / "hopper.jpg", photos / "sky.png", "--model", tiny_onnx)
    assert result.exit_code == 0, result.output
    assert "hopper.jpg" in result.stdout
    assert "male" in result.stdout
    assert "no face found" in result.stdout


def test_paths_come_from_standard_input_and_crops_are_not_searched(
    drawn_folder: Path, tiny_onnx: Path, tmp_path: Path
) -> None:
    names = sorted(map(str, drawn_folder.glob("*.jpg")))[:3]
    out = tmp_path / "crops.parquet"
    result = invoke("-", "--crops", "--out", out, "--model", tiny_onnx, piped="\n".join(names) + "\n")
    assert result.exit_code == 0, result.output
    table = pd.read_parquet(out)
    assert table["file"].tolist() == names
    assert len(table["left"].dropna()) == 0
    assert [sum(shares) for shares in table["age_distribution"]] == pytest.approx([1.0] * len(names), abs=0.001)


def test_a_wrong_ending_or_too_many_to_print_is_said_before_anything_is_done(
    photos: Path, tiny_onnx: Path, tmp_path: Path
) -> None:
    assert isinstance(invoke(photos, "--out", tmp_path / "faces.xlsx", "--model", tiny_onnx).exception, SettingError)
    many = tmp_path / "list.txt"
    many.write_text("\n".join(f"{i}.jpg" for i in range(201)))
    result = invoke(many, "--model", tiny_onnx)
    assert isinstance(result.exception, SettingError)
    assert "--out faces.csv" in str(result.exception)


def test_a_cluster_needs_a_table_and_an_address_needs_a_cluster(photos: Path, tiny_onnx: Path, tmp_path: Path) -> None:
    result = invoke(photos, "--model", tiny_onnx, "--engine", "ray")
    assert isinstance(result.exception, SettingError)
    assert "--out faces.parquet" in str(result.exception)
    result = invoke(photos, "--model", tiny_onnx, "--out", tmp_path / "faces.csv", "--address", "auto")
    assert isinstance(result.exception, SettingError)
    assert "--engine ray" in str(result.exception)


def test_it_runs_where_keras_cannot_be_imported(photos: Path, tiny_onnx: Path, tmp_path: Path) -> None:
    program = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {{'keras', 'tensorflow', 'jax', 'torch', 'matplotlib', 'onnx', 'sklearn'}}:
            raise ImportError(name + ' is blocked')
sys.meta_path.insert(0, Blocked())
sys.argv = ['agegender', 'predict', {str(photos / "hopper.jpg")!r}, '--model', {str(tiny_onnx)!r},
            '--out', {str(tmp_path / "one.jsonl")!r}]
from agegender.cli.app import main
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "one.jsonl").read_text().count('"status": "ok"') == 1
