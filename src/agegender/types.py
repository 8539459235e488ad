"""Small frozen results and protocols that more than one room uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")

Announce = Callable[[str], None]
"""Takes one line for people."""


def nobody(line: str) -> None:
    """The `Announce` that tells nobody, for library use and tests."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % confidence interval, all in the figure's own unit."""

    value: float
    low: float
    high: float


class Progress(Protocol):
    """How long work shows how far it is: wraps an iterable, gives its items back one by one."""

    def __call__(self, items: Iterable[T], /, *, total: int, title: str) -> Iterator[T]:
        """Iterate `items` while showing `title` and the share of `total` that is done."""
        ...


def silent(items: Iterable[T], /, *, total: int, title: str) -> Iterator[T]:  # noqa: ARG001 - the protocol's shape
    """The `Progress` that shows nothing, for library use and tests."""
    yield from items
