"""`agegender explain` on a small real model, with drawn faces and with a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from agegender.cli.explain import explain_command
from agegender.errors import InputError, ModelError, SettingError

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(explain_command)


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import keras

    image = keras.Input((128, 128, 3))
    initializer: Any = keras.initializers.HeNormal(seed=3)
    x = keras.layers.Conv2D(8, 16, strides=16, activation="relu", kernel_initializer=initializer)(image)
    flat = keras.layers.Flatten()(x)
    of_age: Any = keras.initializers.HeNormal(seed=1)
    of_gender: Any = keras.initializers.HeNormal(seed=2)
    outputs = [
        keras.layers.Dense(1, name="age", kernel_initializer=of_age)(flat),
        keras.layers.Dense(1, "sigmoid", name="gender", kernel_initializer=of_gender)(flat),
    ]
    path = tmp_path_factory.mktemp("explained") / "small.keras"
    keras.Model(image, outputs).save(path)
    return path


def test_drawn_faces_give_a_figure_and_numbers(model_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(app, [str(model_file), "--drawn", "3", "--redraws", "2", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == {
        "explanation.png", "explanation.svg", "captions.json", "explanation.json"
    }  # fmt: skip
    record = json.loads((out / "explanation.json").read_text())
    assert (record["method"], record["drawn_faces"], len(record["images"])) == ("HiResCAM", True, 3)
    assert np.shape(record["outputs"]["age"]["cells"]) == (3, 8, 8)
    assert [one["compared"] for one in record["sanity"]] == [6, 6]
    assert all(abs(one["correlation"]) < 0.9 for one in record["sanity"])
    assert "drawn faces" in json.loads((out / "captions.json").read_text())["explanation"]
    assert "small.keras: maps against those of untrained networks" in " ".join(result.output.split())


def test_a_folder_and_no_check(model_file: Path, drawn_folder: Path, tmp_path: Path) -> None:
    first = sorted(drawn_folder.glob("*.jpg"))[0]
    for name, images in (("folder", [drawn_folder]), ("files", [first, drawn_folder])):
        words = [word for path in images for word in ("--images", str(path))]
        result = CliRunner().invoke(
            app, [str(model_file), *words, "--most", "2", "--redraws", "0", "--out", str(tmp_path / name)]
        )
        assert result.exit_code == 0, result.output
        record = json.loads((tmp_path / name / "explanation.json").read_text())
        assert record["images"][0] == first.name
        assert (len(record["images"]), record["sanity"]) == (2, [])


def test_what_makes_no_sense_is_refused_before_anything_is_written(
    model_file: Path, drawn_folder: Path, tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    for words, error, message in (
        (["--images", str(drawn_folder), "--drawn", "2"], SettingError, "Received both"),
        (["--outputs", "age,age"], SettingError, "gender,age"),
        (["--images", str(tmp_path / "none")], InputError, "no file or folder"),
    ):
        with pytest.raises(error, match=message):
            CliRunner().invoke(app, [str(model_file), *words, "--out", out], catch_exceptions=False)
    with pytest.raises(ModelError, match="No model file"):
        CliRunner().invoke(app, [str(tmp_path / "none.keras"), "--out", out], catch_exceptions=False)
    assert CliRunner().invoke(app, [str(model_file), "--drawn", "25", "--out", out]).exit_code == 2
    assert not (tmp_path / "out").exists()
