"""Section 4.3: for whom the models fail, what that means in use, and what would help."""

from __future__ import annotations

import numpy as np

from agegender.labels import Gender
from agegender.reporting.report.document import see
from agegender.reporting.report.facts import RunFacts
from agegender.reporting.report.judgements import (
    Fit,
    age_ending,
    age_extremes,
    apart,
    gender_ending,
    gender_extremes,
)
from agegender.reporting.report.numbers import (
    band_text,
    number,
    percent_text,
    years,
    years_text,
)
from agegender.reporting.words import listed
from agegender.run_folder import MODELS

ADULT_YEARS = 18
MINORS = (10, 17)
MINORS_MIN = 30
"""With fewer minors than this nothing is said of how many are read as adults."""


def where_errors_lie(facts: RunFacts) -> list[str]:
    """Sentences on groups: ages, genders, what else the data set names, minors."""
    return [
        f"{see('groups')} shows for whom the models fail.",
        *_shared_extremes(facts),
        *_drawn_to_the_middle(facts),
        *_by_gender(facts),
        *([] if facts.drawn else [*_other_columns(facts), *_minors(facts)]),
    ]


def _shared_extremes(facts: RunFacts) -> list[str]:
    """Where age and gender are read worst, said once where the models agree."""
    sentences = []
    for what, find in (("Age", age_extremes), ("Gender", gender_extremes)):
        worst = {
            model.name: found.most.name for model in facts.models.values() if (found := find(model.result.by("age")))
        }
        if len(worst) < 2:
            continue
        if len(set(worst.values())) == 1:
            sentences.append(f"{what} is hardest for both at {band_text(next(iter(worst.values())))} years.")
        else:
            sentences.append(
                f"{what} is hardest "
                + " and ".join(f"for {name} at {band_text(band)}" for name, band in worst.items())
                + " years."
            )
    return sentences


def _drawn_to_the_middle(facts: RunFacts) -> list[str]:
    """Whether the youngest are read too old and the oldest too young: what regression does with rare ages."""
    names, ends = [], None
    for model in facts.models.values():
        bands = [part for part in model.result.by("age") if not part.few]
        if len(bands) > 1 and years(bands[0].figures.bias.value) > 0 > years(bands[-1].figures.bias.value):
            names.append(model.name)
            ends = bands[0].name, bands[-1].name
    if ends is None:
        return []
    verb = "reads" if len(names) == 1 else "read"
    youngest, oldest = map(band_text, ends)
    return [
        f"{listed(names)} {verb} {youngest} years too old and {oldest} too young: rare ages are drawn to the middle."
    ]


def _by_gender(facts: RunFacts) -> list[str]:
    """The age error of either gender, and whether the intervals tell them apart."""
    parts, clear = [], []
    for model in facts.models.values():
        groups = {part.name: part for part in model.result.by("gender") if not part.few}
        if set(groups) != set(Gender):
            return []
        female, male = groups[Gender.FEMALE], groups[Gender.MALE]
        clear.append(apart(female, male, "mae"))
        parts.append(f"{number(female.figures.mae.value, 2)} and {number(male.figures.mae.value, 2)} for {model.name}")
    if all(clear):
        relation = "the intervals do not overlap"
    elif any(clear):
        relation = f"the intervals overlap for {_unclear(facts, clear)}"
    else:
        relation = "the intervals overlap"
    return [f"The age MAE of female and male faces, in years, is {listed(parts)}; {relation}."]


def _unclear(facts: RunFacts, clear: list[bool]) -> str:
    return listed([model.name for model, known in zip(facts.models.values(), clear, strict=True) if not known])


def _other_columns(facts: RunFacts) -> list[str]:
    """Groups that the data set has besides age and gender, such as race: never an input, measured only."""
    model = list(facts.models.values())[-1]
    sentences = []
    for column in dict.fromkeys(part.column for part in model.result.slices):
        found = age_extremes(model.result.by(column)) if column not in ("age", "gender") else None
        if found is not None:
            clear = "" if apart(found.least, found.most, "mae") else "; the intervals overlap"
            sentences.append(
                f"By {column.replace('_', ' ')}, which no network is told, {model.name} is least off for "
                f"{found.least.name} ({years_text(found.least.figures.mae.value)}) and most for {found.most.name} "
                f"({years_text(found.most.figures.mae.value)}{clear})."
            )
    return sentences


def _minors(facts: RunFacts) -> list[str]:
    """How many of those just below the age that most rules are about are read as above it."""
    parts = []
    minors = 0
    for model in facts.models.values():
        ages = model.answers["age"]
        young = model.answers[(ages >= MINORS[0]) & (ages < ADULT_YEARS)]
        minors = len(young)
        if minors < MINORS_MIN:
            return []
        parts.append(f"{percent_text(float(np.mean(young['predicted_age'] >= ADULT_YEARS)))} by {model.name}")
    return [
        f"Of {minors:,} faces of {MINORS[0]} to {MINORS[1]} years, {listed(parts)} are read as {ADULT_YEARS} or older: "
        "no such estimate may decide who is let in or served."
    ]


def improvements(facts: RunFacts) -> list[str]:
    """What would help, from the verdicts on the curves and the worst groups."""
    fits: dict[Fit, list[tuple[str, str]]] = {}
    for model in facts.models.values():
        endings = (("age", age_ending(model, facts.constant)), ("gender", gender_ending(model, facts.constant)))
        for task, ending in endings:
            fits.setdefault(ending.fit, []).append((model.name, task))
    advice = {
        Fit.OVERFITTING: "Overfitting shows in {}: fewer epochs, stronger regularisation or more images come next.",
        Fit.UNDERFITTING: "Underfitting shows in {}: a longer training or a larger network comes first.",
        Fit.GAP: "The gap in {} asks for more images rather than a larger network.",
        Fit.CLOSE: "For {} training and validation are close: a larger network or a longer training may still help.",
    }
    sentences = [text.format(_tasks(fits[fit])) for fit, text in advice.items() if fit in fits]
    worst = [found.most.name for model in facts.models.values() if (found := age_extremes(model.result.by("age")))]
    if worst:
        bands = listed([band_text(band) for band in dict.fromkeys(worst)])
        sentences.append(f"Most would be gained from images of {bands} years, where errors of age are largest.")
    return sentences


def _tasks(pairs: list[tuple[str, str]]) -> str:
    """`age of Model A and Model B and gender of Model B`."""
    if len(pairs) == len(MODELS) * 2:
        return "both tasks of both models"
    by_task: dict[str, list[str]] = {}
    for name, task in pairs:
        by_task.setdefault(task, []).append(name)
    return listed([f"{task} of {listed(names)}" for task, names in by_task.items()])
