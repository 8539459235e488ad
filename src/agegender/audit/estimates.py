"""What an image's labels should be, as told by something that has not seen them: the ground for doubting labels.

The default needs no Keras: gradients (Dalal, Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR
2005) and small colour pictures, read by kernel ridge regression (Saunders, Gammerman, Vovk, ICML 1998) in folds, so
that no image and no copy of it is judged by a fit that has seen its label. It is a weak reader of faces; out-of-fold
answers of trained models, given as a prediction table, are a far better one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agegender.audit.faces import Faces
from agegender.data.parallel import ordered_map, usable_cores
from agegender.errors import InputError
from agegender.labels import AGE_MAX_YEARS, AGE_MIN_YEARS, Gender
from agegender.optional import require

FOLDS = 5
LEAST_IMAGES = 100
"""Below this nothing can be learnt from the images about themselves."""

MOST_FITTED = 8_000
"""Images that a fold learns from; a kernel of more takes more memory and time than it gains."""

RIDGE = 0.4
WIDTH_OF_MEDIAN = 0.7
"""The kernel's width over the median distance of two images. Both are the best of three each on the brief's images
(2,400 to learn from, 800 asked: 8.4 years, 86.6 %), and hardly matter: the others gave 8.4 to 8.8 and 85 to 87."""

_SIDE = 128
_CELL = 16
_DIRECTIONS = 9
_CLIPPED = 0.2
_COLOUR_SIDE = 12
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Estimates:
    """Ages and genders of some images, estimated without their labels.

    Attributes:
        rows: int64 (k,), of the audited data, ascending.
        age: float64 (k,), years.
        female_probability: float64 (k,), 0..1.
        source: What estimated, for the evidence: `gradient features`, `predictions`, a model's name.
        trusted: Whether its doubts are worth acting on: a trained model's are, those of plain features only worth
            a look.
    """

    rows: NDArray[np.int64]
    age: NDArray[np.float64]
    female_probability: NDArray[np.float64]
    source: str
    trusted: bool

    def without(self, rows: NDArray[np.int64]) -> Estimates:
        """These estimates for the other rows only."""
        kept = ~np.isin(self.rows, rows)
        return Estimates(self.rows[kept], self.age[kept], self.female_probability[kept], self.source, self.trusted)


def estimate_from_features(faces: Faces, groups: NDArray[np.int64], *, seed: int = 0) -> Estimates | None:
    """Estimate every audited image's labels from plain features, out of fold.

    Args:
        faces: The images.
        groups: int64 (own,), equal for images that show the same photograph: they share a fold.
        seed: Of the folds.

    Returns:
        None if there are fewer than `LEAST_IMAGES` different pictures or only one gender.
    """
    count = faces.own
    ages = faces.data.table["age"].to_numpy(np.float64)
    female = (faces.data.table["gender"].astype(str) == str(Gender.FEMALE)).to_numpy()
    rng = np.random.default_rng(seed)
    names, group = np.unique(groups, return_inverse=True)
    if len(names) < LEAST_IMAGES or female.all() or not female.any():
        return None
    fold = rng.permutation(np.arange(len(names)) % FOLDS)[group]
    between = _distances(_features(faces))
    targets = np.column_stack([ages, np.where(female, 1.0, -1.0)])
    answers = np.empty((count, 2))
    for number in range(FOLDS):
        held_out = np.flatnonzero(fold == number)
        learnt = np.flatnonzero(fold != number)
        if len(learnt) > MOST_FITTED:
            learnt = np.sort(rng.choice(learnt, MOST_FITTED, replace=False))
        answers[held_out] = _fit_and_ask(between, targets, learnt, held_out, rng)
    platt = require("sklearn.linear_model", "audit").LogisticRegression()
    platt.fit(answers[:, 1:], female)
    probability = platt.predict_proba(answers[:, 1:])[:, 1]
    age = np.clip(answers[:, 0], AGE_MIN_YEARS, AGE_MAX_YEARS)
    return Estimates(np.arange(count), age, probability, "plain features", trusted=False)


def estimates_from_predictions(paths: Sequence[str | Path], faces: Faces) -> Estimates:
    """Read what models answered to images that they had not learnt from.

    Args:
        paths: Prediction tables (`predictions.parquet`), or folders that hold such tables, as `agegender run --folds`
            leaves them. Answers of several models to one file are averaged.
        faces: The images.

    Raises:
        InputError: A table is missing or malformed, or none of its files is in the data.
    """
    tables = []
    for path in map(Path, paths):
        found = sorted(path.rglob("predictions.parquet")) if path.is_dir() else [path]
        if not found or not all(file.is_file() for file in found):
            raise InputError(f"There is no predictions.parquet at {path}. `agegender run --folds 5` leaves some.")
        tables += [_prediction_table(file) for file in found]
    answers: Any = pd.concat(tables).groupby("file")[["predicted_age", "female_probability"]].mean()
    rows = np.flatnonzero(faces.data.table["file"].isin(list(answers.index)).to_numpy())
    if not len(rows):
        raise InputError(
            f"None of the {len(answers):,} files of the predictions is in {faces.data.source}: they were made on other "
            "images. Give out-of-fold predictions of the data under audit."
        )
    ordered = answers.loc[faces.data.table["file"].iloc[rows]]
    return Estimates(
        rows,
        ordered["predicted_age"].to_numpy(np.float64),
        ordered["female_probability"].to_numpy(np.float64),
        "predictions",
        trusted=True,
    )


def _prediction_table(file: Path) -> pd.DataFrame:
    needed = ["file", "predicted_age", "female_probability"]
    try:
        table: Any = pd.read_parquet(file)
    except Exception as error:  # pyarrow raises many kinds
        raise InputError(f"{file} cannot be read as a Parquet table ({error}).") from error
    if absent := [name for name in needed if name not in table]:
        raise InputError(f"{file} is no prediction table: it lacks {', '.join(absent)}.")
    if "order" in table:
        table = table[table["order"].astype(str) == "rgb"]
    return table[needed]


def _features(faces: Faces) -> NDArray[np.float32]:
    """float32 (own, 2196): histograms of gradients and a small colour picture, of equal total variance."""
    gradients = np.empty((faces.own, (_SIDE // _CELL - 1) ** 2 * 4 * _DIRECTIONS), np.float32)
    colours = np.empty((faces.own, _COLOUR_SIDE**2 * 3), np.float32)

    def describe(row: int) -> None:
        image = faces.image(row)
        if image.shape[:2] != (_SIDE, _SIDE):
            image = cv2.resize(image, (_SIDE, _SIDE))
        gradients[row] = _histograms_of_gradients(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32))
        small = cv2.resize(image, (_COLOUR_SIDE, _COLOUR_SIDE), interpolation=cv2.INTER_AREA)
        colours[row] = np.ravel(cv2.cvtColor(small, cv2.COLOR_RGB2LAB))

    for _ in ordered_map(describe, range(faces.own), usable_cores()):
        pass
    parts = []
    for part in (gradients, colours):
        centred = part - part.mean(axis=0)
        parts.append(centred / max(float(np.sqrt(np.square(centred).sum(axis=1).mean())), 1e-6))
    return np.concatenate(parts, axis=1)


def _histograms_of_gradients(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Nine unsigned directions in cells of 16 x 16 pixels, in blocks of 2 x 2 cells, clipped at 0.2 of unit length."""
    across, down = np.zeros_like(grey), np.zeros_like(grey)
    across[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    down[1:-1] = grey[2:] - grey[:-2]
    strength = np.hypot(across, down)
    direction = np.arctan2(down, across) % np.pi * (_DIRECTIONS / np.pi)
    lower = np.floor(direction)
    share = direction - lower
    cells = _SIDE // _CELL
    place = np.arange(_SIDE) // _CELL
    cell = (place[:, None] * cells + place[None, :]) * _DIRECTIONS
    histogram = np.zeros(cells * cells * _DIRECTIONS)
    for step, weight in ((0, 1 - share), (1, share)):
        index = cell + (lower.astype(np.int64) + step) % _DIRECTIONS
        histogram += np.bincount(index.ravel(), (weight * strength).ravel(), len(histogram))
    grid = histogram.reshape(cells, cells, _DIRECTIONS)
    blocks = np.concatenate([grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]], axis=2)
    blocks = np.minimum(blocks / (np.linalg.norm(blocks, axis=2, keepdims=True) + 1e-3), _CLIPPED)
    blocks /= np.linalg.norm(blocks, axis=2, keepdims=True) + 1e-3
    return blocks.ravel().astype(np.float32)


Rows = NDArray[np.int64]
Distances = Callable[[Rows, Rows], NDArray[np.float32]]
"""Squared distances between the features of two sets of rows, (n, m)."""


def _distances(features: NDArray[np.float32]) -> Distances:
    """All at once where the folds share most of them, else as they are asked for."""
    if len(features) > MOST_FITTED * FOLDS // (FOLDS - 1):
        return lambda one, other: _squared_distances(features[one], features[other])
    everything = _squared_distances(features, features)
    return lambda one, other: everything[np.ix_(one, other)]


def _fit_and_ask(
    between: Distances, targets: NDArray[np.float64], learnt: Rows, asked: Rows, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Kernel ridge regression of the targets, (asked, 2)."""
    ridge = require("sklearn.kernel_ridge", "audit").KernelRidge
    some = rng.choice(learnt, min(len(learnt), 500), replace=False)
    apart = between(some, some)[np.triu_indices(len(some), 1)]
    scale = -0.5 / max(WIDTH_OF_MEDIAN**2 * float(np.median(apart)), 1e-12)
    kernel = np.exp(scale * between(learnt, learnt)).astype(np.float64)
    middle = targets[learnt].mean(axis=0)
    model = ridge(alpha=RIDGE, kernel="precomputed").fit(kernel, targets[learnt] - middle)
    answers = [
        model.predict(np.exp(scale * between(part, learnt)).astype(np.float64))
        for part in np.array_split(asked, len(asked) // _ROWS_AT_ONCE + 1)
    ]
    return middle + np.concatenate(answers)


def _squared_distances(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, m), never below 0."""
    lengths = np.square(one).sum(axis=1)[:, None] + np.square(other).sum(axis=1)[None]
    return np.maximum(lengths - 2 * one @ other.T, 0)
