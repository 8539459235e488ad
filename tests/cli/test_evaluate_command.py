"""`agegender evaluate` on drawn faces: its tables, files and refusals, and the marker's figures to the last digit."""

import json
import re
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from agegender.cli.evaluate import evaluate_command
from agegender.cli.evaluation_tables import percent
from agegender.data.drawn import draw_faces
from agegender.errors import ModelError, OutputError, SettingError

BANDS = ((0, 2), (3, 9), (10, 17), (18, 29), (30, 49), (50, 64), (65, 79), (80, 116))

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(evaluate_command)


def save_model(path, seed, brightness, names=("age", "gender"), activation="sigmoid"):
    def normal(stddev) -> Any:
        return keras.initializers.RandomNormal(stddev=stddev, seed=seed)

    image = keras.Input((128, 128, 3))
    x = keras.layers.Conv2D(8, 5, strides=4, activation="relu", kernel_initializer=normal(0.5))(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    about_thirty: Any = keras.initializers.Constant(30.0)
    age = keras.layers.Dense(1, bias_initializer=about_thirty, kernel_initializer=normal(8.0), name=names[0])
    # Female where the image is bright, red counting most, so that both answers occur in either channel order.
    colour = keras.layers.GlobalAveragePooling2D()(image)
    gender = keras.layers.Dense(1, activation, name=names[1])
    outputs = [age(x), gender(colour)]
    gender.set_weights([np.array([[5.0], [3.3], [1.7]], np.float32), np.array([-10 * brightness], np.float32)])
    keras.Model(image, outputs).save(path)
    return path


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return draw_faces(tmp_path_factory.mktemp("faces") / "drawn", count=40, seed=5)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return [save_model(folder / "age_gender_A.keras", 1, 0.42), save_model(folder / "age_gender_B.keras", 2, 0.5)]


@pytest.fixture
def evaluate(tmp_path_factory, monkeypatch, faces):
    monkeypatch.setenv("AGEGENDER_CACHE", str(tmp_path_factory.getbasetemp() / "evaluate-cache"))
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments, data=faces):
        return CliRunner().invoke(app, [*map(str, arguments), "--data", str(data)], catch_exceptions=True)

    return run


def marker_lines(folder, path):
    """What the marker computes, written anew with nothing of the package."""
    files = sorted(folder.glob("*.jpg"))
    images = np.stack([np.asarray(Image.open(file).convert("RGB"), np.float32) for file in files]) / 255.0
    labels = np.array([[int(part) for part in file.name.split("_")[:2]] for file in files])
    age, gender = labels[:, 0], labels[:, 1]
    model: Any = keras.models.load_model(path)
    for order in ("rgb", "bgr"):
        fed = images if order == "rgb" else images[..., ::-1]
        predicted_age, female = model.predict(fed, batch_size=100, verbose=0)
        error = predicted_age[:, 0] - age
        right = (female[:, 0] >= 0.5) == gender
        inside = {f"{low}-{high}": (age >= low) & (age <= high) for low, high in BANDS}
        yield {
            "order": order,
            "n": len(age),
            "mae": round(float(np.abs(error).mean()), 3),
            "cs5": round(float((np.abs(error) <= 5).mean()), 4),
            "gender": round(float(right.mean()), 4),
            "bands": {
                band: {
                    "n": int(rows.sum()),
                    "mae": round(float(np.abs(error[rows]).mean()), 2),
                    "bias": round(float(error[rows].mean()), 2),
                    "gender": round(float(right[rows].mean()), 3),
                }
                for band, rows in inside.items()
                if rows.any()
            },
        }


def test_every_figure_is_the_markers_to_the_last_digit_it_prints(evaluate, faces, models):
    answer = evaluate(*models, "--json")
    assert answer.exit_code == 0, answer.output
    results = json.loads(answer.stdout)["results"]
    lines = [line for path in models for line in marker_lines(faces, path)]
    assert len(lines) == len(results) == 4
    for line, result in zip(lines, results, strict=True):
        figures = result["figures"]
        assert result["order"] == line["order"]
        assert figures["n"] == line["n"] == 40
        assert round(figures["mae"]["value"], 3) == line["mae"]
        assert round(figures["cs5"]["value"], 4) == line["cs5"]
        assert round(figures["gender_accuracy"]["value"], 4) == line["gender"]
        bands = {
            part["name"]: {
                "n": part["figures"]["n"],
                "mae": round(part["figures"]["mae"]["value"], 2),
                "bias": round(part["figures"]["bias"]["value"], 2),
                "gender": round(part["figures"]["gender_accuracy"]["value"], 3),
            }
            for part in result["slices"]
            if part["column"] == "age"
        }
        assert bands == line["bands"]


def test_tables_show_the_same_digits_and_are_marked_as_drawn(evaluate, faces, models):
    answer = evaluate(*models)
    assert answer.exit_code == 0, answer.output
    for path in models:
        for line in marker_lines(faces, path):
            within, right = percent(line["cs5"], 2), percent(line["gender"], 2)
            printed = rf"{line['order'].upper()}\s+{line['mae']:.3f}\s.*\s{within}\s.*\s{right}"
            assert re.search(printed, answer.stdout), printed
    titles = [line for line in answer.stdout.splitlines() if "(drawn faces)" in line]
    assert len(titles) == 3
    assert "nothing about people" in answer.stdout
    assert "A, BGR against RGB: age differs by" in answer.stdout
    assert "On the same 40 images" in answer.stdout
    assert re.search(r"on [1-9]\d* images only A is right, on [1-9]\d* only B \(exact McNemar test", answer.stdout)
    assert "Predicting A: 40" in answer.stderr


def test_groups_are_printed_when_asked_for(evaluate, models):
    answer = evaluate(models[0], "--by", "race", "--order", "rgb")
    assert answer.exit_code == 0, answer.output
    assert "by race, RGB" in answer.stdout
    assert re.search(r"White\s+A\s+\d+", answer.stdout)
    assert "BGR" not in answer.stdout


def test_files_are_written(evaluate, models, tmp_path):
    out = tmp_path / "new" / "results"
    answer = evaluate(models[0], "--out", out, "--order", "bgr")
    assert answer.exit_code == 0, answer.output
    assert sorted(path.name for path in out.iterdir()) == ["metrics.json", "predictions.parquet", "rejected.csv"]
    metrics = json.loads((out / "metrics.json").read_text())
    rows = pd.read_parquet(out / "predictions.parquet")
    assert len(rows) == 40
    assert set(rows["order"]) == {"bgr"}
    assert metrics["drawn"] is True
    assert metrics["results"][0]["figures"]["mae"]["value"] == np.abs(rows["predicted_age"] - rows["age"]).mean()


def test_outputs_that_nothing_tells_apart_are_told_by_the_option(evaluate, tmp_path):
    path = save_model(tmp_path / "unknown.keras", 3, 0.5, names=("one", "two"), activation="hard_sigmoid")
    refused = evaluate(path)
    assert isinstance(refused.exception, ModelError)
    assert "--outputs age,gender" in str(refused.exception)
    told = evaluate(path, "--outputs", "age, gender", "--json", "--order", "rgb")
    assert told.exit_code == 0, told.output
    named = evaluate(
        save_model(tmp_path / "named.keras", 3, 0.5, activation="hard_sigmoid"), "--json", "--order", "rgb"
    )
    figures = [json.loads(answer.stdout)["results"][0]["figures"] for answer in (told, named)]
    assert figures[0] == figures[1]
    wrong = evaluate(path, "--outputs", "gender,age")
    assert isinstance(wrong.exception, ModelError)
    assert "gender must be a probability" in str(wrong.exception)
    assert isinstance(evaluate(path, "--outputs", "age").exception, SettingError)


def test_a_missing_model_is_refused_before_data_is_read(evaluate, models, tmp_path):
    answer = evaluate(models[0], tmp_path / "no.keras", data=tmp_path / "nowhere")
    assert isinstance(answer.exception, ModelError)
    assert "no.keras" in str(answer.exception)


def test_a_folder_that_cannot_be_written_is_refused_before_data_is_read(evaluate, models, tmp_path):
    (tmp_path / "file").write_text("in the way")
    answer = evaluate(models[0], "--out", tmp_path / "file" / "results", data=tmp_path / "nowhere")
    assert isinstance(answer.exception, OutputError)


def test_percentages_show_the_digits_of_the_rounded_share():
    assert percent(0.92312, 2) == "92.31 %"
    assert percent(0.9235, 1) == "92.3 %" if round(0.9235, 3) == 0.923 else "92.4 %"
    for n in (40, 949, 2_000):
        for k in range(n):
            assert percent(k / n, 2) == f"{round(k / n, 4) * 100:.2f} %"
    assert percent(1.0, 2) == "100.00 %"
