"""A model's answers to labelled faces, with its distribution over ages: asked of the model now, or read from a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from agegender.artifacts import read_json, sha256_file
from agegender.errors import InputError
from agegender.evaluation.load import load_model
from agegender.evaluation.predict import BATCH_SIZE, predict_faces, prediction_table
from agegender.evaluation.suite import METRICS_FILE, short_names
from agegender.types import Progress, silent

if TYPE_CHECKING:
    from agegender.data.dataset import Dataset
    from agegender.data.splits import Split

DISTRIBUTION = "age_distribution"
_NEEDED = ("file", "age", "gender", "predicted_age", "female_probability")


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """One model's answers to some labelled faces.

    Attributes:
        table: One row an image: labels, groups, `predicted_age`, `female_probability` and, if asked for,
            `age_distribution`.
        model: What the model is called.
        model_sha256: The file that answered; None if not known.
        source: Name of the folder, archive, table or file that they came from, without its path.
        images: In words, which of its images: `all images` or `validation images of the split holdout`.
        fingerprint: SHA-256 of the whole data set; None if not known.
        split_sha256: Of the split that they were chosen by; None if there was none.
        drawn: The faces are drawn.
    """

    table: pd.DataFrame
    model: str
    model_sha256: str | None
    source: str
    images: str
    fingerprint: str | None
    split_sha256: str | None
    drawn: bool


def ask_model(
    path: str | Path,
    dataset: Dataset,
    split: Split | None = None,
    *,
    with_distribution: bool = False,
    batch_size: int = BATCH_SIZE,
    progress: Progress = silent,
) -> Answers:
    """Run a saved model over a data set, or over the validation images of a split of it.

    The distribution is what the file's own age is computed from: of an image and its mirror image together, where the
    file averages over both.

    Args:
        path: A `.keras` file.
        dataset: Labelled faces.
        split: Ask about its validation images only.
        with_distribution: Also give the distribution over ages; the model must have one.
        batch_size: Images a forward pass.
        progress: Shows how far it is.

    Raises:
        ModelError: The file is no such model, or has no distribution where one was asked for.
        InputError: The split holds out no image, or other images.
    """
    path = Path(path)
    table, images = dataset.table, dataset.images
    if split is not None:
        rows = dataset.select(split.validation)
        if not len(rows):
            raise InputError(
                f"The split {split.name} holds out no image for validation. Give the split of a run that does."
            )
        table, images = table.iloc[rows].reset_index(drop=True), images[rows]
    name = short_names([path])[0]
    predictions = predict_faces(
        load_model(path),
        images,
        batch_size=batch_size,
        with_distribution=with_distribution,
        progress=progress,
        title=f"Predicting {name}",
    )["rgb"]
    return Answers(
        table=prediction_table(table, predictions),
        model=name,
        model_sha256=sha256_file(path),
        source=Path(dataset.source).name,
        images="all images" if split is None else f"validation images of the split {split.name}",
        fingerprint=dataset.fingerprint,
        split_sha256=None if split is None else split.sha256,
        drawn=dataset.drawn,
    )


def read_answers(path: str | Path, *, model: str | None = None, with_distribution: bool = False) -> Answers:
    """Read one model's answers from a `predictions.parquet` of `agegender evaluate`; RGB where both orders are there.

    Args:
        path: The file.
        model: Which model's answers, by its short name; may be left out where there is only one.
        with_distribution: The distribution over ages must be there.

    Raises:
        InputError: It is no such file, lacks a column, or holds several models and none was named.
    """
    path = Path(path)
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a Parquet file ({error}). Give a predictions.parquet.") from error
    needed = [*_NEEDED, *([DISTRIBUTION] if with_distribution else [])]
    if missing := [column for column in needed if column not in table]:
        hint = "agegender evaluate --out FOLDER" + (" --distribution" if DISTRIBUTION in missing else "")
        raise InputError(f"{path} has no column {', '.join(missing)}. Write it with: {hint}")
    if table.empty:
        raise InputError(f"{path} has no rows, so there is nothing to measure.")
    for column, wanted in (("model", model), ("order", "rgb")):
        if column in table:
            table = _only(table, column, wanted, path)
    facts = _facts_beside(path)
    name = model or (str(table["model"].iloc[0]) if "model" in table else "model")
    hashes = {part.get("name"): part.get("sha256") for part in facts.get("models", ())}
    return Answers(
        table=table.reset_index(drop=True),
        model=name,
        model_sha256=hashes.get(name),
        source=path.name,
        images="all images",
        fingerprint=facts.get("fingerprint"),
        split_sha256=None,
        drawn=bool(facts.get("drawn", False)),
    )


def distributions(table: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The column `age_distribution` as float64 (n, ages).

    Raises:
        InputError: There is none, or its rows differ in length.
    """
    if DISTRIBUTION not in table:
        raise InputError(f"The prediction table has no column {DISTRIBUTION}. Predict with the distribution.")
    try:
        return np.stack([np.asarray(row, dtype=np.float64) for row in table[DISTRIBUTION]])
    except (TypeError, ValueError) as error:
        raise InputError(f"The rows of {DISTRIBUTION} are not of one length ({error}). Predict again.") from error


def _only(table: pd.DataFrame, column: str, wanted: str | None, path: Path) -> pd.DataFrame:
    present = list(dict.fromkeys(table[column].astype(str)))
    if wanted in present:
        return table.loc[table[column] == wanted]
    if len(present) == 1 and (wanted is None or column == "order"):
        return table
    raise InputError(
        f"{path} holds answers of the {column}s {', '.join(present)}. "
        f"Received: {wanted or 'none named'}. Say which with --name."
    )


def _facts_beside(path: Path) -> dict:
    """What `metrics.json` beside the predictions says of the data; nothing where there is none."""
    try:
        facts = read_json(path.with_name(METRICS_FILE))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
