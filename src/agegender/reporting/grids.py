"""Grids of pictures: samples with their labels, augmented examples, and the worst errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agegender.errors import InputError
from agegender.labels import AGE_BANDS
from agegender.reporting import style
from agegender.reporting.predictions import AGE_COLUMNS, GENDER_COLUMNS, answered_genders, require_columns
from agegender.reporting.words import caption, counted

SAMPLE_COLUMNS = 6
MARGIN, GUTTER, TITLE_HEIGHT, LINE_HEIGHT = 0.08, 0.09, 0.34, 0.135
"""Inches: around the grid, between pictures, of the title row, and of a line of text below a picture."""


def choose_samples(ages: np.ndarray, genders: Sequence[str], *, count: int = 24, seed: int) -> np.ndarray:
    """Rows to show: from every age band in turn, the genders by turns, youngest first.

    Args:
        ages: Years, shape (n,).
        genders: Names, length n.
        count: How many; fewer where there are fewer rows.
        seed: Of the choice.

    Returns:
        Positions, int64 of shape (min(count, n),), without repeats, ordered by age.
    """
    rng = np.random.default_rng(seed)
    names = np.asarray(genders, dtype=str)
    pools: list[list[int]] = []
    for low, high in AGE_BANDS:
        for gender in sorted(set(names)):
            pool = np.flatnonzero((ages >= low) & (ages < high + 1) & (names == gender))
            pools.append(rng.permutation(pool).tolist())
    chosen: list[int] = []
    while len(chosen) < min(count, sum(map(len, pools)) + len(chosen)):
        for pool in pools:
            if pool and len(chosen) < count:
                chosen.append(pool.pop())
    return np.array(sorted(chosen, key=lambda row: ages[row]), dtype=np.int64)


@style.styled
def sample_grid(
    images: np.ndarray, ages: Sequence[float] | np.ndarray, genders: Sequence[str], *, drawn: bool = False
) -> Figure:
    """Sample images with their labels.

    Args:
        images: uint8 RGB, shape (n, height, width, 3).
        ages: Years, length n.
        genders: Names, length n.
        drawn: The images are drawn faces.

    Raises:
        InputError: The images are not uint8 RGB, or labels and images differ in number.
    """
    _check_images(images, len(ages), len(genders))
    texts = [f"{age:g} {'year' if age == 1 else 'years'}\n{gender}" for age, gender in zip(ages, genders, strict=True)]
    return _grid(images, texts, columns=SAMPLE_COLUMNS, title="Samples with their labels", drawn=drawn)


def sample_grid_caption(ages: Sequence[float] | np.ndarray, genders: Sequence[str], *, drawn: bool = False) -> str:
    """What the figure of `sample_grid` shows, in sentences."""
    names, counts = np.unique(np.asarray(genders, dtype=str), return_counts=True)
    by_gender = " and ".join(f"{count} labelled {name}" for name, count in zip(names, counts, strict=True))
    return caption(
        f"{counted(len(ages), 'sample')} of the data with the labelled age and gender, "
        f"ages {np.min(ages):g} to {np.max(ages):g} years, {by_gender}.",
        drawn=drawn,
    )


@style.styled
def augmented_grid(originals: np.ndarray, variants: np.ndarray, *, drawn: bool = False) -> Figure:
    """A row an image: the original, then what training sees of it.

    Args:
        originals: uint8 RGB, shape (n, height, width, 3).
        variants: uint8 RGB, shape (n, variants, height, width, 3).
        drawn: The images are drawn faces.

    Raises:
        InputError: The images are not uint8 RGB, or there are not as many rows of variants as originals.
    """
    _check_images(originals, len(variants))
    if variants.ndim != 5:
        raise InputError(f"Variants must have shape (n, variants, height, width, 3). Received: {variants.shape}.")
    rows = np.concatenate([originals[:, None], variants], axis=1)
    columns = rows.shape[1]
    flat = rows.reshape(-1, *rows.shape[2:])
    _check_images(flat, len(flat))
    heads = ["original", *[f"variant {number}" for number in range(1, columns)]]
    figure = _grid(flat, [""] * len(flat), columns=columns, title="Augmentation", heads=heads, drawn=drawn)
    for axes in figure.axes[::columns]:
        axes.spines[:].set_visible(True)
        axes.spines[:].set(color=style.INK, linewidth=1.6)
    return figure


def augmented_grid_caption(originals: np.ndarray, variants: np.ndarray, *, drawn: bool = False) -> str:
    """What the figure of `augmented_grid` shows, in sentences."""
    return caption(
        f"{counted(len(originals), 'training image')} (framed) with {counted(variants.shape[1], 'random variant')} "
        "each, as training sees them.",
        "Validation and test images are never augmented.",
        drawn=drawn,
    )


def worst_rows(predictions: pd.DataFrame, by: Literal["age", "gender"], count: int) -> np.ndarray:
    """Positions of the worst answers, worst first, at most `count`.

    By age: the largest absolute errors. By gender: the wrong answers, the surest first; there may be none.
    """
    require_columns(predictions, ["file", *AGE_COLUMNS, *GENDER_COLUMNS])
    if by == "age":
        badness = (predictions["predicted_age"] - predictions["age"]).abs().to_numpy(float)
        candidates = np.arange(len(predictions))
    else:
        badness = (predictions["female_probability"] - 0.5).abs().to_numpy(float)
        candidates = np.flatnonzero(answered_genders(predictions) != predictions["gender"].astype(str).to_numpy())
    return candidates[np.argsort(-badness[candidates], kind="stable")][:count]


@style.styled
def worst_errors(
    images: np.ndarray, predictions: pd.DataFrame, *, by: Literal["age", "gender"], model: str, drawn: bool = False
) -> Figure:
    """The worst answers with their images, what is true and what the model said.

    Args:
        images: uint8 RGB, shape (n, height, width, 3), row i for row i of `predictions`.
        predictions: The rows to show in order, as `worst_rows` chooses them.
        by: Whether they are the worst in age or in gender.
        model: Name of the model for the title.
        drawn: The images are drawn faces.

    Raises:
        InputError: A column is missing, there is no row, or images and rows differ in number.
    """
    require_columns(predictions, [*AGE_COLUMNS, *GENDER_COLUMNS])
    _check_images(images, len(predictions))
    columns = ("age", "gender", "predicted_age", "female_probability")
    rows = zip(*(predictions[column].tolist() for column in columns), answered_genders(predictions), strict=True)
    texts = []
    for age, gender, predicted_age, female_probability, answered in rows:
        # Floored, so that an answer that is not certain never reads 100 %.
        sure = int(100 * max(female_probability, 1 - female_probability))
        said = f"{predicted_age:.0f}, {answered}" if by == "age" else f"{answered}, {sure} %"
        texts.append(f"true: {age:g}, {gender}\nmodel: {said}")
    what = "largest errors of age" if by == "age" else "surest errors of gender"
    return _grid(images, texts, columns=SAMPLE_COLUMNS, title=f"{model}: {what}", drawn=drawn)


def worst_errors_caption(
    predictions: pd.DataFrame, *, by: Literal["age", "gender"], model: str, of_images: int, drawn: bool = False
) -> str:
    """What the figure of `worst_errors` shows; `of_images` is how many were evaluated in all."""
    number = len(predictions)
    if by == "age":
        errors = (predictions["predicted_age"] - predictions["age"]).abs()
        return caption(
            f"{model}: the {counted(number, 'largest error')} of age among {counted(of_images, 'image')}, worst first, "
            f"from {errors.max():.1f} down to {errors.min():.1f} years; below each image the label and the answer.",
            "A large error is at times a wrong label.",
            drawn=drawn,
        )
    return caption(
        f"{model}: the {counted(number, 'wrong answer')} of gender that the model was surest of, among "
        f"{counted(of_images, 'image')}; below each image the label and the answer with its probability.",
        "A sure error is at times a wrong label.",
        drawn=drawn,
    )


def _check_images(images: np.ndarray, *lengths: int) -> None:
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8 or not len(images):
        raise InputError(
            f"Pictures must be uint8 RGB of shape (n, height, width, 3), n at least 1. "
            f"Received: {images.dtype} of shape {images.shape}."
        )
    if any(length != len(images) for length in lengths):
        raise InputError(f"There must be as many labels as images. Received: {lengths} for {len(images)} images.")


def _grid(
    images: np.ndarray, texts: Sequence[str], *, columns: int, title: str, drawn: bool, heads: Sequence[str] = ()
) -> Figure:
    """Pictures in rows, a text below each; sizes are set in inches so that text and pictures never touch."""
    rows = -(-len(images) // columns)
    side = (style.PAGE_WIDTH - 2 * MARGIN - (columns - 1) * GUTTER) / columns
    lines = max(text.count("\n") + 1 if text else 0 for text in texts)
    below = LINE_HEIGHT * lines + 0.06 if lines else 0.0
    top = TITLE_HEIGHT + (LINE_HEIGHT + 0.05 if heads else 0.0)
    height = top + rows * (side + below) + (rows - 1) * GUTTER + MARGIN
    figure = Figure(figsize=(style.PAGE_WIDTH, height))
    figure.text(MARGIN / style.PAGE_WIDTH, 1 - 0.08 / height, title, va="top", fontsize=style.TITLE, fontweight="bold")
    if drawn:
        style.mark_drawn(figure)
    for index, (image, text) in enumerate(zip(images, texts, strict=True)):
        row, column = divmod(index, columns)
        left = MARGIN + column * (side + GUTTER)
        bottom = height - top - row * (side + below + GUTTER) - side
        axes = figure.add_axes((left / style.PAGE_WIDTH, bottom / height, side / style.PAGE_WIDTH, side / height))
        _picture(axes, image)
        if text:
            axes.text(
                0.5,
                -0.045 / side,
                text,
                transform=axes.transAxes,
                ha="center",
                va="top",
                fontsize=style.TINY,
                linespacing=1.15,
            )
        if heads and row == 0:
            axes.text(
                0.5,
                1 + 0.045 / side,
                heads[column],
                transform=axes.transAxes,
                ha="center",
                va="bottom",
                fontsize=style.SMALL,
            )
    return figure


def _picture(axes: Axes, image: np.ndarray) -> None:
    shown = axes.imshow(image, aspect="auto")
    shown.set_gid("photograph")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
