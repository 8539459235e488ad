"""Numbers, references and the count of words of a document."""

from __future__ import annotations

import pytest

from agegender.reporting.report.document import (
    Beside,
    FigureBlock,
    Heading,
    Paragraph,
    Span,
    TableBlock,
    cite,
    make_document,
    see,
)

ONE, TWO, THREE = (FigureBlock(key, f"The caption of {key}: no words.") for key in ("one", "two", "three"))
TABLE = TableBlock("table", "Another caption.", ("a", "b"), (("x", "1"), ("y", "2")))


def test_figures_tables_and_sources_are_numbered_in_their_order() -> None:
    blocks = [
        Paragraph(f"See {see('three')} and {see('table')}{cite('adamw', 'mixup')}, not {see('one')}{cite('adamw')}."),
        ONE,
        Beside((TWO, THREE)),
        TABLE,
    ]
    document = make_document("Title", blocks)
    text = document.body.replace("\N{NO-BREAK SPACE}", " ")
    assert text == "See Figure 3 and Table 1 [1] [2], not Figure 1 [1]."
    assert document.numbering.sources == ("adamw", "mixup")
    assert [figure.key for figure in document.figures()] == ["one", "two", "three"]
    assert document.unmentioned == ("two",)


def test_marks_become_spans_that_point_to_their_place() -> None:
    document = make_document("Title", [Paragraph(f"{see('one')} shows{cite('adamw')}"), ONE])
    spans = document.numbering.spans(f"{see('one')} shows{cite('adamw')}")
    assert spans == (Span("Figure 1", "one"), Span(" shows\N{NO-BREAK SPACE}"), Span("[1]", "source-adamw"))


@pytest.mark.parametrize("text", [see("nowhere"), cite("nobody")])
def test_a_mark_that_names_nothing_is_a_fault(text: str) -> None:
    with pytest.raises(KeyError):
        make_document("Title", [Paragraph(text), ONE])


def test_words_are_those_of_headings_and_paragraphs() -> None:
    blocks = [Heading("Two words", "1"), Paragraph("Three more words."), ONE, TABLE]
    document = make_document("A title of five words", blocks)
    assert document.words == 6
