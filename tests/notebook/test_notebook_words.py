"""Sentences and tables follow the records they are made of."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agegender.artifacts import read_json
from agegender.data import load_dataset, make_split
from agegender.evaluation import Evaluation, evaluate_predictions
from agegender.evaluation.suite import EvaluatedModel
from agegender.notebook import words

SIDECAR: dict[str, Any] = {
    "model": "A",
    "seed": 1,
    "split": {"name": "holdout", "train": 4000, "of": 5000},
    "data": {"drawn": False},
    "versions": {"keras": "3.15.1", "backend": "tensorflow", "cpus": "2"},
    "training_seconds": 1800.0,
    "started_from": {"start": "random", "source": "trained from scratch"},
}


def history(train: float, validation: float, epochs: int = 30) -> pd.DataFrame:
    row = {"phase": "one", "train_gender_accuracy": 0.9, "validation_gender_accuracy": 0.85}
    rows = [
        row | {"epoch": epoch, "train_age_mae": train, "validation_age_mae": validation}
        for epoch in range(1, epochs + 1)
    ]
    return pd.DataFrame(rows)


def evaluation(drawn: bool = False) -> Evaluation:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": rng.integers(20, 60, 80),
            "gender": np.where(rng.random(80) < 0.5, "male", "female"),
            "predicted_age": rng.uniform(20, 60, 80),
            "female_probability": rng.random(80),
        }
    )
    results = tuple(evaluate_predictions(table, model=name, resamples=200) for name in "AB")
    models = tuple(EvaluatedModel(name, f"age_gender_{name}.keras", "", 1) for name in "AB")
    return Evaluation("/somewhere/test", "", drawn, 80, models, results, (), ())


def test_data_and_split_are_counted(drawn_folder: Path) -> None:
    faces = load_dataset(drawn_folder)
    assert words.data_words(faces).startswith("48 faces that the package draws")
    assert words.data_words(dataclasses.replace(faces, drawn=False)).startswith("48 labelled faces")
    split = make_split(faces.table, None, seed=1)
    said = words.split_words(split, faces)
    assert f"{len(split.train)} (mean age" in said
    assert f"{len(split.validation)} (mean age" in said
    assert "seed 1" in said


def test_how_a_model_came_about() -> None:
    said = words.run_words(SIDECAR)
    assert "4,000 of 5,000 images" in said
    assert "30 min with Keras 3.15.1 on tensorflow and 2 CPU cores" in said
    assert "saved file is" not in said
    final = SIDECAR | {"split": {"name": "all", "train": 5000, "of": 5000}, "training_seconds": 2400.0, "twin": SIDECAR}
    said = words.run_words(final)
    assert "4,000 of 5,000" in said
    assert "trained on 5,000 of 5,000 images in 40 min" in said
    first = {"epochs": 14, "images": 4000}
    said = words.run_words(final | {"went_on_from": first})
    assert "The first 14 epochs are those of an earlier run on 4,000 images, which both share." in said
    mean = {"epochs": 16, "images": 5000, "averaged_with": [{}, {}], "earlier": first}
    said = words.run_words(final | {"went_on_from": mean})
    assert "The first 16 epochs are those of an earlier run on 5,000 images (of these the first 14 on 4,000)." in said
    assert "The weights they left are the mean of 3 such runs, which differ in their seed; the minutes are" in said
    assert "drawn faces" in words.run_words(SIDECAR | {"data": {"drawn": True}})


def test_a_history_is_shown_in_a_dozen_rows_with_both_ends() -> None:
    lines = words.history_table(history(4.0, 5.0)).splitlines()
    assert len(lines) == 2 + words.HISTORY_ROWS
    assert lines[2].startswith("| 1 |")
    assert lines[-1].startswith("| 30 |")
    unheld = history(4.0, float("nan"), epochs=2)
    assert words.history_table(unheld).splitlines()[-1].split(" | ")[3] == "–"


def test_gaps_are_differences_of_what_is_printed() -> None:
    said = words.gap_words({"A": history(4.004, 5.0), "B": history(5.0, 4.5)})
    assert "| Model A | +1.00 | -5.0 |" in said
    assert "| Model B | -0.50 | -5.0 |" in said
    assert "No images were held out" in words.gap_words(dict.fromkeys("AB", history(4.0, float("nan"))))


def test_results_say_what_they_were_measured_on() -> None:
    measured = evaluation()
    constant = {"age": 30.0, "female": False, "mae": 12.345, "gender_accuracy": 0.52}
    said = words.result_words(measured, "test", constant)
    assert "80 test images" in said
    assert "12.35 years and 52.0 %" in said or "12.34 years and 52.0 %" in said
    assert "drawn" not in said
    assert "drawn faces" in words.result_words(evaluation(drawn=True), "test", None)
    assert "No test images were given" in words.result_words(measured, "validation", None)
    figures = words.figures_table(measured)
    first = measured.results[0].figures.mae
    assert f"{first.value:.2f} ({first.low:.2f} to {first.high:.2f})" in figures
    assert "/somewhere" not in figures + said
    bands = words.groups_table(measured, "age")
    assert bands.count("\n") >= 4
    assert ("too few images" in bands) == any(part.few for part in measured.results[0].by("age"))


def test_recipes_are_told_by_their_values(trained_run: Path) -> None:
    from agegender.training.recipe import Recipe, from_record, override
    from agegender.training.recipes import MODEL_A, MODEL_B

    recorded = from_record(Recipe, read_json(trained_run / "A" / "recipe.json"))
    said = words.change_words(recorded, MODEL_A, "MODEL_A")
    assert f"- `batch_size`: {MODEL_A.batch_size} → 16" in said
    assert f"- `phases.0.epochs`: {MODEL_A.phases[0].epochs} → 1" in said
    assert words.change_words(MODEL_A, MODEL_A, "MODEL_A").endswith("as it stands above.")
    assert "frozen" in words.phase_table(MODEL_B)
    assert "mixup" in words.technique_words(MODEL_B)
    plain = override(override(MODEL_A, "network.dropout", "0.0"), "weight_decay", "0.0")
    said = words.technique_words(plain)
    assert "dropout" not in said
    assert "weight decay" not in said
    assert "weight decay of 0.5" in words.technique_words(dataclasses.replace(MODEL_A, weight_decay=0.5))


@pytest.mark.parametrize("rows", [[], [["a", "1"]]])
def test_a_table_is_markdown(rows: list[list[str]]) -> None:
    lines = words.table(["x", "y"], rows).splitlines()
    assert lines[:2] == ["| x | y |", "| --- | ---: |"]
    assert len(lines) == 2 + len(rows)
    assert words.table(["a|b"], []).startswith("| a\\|b |")
