"""The run page: one HTML file with the report's sentences, figures and tables, and the worst errors to sort through.

It opens from disk with no network: style, script and pictures stand in the file. No face is shown unless a data set is
given.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from agegender.artifacts import write_text
from agegender.data.dataset import Dataset
from agegender.optional import require
from agegender.reporting.grids import worst_rows
from agegender.reporting.predictions import answered_genders
from agegender.reporting.report.body import report_document
from agegender.reporting.report.comparison import conclusion
from agegender.reporting.report.document import Document
from agegender.reporting.report.facts import ModelFacts, RunFacts
from agegender.reporting.report.numbers import interval_text, percent_interval
from agegender.reporting.report.pictures import Picture, report_pictures
from agegender.reporting.report.sources import SOURCES
from agegender.reporting.report.thumbnails import thumbnails
from agegender.types import Progress, silent

TEMPLATE = "run_page.html.j2"
WORST_SHOWN = 40
"""Rows of each table of worst errors, a model."""

_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True, slots=True)
class WorstAnswer:
    """One image that a model read badly.

    Attributes:
        model: Its letter.
        file: The image's name, or the hash of its name in a shipped run.
        age: Labelled, years.
        predicted: Years.
        gender: Labelled.
        answered: The gender answered.
        sure: Probability of that answer, 0..1.
    """

    model: str
    file: str
    age: float
    predicted: float
    gender: str
    answered: str
    sure: float

    @property
    def error(self) -> float:
        """Predicted minus labelled age, years."""
        return self.predicted - self.age


def write_page(facts: RunFacts, out: str | Path, *, data: Dataset | None = None, progress: Progress = silent) -> Path:
    """Compose, draw and write the run page.

    Args:
        facts: Of a run.
        out: The HTML file to write.
        data: The measured images, to show those that were read worst; without it no face is shown.
        progress: Shows how far the figures are.

    Raises:
        OutputError: The file cannot be written.
        MissingExtraError: Jinja is not installed.
    """
    jinja2 = require("jinja2", "report")
    pictures = report_pictures(facts)
    document = report_document(facts, {key: picture.block for key, picture in pictures.items()})
    images = {
        picture.key: _image(picture)
        for picture in progress(list(pictures.values()), total=len(pictures), title="Figures of the page")
    }
    worst = {by: worst_answers(facts, by) for by in ("age", "gender")}
    files = [answer.file for answers in worst.values() for answer in answers]
    template = resources.files("agegender.reporting.report").joinpath(TEMPLATE).read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    text = environment.from_string(template).render(
        title=document.title,
        drawn=facts.drawn,
        cards=[_card(model) for model in facts.models.values()],
        verdict=_verdict(facts),
        images_measured=facts.images,
        measured_on=facts.measured_on,
        blocks=[(type(block).__name__, block) for block in document.blocks],
        numbering=document.numbering,
        images=images,
        others=_others(document, pictures),
        sources=[(f"source-{key}", SOURCES[key]) for key in document.numbering.sources],
        worst=worst,
        faces=thumbnails(files, data) if data is not None else {},
        words=document.words,
        versions=dict(facts.versions),
    )
    return write_text(out, text)


def worst_answers(facts: RunFacts, by: Literal["age", "gender"]) -> tuple[WorstAnswer, ...]:
    """The worst answers of every model: the largest errors of age, or the surest wrong genders."""
    return tuple(answer for model in facts.models.values() for answer in _worst(model, by))


def _worst(model: ModelFacts, by: Literal["age", "gender"]) -> Sequence[WorstAnswer]:
    rows = model.answers.iloc[worst_rows(model.answers, by, WORST_SHOWN)]
    answered = answered_genders(rows)
    female = rows["female_probability"].to_numpy(float)
    return [
        WorstAnswer(
            model=model.letter,
            file=str(file),
            age=float(age),
            predicted=float(predicted),
            gender=str(gender),
            answered=str(answer),
            sure=float(max(probability, 1 - probability)),
        )
        for file, age, predicted, gender, answer, probability in zip(
            rows["file"], rows["age"], rows["predicted_age"], rows["gender"], answered, female, strict=True
        )
    ]


def _verdict(facts: RunFacts) -> str:
    """The conclusion as a sentence that follows nothing."""
    sentence = conclusion(facts.comparison).removeprefix("So ") if facts.comparison else ""
    return sentence[:1].upper() + sentence[1:]


def _card(model: ModelFacts) -> dict[str, str]:
    figures = model.result.figures
    return {
        "name": model.name,
        "mae": interval_text(figures.mae),
        "gender": percent_interval(figures.gender_accuracy),
        "parameters": f"{model.parameters:,}",
    }


def _image(picture: Picture) -> str:
    """A picture as an address that holds it."""
    return f"data:{_TYPES[picture.suffix]};base64,{base64.b64encode(picture.content()).decode()}"


def _others(document: Document, pictures: Mapping[str, Picture]) -> list[Any]:
    """Figures that the report has no room for, such as errors by other groups."""
    shown = {figure.key for figure in document.figures()}
    return [picture.block for key, picture in pictures.items() if key not in shown]
