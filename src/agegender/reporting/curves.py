"""Learning curves: loss and metric of both tasks over the epochs, training against validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from agegender.errors import InputError
from agegender.reporting import style
from agegender.reporting.words import caption, counted, difference, listed

LOG_FROM_RATIO = 12.0
"""Curves whose largest value is this many times the smallest are drawn on a logarithmic axis, which says so."""

MARKERS_PER_LINE = 10

_PHASE_ROW_POINTS = 9.5


@dataclass(frozen=True, slots=True)
class Curve:
    """One quantity of the history.

    Attributes:
        key: Column name without `train_` or `validation_`.
        title: Words for titles and captions.
        label: Axis label with its unit.
        unit: Unit of the difference between two values, in the plural; empty where there is none.
        scale: What a column's value is multiplied by before it is shown.
        digits: Decimals that are shown.
        better: Whether `lower` or `higher` values are better.
    """

    key: str
    title: str
    label: str
    unit: str
    scale: float
    digits: int
    better: str


CURVES: tuple[Curve, ...] = (
    Curve("gender_loss", "gender loss", "gender loss, nats", "nats", 1.0, 3, "lower"),
    Curve("gender_accuracy", "gender accuracy", "gender accuracy, %", "percentage points", 100.0, 1, "higher"),
    Curve("age_loss", "age loss", "age loss (as trained)", "", 1.0, 3, "lower"),  # a weighted sum has no unit
    Curve("age_mae", "age MAE", "age MAE, years", "years", 1.0, 2, "lower"),
)
"""The four curves, in the order of the brief."""


@style.styled
def learning_curve(history: pd.DataFrame, quantity: str, *, model: str, drawn: bool = False) -> Figure:
    """One learning curve, training and validation (training alone where nothing was held out).

    Args:
        history: One row an epoch, as in `history.csv`: `epoch`, `train_<quantity>`, `validation_<quantity>`, `phase`.
        quantity: The key of one of `CURVES`.
        model: Name of the model for the title, such as `Model A`.
        drawn: The run was made on drawn faces.

    Raises:
        InputError: The history has no epoch or lacks a column.
    """
    curve = _curve(quantity)
    figure = style.new_figure(4.6, 3.2, drawn=drawn)
    _draw(figure.subplots(), history, curve, title=f"{model}: {curve.title}")
    return figure


@style.styled
def learning_curves(history: pd.DataFrame, *, model: str, drawn: bool = False) -> Figure:
    """The four learning curves of a model in one figure; arguments and errors as in `learning_curve`."""
    figure = style.new_figure(style.PAGE_WIDTH, 5.2, drawn=drawn)
    style.overall_title(figure, f"{model}: learning curves")
    for axes, curve in zip(figure.subplots(2, 2).flat, CURVES, strict=True):
        _draw(axes, history, curve, title=_capitalised(curve.title))
        axes.title.set_fontsize(style.BODY)
    return figure


def learning_curve_caption(history: pd.DataFrame, quantity: str, *, model: str, drawn: bool = False) -> str:
    """What the figure of `learning_curve` shows, with the gap at the last epoch, in sentences."""
    curve = _curve(quantity)
    train, validation = _series(history, curve)
    lead = f"{model}: {curve.title} over {counted(len(history), 'epoch')}{_phase_words(history)}."
    return caption(lead, _method(validation), *_gap(curve, train, validation), drawn=drawn)


def learning_curves_caption(history: pd.DataFrame, *, model: str, drawn: bool = False) -> str:
    """What the figure of `learning_curves` shows, with the four gaps at the last epoch."""
    lead = f"{model}: the four learning curves over {counted(len(history), 'epoch')}{_phase_words(history)}."
    series = [(curve, *_series(history, curve)) for curve in CURVES]
    gaps = [_gap(curve, train, validation)[0] for curve, train, validation in series]
    return caption(lead, _method(series[0][2]), *gaps, drawn=drawn)


def _curve(quantity: str) -> Curve:
    known = {curve.key: curve for curve in CURVES}
    if quantity not in known:
        raise InputError(f"No learning curve of that name. Received: {quantity!r}. Expected one of {sorted(known)}.")
    return known[quantity]


def _series(history: pd.DataFrame, curve: Curve) -> tuple[pd.Series, pd.Series]:
    """Training and validation by epoch, scaled, without epochs where nothing was measured."""
    train, validation = f"train_{curve.key}", f"validation_{curve.key}"
    missing = [column for column in ("epoch", train) if column not in history]
    if missing:
        raise InputError(
            f"The history lacks the columns {missing}. Received: {list(history.columns)}. "
            "Expected those of history.csv, as training writes it."
        )
    epochs = history["epoch"].to_numpy(int)

    def values(column: str) -> pd.Series:
        if column not in history:
            return pd.Series(dtype=float)
        return pd.Series(history[column].to_numpy(float, na_value=np.nan) * curve.scale, index=epochs).dropna()

    if values(train).empty:
        raise InputError(f"The history holds no value of {train}: there is nothing to draw. Train at least one epoch.")
    return values(train), values(validation)


def _phases(history: pd.DataFrame) -> list[tuple[str, int]]:
    """Each phase with its first epoch."""
    if "phase" not in history:
        return []
    names, epochs = history["phase"].astype(str).tolist(), history["epoch"].astype(int).tolist()
    starts = [0, *(index for index in range(1, len(names)) if names[index] != names[index - 1])]
    return [(names[start], epochs[start]) for start in starts]


def _draw(axes: Axes, history: pd.DataFrame, curve: Curve, *, title: str) -> None:
    train, validation = _series(history, curve)
    lines = [("training", train, style.TRAINING_LINE), ("validation", validation, style.VALIDATION_LINE)]
    lines = [line for line in lines if not line[1].empty]
    for offset, (name, values, look) in enumerate(lines):
        every = max(1, round(len(values) / MARKERS_PER_LINE))
        marked = sorted({*range(offset * every // 2, len(values), every), len(values) - 1})
        axes.plot(values.index, values.to_numpy(), label=name, markevery=marked, **look)
    everything = np.concatenate([values.to_numpy() for _, values, _ in lines])
    logarithmic = curve.better == "lower" and 0 < everything.min() * LOG_FROM_RATIO < everything.max()
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel(f"{curve.label} (log scale)" if logarithmic else curve.label)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.margins(x=0.02)
    style.light_grid(axes)
    if len(train) == 1:
        axes.set_xlim(train.index[0] - 0.5, train.index[0] + 0.5)
    rows = _draw_phases(axes, _phases(history))
    axes.set_title(title, pad=6 + _PHASE_ROW_POINTS * rows)
    _label_ends(axes, curve, lines)
    if validation.empty:
        corner = (0.96, "top") if curve.better == "lower" else (0.04, "bottom")  # the one that the curve leaves free
        axes.text(
            0.98, corner[0], "no validation set", transform=axes.transAxes,
            ha="right", va=corner[1], fontsize=style.SMALL, color=style.SOFT,
        )  # fmt: skip


def _panel_size(axes: Axes) -> tuple[float, float]:
    """Width and height in points that the layout will leave to the plot itself, a little less than it does.

    Names are placed by it before the layout is known; they may stand further apart than needed, never closer.
    """
    figure, place = axes.get_figure(root=True), axes.get_subplotspec()
    assert figure is not None  # axes made by `subplots` have both
    assert place is not None
    width, height = figure.get_size_inches()
    grid = place.get_gridspec()
    return 72 * (width / grid.ncols - 1.45), 72 * 0.6 * height / grid.nrows


def _text_width(text: str, size: float) -> float:
    return TextPath((0, 0), text, size=size).get_extents().width if text.strip() else 0.0


def _draw_phases(axes: Axes, phases: Sequence[tuple[str, int]]) -> int:
    """Thin lines where a phase begins, its name above; names that would collide go a row higher. Rows used."""
    if len(phases) < 2:
        return 0
    low, high = axes.get_xlim()
    width, height = _panel_size(axes)
    ends: list[float] = []  # of the last name in each row, in points from the left
    for index, (name, epoch) in enumerate(phases):
        start = low if index == 0 else epoch - 0.5
        left = (start - low) / (high - low) * width
        row = next((row for row, end in enumerate(ends) if end <= left), len(ends))
        ends[row : row + 1] = [left + _text_width(name, style.TINY) + 6]
        if index:
            top = 1 + ((row + 0.75) * _PHASE_ROW_POINTS / height)
            axes.axvline(
                start, ymax=top, clip_on=False, color=style.SOFT, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1,
                gid="phase",
            )  # fmt: skip
        offset = (2.5 if index else 0, 2 + _PHASE_ROW_POINTS * row)
        axes.annotate(
            name, (start, 1.0), xycoords=("data", "axes fraction"), xytext=offset, textcoords="offset points",
            fontsize=style.TINY, color=style.SOFT, ha="left", va="bottom",
            bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 0.8},  # a later phase's line passes behind it
        )  # fmt: skip
    return len(ends)


def _label_ends(axes: Axes, curve: Curve, lines: Sequence[tuple[str, pd.Series, dict[str, Any]]]) -> None:
    """The name and the last value at each line's end, moved apart where they would overlap."""
    _, height = _panel_size(axes)
    to_fraction = axes.transData + axes.transAxes.inverted()
    ends = []
    for name, values, look in lines:
        point = (values.index[-1], values.iloc[-1])
        ends.append((height * to_fraction.transform(point)[1], name, point, look))
    ends.sort(key=lambda end: end[0])
    shifts = [0.0] * len(ends)
    for (index, lower), (_, upper) in pairwise(enumerate(ends)):
        overlap = 2.5 * style.SMALL - (upper[0] - lower[0])
        if overlap > 0:
            shifts[index], shifts[index + 1] = -overlap / 2, overlap / 2
    for shift, (_, name, point, look) in zip(shifts, ends, strict=True):
        axes.annotate(
            f"{name}\n{point[1]:.{curve.digits}f}", point, xytext=(7, shift), textcoords="offset points",
            fontsize=style.SMALL, va="center", ha="left", fontweight="bold", annotation_clip=False, linespacing=1.0,
            color=style.ORANGE_TEXT if look is style.TRAINING_LINE else style.BLUE,
        )  # fmt: skip


def _capitalised(words: str) -> str:
    return words[0].upper() + words[1:]


def _phase_words(history: pd.DataFrame) -> str:
    phases = _phases(history)
    if len(phases) < 2:
        return ""
    named = listed([f"{name} from epoch {epoch}" for name, epoch in phases])
    return f" in {len(phases)} phases ({named}; dotted lines)"


def _method(validation: pd.Series) -> str:
    if validation.empty:
        return (
            "Nothing was held out for validation, so only the training curve (dashed, circles) is drawn, "
            "measured without augmentation."
        )
    return (
        "Training (dashed, circles) and validation (solid, squares) are measured alike, "
        "without augmentation and with the same weights."
    )


def _gap(curve: Curve, train: pd.Series, validation: pd.Series) -> list[str]:
    """The state at the last epoch and, where there is a validation curve, its best epoch."""

    def shown(value: float) -> str:
        return f"{value:.{curve.digits}f}{' %' if curve.scale == 100 else ''}"

    unit = f" {curve.unit}" if curve.unit and curve.scale == 1 else ""
    subject = _capitalised(curve.title)
    last, at_train = train.index[-1], float(train.iloc[-1])
    if validation.empty:
        return [f"{subject} stands at {shown(at_train)}{unit} at epoch {last}."]
    at_validation = float(validation.iloc[-1])
    gap = difference(at_train, at_validation, curve.digits)
    if gap == 0:
        relation = "the two are equal as printed"
    else:
        worse = (gap > 0) == (curve.better == "lower")
        relation = (
            f"validation is {abs(gap):.{curve.digits}f}{f' {curve.unit}' if curve.unit else ''} "
            f"{'higher' if gap > 0 else 'lower'}, which is {'worse' if worse else 'better'}"
        )
    when = (
        f"at epoch {last}"
        if last == validation.index[-1]
        else f"at their last epochs {last} and {validation.index[-1]}"
    )
    values = validation.to_numpy()
    best = int(values.argmin() if curve.better == "lower" else values.argmax())
    return [
        f"{subject} {when}: {shown(at_train)} in training and {shown(at_validation)}{unit} in validation; {relation}.",
        f"The best validation value is {shown(values[best])}{unit}, at epoch {validation.index[best]}.",
    ]
