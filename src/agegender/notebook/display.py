"""What a cell shows: a figure with its caption, and sentences. Pictures are small: a notebook travels whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agegender.optional import require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 110
"""770 pixels for the width of a page: sharp on a screen, 50 to 400 kB a picture."""


def show(figure: Figure, caption: str) -> None:
    """Display a figure of `agegender.reporting` as PNG, its caption below it and as its text for screen readers."""
    from agegender.reporting.save import figure_png  # noqa: PLC0415 - matplotlib, once there is a figure

    shown = require("IPython.display", "notebook")
    shown.display(shown.Image(data=figure_png(figure, dots_per_inch=DOTS_PER_INCH), format="png", alt=caption))
    tell(f"*{caption}*")


def tell(*paragraphs: str) -> None:
    """Display Markdown, a paragraph an argument."""
    shown = require("IPython.display", "notebook")
    shown.display(shown.Markdown("\n\n".join(paragraphs)))
