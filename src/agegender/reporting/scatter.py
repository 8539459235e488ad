"""Predicted against true age."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MultipleLocator, StrMethodFormatter

from agegender.metrics import bias, cumulative_score, mean_absolute_error, slices_by_band
from agegender.reporting import style
from agegender.reporting.predictions import AGE_COLUMNS, require_columns
from agegender.reporting.words import caption, counted

HEXAGONS_FROM_IMAGES = 1500
"""From here on points would hide one another, so hexagons show how many lie where."""

CLOSE_YEARS = 5

_HALO = withStroke(linewidth=3.4, foreground=style.PAPER)
"""A white rim that keeps a line apart from dark hexagons in grey too."""


@style.styled
def predicted_against_true(predictions: pd.DataFrame, *, model: str, drawn: bool = False) -> Figure:
    """Predicted over true age: the images, the line of right answers, and each age band's median and middle half.

    Args:
        predictions: A prediction table of one model and one channel order: `age` and `predicted_age` in years.
        model: Name of the model for the title.
        drawn: The images are drawn faces.

    Raises:
        InputError: A column is missing, there is no row, or a number is not finite.
    """
    require_columns(predictions, AGE_COLUMNS)
    true, predicted = (predictions[column].to_numpy(float) for column in AGE_COLUMNS)
    figure = style.new_figure(5.5 if _crowded(true) else 5.0, 4.9, drawn=drawn)
    axes = figure.subplots()
    bottom, top = min(0.0, true.min(), predicted.min()), max(true.max(), predicted.max())
    bottom, top = bottom - 0.03 * (top - bottom) - 0.1, top + 0.03 * (top - bottom) + 0.1
    _draw_images(axes, figure, true, predicted, (bottom, top))
    axes.plot(
        [bottom, top], [bottom, top], color=style.INK, linewidth=1.0, linestyle=(0, (5, 3)), label="predicted = true"
    )
    _draw_bands(axes, true, predicted)
    axes.set_xlim(bottom, top)
    axes.set_ylim(bottom, top)
    axes.set_aspect("equal")
    step = 20 if top - bottom > 60 else 10
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.yaxis.set_major_locator(MultipleLocator(step))
    axes.set_xlabel("true age, years")
    axes.set_ylabel("predicted age, years")
    axes.set_title(f"{model}: predicted against true age", pad=10)
    axes.text(
        0.975, 0.035, f"MAE {mean_absolute_error(predicted, true):.2f} years\n{counted(len(true), 'image')}",
        transform=axes.transAxes, ha="right", va="bottom", fontsize=style.BODY, fontweight="bold",
        bbox={"facecolor": style.PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
    )  # fmt: skip
    axes.legend(loc="upper left", handlelength=2.4)
    return figure


def predicted_against_true_caption(predictions: pd.DataFrame, *, model: str, drawn: bool = False) -> str:
    """What the figure of `predicted_against_true` shows, with its figures, in sentences."""
    require_columns(predictions, AGE_COLUMNS)
    true, predicted = (predictions[column].to_numpy(float) for column in AGE_COLUMNS)
    shift = round(bias(predicted, true), 2)
    direction = (
        "neither too old nor too young"
        if shift == 0
        else f"{abs(shift):.2f} years too {'old' if shift > 0 else 'young'}"
    )
    images = "hexagons, darker where more images lie" if _crowded(true) else "dots"
    return caption(
        f"{model}: predicted against true age of {counted(len(true), 'image')} ({images}).",
        "Points on the dashed line are right; squares are the medians of the age bands, "
        "their bars the middle half of the predictions.",
        f"The mean absolute error is {mean_absolute_error(predicted, true):.2f} years, "
        f"{100 * cumulative_score(predicted, true, years=CLOSE_YEARS):.1f} % of the answers are at most {CLOSE_YEARS} "
        f"years off, and the mean answer is {direction}.",
        drawn=drawn,
    )


def _crowded(true: np.ndarray) -> bool:
    return len(true) >= HEXAGONS_FROM_IMAGES


def _draw_images(
    axes: Axes, figure: Figure, true: np.ndarray, predicted: np.ndarray, limits: tuple[float, float]
) -> None:
    if _crowded(true):
        cells = axes.hexbin(
            true, predicted, gridsize=42, extent=(*limits, *limits), norm=LogNorm(vmin=0.6), mincnt=1,
            cmap=style.SEQUENTIAL, linewidths=0.1,
        )  # fmt: skip
        most = int(cells.get_array().max())  # type: ignore[union-attr]
        ticks = [tick for tick in (1, 3, 10, 30, 100, 300, 1000) if tick <= most]
        bar = figure.colorbar(
            cells, ax=axes, shrink=0.6, pad=0.02, ticks=ticks, format=StrMethodFormatter("{x:,.0f}"),
            label="images in a hexagon (log scale)",
        )  # fmt: skip
        bar.ax.minorticks_off()
        bar.ax.set_ylim(1, max(most, 2))
        bar.outline.set_visible(False)  # type: ignore[operator]
    else:
        # Ages are whole years: a hollow dot keeps columns of equal true age readable where they overlap.
        axes.scatter(true, predicted, s=11, facecolors="#9db8d9", edgecolors=style.BLUE, linewidths=0.35, alpha=0.55)


def _draw_bands(axes: Axes, true: np.ndarray, predicted: np.ndarray) -> None:
    centres, quartiles = [], []
    for band in slices_by_band("age", true):
        centres.append(true[band.rows].mean())
        quartiles.append(np.percentile(predicted[band.rows], [25, 50, 75]))
    low, middle, high = np.array(quartiles).T
    axes.vlines(centres, low, high, color=style.INK, linewidth=1.4, zorder=4, path_effects=[_HALO])
    axes.plot(
        centres, middle, "s-", color=style.ORANGE, markeredgecolor=style.INK, markeredgewidth=0.8, markersize=5.5,
        linewidth=1.4, zorder=5, path_effects=[_HALO], label="median and middle half (bar) of each age band",
    )  # fmt: skip
