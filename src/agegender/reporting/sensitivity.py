"""Sensitivity as small curves: one panel a distortion, one line a model, its error against the level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agegender.data.distortions import DISTORTIONS, Distortion
from agegender.errors import InputError
from agegender.evaluation.sensitivity import Condition
from agegender.reporting import style
from agegender.reporting.words import caption

_COLUMNS = 3
_PANEL_HEIGHT, _AROUND = 1.65, 0.7  # inches
_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": style.BLUE, "marker": "s"},
    {"color": style.ORANGE, "marker": "o", "linestyle": (0, (4, 2))},
)


@style.styled
def sensitivity_figure(conditions: Sequence[Condition], *, drawn: bool = False) -> Figure:
    """The age MAE of each model over the levels of each distortion, with 95 % bootstrap intervals.

    Args:
        conditions: Of one or two models.
        drawn: The images are drawn faces.

    Raises:
        InputError: Nothing was measured, or more than two models were.
    """
    models = list(dict.fromkeys(condition.model for condition in conditions))
    if not 1 <= len(models) <= len(_LOOKS):
        raise InputError(f"The figure takes one or two models. Received: {len(models)}")
    measured = {condition.distortion for condition in conditions}
    ways = [way for way in DISTORTIONS if way.name in measured]
    lines = -(-len(ways) // _COLUMNS)
    figure = style.new_figure(style.PAGE_WIDTH, _AROUND + _PANEL_HEIGHT * lines, drawn=drawn)
    style.overall_title(figure, "What input the models want: age MAE in years")
    panels = figure.subplots(lines, _COLUMNS, sharey=True, squeeze=False)
    for axes, way in zip(panels.flat, ways, strict=False):
        for model, look in zip(models, _LOOKS, strict=False):
            _draw_line(axes, way, [condition for condition in conditions if condition.model == model], look)
        axes.set_xlabel(way.title)
        style.light_grid(axes)
    for axes in panels.flat[len(ways) :]:
        axes.set_axis_off()
    panels[0, 0].legend(title=None)
    return figure


def _draw_line(axes: Axes, way: Distortion, conditions: Sequence[Condition], look: dict[str, Any]) -> None:
    """One model under one distortion; the images as they are stand at the neutral level, or dotted across."""
    plain = next(condition for condition in conditions if not condition.distortion)
    points = [(condition.level, condition.mae) for condition in conditions if condition.distortion == way.name]
    if way.neutral is None:
        axes.axhline(plain.mae.value, color=look["color"], linewidth=0.8, linestyle=":")
    else:
        points = sorted([*points, (way.neutral, plain.mae)], key=lambda point: point[0])
    levels, values = [level for level, _ in points], [mae.value for _, mae in points]
    axes.plot(levels, values, linewidth=1.4, markersize=3.5, label=plain.model, **look)
    axes.fill_between(
        levels, [mae.low for _, mae in points], [mae.high for _, mae in points], color=look["color"], alpha=0.15
    )


def sensitivity_caption(conditions: Sequence[Condition], *, drawn: bool = False) -> str:
    """The caption of `sensitivity_figure`: what is shown, and the worst of the mild changes."""
    mild = [condition for condition in conditions if condition.mild]
    sentences = [
        "Mean absolute error of age as the same images are changed, one panel a kind of change, bands are 95 % "
        "bootstrap intervals; dotted lines are the images as they are.",
    ]
    if mild:
        worst = max(mild, key=lambda condition: condition.mae_change.value)
        sentences.append(
            f"Of the mild changes the worst is {worst.distortion} at {worst.level:g} with {worst.model}: "
            f"{worst.mae_change.value:+.2f} years."
        )
    return caption(*sentences, drawn=drawn)
