"""Run folders written by hand, whose figures are planted: made up here, never quoted anywhere.

Nothing is trained. The answers of both models are drawn around the labels with a chosen error, and everything else of
a run folder is what the main job would have written about them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from agegender.artifacts import write_json, write_text
from agegender.evaluation import Evaluation, save_evaluation, save_predictions
from agegender.evaluation.compare import compare_orders, compare_predictions
from agegender.evaluation.evaluate import evaluate_predictions
from agegender.evaluation.suite import EvaluatedModel
from agegender.metrics.baseline import constant_predictor
from agegender.models.describe import ArchitectureBlock
from agegender.reporting.report import Document, RunFacts, report_document, report_pictures
from agegender.run_folder import RunFolder, hashed_name

AUGMENTATION = {
    "mirror": 0.5, "rotation_degrees": 8.0, "scale": 0.08, "shift_pixels": 4.0, "shear": 0.05, "aspect": 0.04,
    "brightness": 0.06, "contrast": 0.15, "gamma": 0.15, "colour_gain": 0.05, "blur": 0.15, "low_resolution": 0.1,
    "jpeg": 0.15, "noise": 0.1, "grey": 0.15, "reversed_channels": 0.0, "erase": 0.4, "mixup": 0.0, "mixup_alpha": 0.4,
}  # fmt: skip
LOSSES = {"distribution": 1.0, "years": 0.1, "gender": 1.0, "gender_smoothing": 0.06}


def phase(name: str, epochs: int, rate: float, **others: float) -> dict[str, Any]:
    plain = {"warmup_epochs": 0.0, "end_rate": 0.0, "trunk_rate": 1.0, "augmentation_strength": 1.0, "side": 0}
    return {"name": name, "epochs": epochs, "learning_rate": rate, **plain, **others}


COMMON = {
    "losses": LOSSES, "age_sd_years": 2.0, "clip_norm": 5.0, "self_distillation": 0.0, "teacher_share": 0.0,
    "precision": "float32", "curve_images": 500, "norm_images": 256,
}  # fmt: skip
RECIPES: dict[str, dict[str, Any]] = {
    "A": {
        "model": "A",
        "network": {
            "stem_channels": [32, 48], "stage_channels": [48, 96, 192, 288], "stage_blocks": [2, 2, 2, 1], "side": 128,
            "squeeze_ratio": 8, "drop_path": 0.1, "dropout": 0.4, "mirror_average": True, "age_readout": "median",
        },
        "phases": [
            phase("64 pixels", 8, 2e-3, warmup_epochs=2.0, end_rate=1.6e-3, side=64),
            phase("128 pixels", 10, 1e-3),
            phase("clear images", 2, 5e-4, augmentation_strength=0.2),
        ],
        "batch_size": 64, "weight_decay": 0.5, "average_epochs": 4.0, "augmentation": AUGMENTATION, **COMMON,
    },
    "B": {
        "model": "B",
        "network": {
            "backbone": "EfficientNetLite0", "weights": "imagenet", "side": 160, "drop_path": 0.2, "dropout": 0.4,
            "mirror_average": True, "age_readout": "mean",
        },
        "phases": [
            phase("heads", 1, 2e-3, trunk_rate=0.0, side=128),
            phase("160 pixels", 9, 1e-3, warmup_epochs=1.5),
        ],
        "batch_size": 32, "weight_decay": 0.1, "average_epochs": 2.0, "augmentation": AUGMENTATION | {"mixup": 0.5},
        **COMMON,
    },
}  # fmt: skip
PARAMETERS = {"A": 3_008_127, "B": 3_522_430}
STARTS = {
    "A": {"start": "random", "source": "trained from scratch", "sha256": ""},
    "B": {"start": "imagenet", "source": "EfficientNet-Lite0, packaged, Apache-2.0", "sha256": "0" * 64},
}


def blocks(letter: str) -> list[ArchitectureBlock]:
    last, stages = ((4, 4, 288), 4) if letter == "A" else ((5, 5, 1280), 7)
    trunk = [ArchitectureBlock("input", "input", (128, 128, 3), 0)]
    trunk += [
        ArchitectureBlock(f"stage{index}", "residual", (128 >> index, 128 >> index, 48), 1000, 2, "", "3x3, 3x3", True)
        for index in range(2, min(stages, 5))
    ]
    heads = [
        ArchitectureBlock("age_distribution", "dense", (117,), 9000, branch="age", detail="softmax"),
        ArchitectureBlock("age", "fixed", (1,), 234, branch="age", detail="counts them: the median"),
        ArchitectureBlock("gender", "dense", (1,), 300, branch="gender", detail="sigmoid"),
    ]
    rest = PARAMETERS[letter] - sum(block.parameters for block in [*trunk, *heads])
    trunk.append(ArchitectureBlock("top", "conv", last, rest, detail="1x1"))
    return [*trunk, ArchitectureBlock("pool", "pool", (last[-1],), 0, detail="average"), *heads]


CALIBRATION = {
    "calibrated_on": {"set": "validation", "n": 1000, "answered_by": {"file": "twin.keras"}},
    "age": {"method": "distribution", "level": 0.9},
    "compared": [
        {"method": "constant", "coverage": 0.87, "mean_width": 25.0, "chosen": False},
        {"method": "distribution", "coverage": 0.913, "mean_width": 19.7, "chosen": True},
    ],
    "gender": {
        "temperature": {"temperature": 1.27},
        "unsure": {"n": 1000, "answered": 880, "errors": 22},
    },
}
"""As far as a report reads what `agegender calibrate` writes."""

DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><circle cx="15" cy="15" r="9"/></svg>'
EXPLANATION = "Where the age and the gender of drawn faces come from: a planted picture of nothing."


@dataclass(frozen=True)
class Planted:
    """What is planted of one model.

    Attributes:
        age_sd: Of the errors of age, years.
        wrong: Share of wrong genders, 0..1.
        train: Last epoch's age MAE and gender accuracy on training images.
        validation: The same on validation images.
        best: The best epoch's validation age MAE, half way; None is the last epoch's.
    """

    age_sd: float = 6.0
    wrong: float = 0.08
    train: tuple[float, float] = (4.9, 0.930)
    validation: tuple[float, float] = (5.3, 0.915)
    best: float | None = None


def history(model: Planted, epochs: int, *, held_out: bool = True) -> pd.DataFrame:
    steps = np.linspace(0, 1, epochs)
    fall = 8 * (1 - steps) ** 2
    frame: Any = pd.DataFrame({"epoch": np.arange(1, epochs + 1)})
    frame["phase"] = ["first"] * (epochs // 2) + ["second"] * (epochs - epochs // 2)
    for side, (mae, accuracy) in (("train", model.train), ("validation", model.validation)):
        frame[f"{side}_age_mae"] = mae + fall
        frame[f"{side}_age_loss"] = 2.5 + 0.2 * (mae + fall)
        frame[f"{side}_gender_accuracy"] = accuracy - 0.04 * fall
        frame[f"{side}_gender_loss"] = 2.4 * (1 - accuracy) + 0.05 * fall
    if model.best is not None:
        middle = epochs // 2
        rise = np.clip((steps - steps[middle]) / (1 - steps[middle]), 0, 1)
        low = np.where(steps < steps[middle], model.best + fall - fall[middle], model.best)
        frame["validation_age_mae"] = low + rise * (model.validation[0] - model.best)
    return frame if held_out else frame[[name for name in frame if not name.startswith("validation")]]


def answers(model: Planted, images: int, *, seed: int, labels: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(labels)
    ages = rng.choice(np.r_[0:17, 10:18, 18:60, 18:60, 60:95], images)
    female = rng.random(images) < 0.48
    race = rng.choice(["White", "Black", "Asian", "Indian"], images)
    rng = np.random.default_rng([seed, 1])
    spread = model.age_sd * np.where(ages < 3, 0.4, np.where(ages > 79, 1.6, 1.0))
    wrong = rng.random(images) < model.wrong * np.where(ages < 10, 2.0, 0.9)
    sure = rng.uniform(0.55, 0.999, images)
    return pd.DataFrame(
        {
            "file": [f"{ages[index]}_{int(female[index])}_{index}.jpg" for index in range(images)],
            "age": ages.astype(np.int16),
            "gender": pd.Categorical(np.where(female, "female", "male"), ["male", "female"]),
            "race": pd.Categorical(race),
            "predicted_age": np.clip(ages + rng.normal(0.3, 1, images) * spread, 0, 116),
            "female_probability": np.where(female ^ wrong, sure, 1 - sure),
        }
    )  # fmt: skip


def plant(
    root: Path,
    models: dict[str, Planted] | None = None,
    *,
    images: int = 600,
    drawn: bool = False,
    measured_on: str = "test",
    shipped: bool = False,
    begun: dict[str, int] | None = None,
    held_out: bool = True,
    extras: bool = False,
    resamples: int = 200,
) -> Path:
    """Write a run folder.

    Args:
        root: Where.
        models: What to plant, by letter; by default B reads age better.
        images: Measured.
        drawn: Whether the faces are drawn.
        measured_on: `test` or `validation`.
        shipped: As `scripts/ship.py` writes it: trained on all images, curves of a twin, hashed names.
        begun: By letter, epochs after which a shipped model went on with all images.
        held_out: Whether the curves have validation images.
        extras: Also teachers, a calibration and an explanation.
        resamples: Of the bootstraps.
    """
    models = models or {"A": Planted(), "B": Planted(age_sd=5.0, wrong=0.05)}
    folder = RunFolder(root)
    tables = {letter: answers(model, images, seed=ord(letter)) for letter, model in models.items()}
    if shipped:
        tables = {letter: table.assign(file=table["file"].map(hashed_name)) for letter, table in tables.items()}
    if drawn:
        tables = {letter: table.drop(columns="race") for letter, table in tables.items()}
    split = {"name": "holdout", "sha256": "1" * 64, "train": 4000 if held_out else 5000, "of": 5000}
    for letter, model in models.items():
        recipe = RECIPES[letter]
        epochs = sum(part["epochs"] for part in recipe["phases"])
        sidecar: dict[str, Any] = {
            "model": letter,
            "file": folder.model(letter).name,
            "sha256": letter * 64,
            "parameters": PARAMETERS[letter],
            "started_from": STARTS[letter],
            "teachers": [],
            "recipe": recipe,
            "seed": 1,
            "split": split,
            "training_seconds": 2100.0,
        }
        if extras:
            first = {"file": "first.keras", "epochs": 1, "images": 4000, "averaged_with": [{}, {}]}
            sidecar |= {"teachers": [{}, {}], "recipe": recipe | {"teacher_share": 0.5}, "calibration": CALIBRATION}
            sidecar["went_on_from"] = first
            write_text(folder.training(letter) / "explanation.svg", DOT)
            write_json(folder.training(letter) / "captions.json", {"explanation": EXPLANATION})
        if shipped:
            sidecar["twin"] = {key: sidecar[key] for key in ("seed", "split", "training_seconds")}
            sidecar["split"] = split | {"name": "all", "train": 5000}
        if begun:
            sidecar["went_on_from"] = {"file": "first.keras", "epochs": begun[letter], "images": 4000}
        write_json(folder.sidecar(letter), sidecar)
        write_json(folder.training(letter) / "recipe.json", recipe)
        write_json(folder.training(letter) / "architecture.json", {"sha256": letter * 64, "blocks": blocks(letter)})
        history(model, epochs, held_out=held_out).to_csv(folder.training(letter) / "history.csv", index=False)
    save_evaluation(_evaluation(tables, images, drawn, resamples), folder.metrics)
    stacked = pd.concat(
        [table.assign(model=letter, order=order) for letter, table in tables.items() for order in ("rgb", "bgr")]
    )
    save_predictions(stacked.astype({"model": "category", "order": "category"}), folder.predictions)
    first = next(iter(tables.values()))
    female = first["gender"] == "female"
    constant = constant_predictor(first["age"], female, first["age"], female)
    write_json(folder.split, {"made_from": {"method": "holdout", "files_with_near_duplicates": 90}})
    write_json(
        folder.record,
        {
            "settings": {"data": "faces", "models": list(models)},
            "versions": {"keras": "3.15.1"},
            "started": "2026-01-01T00:00:00+00:00",
            "finished": "2026-01-01T01:00:00+00:00",
            "measured_on": measured_on,
            "constant_predictor": constant,
        },
    )
    return root


def _evaluation(tables: dict[str, pd.DataFrame], images: int, drawn: bool, resamples: int) -> Evaluation:
    return Evaluation(
        source="faces/test",
        fingerprint="2" * 64,
        drawn=drawn,
        n=images,
        models=tuple(EvaluatedModel(name, f"{name}.keras", name * 64, PARAMETERS[name]) for name in tables),
        results=tuple(
            evaluate_predictions(table, model=name, order=order, resamples=resamples)
            for name, table in tables.items()
            for order in ("rgb", "bgr")
        ),
        order_agreement=tuple(compare_orders(table, table, model=name) for name, table in tables.items()),
        comparisons=tuple(
            compare_predictions(tables[one], tables[other], names=(one, other), resamples=resamples)
            for one, other in itertools.combinations(tables, 2)
        ),
    )


def compose(facts: RunFacts) -> Document:
    """The report of some facts, with its pictures' places but nothing drawn."""
    return report_document(facts, {key: picture.block for key, picture in report_pictures(facts).items()})


GOOD = Planted()
BETTER = Planted(age_sd=3.5, wrong=0.02)
OTHER = Planted(age_sd=3.5, wrong=0.16)
RUNS: dict[str, dict[str, Any]] = {
    "A better": {"models": {"A": BETTER, "B": Planted(wrong=0.1)}},
    "B better": {"models": {"A": Planted(wrong=0.1), "B": BETTER}},
    "no difference": {"models": {"A": GOOD, "B": GOOD}},
    "A in age, B in gender": {"models": {"A": OTHER, "B": Planted(wrong=0.02)}},
    "overfitting": {
        "models": {
            "A": Planted(train=(2.10, 0.999), validation=(5.62, 0.880), best=4.90),
            "B": Planted(train=(3.90, 0.960), validation=(5.10, 0.915), best=4.60),
        }
    },
    "underfitting": {
        "models": {
            "A": Planted(age_sd=15, wrong=0.4, train=(13.20, 0.640), validation=(13.40, 0.630)),
            "B": Planted(train=(4.20, 0.950), validation=(5.20, 0.915)),
        }
    },
    "shipped": {"shipped": True},
    "everything": {
        "models": {
            "A": Planted(train=(2.10, 0.999), validation=(5.62, 0.880), best=4.90),
            "B": Planted(train=(3.90, 0.960), validation=(6.10, 0.855), best=4.60),
        },
        "shipped": True,
        "extras": True,
    },
    "drawn": {"drawn": True},
    "validation": {"measured_on": "validation"},
    "nothing held out": {"held_out": False},
}
"""What is planted, by what it shows."""
