"""Model cards: every figure is the run's, every section is filled or named, and the head is YAML that can be read."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from agegender.artifacts import read_json, write_json
from agegender.cards import model_card, read_facts, write_cards
from agegender.cards.card import SECTIONS
from agegender.cards.yaml import yaml_block
from agegender.errors import InputError, SettingError
from agegender.evaluation.compare import compare_orders, compare_predictions
from agegender.evaluation.evaluate import evaluate_predictions
from agegender.evaluation.suite import EvaluatedModel, Evaluation, save_evaluation

N = 240
UTKFACE = {"data_set": "utkface"}


def answers(seed: int, off: float) -> pd.DataFrame:
    """A prediction table of people of all ages whose ages are missed by `off` years on average."""
    rng = np.random.default_rng(seed)
    ages = np.random.default_rng(1).integers(0, 90, N)
    female = np.random.default_rng(2).random(N) < 0.5
    return pd.DataFrame(
        {
            "file": [f"{number}.jpg" for number in range(N)],
            "age": ages,
            "gender": np.where(female, "female", "male"),
            "race": np.random.default_rng(3).choice(["White", "Black"], N),
            "predicted_age": ages + rng.normal(1.0, off, N),
            "female_probability": np.clip(female * 0.7 + rng.normal(0.15, 0.2, N), 0, 1),
        }
    )


def sidecar(model: str, content: bytes) -> dict[str, Any]:
    start = {"A": ("random", "random start"), "B": ("imagenet", "EfficientNet-Lite0, packaged, Apache-2.0")}[model]
    network = {"dropout": 0.4, "drop_path": 0.1} | ({"backbone": "EfficientNetLite0"} if model == "B" else {})
    phases = [{"name": "only", "epochs": 3, "learning_rate": 1e-3}]
    return {
        "model": model,
        "file": f"age_gender_{model}.keras",
        "sha256": hashlib.sha256(content).hexdigest(),
        "parameters": 3_012_345,
        "started_from": {"start": start[0], "source": start[1], "sha256": ""},
        "teachers": [],
        "recipe": {
            "model": model, "network": network, "phases": phases, "batch_size": 64, "weight_decay": 0.5,
            "precision": "float32",
        },
        "seed": 7,
        "split": {"name": "stratified", "sha256": "0" * 64, "train": 4000, "of": 5000},
        "data": {"fingerprint": "f" * 64, "drawn": False},
        "versions": {"agegender": "0.1.0", "keras": "3.15.1"},
        "training_seconds": 2100.0,
        "last_epoch": {
            "train_age_mae": 4.58, "validation_age_mae": 5.51, "train_gender_accuracy": 0.94,
            "validation_gender_accuracy": 0.897,
        },
    }  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The records of a run on UTKFace, with real figures of made-up answers, and files of two bytes as models."""
    folder = tmp_path / "run"
    tables = {"A": answers(4, 6.0), "B": answers(5, 4.0)}
    models = []
    for model in "AB":
        content = f"{model}!".encode()
        record = sidecar(model, content)
        write_json(folder / f"age_gender_{model}.json", record)
        (folder / f"age_gender_{model}.keras").write_bytes(content)
        models.append(EvaluatedModel(model, record["file"], record["sha256"], record["parameters"]))
    few: dict[str, Any] = {"seed": 0, "resamples": 100}
    save_evaluation(
        Evaluation(
            source="test",
            fingerprint="e" * 64,
            drawn=False,
            n=N,
            models=tuple(models),
            results=tuple(evaluate_predictions(rows, model=model, **few) for model, rows in tables.items()),
            order_agreement=tuple(compare_orders(rows, rows, model=model) for model, rows in tables.items()),
            comparisons=(compare_predictions(tables["A"], tables["B"], names=("A", "B"), resamples=100),),
        ),
        folder / "metrics.json",
    )
    write_json(folder / "run.json", {"settings": {"models": ["A", "B"]}, "finished": "now"})
    return folder


def changed(run: Path, model: str, **values: Any) -> None:
    """Change values of a sidecar; None takes one out."""
    path = run / f"age_gender_{model}.json"
    write_json(path, {key: value for key, value in (read_json(path) | values).items() if value is not None})


def card(run: Path, model: str = "A", **terms: str) -> str:
    return model_card(read_facts(run, model, **(terms or UTKFACE)))


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]


def test_a_card_has_every_section_and_the_figures_of_the_run(run: Path) -> None:
    text = card(run)
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == [one.title for one in SECTIONS if not one.optional]
    figures = read_json(run / "metrics.json")["results"][0]["figures"]
    mae, right = figures["mae"], figures["gender_accuracy"]
    assert f"{mae['value']:.2f} ({mae['low']:.2f} to {mae['high']:.2f})" in section(text, "Evaluation")
    accuracy = f"{100 * right['value']:.1f} % ({100 * right['low']:.1f} to {100 * right['high']:.1f})"
    assert accuracy in section(text, "Evaluation")
    for group in ("### By age band", "### By gender", "### By race", "### Against the other model"):
        assert group in text
    assert "4,000 images of 5,000" in section(text, "Training data")
    assert "5.51 on validation images" in section(text, "Training")
    assert "4.58 against 5.51 years" in section(text, "Limits")
    assert 'load_model("age_gender_A.keras")' in section(text, "How to load")
    assert "None" not in text
    assert "nan" not in text


def with_slices(run: Path, model: str, figures: dict[str, tuple[float, float, float]]) -> None:
    """Give a model's groups of race an age MAE (value, low, high); no group has too few images."""
    metrics = read_json(run / "metrics.json")
    result = next(one for one in metrics["results"] if one["model"] == model)
    for part in result["slices"]:
        if part["name"] in figures:
            part["figures"]["mae"] = dict(zip(("value", "low", "high"), figures[part["name"]], strict=True))
    write_json(run / "metrics.json", metrics)


def test_a_group_is_called_worst_only_where_intervals_part(run: Path) -> None:
    with_slices(run, "B", {"White": (3.0, 2.8, 3.2), "Black": (4.0, 3.7, 4.3)})
    limits = section(card(run, "B"), "Limits")
    assert (
        "By race, age MAE is worst for Black: 3.00 (2.80 to 3.20) years of White to 4.00 (3.70 to 4.30) of Black."
        in limits
    )
    with_slices(run, "B", {"White": (3.0, 2.5, 3.8), "Black": (4.0, 3.7, 4.3)})
    assert "By race, age MAE differs by no more than chance may explain" in section(card(run, "B"), "Limits")


def test_licences_come_in_three_parts_and_follow_where_the_weights_came_from(run: Path) -> None:
    parts = section(card(run, "B"), "Licences")
    assert re.findall(r"^### (.+)$", parts, flags=re.MULTILINE) == ["Code", "Weights", "Data"]
    assert "Apache-2.0" in parts
    assert "non-commercial research only" in parts
    assert "random weights" in section(card(run, "A"), "Licences")
    assert "from scratch" in section(card(run, "A"), "Overview")
    for start, wanted in (
        ({"start": "file", "source": "mine.h5"}, "the file mine.h5"),
        ({"start": "imagenet", "source": "keras.applications.ResNet50"}, "keras.io/api/applications"),
    ):
        changed(run, "B", started_from=start, teachers=[{"file": "old.keras"}])
        assert wanted in section(card(run, "B"), "Licences")
        assert "old.keras" in section(card(run, "B"), "Licences")


def test_the_head_is_yaml_with_the_figures_as_a_model_index(run: Path) -> None:
    head = yaml.safe_load(card(run).split("---\n")[1])
    assert (head["license"], head["license_name"]) == ("other", "utkface-non-commercial-research")
    assert head["library_name"] == "keras"
    [entry] = head["model-index"]
    values = {metric["type"]: metric["value"] for metric in entry["results"][0]["metrics"]}
    figures = read_json(run / "metrics.json")["results"][0]["figures"]
    assert values == {
        "mae": round(figures["mae"]["value"], 4),
        "accuracy": round(figures["gender_accuracy"]["value"], 4),
    }


def test_yaml_of_nested_and_awkward_values_reads_back() -> None:
    content = {"a": 'no: "yes" #', "b": [{"c": [1, 2.5], "d": {"e": True}}, "- x"], "tilde": "~", "word": "null"}
    assert yaml.safe_load(yaml_block(content)) == content
    with pytest.raises(ValueError, match="empty"):
        yaml_block({"a": []})
    with pytest.raises(TypeError, match="NoneType"):
        yaml_block({"a": None})


@pytest.mark.parametrize(
    ("lacking", "named"),
    [
        ("split", "'Training data' (it needs split.train in age_gender_A.json)"),
        ("recipe", "'Training' (it needs recipe.phases in age_gender_A.json)"),
        ("started_from", "'Licences' (it needs started_from in age_gender_A.json)"),
        ("parameters", "'Overview' (it needs parameters in age_gender_A.json)"),
    ],
)
def test_an_unfilled_section_is_an_error_that_names_it(run: Path, lacking: str, named: str) -> None:
    changed(run, "A", **{lacking: None})
    with pytest.raises(InputError, match="unfilled section") as caught:
        card(run)
    assert named in str(caught.value)


def test_no_card_without_an_evaluation_or_the_terms_of_the_data(run: Path) -> None:
    with pytest.raises(InputError, match=r"'Training data' .*'Licences' .*--data-set utkface"):
        write_cards(run)
    (run / "metrics.json").unlink()
    with pytest.raises(InputError, match=r"'Evaluation' \(it needs an evaluation.*'Limits'"):
        write_cards(run, data_set="utkface")
    assert not list(run.glob("*.md"))


def test_another_data_set_needs_its_name_and_its_terms(run: Path) -> None:
    text = card(run, data_set="Our album", data_licence="Shared by consent for teaching.")
    assert "Our album: Shared by consent for teaching." in section(text, "Licences")
    for terms, said in (
        ({"data_set": "Our album"}, "Give both"),
        ({"data_set": "drawn"}, "not drawn"),
        ({"data_set": "utkface", "data_licence": "free"}, "known"),
    ):
        with pytest.raises(SettingError, match=said):
            card(run, **terms)


def test_calibration_and_intervals_appear_when_the_sidecar_has_them(run: Path) -> None:
    assert "## Calibration and intervals" not in card(run)
    changed(run, "A", intervals={"method": "conformal", "level": 0.9, "quantiles": list(range(100))})
    text = section(card(run), "Calibration and intervals")
    assert "### Intervals" in text
    assert "- level: 0.9" in text
    assert "100 values, 0 to 99" in text
    assert "### Calibration" not in text


def test_a_calibration_is_told_in_sentences(run: Path) -> None:
    record = {
        "version": 1,
        "model_sha256": "0" * 64,
        "calibrated_on": {"set": "validation images", "n": 1000},
        "age": {"method": "shortest", "level": 0.9, "edges": [20.0], "thresholds": [0.9, None], "counts": [400, 600]},
        "baselines": [],
        "gender": {
            "temperature": {"temperature": 1.25, "n": 1000, "loss_before": 0.25, "loss_after": 0.21},
            "unsure": {"distance": 1.0, "risk": 0.05, "confidence": 0.95, "n": 1000, "answered": 950, "errors": 30},
        },
        "compared": [
            {
                "method": "shortest", "chosen": True, "coverage": 0.907, "mean_width": 19.25, "worst_band": "50-64",
                "worst_coverage": 0.871,
            }
        ],
    }  # fmt: skip
    changed(run, "A", calibration=record)
    text = section(card(run), "Calibration and intervals")
    for said in (
        "Fitted on 1,000 images",
        "each of 2 bands",
        "hold 90.7 %",
        "50-64: 87.1 %",
        "temperature 1.250",
        "950 of 1,000 calibration images, 30 of them wrongly",
    ):
        assert said in text
    record["gender"]["unsure"]["distance"] = None
    changed(run, "A", calibration=record)
    assert "never answered" in card(run)
    del record["age"]["level"]
    changed(run, "A", calibration=record)
    with pytest.raises(InputError, match=r"'Calibration and intervals' \(a record is not as expected"):
        card(run)


def test_a_model_trained_on_everything_quotes_its_twin(run: Path) -> None:
    epoch = read_json(run / "age_gender_A.json")["last_epoch"]
    own = {"train_age_mae": 4.4, "train_gender_accuracy": 0.95, "validation_age_mae": None}
    changed(run, "A", last_epoch=own, split={"name": "all", "train": 5000, "of": 5000})
    assert "No image was held out" in section(card(run), "Training")
    changed(run, "A", twin={"last_epoch": epoch})
    text = card(run)
    assert "Last epoch of the twin" in section(text, "Training")
    assert "5.51 on validation images" in section(text, "Training")
    assert "no validation figures" in section(text, "Training data")


def test_a_model_that_went_on_from_others_says_from_which(run: Path) -> None:
    others = [{"seed": 2}, {"seed": 3}]
    first = {"file": "b.keras", "seed": 1, "epochs": 16, "images": 5000, "sha256": "abc", "averaged_with": others}
    changed(run, "A", went_on_from=first)
    text = card(run)
    assert "Its first 16 epochs were those of `b.keras` of seed 1, which learnt from 5,000 images (sha256" in text
    assert "the mean of that model's and of 2 others of the same recipe, images and start (seeds 2, 3;" in text
    changed(run, "A", went_on_from=first | {"earlier": {"epochs": 14, "images": 4000}})
    assert "5,000 images (in its own first 14 epochs from 4,000 of them) (sha256" in card(run)


def test_a_card_of_another_file_or_of_another_files_figures_is_refused(run: Path) -> None:
    (run / "age_gender_A.keras").write_bytes(b"another")
    with pytest.raises(InputError, match=r"not the file that age_gender_A\.json describes"):
        card(run)
    changed(run, "A", sha256=hashlib.sha256(b"another").hexdigest())
    with pytest.raises(InputError, match="measures another file of Model A"):
        card(run)


def test_what_was_measured_on_is_told_by_the_evaluation_itself(run: Path) -> None:
    assert "240 test images, given apart from the training data" in section(card(run), "Evaluation")
    data = {"fingerprint": "e" * 64, "drawn": False}
    changed(run, "A", data=data, split={"name": "stratified", "train": 960, "of": 1200})
    text = card(run)
    assert "240 validation images, held out of training; the recipe was chosen on them" in section(text, "Evaluation")
    assert "they flatter the model" in section(text, "Limits")
    assert yaml.safe_load(text.split("---\n")[1])["model-index"][0]["results"][0]["dataset"]["split"] == "validation"
    changed(run, "A", data=data, split={"name": "all", "train": 240, "of": 240})
    with pytest.raises(InputError, match=r"'Evaluation' \(it needs an evaluation on images that training did not see"):
        card(run)


def test_cards_of_a_real_drawn_run_warn_that_they_say_nothing_about_people(trained_run: Path, tmp_path: Path) -> None:
    paths = write_cards(trained_run, out=tmp_path)
    assert [path.name for path in paths] == ["model_card_A.md", "model_card_B.md"]
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert "Trained on drawn faces" in section(text, "Overview")
        assert "drawn faces: the figures say nothing about people" in section(text, "Evaluation")
        assert yaml.safe_load(text.split("---\n")[1])["license"] == "mit"
