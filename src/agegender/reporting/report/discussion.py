"""Section 4: which model is better, what was achieved, what the figures teach, and what they must not be used for."""

from __future__ import annotations

from agegender.brief import REPORT_SECTIONS
from agegender.reporting.report.calibration import calibration_blocks
from agegender.reporting.report.comparison import comparison_blocks
from agegender.reporting.report.document import Block, Heading, Paragraph, cite
from agegender.reporting.report.facts import RunFacts
from agegender.reporting.report.insights import improvements, where_errors_lie
from agegender.reporting.report.numbers import (
    PERCENT,
    share,
    years,
)
from agegender.reporting.report.performance import groups_table
from agegender.reporting.words import listed

SECTION = REPORT_SECTIONS[3]


def discussion(facts: RunFacts) -> list[Block]:
    """The blocks of section 4."""
    number_of = f"{SECTION.number}"
    first, second, third = SECTION.parts
    comparison = [Heading(first, f"{number_of}.1", 2), *comparison_blocks(facts)] if facts.comparison else []
    return [
        Heading(SECTION.title, number_of),
        *comparison,
        Heading(second, f"{number_of}.2", 2),
        Paragraph(_achieved(facts)),
        Heading(third, f"{number_of}.3", 2),
        Paragraph(" ".join(where_errors_lie(facts))),
        groups_table(facts),
        *calibration_blocks(list(facts.models.values())),
        Paragraph(" ".join(improvements(facts))),
        Paragraph(_ethics(facts)),
    ]


def _achieved(facts: RunFacts) -> str:
    constant = facts.constant
    cuts, failed = [], []
    for model in facts.models.values():
        figures = model.result.figures
        mae, right = years(figures.mae.value), share(figures.gender_accuracy.value)
        if mae < years(constant.mae) and right > share(constant.gender_accuracy):
            wrong = (1 - figures.gender_accuracy.value) / max(1 - constant.gender_accuracy, 1e-9)
            age_cut, gender_cut = (f"{round(100 * (1 - left))}{PERCENT}" for left in (mae / constant.mae, wrong))
            cuts.append(
                f"{model.name} by {age_cut} and {gender_cut}"
                if cuts
                else f"{model.name} cuts the single answer's errors of age by {age_cut} and of gender by {gender_cut}"
            )
        else:
            failed.append(model.name)
    text = f"{', '.join(cuts)}. " if cuts else ""
    if failed:
        text += f"{listed(failed)} {'does' if len(failed) == 1 else 'do'} not beat the single answer in both tasks. "
    return (
        f"{text}Each file has two outputs, age in years and the probability of female, takes "
        "128 \N{MULTIPLICATION SIGN} 128 pixels in 0 to 1 and loads with Keras alone."
    )


def _ethics(facts: RunFacts) -> str:
    owners = (
        " The UTKFace images were collected from the web for non-commercial research and remain their owners'."
        if facts.utkface
        else ""
    )
    return (
        "A binary gender and an age guessed from looks are labels that others gave: limits of the data, not facts "
        f"about a person. The models repeat them.{owners} An average hides for whom a model fails"
        f"{cite('gender-shades')}. These are made to measure and to learn from{cite('model-cards')}, not to decide "
        "about anybody."
    )
