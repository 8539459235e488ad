"""What a source holds before any pixel is read: the typed face table, the rejected and the ignored files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol

import numpy as np
import pandas as pd

from agegender.data.names import OTHER_IMAGE_SUFFIXES, FaceLabels, is_image_name, parse_name
from agegender.errors import ImageError
from agegender.labels import Gender, Race

DRAWN_MARKER = "drawn_faces.json"
"""The file that says that a folder's faces were drawn by this package, not photographed."""

IGNORED_NAMES = frozenset((DRAWN_MARKER, "thumbs.db", "desktop.ini", "__macosx"))

UNCOUNTED_REASONS = frozenset(("not_an_image",))
"""Listed in `rejected`, yet no part of the rejected share: a README beside 5,000 images is not a failed image."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A file that cannot be used, a short stable reason and one sentence on what was found."""

    file: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Listing:
    """What a source holds, by its names or its table alone.

    Attributes:
        table: The face table (see `face_table`).
        rejected: The files that cannot be used.
        ignored: Hidden files and leftovers of systems.
        drawn: The source says that its faces are drawn.
        notes: Sentences for the user.
    """

    table: pd.DataFrame
    rejected: tuple[Rejection, ...] = ()
    ignored: tuple[str, ...] = ()
    drawn: bool = False
    notes: tuple[str, ...] = ()


LazyContent = tuple[str, Callable[[], bytes]]
"""A file of the table and how to get its bytes; the call may run in any thread and raises ImageError."""


class Reader(Protocol):
    """A format of a data set. To add one: write such a class and name it in `readers.open_reader`."""

    @property
    def listing(self) -> Listing:
        """What the source holds."""
        ...

    def contents(self) -> Iterator[LazyContent]:
        """Every file of `listing.table` once, in the order that is cheapest for the source; can be asked again.

        Raises:
            InputError: The source as a whole turned out to be damaged.
        """
        ...


def face_table(
    files: Sequence[str],
    ages: Sequence[int],
    genders: Sequence[Gender],
    races: Sequence[Race | None],
    groups: Mapping[str, Sequence[str | None]] | None = None,
) -> pd.DataFrame:
    """Build the face table, one row a file, sorted by file.

    Returns:
        Columns `file` (str), `age` (int16, years), `gender` (categorical "male", "female"), `race` (categorical of
        `labels.Race` values, missing where unknown) and one string categorical per group.
    """
    table = pd.DataFrame(
        {
            "file": pd.Series(list(files), dtype=str),
            "age": np.asarray(ages, dtype=np.int16),
            "gender": pd.Categorical([str(gender) for gender in genders], categories=[str(g) for g in Gender]),
            "race": pd.Categorical(
                [None if race is None else str(race) for race in races], categories=[str(r) for r in Race]
            ),
            **{
                name: pd.Categorical(values, categories=sorted({v for v in values if v is not None}))
                for name, values in (groups or {}).items()
            },
        }
    )
    return table.sort_values("file", ignore_index=True)


@dataclass
class NameSorter:
    """Sorts file names of a folder or an archive into faces, rejected and ignored ones."""

    faces: dict[str, FaceLabels] = field(default_factory=dict)
    rejected: list[Rejection] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    drawn: bool = False

    def add(self, file: str, *, problem: tuple[str, str] | None = None) -> bool:
        """Sort one file in.

        Args:
            file: Its POSIX path relative to the source.
            problem: Reason and detail of why it cannot be read, if so.

        Returns:
            Whether it is a face whose bytes are wanted.
        """
        if PurePosixPath(file).name == DRAWN_MARKER:
            self.drawn = True
            return False
        if is_ignored(file):
            self.ignored.append(file)
            return False
        shown = printable(file)
        try:
            require_image_name(file)
            if shown != file:
                raise ImageError("bad_name", "The name is not valid UTF-8 text.")
            if problem is not None:
                raise ImageError(*problem)
            if file in self.faces:
                raise ImageError("duplicate_path", "The same path stands in the source twice; the first one is used.")
            self.faces[file] = parse_name(file)
        except ImageError as error:
            self.rejected.append(Rejection(shown, error.reason, error.detail))
            return False
        return True

    def listing(self) -> Listing:
        """What was sorted in so far."""
        labels = list(self.faces.values())
        table = face_table(
            list(self.faces), [x.age for x in labels], [x.gender for x in labels], [x.race for x in labels]
        )
        return Listing(table, tuple(self.rejected), tuple(sorted(self.ignored)), self.drawn)


def is_ignored(file: str) -> bool:
    """Whether any part of the path is hidden or a known leftover of a system."""
    parts = (part for part in PurePosixPath(file).parts if part != "..")
    return any(part.startswith(".") or part.lower() in IGNORED_NAMES for part in parts)


def require_image_name(file: str) -> None:
    """Check a file's ending.

    Raises:
        ImageError: `unsupported_format` (an image of a kind that is not read) or `not_an_image`.
    """
    if is_image_name(file):
        return
    suffix = PurePosixPath(file).suffix.lower()
    if suffix in OTHER_IMAGE_SUFFIXES:
        raise ImageError("unsupported_format", f"Images are .jpg, .jpeg, .png or .webp. Received: {suffix}.")
    raise ImageError("not_an_image", f"Images are .jpg, .jpeg, .png or .webp. Received: {suffix or 'no ending'}.")


def printable(text: str) -> str:
    r"""The text with bytes that are no UTF-8 shown as \xNN, so that it can be stored and printed."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def found(names: Iterable[str]) -> str:
    """`3 .txt, 1 .md`: what a source holds by ending, the most frequent first."""
    endings = pd.Series([PurePosixPath(n).suffix.lower() or "without an ending" for n in names], dtype=str)
    return ", ".join(f"{count:,} {ending}" for ending, count in endings.value_counts().head(8).items())
