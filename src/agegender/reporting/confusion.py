"""The confusion matrix of gender: how often each label got each answer."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from agegender.errors import InputError
from agegender.labels import Gender
from agegender.metrics import ConfusionCounts
from agegender.reporting import style
from agegender.reporting.words import caption, counted, listed

_NAMES = (Gender.MALE.value, Gender.FEMALE.value)


@style.styled
def confusion_matrix(confusion: ConfusionCounts, *, model: str, drawn: bool = False) -> Figure:
    """Counts, and shares of each true gender: true in rows, answered in columns.

    Args:
        confusion: As an `EvaluationResult` holds it.
        model: Name of the model for the title.
        drawn: The images are drawn faces.

    Raises:
        InputError: There is no image.
    """
    counts = _matrix(confusion)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    figure = style.new_figure(4.2, 3.3, drawn=drawn)
    axes = figure.subplots()
    axes.imshow(shares, cmap=style.SEQUENTIAL, vmin=0, vmax=1.15, aspect="auto")  # above 1, so that no cell is black
    for row, column in np.ndindex(2, 2):
        ink = style.PAPER if shares[row, column] > 0.6 else style.INK
        share = "no image" if np.isnan(shares[row, column]) else f"{100 * shares[row, column]:.1f} %"
        axes.text(column, row - 0.07, share, ha="center", va="center", fontsize=14, fontweight="bold", color=ink)
        axes.text(
            column, row + 0.17, f"{counts[row, column]:,}", ha="center", va="center", fontsize=style.BODY, color=ink
        )
    axes.set_xticks([0, 1], _NAMES)
    labels = [f"{name}\n({counted(int(total), 'image')})" for name, total in zip(_NAMES, totals[:, 0], strict=True)]
    axes.set_yticks([0, 1], labels)
    axes.tick_params(length=0, labelsize=style.BODY)
    axes.spines[:].set_visible(False)
    axes.axhline(0.5, color=style.PAPER, linewidth=2.5)
    axes.axvline(0.5, color=style.PAPER, linewidth=2.5)
    axes.set_xlabel("predicted gender")
    axes.set_ylabel("true gender (label)")
    axes.set_title(f"{model}: gender", pad=8)
    return figure


def confusion_matrix_caption(confusion: ConfusionCounts, *, model: str, drawn: bool = False) -> str:
    """What the figure of `confusion_matrix` shows, with its figures, in sentences."""
    counts = _matrix(confusion)
    total, right = int(counts.sum()), int(np.trace(counts))
    recalls = [
        f"{100 * counts[row, row] / counts[row].sum():.1f} % of those labelled {name}"
        for row, name in enumerate(_NAMES)
        if counts[row].sum()
    ]
    return caption(
        f"{model}: labelled against predicted gender of {counted(total, 'image')}; shares are of each row.",
        f"{right:,} of {total:,} answers agree with the label ({100 * right / total:.1f} %): {listed(recalls)}.",
        "The binary label is a limit of the data, not a fact about a person.",
        drawn=drawn,
    )


def _matrix(confusion: ConfusionCounts) -> np.ndarray:
    """Images, int64 of shape (2, 2): rows are labels, columns answers, male first."""
    counts = np.array(
        [
            [confusion.male_as_male, confusion.male_as_female],
            [confusion.female_as_male, confusion.female_as_female],
        ]
    )
    if not counts.sum():
        raise InputError(f"There is no image to draw. Received: {confusion}. Evaluate at least one image.")
    return counts
