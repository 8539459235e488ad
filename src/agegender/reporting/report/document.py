"""A report before it is set: headings, paragraphs, figures and tables, with their numbers and references resolved.

Text holds marks made by `see` and `cite`; `Numbering` turns them into "Figure 3" and "[2]". So a number can only be
wrong if the thing it names is, and what is never mentioned can be found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agegender.brief import count_words
from agegender.reporting.report.sources import SOURCES

_MARK = re.compile(r"⟦(?P<kind>see|cite):(?P<key>[\w-]+)⟧")


def see(key: str) -> str:
    """A mark that becomes `Figure 3` or `Table 1`."""
    return f"⟦see:{key}⟧"


def cite(*keys: str) -> str:
    """Marks that become `[1]`, `[1] [4]`, after a space that does not break."""
    return "\N{NO-BREAK SPACE}" + "\N{NO-BREAK SPACE}".join(f"⟦cite:{key}⟧" for key in keys)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading with its number, such as `2.1`, or without."""

    text: str
    number: str = ""
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences, with marks."""

    text: str


@dataclass(frozen=True, slots=True)
class FigureBlock:
    """A figure.

    Attributes:
        key: Of the picture that is drawn for it.
        caption: Full sentences, no marks.
        width: Share of the text's width.
        place: Where on a page: `auto` is its top or bottom, `bottom`, or `here` after the text before it.
    """

    key: str
    caption: str
    width: float = 1.0
    place: Literal["auto", "bottom", "here"] = "auto"


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table; its first column is text, the others are numbers.

    Attributes:
        key: To refer to it.
        caption: Full sentences, no marks.
        header: One text a column.
        rows: As many texts each.
        rules_before: Rows that begin a new group of rows.
    """

    key: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    rules_before: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """Two figures side by side."""

    figures: tuple[FigureBlock, ...]


Block = Heading | Paragraph | FigureBlock | TableBlock | Beside


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text; `to` names the figure, table or source that it points to."""

    text: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class Numbering:
    """Numbers of a document's figures, tables and sources.

    Attributes:
        names: By key, `Figure 3` or `Table 1`.
        sources: Keys of `SOURCES` in the order of their first mention.
    """

    names: Mapping[str, str]
    sources: tuple[str, ...]

    def spans(self, text: str) -> tuple[Span, ...]:
        """Text with its marks turned into words.

        Raises:
            KeyError: A mark names nothing of the document.
        """
        spans, end = [], 0
        for mark in _MARK.finditer(text):
            spans += [Span(text[end : mark.start()])] if mark.start() > end else []
            key = mark["key"]
            shown = self.names[key] if mark["kind"] == "see" else f"[{self.sources.index(key) + 1}]"
            spans.append(Span(shown, f"source-{key}" if mark["kind"] == "cite" else key))
            end = mark.end()
        return (*spans, Span(text[end:])) if end < len(text) else tuple(spans)

    def plain(self, text: str) -> str:
        """Text as it is read."""
        return "".join(span.text for span in self.spans(text))


@dataclass(frozen=True, slots=True)
class Document:
    """A report's body.

    Attributes:
        title: Of the whole.
        blocks: In order.
        numbering: Of its figures, tables and sources.
    """

    title: str
    blocks: tuple[Block, ...]
    numbering: Numbering = field(repr=False)

    @property
    def body(self) -> str:
        """What counts as words: headings and paragraphs, without captions, tables and references."""
        lines = []
        for block in self.blocks:
            if isinstance(block, Heading):
                lines.append(f"{block.number} {block.text}".strip())
            elif isinstance(block, Paragraph):
                lines.append(self.numbering.plain(block.text))
        return "\n".join(lines)

    @property
    def words(self) -> int:
        """Words of the body."""
        return count_words(self.body)

    @property
    def unmentioned(self) -> tuple[str, ...]:
        """Keys of figures and tables that no paragraph refers to."""
        text = "".join(block.text for block in self.blocks if isinstance(block, Paragraph))
        return tuple(key for key in self.numbering.names if see(key) not in text)

    def figures(self) -> tuple[FigureBlock, ...]:
        """All figures in order."""
        return tuple(_figures(self.blocks))


def make_document(title: str, blocks: Sequence[Block]) -> Document:
    """Number a report's parts.

    Raises:
        KeyError: A text mentions a figure, table or source that does not exist.
    """
    names = {figure.key: f"Figure {number}" for number, figure in enumerate(_figures(blocks), start=1)}
    tables = [block for block in blocks if isinstance(block, TableBlock)]
    names |= {table.key: f"Table {number}" for number, table in enumerate(tables, start=1)}
    text = "".join(block.text for block in blocks if isinstance(block, Paragraph))
    cited = dict.fromkeys(mark["key"] for mark in _MARK.finditer(text) if mark["kind"] == "cite")
    if unknown := set(cited) - set(SOURCES):
        raise KeyError(f"no source of the name {', '.join(sorted(unknown))}")
    numbering = Numbering(names, tuple(cited))
    for block in blocks:
        if isinstance(block, Paragraph):
            numbering.spans(block.text)
    return Document(title, tuple(blocks), numbering)


def _figures(blocks: Sequence[Block]) -> Iterator[FigureBlock]:
    for block in blocks:
        if isinstance(block, FigureBlock):
            yield block
        elif isinstance(block, Beside):
            yield from block.figures
