"""Several model files measured on one data set: figures, paired tests, channel orders, and one row an image."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from agegender.artifacts import atomic_path, read_json, sha256_file, write_json
from agegender.errors import InputError, SettingError
from agegender.evaluation.compare import (
    ComparisonResult,
    OrderAgreement,
    compare_orders,
    compare_predictions,
    comparison_from_dict,
)
from agegender.evaluation.evaluate import SEED, EvaluationResult, evaluate_predictions, result_from_dict
from agegender.evaluation.load import load_model
from agegender.evaluation.predict import BATCH_SIZE, ORDERS, Order, predict_faces, prediction_table
from agegender.metrics.bootstrap import RESAMPLES
from agegender.types import Progress, silent

if TYPE_CHECKING:
    from agegender.data.dataset import Dataset

METRICS_FILE = "metrics.json"
PREDICTIONS_FILE = "predictions.parquet"


@dataclass(frozen=True, slots=True)
class EvaluatedModel:
    """Which file a result is about.

    Attributes:
        name: Short and unique within an evaluation.
        file: Its file name.
        sha256: Of its bytes.
        parameters: Weights in all, trainable or not.
    """

    name: str
    file: str
    sha256: str
    parameters: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything measured about some models on one data set; what `metrics.json` holds.

    Attributes:
        source: What the images were read from.
        fingerprint: SHA-256 of the data set.
        drawn: The faces are drawn: the figures say nothing about people.
        n: Images measured.
        models: In the order given.
        results: One a model and channel order.
        order_agreement: One a model, if both orders were measured.
        comparisons: One a pair of models, in the first channel order measured.
    """

    source: str
    fingerprint: str
    drawn: bool
    n: int
    models: tuple[EvaluatedModel, ...]
    results: tuple[EvaluationResult, ...]
    order_agreement: tuple[OrderAgreement, ...]
    comparisons: tuple[ComparisonResult, ...]

    def result(self, model: str, order: str = "rgb") -> EvaluationResult:
        """The result of one model in one channel order.

        Raises:
            KeyError: It was not measured.
        """
        for result in self.results:
            if (result.model, result.order) == (model, order):
                return result
        raise KeyError(f"{model} in {order} was not measured")


def evaluate_models(
    paths: Sequence[str | Path],
    dataset: Dataset,
    *,
    names: Sequence[str] | None = None,
    files: Iterable[str] | None = None,
    outputs: Sequence[str] | None = None,
    orders: Sequence[Order] = ORDERS,
    batch_size: int = BATCH_SIZE,
    by: Sequence[str] | None = None,
    with_distribution: bool = False,
    seed: int = SEED,
    resamples: int = RESAMPLES,
    progress: Progress = silent,
) -> tuple[Evaluation, pd.DataFrame]:
    """Do what the brief's marker does with each model file, and measure the answers.

    Args:
        paths: `.keras` files, also ones that this package did not make.
        dataset: The labelled images.
        names: What to call the models; by default `short_names(paths)`.
        files: Measure on these files of the data set only.
        outputs: What the models' outputs are, in their own order, where neither names nor a sigmoid tell.
        orders: Channel orders to feed.
        batch_size: Images a forward pass.
        by: Columns to group by; by default age bands, gender and every group column.
        with_distribution: Also keep each image's distribution over ages; every model must have one.
        seed: Of the bootstraps and permutations.
        resamples: Of the bootstraps.
        progress: Shows how far each model is.

    Returns:
        The evaluation, and the prediction tables of all models and orders stacked, with the columns `model` and
        `order` in front.

    Raises:
        SettingError: No model, no order, or names that are not unique.
        ModelError: A file is not such a model.
        InputError: A file is not in the data set, or a column to group by is not in its table.
    """
    if not paths or not orders:
        raise SettingError("Give at least one model file and one channel order.")
    names = list(names) if names is not None else short_names(paths)
    if len(names) != len(paths) or len(set(names)) != len(names):
        raise SettingError(f"Every model needs a name of its own. Received: {len(paths)} models, names {names}")
    table, images = dataset.table, dataset.images
    if files is not None:
        rows = dataset.select(files)
        table, images = table.iloc[rows].reset_index(drop=True), images[rows]
    unknown = [column for column in by or () if column not in table.columns]
    if unknown:
        raise InputError(
            f"There is no column {', '.join(unknown)} to group by. Columns: {', '.join(map(str, table.columns))}."
        )

    models: list[EvaluatedModel] = []
    answers: dict[tuple[str, Order], pd.DataFrame] = {}
    for name, path in zip(names, map(Path, paths), strict=True):
        model = load_model(path, outputs=outputs)
        models.append(EvaluatedModel(name, path.name, sha256_file(path), int(model.keras_model.count_params())))
        predictions = predict_faces(
            model,
            images,
            orders=orders,
            batch_size=batch_size,
            with_distribution=with_distribution,
            progress=progress,
            title=f"Predicting {name}",
        )
        for order, predicted in predictions.items():
            answers[name, order] = prediction_table(table, predicted)

    first_order = orders[0]
    settings = {"seed": seed, "resamples": resamples}
    evaluation = Evaluation(
        source=dataset.source,
        fingerprint=dataset.fingerprint,
        drawn=dataset.drawn,
        n=len(table),
        models=tuple(models),
        results=tuple(
            evaluate_predictions(rows, model=name, order=order, by=by, **settings)
            for (name, order), rows in answers.items()
        ),
        order_agreement=tuple(
            compare_orders(answers[name, "rgb"], answers[name, "bgr"], model=name)
            for name in names
            if set(orders) == set(ORDERS)
        ),
        comparisons=tuple(
            compare_predictions(
                answers[pair[0], first_order], answers[pair[1], first_order], names=pair, order=first_order, **settings
            )
            for pair in itertools.combinations(names, 2)
        ),
    )
    return evaluation, _stacked(answers)


def short_names(paths: Sequence[str | Path]) -> list[str]:
    """`A` and `B` for age_gender_A.keras and age_gender_B.keras, else file names without suffix; unique by folder."""
    stems = [Path(path).stem for path in paths]
    shortened = [stem.removeprefix("age_gender_") for stem in stems]
    for candidates in (shortened, stems, [f"{Path(path).parent.name}/{Path(path).stem}" for path in paths]):
        if len(set(candidates)) == len(candidates) and all(candidates):
            return candidates
    return [str(Path(path).with_suffix("")) for path in paths]


def save_evaluation(evaluation: Evaluation, path: str | Path) -> Path:
    """Write `metrics.json`, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    return write_json(path, evaluation)


def load_evaluation(path: str | Path) -> Evaluation:
    """Read what `save_evaluation` wrote.

    Raises:
        InputError: It is not there or is something else.
    """
    try:
        return evaluation_from_dict(read_json(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not the metrics.json of an evaluation ({error}). Run agegender evaluate."
        ) from error


def evaluation_from_dict(content: dict[str, Any]) -> Evaluation:
    """The evaluation that `dataclasses.asdict` or JSON made this of."""
    return Evaluation(
        source=content["source"],
        fingerprint=content["fingerprint"],
        drawn=content["drawn"],
        n=content["n"],
        models=tuple(EvaluatedModel(**model) for model in content["models"]),
        results=tuple(result_from_dict(result) for result in content["results"]),
        order_agreement=tuple(OrderAgreement(**agreement) for agreement in content["order_agreement"]),
        comparisons=tuple(comparison_from_dict(comparison) for comparison in content["comparisons"]),
    )


def save_predictions(predictions: pd.DataFrame, path: str | Path) -> Path:
    """Write `predictions.parquet`, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    with atomic_path(path) as temporary:
        predictions.to_parquet(temporary, index=False)
    return Path(path)


def _stacked(answers: dict[tuple[str, Order], pd.DataFrame]) -> pd.DataFrame:
    parts = []
    for (name, order), rows in answers.items():
        part = rows.copy()
        part.insert(0, "model", name)
        part.insert(1, "order", order)
        parts.append(part)
    stacked = pd.concat(parts, ignore_index=True)
    return stacked.astype({"model": "category", "order": "category"})
