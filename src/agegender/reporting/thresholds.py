"""Age checks as curves: who passes too young and who is stopped too old, over the challenge age."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agegender.errors import InputError
from agegender.evaluation.thresholds import ESTIMATE, LegalAgeResult, ThresholdsResult
from agegender.metrics.thresholds import NEAR_YEARS, OperatingPoint
from agegender.reporting import style
from agegender.reporting.words import caption, counted

_COLUMNS = 3
_PANEL_HEIGHT, _AROUND = 2.1, 0.75  # inches
_YEARS_BELOW, _YEARS_ABOVE = 3, 22  # of challenge age, around the legal one
_LINES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("near_false_positive", f"passes, up to {NEAR_YEARS} years too young", {"color": style.BLUE, "linestyle": "-"}),
    ("false_positive", "passes, any age too young", {"color": style.BLUE, "linestyle": (0, (1.5, 1.5))}),
    ("false_negative", "is stopped, old enough", {"color": style.ORANGE, "linestyle": (0, (5, 2))}),
)


@style.styled
def thresholds_figure(result: ThresholdsResult, *, rule: str = ESTIMATE) -> Figure:
    """False positive and false negative rates over the challenge age, one panel a legal age, with 95 % intervals.

    Args:
        result: What was measured.
        rule: What is held against the challenge age.

    Raises:
        InputError: That rule was not measured.
    """
    parts = _parts(result, rule)
    lines = -(-(len(parts) + 1) // _COLUMNS)  # one more for the legend
    figure = style.new_figure(style.PAGE_WIDTH, _AROUND + _PANEL_HEIGHT * lines, drawn=result.drawn)
    style.overall_title(figure, f"{result.model} as an age check, by the {_words(rule)}")
    panels = figure.subplots(lines, _COLUMNS, sharey=True, squeeze=False).flatten()
    for axes, part in zip(panels, parts, strict=False):
        _draw(axes, part)
    for number, axes in enumerate(panels[: len(parts)]):
        if number % _COLUMNS == 0:
            axes.set_ylabel("share, %")
    legend = panels[len(parts)]
    handles, labels = panels[0].get_legend_handles_labels()
    legend.legend(handles, labels, loc="center left", handlelength=3.2)
    for axes in panels[len(parts) :]:
        axes.set_axis_off()
    return figure


def thresholds_caption(result: ThresholdsResult, *, rule: str = ESTIMATE) -> str:
    """What the figure shows, the challenge age of the first bound it could show for 18, and its limits."""
    parts = _parts(result, rule)
    sentences = [
        f"{result.model} as an age check on {counted(result.n, 'image')}: the share of people under the legal age who "
        f"pass, and of people at or above it who are stopped, over the challenge age that the {_words(rule)} must "
        "reach; bands are 95 % Clopper-Pearson intervals, the upright line is the legal age."
    ]
    part = next((part for part in parts if part.legal_age == 18), parts[0])
    shown = next((safe for safe in part.safe if safe.near and safe.challenge is not None), None)
    if shown is not None and shown.false_negative is not None and shown.false_negative.interval is not None:
        sentences.append(
            f"For {part.legal_age}, the smallest challenge age that keeps the rate just under it below "
            f"{100 * shown.bound:g} % with {100 * shown.confidence:g} % confidence is {shown.challenge:g}; it stops "
            f"{100 * shown.false_negative.interval.value:.0f} % of those who are old enough."
        )
    else:
        sentences.append(f"For {part.legal_age}, none of the bounds asked for can be shown with so few images.")
    return caption(*sentences, *result.limits[-3:-1], drawn=result.drawn)


def _parts(result: ThresholdsResult, rule: str) -> tuple[LegalAgeResult, ...]:
    parts = result.of(rule)
    if not parts:
        measured = sorted({part.rule for part in result.results})
        raise InputError(f"Nothing was measured by the rule {rule!r}. Received a result by {measured}.")
    return parts


def _words(rule: str) -> str:
    return "estimated age" if rule == ESTIMATE else "lower end of the age interval"


def _draw(axes: Axes, part: LegalAgeResult) -> None:
    low, high = part.legal_age - _YEARS_BELOW, part.legal_age + _YEARS_ABOVE
    points = [point for point in part.curve if low <= point.challenge <= high]
    for name, label, look in _LINES:
        _draw_line(axes, points, name, label, look)
    axes.axvline(part.legal_age, color=style.SOFT, linewidth=0.8)
    near, under = points[0].near_false_positive.n, points[0].false_positive.n
    axes.set_title(f"legal age {part.legal_age}", fontsize=style.BODY)
    axes.text(
        0.98, 0.97, f"{near:,} just under\n{under:,} under", transform=axes.transAxes, ha="right", va="top",
        fontsize=style.TINY, color=style.SOFT,
    )  # fmt: skip
    axes.set_xlim(low, high)
    axes.set_ylim(0, 100)
    axes.set_xlabel("challenge age, years")
    style.light_grid(axes, "both")


def _draw_line(axes: Axes, points: list[OperatingPoint], name: str, label: str, look: dict[str, Any]) -> None:
    rates = [(point.challenge, getattr(point, name).interval) for point in points]
    known = [(challenge, interval) for challenge, interval in rates if interval is not None]
    challenges = [challenge for challenge, _ in known]
    values = np.array([[i.low, i.value, i.high] for _, i in known]).reshape(-1, 3) * 100
    axes.plot(challenges, values[:, 1], linewidth=1.4, label=label, **look)
    if name != "false_positive":  # three bands on one another cannot be read
        axes.fill_between(challenges, values[:, 0], values[:, 2], color=look["color"], alpha=0.15, linewidth=0)
