"""The README's table of results is that of the shipped sidecars."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agegender.artifacts import write_json
from agegender.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]


def interval(value: float, spread: float) -> dict[str, float]:
    return {"value": value, "low": value - spread, "high": value + spread}


def sidecar(**more: Any) -> dict[str, Any]:
    measured = {"rgb": {"mae": interval(5.0, 0.25), "gender_accuracy": interval(0.93, 0.0154)}}
    return {
        "parameters": 2_960_000,
        "started_from": {"start": "random"},
        "test": measured,
        "validation": {"rgb": {"mae": interval(5.5, 0.5), "gender_accuracy": interval(0.9, 0.02)}},
        "last_epoch": {"train_age_mae": 4.444, "train_gender_accuracy": 0.9512},
        "recipe": {"phases": [{"epochs": 30}, {"epochs": 4}]},
        "split": {"train": 4000},
        **more,
    }


def test_a_row_says_what_the_sidecar_says(script: Callable[[str], ModuleType], tmp_path: Path) -> None:
    write_json(RunFolder(tmp_path).sidecar("A"), sidecar())
    assert script("results_table").table(tmp_path).splitlines()[2:] == [
        "| Model A, 3.0 M parameters, from scratch | 5.00 (4.75 to 5.25) | 93.0 % (91.5 to 94.5) "
        "| 5.50 (5.00 to 6.00), 90.0 % (88.0 to 92.0) | 4.44, 95.1 % | 34 epochs of 4,000 images |"
    ]


def test_a_model_that_learnt_from_all_images_shows_its_twins_validation(
    script: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    final = sidecar(split={"train": 5000})
    twin = {key: final.pop(key) for key in ("validation", "last_epoch")}
    write_json(RunFolder(tmp_path).sidecar("B"), final | {"twin": twin, "last_epoch": {}})
    row = script("results_table").table(tmp_path).splitlines()[2]
    assert "| 5.50 (5.00 to 6.00), 90.0 % (88.0 to 92.0) | 4.44, 95.1 % | 34 epochs of 5,000 images |" in row


def test_a_model_that_went_on_from_another_says_with_what(script: Callable[[str], ModuleType], tmp_path: Path) -> None:
    first = {"epochs": 30, "images": 4000}
    final = sidecar(split={"train": 5000}, went_on_from=first)
    write_json(RunFolder(tmp_path).sidecar("A"), final | {"twin": sidecar()})
    lines = script("results_table").table(tmp_path).splitlines()
    assert "| validation of the twin | training images of the twin, last epoch |" in lines[0]
    assert lines[2].endswith("| 30 epochs of 4,000 images, 4 of 5,000 |")


def test_a_mean_of_several_runs_multiplies_what_they_learnt(
    script: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    earlier = {"epochs": 28, "images": 4000}
    first = {"epochs": 30, "images": 5000, "averaged_with": [{}, {}, {}], "earlier": earlier}
    write_json(RunFolder(tmp_path).sidecar("B"), sidecar(split={"train": 5000}, went_on_from=first))
    row = script("results_table").table(tmp_path).splitlines()[2]
    assert row.endswith("| 4 x (28 epochs of 4,000 images, 2 of 5,000), 4 of 5,000 |")


def test_the_readme_holds_the_table_of_the_shipped_models(script: Callable[[str], ModuleType]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme == script("results_table").written(readme, ROOT / "models"), "run: python scripts/results_table.py"
    assert readme.count("| Model ") == len(list((ROOT / "models").glob("*.keras")))


def test_a_readme_without_marks_is_refused(script: Callable[[str], ModuleType], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="lacks the marks"):
        script("results_table").written("# Nothing", tmp_path)
