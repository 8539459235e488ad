"""How many words a report's body has, and the brief's limit of them."""

from __future__ import annotations

import re

from agegender.errors import OutputError

WORD_LIMIT = 1500
"""Words of body text (brief: references, diagrams, tables and figures with their captions not counted)."""


def count_words(text: str) -> int:
    """Words of plain text: what stands between white space and holds a letter or a digit.

    So `two-stage` and `5.42` are one word each, `5.42 years` two, and a lone dash or bullet none: how word processors
    count, less their counting of lone signs.
    """
    return sum(any(character.isalnum() for character in token) for token in text.split())


def check_length(words: int, *, limit: int = WORD_LIMIT) -> None:
    """See that a body is no longer than allowed.

    Args:
        words: As `count_words` gives.
        limit: The most that is allowed.

    Raises:
        OutputError: It is longer.
    """
    if words > limit:
        raise OutputError(
            f"The report's body has {words:,} words; the brief allows {limit:,}, without references, tables, figures "
            f"and captions. Shorten it by {words - limit:,}."
        )


def words_keyword(words: int) -> str:
    """What our own reports write among the keywords of their PDF, so that a checker knows the exact count."""
    return f"{_KEYWORD} {words}"


def words_of_keywords(keywords: str) -> int | None:
    """The body's words as a PDF's keywords state them; None for a PDF that we did not make."""
    found = re.search(rf"{_KEYWORD} (\d+)", keywords)
    return int(found.group(1)) if found else None


_KEYWORD = "body words:"
