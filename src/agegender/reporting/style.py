"""How every figure looks: sizes in inches, fonts in points, colours that differ in grey too. The one place for it.

matplotlib's state is never changed for good: `styled` sets its parameters while a figure is made or saved.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

PAGE_WIDTH = 7.0
"""Inches: the text width of an A4 page with 1.5 cm margins; fonts are chosen for this size in print."""

TITLE, BODY, SMALL, TINY = 10.0, 8.5, 7.5, 6.8
"""Font sizes in points."""

INK, SOFT, HAIR, PAPER = "#1a1a1a", "#595959", "#c9c9c9", "#ffffff"
"""Text, secondary text, rules and ground."""

ORANGE, BLUE = "#d9831f", "#1f4a86"
"""Safe for all common colour blindness; lightness 62 against 31 of 100, so apart in grey as well."""

ORANGE_TEXT = "#96540a"
"""The orange of lines, dark enough for small text on white (contrast 6 to 1)."""

TRAINING_LINE = {
    "color": ORANGE, "linestyle": (0, (4, 2)), "marker": "o", "markerfacecolor": PAPER, "linewidth": 1.5,
}  # fmt: skip
VALIDATION_LINE = {"color": BLUE, "linestyle": "-", "marker": "s", "markerfacecolor": BLUE, "linewidth": 1.6}
"""Colour, dashes, marker and fill all differ: one suffices to tell the two apart."""

PALE = {"none": "#ffffff", "grey": "#ededed", "blue": "#dbe6f4", "deep blue": "#b7cde9", "orange": "#fae3c8"}
"""Fills under black text."""

SEQUENTIAL = LinearSegmentedColormap.from_list(
    "agegender", ["#f0f5fb", "#c6d9ee", "#7fb0d8", "#3a7cba", "#1f4a86", "#122c52"]
)
"""Colour map of counts and shares: its lightness falls evenly, so that grey keeps the order."""

DRAWN_MARK = "drawn faces"
DRAWN_SENTENCE = "Made on drawn faces, not photographs: it says nothing about accuracy on people."

_PARAMETERS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # travels with matplotlib: the same figure on every machine
    "font.size": BODY,
    "axes.titlesize": TITLE,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": BODY,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "lines.markersize": 4.0,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "path",  # a browser or Typst without the font shows the same letters
    "svg.hashsalt": "agegender",  # the same figure gives the same file
}


def styled(make: Callable[P, R]) -> Callable[P, R]:
    """Run a function under the package's style and leave matplotlib's own settings as they were."""

    @functools.wraps(make)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context():
            mpl.rcdefaults()  # a user's matplotlibrc must not change a figure of a report
            mpl.rcParams.update(_PARAMETERS)
            return make(*args, **kwargs)

    return inside


def new_figure(width: float, height: float, *, drawn: bool) -> Figure:
    """An empty figure with a fitted layout.

    Args:
        width: Inches.
        height: Inches.
        drawn: Put the visible mark of drawn faces in the upper right corner.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    if drawn:
        mark_drawn(figure)
    return figure


def overall_title(figure: Figure, title: str) -> None:
    """A title of the whole figure, upper left like those of single axes."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=TITLE, fontweight="bold")


def mark_drawn(figure: Figure) -> None:
    """Say visibly, in the upper right corner, that the data are drawn faces."""
    width, height = figure.get_size_inches()
    figure.text(
        1 - 0.06 / width,
        1 - 0.06 / height,
        DRAWN_MARK,
        ha="right",
        va="top",
        fontsize=SMALL,
        fontstyle="italic",
        color=INK,
        bbox={"boxstyle": "round,pad=0.25", "facecolor": PALE["orange"], "edgecolor": SOFT, "linewidth": 0.5},
        gid="drawn-mark",
    )


def light_grid(axes: Axes, which: str = "y") -> None:
    """Faint rules behind the data."""
    axes.grid(True, axis=which)  # type: ignore[arg-type]
