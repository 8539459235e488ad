"""Sentences and tables of the notebook's outputs, composed from records: they change when the run changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from agegender.data.dataset import Dataset
from agegender.data.splits import Split
from agegender.evaluation import Evaluation, describe_comparison
from agegender.evaluation.evaluate import Figures
from agegender.reporting.words import counted, difference, listed
from agegender.run_folder import MODELS
from agegender.types import Interval

if TYPE_CHECKING:
    from agegender.models.contract import ContractReport
    from agegender.training.recipe import Recipe

HISTORY_ROWS = 12
"""Epochs that the table of a training shows; the curves show all."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; the first column is text, the others stand right."""
    marks = ["---", *["---:"] * (len(header) - 1)]
    lines = ([cell.replace("|", "\\|") for cell in row] for row in (header, marks, *rows))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def data_words(faces: Dataset) -> str:
    """How many images, of which ages and labels."""
    ages = faces.table["age"].to_numpy()
    female = float(np.mean(faces.table["gender"].to_numpy() == "female"))
    kind = (
        "faces that the package draws: no person is shown, and figures on them say nothing about people"
        if faces.drawn
        else "labelled faces"
    )
    return (
        f"{len(faces):,} {kind}. Labelled ages {ages.min()} to {ages.max()} years, median {np.median(ages):.0f}; "
        f"{_percent(female)} labelled female. {counted(len(faces.rejected), 'file')} could not be used."
    )


def split_words(split: Split, faces: Dataset) -> str:
    """How the images were divided, and whether the two sides are alike."""
    files = faces.table.set_index("file")

    def side(names: Sequence[str]) -> str:
        rows = files.loc[list(names)]
        female = float(np.mean(rows["gender"].to_numpy() == "female"))
        return f"{len(rows):,} (mean age {rows['age'].mean():.1f} years, {_percent(female)} labelled female)"

    if not split.validation:
        return f"All {len(split.train):,} images train; none are held out."
    share = len(split.validation) / (len(split.train) + len(split.validation))
    return (
        f"Split `{split.name}`, seed {split.seed}: {side(split.train)} train and {side(split.validation)}, "
        f"{_percent(share)} of all, validate."
    )


def technique_words(recipe: Recipe) -> str:
    """The techniques against overfitting that a recipe uses, each with its value; what is off is not named."""
    network, losses = recipe.network, recipe.losses
    augmentation, last = recipe.augmentation, recipe.phases[-1]
    mixup = (
        f", and {_percent(augmentation.mixup)} of the batches blended in pairs (mixup)" if augmentation.mixup else ""
    )
    lines = [
        f"augmentation of every training image{mixup}",
        f"dropout of {_percent(network.dropout)} of the pooled features" if network.dropout else "",
        f"stochastic depth: the last residual branch is skipped with probability {network.drop_path:g}, earlier ones "
        "less"
        if network.drop_path
        else "",
        "batch normalisation",
        f"decoupled weight decay of {recipe.weight_decay:g} times the learning rate" if recipe.weight_decay else "",
        f"an average of the weights over about {recipe.average_epochs:g} epochs" if recipe.average_epochs else "",
        f"age labels widened to a distribution of {recipe.age_sd_years:g} years" if recipe.age_sd_years else "",
        f"gender labels smoothed by {_percent(losses.gender_smoothing)}" if losses.gender_smoothing else "",
        f"gradients cut at a norm of {recipe.clip_norm:g}" if recipe.clip_norm else "",
        f"a number of epochs that is fixed beforehand ({recipe.epochs}, the last phase `{last.name}`), so that no "
        "epoch is chosen by its luck on the validation images",
    ]
    return "Against overfitting this recipe uses:\n\n" + "\n".join(f"- {line}" for line in lines if line)


def phase_table(recipe: Recipe) -> str:
    """The phases of a recipe, a row each."""
    rows = [
        [
            phase.name,
            str(phase.epochs),
            f"{phase.learning_rate:g} to {phase.end_rate:g}",
            f"{phase.warmup_epochs:g}",
            "frozen" if phase.trunk_rate == 0 else f"× {phase.trunk_rate:g}",
            str(phase.side or recipe.network.side),
            f"× {phase.augmentation_strength:g}",
            _percent(recipe.augmentation_in(phase).noise),
        ]
        for phase in recipe.phases
    ]
    header = ["phase", "epochs", "learning rate", "warm-up epochs", "trunk's rate", "pixels", "augmentation", "noise"]
    return table(header, rows)


def change_words(recipe: Recipe, base: Recipe, name: str) -> str:
    """Which values of a recipe differ from the one that the notebook shows."""
    mine, its = _leaves(dataclasses.asdict(recipe)), _leaves(dataclasses.asdict(base))
    changed = [
        f"- `{path}`: {its.get(path, 'absent')} → {mine.get(path, 'absent')}"
        for path in dict.fromkeys([*its, *mine])
        if its.get(path) != mine.get(path)
    ]
    if not changed:
        return f"This run uses `{name}` as it stands above."
    return f"This run uses `{name}` with these changes:\n\n" + "\n".join(changed)


def run_words(sidecar: Mapping[str, Any]) -> str:
    """How a model file and its learning curves came about."""
    model, twin = sidecar["model"], sidecar.get("twin")
    curves = twin or sidecar
    versions, split = curves["versions"], curves["split"]
    minutes = curves["training_seconds"] / 60
    words = (
        f"Model {model} learnt from {split['train']:,} of {split['of']:,} {_faces(sidecar)} (split `{split['name']}`, "
        f"seed {curves['seed']}) in {minutes:.0f} min with Keras {versions['keras']} on "
        f"{versions.get('backend') or 'its default backend'} and "
        f"{counted(int(versions['cpus']), 'CPU core')}; its trunk started from: {sidecar['started_from']['source']}."
    )
    if twin:
        own = sidecar["split"]
        words += (
            f" The saved file is of the same recipe, trained on {own['train']:,} of {own['of']:,} images in "
            f"{sidecar['training_seconds'] / 60:.0f} min. The curves below are those of the run that held images out."
        )
    if first := sidecar.get("went_on_from"):
        earlier = first.get("earlier")
        more = ", which both share" if twin else ""
        if earlier:
            more = f" (of these the first {earlier['epochs']} on {earlier['images']:,})"
        words += (
            f" The first {counted(first['epochs'], 'epoch')} are those of an earlier run on {first['images']:,} images"
            f"{more}."
        )
        if others := first.get("averaged_with"):
            words += (
                f" The weights they left are the mean of {len(others) + 1} such runs, which differ in their seed; the "
                "minutes are those of all."
            )
    return words


def history_table(history: pd.DataFrame) -> str:
    """A training in at most a dozen rows, the first and the last epoch among them."""
    picked = np.unique(np.linspace(0, len(history) - 1, min(HISTORY_ROWS, len(history))).round().astype(int))
    columns = ("train_age_mae", "validation_age_mae", "train_gender_accuracy", "validation_gender_accuracy")

    def cell(value: Any, column: str) -> str:
        if pd.isna(value):
            return "–"
        return _percent(float(value)) if "gender" in column else f"{float(value):.2f}"

    rows = [
        [str(int(row["epoch"])), str(row["phase"]), *(cell(row[column], column) for column in columns)]
        for _, row in history.iloc[picked].iterrows()
    ]
    header = [
        "epoch", "phase", "age MAE, training", "age MAE, validation", "gender right, training",
        "gender right, validation",
    ]  # fmt: skip
    return table(header, rows)


def contract_table(reports: Sequence[ContractReport]) -> str:
    """The contract's lines held against the files, a column a file."""
    rows = [
        [f"{lines[0].expected}", *(f"{line.outcome}: {line.found}" for line in lines)]
        for lines in zip(*(report.checks for report in reports), strict=True)
    ]
    verdicts = [
        f"`{report.file.name}` {'keeps' if report.passed else '**breaks**'} the contract"
        f" (Keras {report.versions['keras']}, {report.versions['backend']})"
        for report in reports
    ]
    return f"{listed(verdicts)}.\n\n" + table(["asked for", *(report.file.name for report in reports)], rows)


def figures_table(evaluation: Evaluation) -> str:
    """Every model in every channel order, each figure with its 95 % interval."""
    rows = [[f"Model {one.model}, {one.order.upper()}", *_cells(one.figures)] for one in evaluation.results]
    header = [
        "",
        "images",
        "age MAE, years",
        "median error, years",
        "within 5 years",
        "age bias, years",
        "gender right",
    ]
    return table(header, rows)


def groups_table(evaluation: Evaluation, column: str) -> str:
    """Figures by the groups of one column, the models beside one another."""
    results = [evaluation.result(model.name) for model in evaluation.models]
    rows = []
    for parts in zip(*(result.by(column) for result in results), strict=True):
        cells = [f"{parts[0].name}{' *' if parts[0].few else ''}", f"{parts[0].figures.n:,}"]
        for part in parts:
            cells += [_years(part.figures.mae), _share(part.figures.gender_accuracy)]
        rows.append(cells)
    heads = [text for one in results for text in (f"{one.model}: age MAE, years", f"{one.model}: gender right")]
    note = "\n\n\\* too few images for the figure to mean much" if any(row[0].endswith(" *") for row in rows) else ""
    return table(["age band" if column == "age" else column, "images", *heads], rows) + note


def result_words(evaluation: Evaluation, measured_on: str, constant: Mapping[str, Any] | None) -> str:
    """What was measured, on what, and what a constant answer would give."""
    words = f"Measured on {evaluation.n:,} {measured_on} images, with 95 % bootstrap intervals."
    if evaluation.drawn:
        words += " These are drawn faces: the figures show that the software works, and nothing about people."
    if measured_on == "validation":
        words += " No test images were given: a validation figure is a little too good where anything was chosen by it."
    if constant:
        words += (
            f" One answer to all of them ({constant['age']:.0f} years, {'female' if constant['female'] else 'male'}) "
            f"would give {constant['mae']:.2f} years and {_percent(constant['gender_accuracy'])}."
        )
    return words


def comparison_words(evaluation: Evaluation) -> str:
    """The paired test of the models, and how far RGB and BGR agree."""
    lines = [describe_comparison(comparison) for comparison in evaluation.comparisons]
    lines += [
        f"Model {one.model}, BGR against RGB: age differs by {one.mean_age_difference:.3f} years on average (at most "
        f"{one.largest_age_difference:.2f}), gender agrees on {100 * one.gender_agreement:.2f} % of {one.n:,} images."
        for one in evaluation.order_agreement
    ]
    return "\n\n".join(lines)


def gap_words(histories: Mapping[str, pd.DataFrame]) -> str:
    """The last epoch of each model: training against validation."""
    rows = []
    for model in MODELS:
        last = histories[model].iloc[-1]
        if pd.isna(last["validation_age_mae"]):
            continue
        gap = difference(last["train_age_mae"], last["validation_age_mae"], 2)
        points = difference(100 * last["train_gender_accuracy"], 100 * last["validation_gender_accuracy"], 1)
        rows.append([f"Model {model}", f"{gap:+.2f}", f"{points:+.1f}"])
    if not rows:
        return "No images were held out, so that no gap between training and validation can be given."
    header = ["last epoch, validation minus training", "age MAE, years", "gender right, percentage points"]
    return table(header, rows)


def _faces(sidecar: Mapping[str, Any]) -> str:
    return "drawn faces" if sidecar["data"]["drawn"] else "images"


def _leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every plain value of nested records and sequences under its path, as `--set` names it."""
    if isinstance(value, Mapping):
        items = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        items = [(str(index), item) for index, item in enumerate(value)]
    else:
        return {path: value}
    return {
        key: leaf for name, item in items for key, leaf in _leaves(item, f"{path}.{name}" if path else name).items()
    }


def _cells(figures: Figures) -> list[str]:
    return [
        f"{figures.n:,}",
        _years(figures.mae),
        _years(figures.median),
        _share(figures.cs5),
        _years(figures.bias, sign="+"),
        _share(figures.gender_accuracy),
    ]


def _years(interval: Interval, *, sign: str = "") -> str:
    return f"{interval.value:{sign}.2f} ({interval.low:{sign}.2f} to {interval.high:{sign}.2f})"


def _share(interval: Interval) -> str:
    return f"{_percent(interval.value)} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def _percent(share: float) -> str:
    """Rounded as a share first, so that it shows what rounding the share shows."""
    return f"{100 * round(share, 3):.1f} %"
