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
    for letter, section, write in (("A", REPORT_SECTIONS[1], custom_cnn), ("B", REPORT_SECTIONS[2], pretrained_cnn)):
        if (model := facts.models.get(letter)) is not None:
            blocks += write(model, pictures[f"{letter}_architecture"])
            heading = Heading(section.parts[2], f"{section.number}.3", 2)
            blocks += performance(facts, model, heading, pictures)
    blocks += discussion(facts)
    return make_document(TITLE, blocks)
