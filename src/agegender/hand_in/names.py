"""Whose name may stand in a hand-in without anyone meaning it to: what to search for, and how to find it in text."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SHORTEST = 3
"""Letters of a name below which it would be found in every text."""

GIT_PATIENCE_SECONDS = 10


NOBODYS = frozenset(
    ("all", "default", "jovyan", "me", "name", "public", "root", "runner", "shared", "ubuntu", "user", "you")
)
"""Accounts that machines and examples have."""

_HOME = re.compile(r"(?<![\w.-])(?:/home/|/Users/|[A-Za-z]:\\{1,2}Users\\{1,2})([A-Za-z][\w.-]*)")


@dataclass(frozen=True, slots=True)
class Author:
    """A name that must not be found.

    Attributes:
        name: As it was given.
        source: Where it came from, for people.
    """

    name: str
    source: str

    def pattern(self) -> re.Pattern[str]:
        """Finds the name in `folded` text, the last word at the end or first, and joined, dotted or dashed."""
        words = [re.escape(word) for word in re.split(r"[\s,]+", folded(self.name)) if word]
        orders = [words] if "@" in self.name else [words, [words[-1], *words[:-1]]]  # as said; the last name first
        forms = dict.fromkeys(r"[\s,._-]{0,3}".join(order) for order in orders)
        return re.compile(rf"(?<![^\W\d_])(?:{'|'.join(forms)})(?![^\W\d_])")


def folded(text: str) -> str:
    """Text in small letters without accents, so that a name is found however it is written."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).casefold()


def git_authors(folder: Path) -> tuple[Author, ...]:
    """Name and address of `git config`, as they apply in a folder; none where there is no Git or no name is set."""
    authors = []
    for key in ("user.name", "user.email"):
        try:
            done = subprocess.run(
                ["git", "-C", str(folder), "config", key],
                capture_output=True, text=True, check=False, timeout=GIT_PATIENCE_SECONDS,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return tuple(authors)
        if done.returncode == 0 and done.stdout.strip():
            authors.append(Author(done.stdout.strip(), f"git config {key}"))
    return tuple(authors)


def home_users(text: str) -> tuple[str, ...]:
    """Whose home folders a text names, as `/home/ada/run` does; accounts that belong to nobody are left out."""
    users = (match.group(1) for match in _HOME.finditer(text))
    return tuple(dict.fromkeys(user for user in users if folded(user) not in NOBODYS))


def searchable(authors: Iterable[Author]) -> tuple[Author, ...]:
    """The authors whose names are long enough to be told from other words, each name once."""
    once = {folded(author.name): author for author in authors}
    return tuple(author for name, author in once.items() if sum(map(str.isalpha, name)) >= SHORTEST)
