"""Numbers and sentences of captions: what is compared is what is printed, so that no sentence contradicts a figure."""

from __future__ import annotations

from collections.abc import Sequence

from agegender.reporting.style import DRAWN_SENTENCE


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """`1 image`, `1,234 images`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def times(shape: Sequence[int | None]) -> str:
    """`128 x 128 x 3` with the multiplication sign; a free size is a question mark."""
    return " \N{MULTIPLICATION SIGN} ".join("?" if side is None else str(side) for side in shape)


def difference(first: float, second: float, digits: int) -> float:
    """`second - first` of the two numbers as printed with that many digits."""
    return round(round(second, digits) - round(first, digits), digits) + 0.0


def caption(*sentences: str, drawn: bool) -> str:
    """Sentences as one paragraph; drawn faces are named as such at the end."""
    return " ".join([*(sentence for sentence in sentences if sentence), *([DRAWN_SENTENCE] if drawn else [])])
