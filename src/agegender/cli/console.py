"""Where commands print: results on standard output, progress and messages on standard error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")

console = Console(highlight=False)
"""Results: tables and what was written where."""

messages = Console(stderr=True, highlight=False)
"""Progress, notes and errors, so that standard output can be piped."""


def progress(items: Iterable[T], /, *, total: int, title: str) -> Iterator[T]:
    """The `types.Progress` of the command line: a bar on a terminal, one plain line in a log."""
    if not messages.is_terminal:
        messages.print(f"{title}: {total:,}")
        yield from items
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True) as bar:
        yield from bar.track(items, total=total, description=title)
