"""The whole body of a report from a run's facts: the brief's four sections in order."""

from __future__ import annotations

from collections.abc import Mapping

from agegender.brief import REPORT_SECTIONS
from agegender.reporting.report.custom import custom_cnn
from agegender.reporting.report.discussion import discussion
from agegender.reporting.report.document import Document, FigureBlock, Heading, make_document
from agegender.reporting.report.facts import RunFacts
from agegender.reporting.report.introduction import introduction
from agegender.reporting.report.performance import performance
from agegender.reporting.report.pretrained import pretrained_cnn

TITLE = "Age and gender from one face image"


def report_document(facts: RunFacts, pictures: Mapping[str, FigureBlock]) -> Document:
    """Compose a report.

    Args:
        facts: Of the run.
        pictures: Its figures by key.

    Raises:
        KeyError: A text mentions a figure that there is not: a fault of this package.
    """
    blocks = introduction(facts, pictures["augmentation"])
    a, b = facts.models.get("A"), facts.models.get("B")
    if a is not None:
        blocks += custom_cnn(a, pictures["A_architecture"])
        blocks += performance(facts, a, _heading(1), pictures)
    if b is not None:
        blocks += pretrained_cnn(b, pictures["B_architecture"], like=a)
        blocks += performance(facts, b, _heading(2), pictures)
    blocks += discussion(facts)
    return make_document(TITLE, blocks)


def _heading(section: int) -> Heading:
    """Of a model's performance."""
    number, parts = REPORT_SECTIONS[section].number, REPORT_SECTIONS[section].parts
    return Heading(parts[2], f"{number}.3", 2)
