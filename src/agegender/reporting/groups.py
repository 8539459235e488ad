"""Error by group: one row a group, with its confidence intervals; age bands first, any group column of a table too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agegender.errors import InputError
from agegender.evaluation.evaluate import EvaluationResult, Figures, SliceResult
from agegender.reporting import style
from agegender.reporting.words import caption, counted
from agegender.types import Interval


@dataclass(frozen=True, slots=True)
class _Panel:
    """One measure: how to read it from the figures, its axis, and what its number means to the eye."""

    read: Callable[[Figures], Interval]
    label: str
    scale: float
    digits: int


_PANELS = (
    _Panel(lambda figures: figures.mae, "MAE of age, years", 1.0, 2),
    _Panel(lambda figures: figures.bias, "bias of age, years", 1.0, 2),
    _Panel(lambda figures: figures.gender_accuracy, "gender accuracy, %", 100.0, 1),
)
_ROW_HEIGHT, _AROUND = 0.27, 1.15  # inches


@style.styled
def error_by_group(result: EvaluationResult, column: str = "age", *, model: str, drawn: bool = False) -> Figure:
    """MAE and bias of age and the accuracy of gender in each group, with 95 % bootstrap intervals.

    Args:
        result: One model in one channel order.
        column: What the images are grouped by: `age` for the bands, or any other that was measured.
        model: Name of the model for the title.
        drawn: The images are drawn faces.

    Raises:
        InputError: The result has no slices of that column.
    """
    groups = _groups(result, column)
    figure = style.new_figure(style.PAGE_WIDTH, _AROUND + _ROW_HEIGHT * len(groups), drawn=drawn)
    style.overall_title(figure, f"{model}: error by {_words(column)}")
    panels = figure.subplots(1, len(_PANELS), sharey=True)
    for axes, panel in zip(panels, _PANELS, strict=True):
        _draw_panel(axes, panel, result, groups)
    first: Axes = panels[0]
    first.set_yticks(range(len(groups)), [f"{group.name}  ({group.figures.n:,})" for group in groups])
    first.set_ylim(len(groups) - 0.4, -0.6)
    first.set_ylabel(f"{_words(column)}{', years' if column == 'age' else ''} (images)")
    return figure


def error_by_group_caption(result: EvaluationResult, column: str = "age", *, model: str, drawn: bool = False) -> str:
    """What the figure of `error_by_group` shows, with its figures, in sentences."""
    groups = _groups(result, column)
    least = min(groups, key=lambda group: group.figures.mae.value)
    most = max(groups, key=lambda group: group.figures.mae.value)
    few = [group.name for group in groups if group.few]
    if len(groups) == 1:
        spread = f"All images are in the group {most.name}, with an age MAE of {most.figures.mae.value:.2f} years."
    else:
        interval = most.figures.mae
        spread = (
            f"The age MAE is smallest for {least.name} ({least.figures.mae.value:.2f} years) and largest for "
            f"{most.name} ({interval.value:.2f} years, interval {interval.low:.2f} to {interval.high:.2f})."
        )
    return caption(
        f"{model}: error by {_words(column)} of {counted(result.figures.n, 'image')}; "
        "squares are the groups' figures, bars their 95 % bootstrap intervals, dashed lines the figures of all images. "
        "A bias above 0 means that people are taken for older than they are.",
        spread,
        f"Hollow squares mark groups of too few images to mean much: {', '.join(few)}." if few else "",
        drawn=drawn,
    )


def _groups(result: EvaluationResult, column: str) -> tuple[SliceResult, ...]:
    groups = result.by(column)
    if not groups:
        measured = sorted({part.column for part in result.slices})
        raise InputError(f"Nothing was measured by {column!r}. Received a result by {measured}. Evaluate by it first.")
    return groups


def _words(column: str) -> str:
    return "true age" if column == "age" else column.replace("_", " ")


def _draw_panel(axes: Axes, panel: _Panel, result: EvaluationResult, groups: tuple[SliceResult, ...]) -> None:
    whole = panel.scale * panel.read(result.figures).value
    axes.axvline(whole, color=style.ORANGE, linewidth=1.2, linestyle=(0, (5, 3)), zorder=1)
    axes.set_title(f"all: {whole:.{panel.digits}f}", fontsize=style.SMALL, color=style.ORANGE_TEXT, loc="center", pad=4)
    for row, group in enumerate(groups):
        interval = panel.read(group.figures)
        value, low, high = (panel.scale * number for number in (interval.value, interval.low, interval.high))
        axes.errorbar(
            value, row, xerr=[[max(value - low, 0)], [max(high - value, 0)]], fmt="s", color=style.BLUE,
            markerfacecolor=style.PAPER if group.few else style.BLUE, markersize=5.5, markeredgewidth=1.3,
            ecolor=style.INK, elinewidth=1.1, capsize=2.5,
        )  # fmt: skip
    if axes.get_xlim()[0] < 0 < axes.get_xlim()[1]:
        axes.axvline(0, color=style.INK, linewidth=0.8, zorder=1)
    if panel is _PANELS[0]:
        axes.set_xlim(left=0, right=1.04 * np.max(axes.get_xlim()[1]))
    axes.set_xlabel(panel.label)
    axes.tick_params(axis="y", length=0)
    style.light_grid(axes, "both")
