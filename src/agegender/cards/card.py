"""A model card: Hugging Face's head, then the sections in order. An empty section stops it and is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agegender.artifacts import write_text
from agegender.cards import figures, sections
from agegender.cards.calibration import calibration
from agegender.cards.facts import CardFacts, MissingFactError, models_in, read_facts
from agegender.cards.yaml import yaml_block
from agegender.errors import InputError

CARD_FILE = "model_card_{model}.md"
"""The name of a card in its folder."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a card.

    Attributes:
        title: Its heading.
        write: Facts in, Markdown out.
        optional: It is left out, heading and all, where there is nothing to say. Any other empty section is an error.
    """

    title: str
    write: Callable[[CardFacts], str]
    optional: bool = False


SECTIONS: tuple[Section, ...] = (
    Section("Overview", sections.overview),
    Section("Intended use", sections.intended_use),
    Section("Out of scope", sections.out_of_scope),
    Section("How to load", sections.how_to_load),
    Section("Training data", sections.training_data),
    Section("Training", sections.training),
    Section("Evaluation", figures.evaluation),
    Section("Calibration and intervals", calibration, optional=True),
    Section("Limits", figures.limits),
    Section("Ethics", sections.ethics),
    Section("Licences", sections.licences),
)


def model_card(facts: CardFacts) -> str:
    """The card of one model, Markdown with a YAML head.

    Raises:
        InputError: Sections cannot be filled; the message names each with the fact that it lacks.
    """
    written: list[tuple[str, str]] = []
    unfilled: list[str] = []
    remedies: list[str] = []
    for section in SECTIONS:
        try:
            text = section.write(facts).strip()
        except MissingFactError as missing:
            unfilled.append(f"{section.title!r} (it needs {missing.fact})")
            remedies.append(missing.remedy)
            continue
        except (KeyError, TypeError, ValueError) as broken:
            unfilled.append(f"{section.title!r} (a record is not as expected: {broken!r})")
            remedies.append("Train the model again with this version.")
            continue
        if text:
            written.append((section.title, text))
        elif not section.optional:
            unfilled.append(f"{section.title!r} (it came out empty)")
    if unfilled:
        raise InputError(
            f"The card of Model {facts.model} cannot be written: unfilled section {', '.join(unfilled)}. "
            + " ".join(dict.fromkeys(remedies))
        )
    parts = [f"---\n{yaml_block(head(facts))}---", f"# Age and gender from a face: Model {facts.model}"]
    return "\n\n".join([*parts, *(f"## {title}\n\n{text}" for title, text in written)]) + "\n"


def head(facts: CardFacts) -> dict[str, Any]:
    """Hugging Face's metadata, with the figures as a `model-index`.

    Source: https://huggingface.co/docs/hub/model-cards#model-card-metadata
    """
    terms, measured = facts.known_terms, facts.measured
    result = measured.result(facts.model, facts.order).figures
    licence: dict[str, Any] = {"license": terms.hub_licence}
    if terms.hub_licence == "other":
        licence["license_name"] = terms.hub_licence_name
        licence |= {"license_link": terms.link} if terms.link else {}
    metrics = [
        {"type": "mae", "name": "age MAE, years", "value": round(result.mae.value, 4)},
        {"type": "accuracy", "name": "gender accuracy", "value": round(result.gender_accuracy.value, 4)},
    ]
    return {
        **licence,
        "library_name": "keras",
        "pipeline_tag": "image-classification",
        "tags": [
            "age-estimation",
            "gender-classification",
            "face",
            "multi-output",
            *(["drawn"] if facts.drawn else []),
        ],
        "metrics": ["mae", "accuracy"],
        "model-index": [
            {
                "name": Path(facts.file).stem,
                "results": [
                    {
                        "task": {"type": "image-classification", "name": "age and gender of a face"},
                        "dataset": {
                            "name": _measured_name(facts),
                            "type": "drawn" if measured.drawn else "images",
                            "split": facts.measured_on,
                        },
                        "metrics": metrics,
                    }
                ],
            }
        ],
    }


def _measured_name(facts: CardFacts) -> str:
    """What to call the images measured on; nobody says whether test images are of the training images' data set."""
    if facts.measured.drawn:
        return f"faces drawn by agegender, {facts.measured_on}"
    return "the run's test images" if facts.measured_on == "test" else f"{facts.known_terms.name}, validation images"


def write_cards(
    root: Path,
    *,
    out: Path | None = None,
    models: Sequence[str] | None = None,
    data_set: str | None = None,
    data_licence: str | None = None,
) -> list[Path]:
    """Write one card a model.

    Args:
        root: A run folder, or a folder of shipped models.
        out: Folder for the cards; by default the run folder itself.
        models: Which; by default every finished model of the run.
        data_set: Where the training images come from, `utkface` or a name of your own; drawn faces need none.
        data_licence: The terms of a data set of your own, in a sentence.

    Returns:
        The files. None is written unless all can be.

    Raises:
        InputError: A section cannot be filled, or the folder holds no run.
        SettingError: Name and terms of the data do not go together.
        OutputError: A card cannot be written.
    """
    cards = {}
    for model in models or models_in(root):
        cards[model] = model_card(read_facts(root, model, data_set=data_set, data_licence=data_licence))
    folder = out or root
    return [write_text(folder / CARD_FILE.format(model=model), card) for model, card in cards.items()]
