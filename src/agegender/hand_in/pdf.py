"""A PDF report as text, links and properties."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agegender.brief import REPORT_SECTIONS, words_of_keywords
from agegender.errors import InputError
from agegender.optional import require

SAME_SIZE_POINTS = 0.3
"""Letters that differ in height by less are of one size."""

_URL = re.compile(r"https?://[^\s<>\"')\]]+")


@dataclass(frozen=True)
class PdfReport:
    """What a program can read of a report.

    Attributes:
        pages: The text of each.
        running: Of each page, the text in the letters that most of the report is set in, and in larger ones: without
            small captions, tables and the words in drawings.
        links: Targets of the links that can be followed, in order, each once.
        authors: Whom its properties name as author or creator, where that is no program.
        words: The exact count of words that our own reports keep among their keywords; None in others.
    """

    pages: tuple[str, ...]
    running: tuple[str, ...]
    links: tuple[str, ...]
    authors: tuple[str, ...]
    words: int | None

    @property
    def text(self) -> str:
        """All pages."""
        return "\n".join(self.pages)

    @property
    def cover(self) -> str:
        """What stands before the introduction, if that begins on the first two pages; else the first page."""
        return "\n".join(_at_introduction(self.pages)[0])

    @property
    def body(self) -> tuple[str, ...]:
        """The lines of running text from the introduction on, references included."""
        return tuple(_at_introduction(self.running)[1])

    @property
    def all_links(self) -> tuple[str, ...]:
        """Links that can be followed and addresses that are only printed; a printed part of a followed one left out."""
        printed = (match.group().rstrip(".,;") for match in _URL.finditer(self.text))
        alone = [url for url in printed if not any(link.startswith(url) for link in self.links)]
        return tuple(dict.fromkeys([*self.links, *alone]))


def _at_introduction(pages: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines before and after the start of the introduction."""
    lines = "\n".join(pages).splitlines()
    searched = len("\n".join(pages[:2]).splitlines())
    for number in range(1, searched):
        bare = re.sub(r"^[\W\d]+", "", lines[number])
        if len(bare.split()) <= 3 and re.match(REPORT_SECTIONS[0].pattern, bare, re.IGNORECASE):
            return lines[:number], lines[number:]
    first = len(pages[0].splitlines())
    return lines[:first], lines[first:]


def read_pdf(path: Path) -> PdfReport:
    """Read a PDF.

    Raises:
        InputError: It cannot be read, is locked, or has no text.
        MissingExtraError: pypdf is not installed.
    """
    pypdf = require("pypdf", "report")
    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError(f"{path.name} is locked with a password. Save it without.")
        pieces = [_pieces(page) for page in reader.pages]
        properties = reader.metadata or {}
        links = tuple(dict.fromkeys(link for page in reader.pages for link in _page_links(page)))
        authors = tuple(dict.fromkeys(name for name in _authors(reader, properties) if name))
        words = words_of_keywords(str(properties.get("/Keywords", "")))
    except InputError:
        raise
    except Exception as error:  # pypdf raises whatever a broken file leads it to
        raise InputError(f"{path.name} is no PDF that can be read ({type(error).__name__}: {error}).") from error
    pages = tuple("".join(text for text, _ in page) for page in pieces)
    if not any(page.strip() for page in pages):
        raise InputError(f"{path.name} has no text that can be selected: is it a scan?")
    return PdfReport(pages, _running(pieces), links, authors, words)


def _pieces(page: Any) -> list[tuple[str, float]]:
    """The text of a page in pieces, with the height of its letters in points."""
    pieces: list[tuple[str, float]] = []

    def scale(matrix: Sequence[float]) -> float:
        return math.sqrt(abs(matrix[0] * matrix[3] - matrix[1] * matrix[2]))

    def visit(text: str, page_matrix: Sequence[float], text_matrix: Sequence[float], _font: Any, size: float) -> None:
        pieces.append((text, size * scale(text_matrix) * scale(page_matrix)))

    page.extract_text(visitor_text=visit)
    return pieces


def _running(pieces: Sequence[Sequence[tuple[str, float]]]) -> tuple[str, ...]:
    letters: Counter[float] = Counter()
    for page in pieces:
        for text, size in page:
            letters[round(size, 1)] += sum(map(str.isalnum, text))
    most = max(letters, key=lambda size: letters[size])
    smallest = most - SAME_SIZE_POINTS
    return tuple("".join(text if size >= smallest else "\n" for text, size in page) for page in pieces)


def _page_links(page: Any) -> Iterator[str]:
    for reference in page.get("/Annots") or ():
        target = reference.get_object().get("/A")
        target = target.get_object() if target is not None else {}
        if "/URI" in target:
            yield str(target["/URI"]).strip()


def _authors(reader: Any, properties: Any) -> Iterator[str]:
    yield str(properties.get("/Author") or "").strip()
    xmp = reader.xmp_metadata
    for name in (xmp.dc_creator or ()) if xmp is not None else ():
        yield str(name or "").strip()
