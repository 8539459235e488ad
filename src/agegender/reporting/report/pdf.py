"""`report.pdf`: the document typeset by Typst, offline, with embedded fonts, tags and no author."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from agegender.artifacts import write_bytes
from agegender.brief import (
    WORD_LIMIT,
    HandIn,
    check_form,
    check_length,
    link_problem,
    words_keyword,
)
from agegender.errors import InputError, OutputError
from agegender.optional import require
from agegender.reporting.report.body import report_document
from agegender.reporting.report.document import Beside, Block, Document, FigureBlock, Heading, Paragraph, TableBlock
from agegender.reporting.report.facts import RunFacts
from agegender.reporting.report.pictures import Picture, report_pictures
from agegender.reporting.report.sources import SOURCES
from agegender.run_folder import MODELS
from agegender.types import Progress, silent

TEMPLATE = "report.typ"
STANDARD = "ua-1"
"""PDF/UA-1: tagged, with a title, a language and words for every figure."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came out.

    Attributes:
        path: The file.
        words: Of the body.
        warnings: Sentences about what a person must still do.
    """

    path: Path
    words: int
    warnings: tuple[str, ...]


def write_report(facts: RunFacts, out: str | Path, *, hand_in: HandIn | None, progress: Progress = silent) -> Written:
    """Compose, count, draw, typeset and write a report.

    Args:
        facts: Of a run with both models.
        out: The PDF to write.
        hand_in: Contribution form and links; None leaves visible gaps.
        progress: Shows how far the figures are.

    Raises:
        InputError: The run lacks a model, or the form breaks a rule of the brief.
        OutputError: The body is too long, or the file cannot be written.
        MissingExtraError: Typst is not installed.
    """
    typst = require("typst", "report")
    if missing := [letter for letter in MODELS if letter not in facts.models]:
        raise InputError(
            f"The report compares both models. Received: a run without Model {' and '.join(missing)}. Train both with "
            "`agegender run --models AB`, or write the page alone: agegender report RUN --html."
        )
    if hand_in is not None:
        check_form(hand_in.form)
    pictures = report_pictures(facts)
    document = report_document(facts, {key: picture.block for key, picture in pictures.items()})
    words = document.words
    check_length(words)
    shown = [pictures[figure.key] for figure in document.figures()]
    with tempfile.TemporaryDirectory(prefix="agegender-report-") as folder:
        root = Path(folder)
        for picture in progress(shown, total=len(shown), title="Figures of the report"):
            (root / f"{picture.key}.{picture.suffix}").write_bytes(picture.content())
        content = typst_content(document, {one.key: one for one in shown}, hand_in, drawn=facts.drawn)
        (root / "report.json").write_text(json.dumps(content), encoding="utf-8")
        template = resources.files("agegender.reporting.report").joinpath(TEMPLATE).read_text(encoding="utf-8")
        (root / TEMPLATE).write_text(template, encoding="utf-8")
        pdf = typeset(typst, root / TEMPLATE, root)
    return Written(write_bytes(out, pdf), words, hand_in_warnings(hand_in))


def typeset(typst: Any, main: Path, root: Path) -> bytes:
    """Run Typst on a file: its own fonts alone, so that every machine sets the same pages.

    Raises:
        OutputError: The template does not compile, a fault of this package.
    """
    try:
        return typst.compile(str(main), root=str(root), ignore_system_fonts=True, pdf_standards=[STANDARD])
    except typst.TypstError as error:
        raise OutputError(f"Typst could not set the report: {error}. Please report this as a fault.") from error


def hand_in_warnings(hand_in: HandIn | None) -> tuple[str, ...]:
    """What is missing or odd on the cover page, a sentence each."""
    if hand_in is None:
        return (
            "No hand-in.toml: the cover page has gaps for the contribution form and both links. Give --hand-in FILE.",
        )
    missing = [
        f"No link to Model {model}: the cover page has a gap. Add it to [links] of hand-in.toml."
        for model in hand_in.missing_links
    ]
    odd = [
        f"The link to Model {model} may not open: {problem}"
        for model, link in hand_in.links.items()
        if (problem := link_problem(link))
    ]
    return (*missing, *odd)


def typst_content(
    document: Document, pictures: Mapping[str, Picture], hand_in: HandIn | None, *, drawn: bool
) -> dict[str, Any]:
    """What the template reads: plain JSON values, texts as spans with the place that they point to."""
    members = [dataclasses.asdict(member) for member in hand_in.form.members] if hand_in else []
    for member in members:
        member["percentage"] = f"{member['percentage']:g}"
    return {
        "title": document.title,
        "drawn": drawn,
        "words": f"{document.words:,}",
        "limit": f"{WORD_LIMIT:,}",
        "keywords": [words_keyword(document.words), "age estimation", "gender classification"],
        "members": members,
        "agreed": hand_in.form.agreed if hand_in else None,
        "links": [{"model": model, "link": hand_in.links.get(model, "") if hand_in else ""} for model in MODELS],
        "blocks": [_block(block, document, pictures) for block in document.blocks],
        "sources": [{"key": f"source-{key}", "text": SOURCES[key]} for key in document.numbering.sources],
    }


def _block(block: Block, document: Document, pictures: Mapping[str, Picture]) -> dict[str, Any]:
    match block:
        case Heading():
            return {"kind": "heading", **dataclasses.asdict(block)}
        case Paragraph():
            spans = [dataclasses.asdict(span) for span in document.numbering.spans(block.text)]
            return {"kind": "paragraph", "spans": spans}
        case FigureBlock():
            return {"kind": "figure", **_figure(block, document, pictures)}
        case Beside():
            return {"kind": "beside", "figures": [_figure(figure, document, pictures) for figure in block.figures]}
        case TableBlock():
            return {"kind": "table", "number": document.numbering.names[block.key], **dataclasses.asdict(block)}


def _figure(block: FigureBlock, document: Document, pictures: Mapping[str, Picture]) -> dict[str, Any]:
    picture = pictures[block.key]
    return {
        **dataclasses.asdict(block),
        "number": document.numbering.names[block.key],
        "file": f"{picture.key}.{picture.suffix}",
    }
