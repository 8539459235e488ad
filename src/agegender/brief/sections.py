"""The parts that the brief wants in a report and in a notebook, and how to find them in anyone's text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PARTS_OF_A_MODEL = ("Architecture", "Training process", "Performance")


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A section of the report.

    Attributes:
        number: 1..4.
        title: As our own reports print it.
        parts: Titles of its parts, as our own reports print them.
        pattern: Regular expression that finds its heading, case ignored, in a report by anybody.
    """

    number: int
    title: str
    parts: tuple[str, ...]
    pattern: str


REPORT_SECTIONS: tuple[ReportSection, ...] = (
    ReportSection(1, "Introduction", (), r"introduction"),
    ReportSection(2, "The custom CNN", _PARTS_OF_A_MODEL, r"\b(custom|own)\b[\w ,-]*(cnn|network|model)"),
    ReportSection(
        3, "The pre-trained CNN", _PARTS_OF_A_MODEL, r"pre-?\s?trained[\w ,-]*(cnn|network|model)|transfer[ -]learning"
    ),
    ReportSection(
        4, "Summary and discussion", ("Comparison", "What was achieved", "Insights and limits"),
        r"(summary|discussion|conclusion)",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NotebookStep:
    """A step of the starter notebook.

    Attributes:
        key: `set-up`, `samples`, `1`, `2A`, ... in the notebook's order.
        title: Its heading in our own notebook, without the word "Step" and the key.
        pattern: Regular expression that finds its heading, case ignored, in a notebook by anybody.
    """

    key: str
    title: str
    pattern: str

    @property
    def heading(self) -> str:
        """The heading in our own notebook: `Step 2A: the custom CNN`; of what is no step, its title."""
        return f"Step {self.key}: {self.title}" if self.key[0].isdigit() else self.title


NOTEBOOK_STEPS: tuple[NotebookStep, ...] = (
    NotebookStep("set-up", "Set-up", r"set-?\s?up|preparation|mount"),
    NotebookStep("samples", "Sample images", r"samples?\b|images? with (age|labels?)"),
    NotebookStep("1", "data pre-processing", r"step\s*1\b|pre-?processing"),
    NotebookStep("2A", "the custom CNN", r"step\s*2\s*\(?A\b"),
    NotebookStep("3A", "compile, train and save the custom CNN", r"step\s*3\s*\(?A\b"),
    NotebookStep("4A", "learning curves of the custom CNN", r"step\s*4\s*\(?A\b"),
    NotebookStep("2B", "the pre-trained CNN", r"step\s*2\s*\(?B\b"),
    NotebookStep("3B", "compile, train and save the pre-trained CNN", r"step\s*3\s*\(?B\b"),
    NotebookStep("4B", "learning curves of the pre-trained CNN", r"step\s*4\s*\(?B\b"),
    NotebookStep("5", "evaluation on the test set", r"step\s*5\b|evaluat\w+ on the test"),
)

LEARNING_CURVES: tuple[str, ...] = ("gender loss", "gender accuracy", "age loss", "age MAE")
"""The figures of steps 4A and 4B: training and validation in each."""

SAMPLE_IMAGES_MIN = 20
"""Sample images that the notebook shows with age and gender."""


def missing_sections(text: str) -> tuple[ReportSection, ...]:
    """The report sections of which no line of a text looks like the heading.

    A heading is a short line that holds the section's words: at most eight words, after any number, and no full stop.
    """
    headings = [line for line in map(_bare, text.splitlines()) if line]
    return tuple(section for section in REPORT_SECTIONS if not _found(section.pattern, headings))


def missing_steps(headings: Sequence[str]) -> tuple[NotebookStep, ...]:
    """The notebook steps that none of a notebook's headings names.

    Args:
        headings: Lines of Markdown cells that are headings, marks included or not.
    """
    return tuple(step for step in NOTEBOOK_STEPS if not _found(step.pattern, headings))


def _bare(line: str) -> str:
    """A line that may be a heading, without its number; empty if it is too long or a sentence."""
    line = re.sub(r"^\W*(section\s*)?(\d+(\.\d+)*|[ivx]+(?=[.):\s]))?[.):\s]*", "", line.strip(), flags=re.IGNORECASE)
    return "" if len(line.split()) > 8 or line.endswith(".") else line


def _found(pattern: str, lines: Sequence[str]) -> bool:
    return any(re.search(pattern, line, re.IGNORECASE) for line in lines)
