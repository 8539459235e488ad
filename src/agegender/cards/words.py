"""Figures as a card prints them, and small Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from agegender.types import Interval


def years(figure: Interval, *, signed: bool = False) -> str:
    """`5.42 (5.07 to 5.81)`."""
    form = "+.2f" if signed else ".2f"
    return f"{figure.value:{form}} ({figure.low:{form}} to {figure.high:{form}})"


def percent(figure: Interval) -> str:
    """`91.8 % (89.9 to 93.5)` of a share 0..1."""
    return f"{share(figure.value)} ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def share(value: float) -> str:
    """`91.8 %` of a share 0..1."""
    return f"{100 * value:.1f} %"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [headings, ["---", *("---:" for _ in headings[1:])], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def bullets(lines: Sequence[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def counted(number: int, singular: str) -> str:
    """`1 image`, `1,234 images`."""
    return f"{number:,} {singular}{'' if number == 1 else 's'}"
