"""What a calibration in a model's sidecar says: read as plain values, shown where it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agegender.reporting.report.document import Block, Paragraph, TableBlock, see
from agegender.reporting.report.numbers import PERCENT, number, percent_text, plain, share
from agegender.reporting.words import listed

if TYPE_CHECKING:
    from agegender.reporting.report.facts import ModelFacts

KEY = "calibration"
"""Of a sidecar, as `agegender calibrate` writes it."""


@dataclass(frozen=True, slots=True)
class CalibrationFacts:
    """A model's calibration, in short.

    Attributes:
        images: It was fitted on.
        level: Share of age intervals that should hold the label, 0..1.
        coverage: Share that does, by cross-fitting, 0..1.
        width: Mean width of the intervals, years.
        temperature: That gender's logit is divided by.
        answered: Share of images whose gender is answered and not `unsure`, 0..1.
        wrong: Share of errors among those, 0..1; None where nothing is answered.
        of_twin: The answers calibrated are those of a twin that had not seen the images.
    """

    images: int
    level: float
    coverage: float
    width: float
    temperature: float
    answered: float
    wrong: float | None
    of_twin: bool


def calibration_facts(sidecar: Mapping[str, Any]) -> CalibrationFacts | None:
    """The calibration of a sidecar; None if there is none, or one of another form than this version knows."""
    record: Any = sidecar.get(KEY)
    try:
        chosen = next(one for one in record["compared"] if one["chosen"])
        unsure = record["gender"]["unsure"]
        return CalibrationFacts(
            images=int(record["calibrated_on"]["n"]),
            level=float(record["age"]["level"]),
            coverage=float(chosen["coverage"]),
            width=float(chosen["mean_width"]),
            temperature=float(record["gender"]["temperature"]["temperature"]),
            answered=unsure["answered"] / unsure["n"],
            wrong=unsure["errors"] / unsure["answered"] if unsure["answered"] else None,
            of_twin="answered_by" in record["calibrated_on"],
        )
    except (KeyError, TypeError, ValueError, StopIteration, ZeroDivisionError):
        return None


def calibration_blocks(models: Sequence[ModelFacts]) -> list[Block]:
    """A sentence and a table on the calibrated models; nothing if there are none."""
    known = [(model, model.calibration) for model in models if model.calibration is not None]
    if not known:
        return []
    parts = [
        f"{percent_text(facts.coverage)} of the ages with {model.name}, on average {number(facts.width, 1)} years wide"
        for model, facts in known
    ]
    levels = listed(list(dict.fromkeys(f"{plain(100 * facts.level)}{PERCENT}" for _, facts in known)))
    twin = " A final model's calibration is that of its twin's answers." if any(one.of_twin for _, one in known) else ""
    return [
        Paragraph(f"Calibrated age intervals meant to hold {levels} hold {'; '.join(parts)} ({see('calibration')})."),
        TableBlock(
            "calibration",
            "Calibration on images that the answering model did not learn from, cross-fitted. Gender's logit is "
            f"divided by the temperature; below a probability that keeps errors rare the answer is “unsure”.{twin}",
            (
                "model", "images", "intervals, %", "hold, %", "width, years", "temperature", "gender answered, %",
                "of these wrong, %",
            ),
            tuple(_row(model.letter, facts) for model, facts in known),
        ),
    ]  # fmt: skip


def _row(letter: str, facts: CalibrationFacts) -> tuple[str, ...]:
    return (
        letter,
        f"{facts.images:,}",
        plain(100 * facts.level),
        f"{share(facts.coverage):.1f}",
        number(facts.width, 1),
        number(facts.temperature, 2),
        f"{share(facts.answered):.1f}",
        "–" if facts.wrong is None else f"{share(facts.wrong):.1f}",
    )
