"""Section 4: which model is better, what was achieved, what the figures teach, and what they must not be used for."""

from __future__ import annotations

from agegender.brief import REPORT_SECTIONS
from agegender.evaluation.compare import ComparisonResult, p_text
from agegender.reporting.report.document import Block, Heading, Paragraph, TableBlock, cite, see
from agegender.reporting.report.facts import RunFacts
from agegender.reporting.report.judgements import (
    Fit,
    Verdict,
    age_ending,
    age_extremes,
    age_verdict,
    apart,
    gender_ending,
    gender_extremes,
    gender_verdict,
)
from agegender.reporting.report.numbers import (
    interval_text,
    minutes_text,
    number,
    percent_interval,
    percent_text,
    share,
    signed,
    years,
    years_text,
)
from agegender.reporting.report.performance import groups_table
from agegender.reporting.words import counted, listed

SECTION = REPORT_SECTIONS[3]
ADULT_YEARS = 18
MINORS = "10-17"
MINORS_MIN = 30
"""With fewer minors than this nothing is said of how many are read as adults."""


def discussion(facts: RunFacts) -> list[Block]:
    """The blocks of section 4."""
    number_of = f"{SECTION.number}"
    first, second, third = SECTION.parts
    comparison = [Heading(first, f"{number_of}.1", 2), *_comparison(facts)] if facts.comparison else []
    return [
        Heading(SECTION.title, number_of),
        *comparison,
        Heading(second, f"{number_of}.2", 2),
        Paragraph(_achieved(facts)),
        Heading(third, f"{number_of}.3", 2),
        Paragraph(" ".join(_where_errors_lie(facts))),
        groups_table(facts),
        Paragraph(" ".join(_improvements(facts))),
        Paragraph(_ethics(facts)),
    ]


def _comparison(facts: RunFacts) -> list[Block]:
    comparison = facts.comparison
    assert comparison is not None
    text = [
        f"{see('comparison')} sets the two side by side.",
        age_comparison(comparison),
        gender_comparison(comparison),
        conclusion(comparison),
        _costs(facts),
    ]
    return [Paragraph(" ".join(text)), _comparison_table(facts, comparison)]


def age_comparison(comparison: ComparisonResult) -> str:
    """What the paired test says of age."""
    difference = years(comparison.mae_difference.value)
    better, worse = ("A", "B") if difference < 0 else ("B", "A")
    low, high = (signed(one, 2) for one in (comparison.mae_difference.low, comparison.mae_difference.high))
    evidence = f"95\N{NO-BREAK SPACE}% interval of A minus B {low} to {high}, p {p_text(comparison.age_p_value)}"
    if difference == 0:
        return f"In age the two are equally far off on average ({evidence})."
    size = f"its MAE is {abs(difference):.2f} years below Model {worse}'s"
    if age_verdict(comparison) is Verdict.NEITHER:
        return (
            f"Model {better} is {abs(difference):.2f} years less off in age, but chance alone can explain that "
            f"({evidence}): neither is shown to read age better."
        )
    return f"Model {better} reads age better: {size} ({evidence}), more than chance explains."


def gender_comparison(comparison: ComparisonResult) -> str:
    """What the paired test says of gender."""
    only_a, only_b = comparison.gender_first_only, comparison.gender_second_only
    if only_a == only_b == 0:
        return "In gender both are right on the same images."
    counts = f"{_only(only_a, 'A')} and {_only(only_b, 'B')}, p {p_text(comparison.gender_p_value)}"
    verdict = gender_verdict(comparison)
    if verdict is Verdict.NEITHER:
        return f"In gender chance alone can explain the difference ({counts}): neither is shown to be right more often."
    better = "A" if verdict is Verdict.FIRST else "B"
    points = abs(share(comparison.gender_accuracy_difference.value))
    return (
        f"Model {better} is right about gender more often, by {points:.1f} points ({counts}), more than chance explains."
    )


def _only(images: int, letter: str) -> str:
    return f"only {letter} right on {images:,}"


def conclusion(comparison: ComparisonResult) -> str:
    """Both tests in one sentence."""
    age, gender = age_verdict(comparison), gender_verdict(comparison)
    name = {Verdict.FIRST: "Model A", Verdict.SECOND: "Model B"}
    if age is gender is Verdict.NEITHER:
        return "So on these images neither model is shown to be the better one."
    if age is gender:
        return f"So {name[age]} is the better one on both tasks."
    if Verdict.NEITHER not in (age, gender):
        return f"So neither is the better one on both tasks: {name[age]} is in age, {name[gender]} in gender."
    task, winner, open_task = ("age", age, "gender") if gender is Verdict.NEITHER else ("gender", gender, "age")
    return f"So {name[winner]} is the better one in {task}, while {open_task} stays undecided."


def _costs(facts: RunFacts) -> str:
    a, b = facts.models["A"], facts.models["B"]
    start = "ImageNet weights" if b.start == "imagenet" else "its start"
    return (
        f"Model A learnt in {counted(a.recipe.epochs, 'epoch')} ({minutes_text(a.seconds)}) from nothing, Model B from "
        f"{start} in {b.recipe.epochs:,} ({minutes_text(b.seconds)})."
    )


def _comparison_table(facts: RunFacts, comparison: ComparisonResult) -> TableBlock:
    a, b = (facts.models[letter] for letter in "AB")
    one, other, constant = a.result.figures, b.result.figures, facts.constant
    gender = comparison.gender_accuracy_difference
    rows = (
        (
            "age MAE, years", interval_text(one.mae), interval_text(other.mae),
            interval_text(comparison.mae_difference, sign=True), number(constant.mae, 2),
        ),
        (
            "gender right, %", percent_interval(one.gender_accuracy), percent_interval(other.gender_accuracy),
            interval_text(gender, scale=100, digits=1, sign=True), number(100 * constant.gender_accuracy, 1),
        ),
        ("parameters", f"{a.parameters:,}", f"{b.parameters:,}", "", ""),
        ("images to train the file", f"{a.trained_on:,}", f"{b.trained_on:,}", "", ""),
    )  # fmt: skip
    return TableBlock(
        "comparison",
        f"Both models on the same {facts.images:,} {facts.measured_on} images, their paired difference, and the best "
        f"single answer; 95 % intervals in brackets{'; drawn faces, not people' if facts.drawn else ''}.",
        ("", "Model A", "Model B", "A minus B", "single answer"),
        rows,
    )


def _achieved(facts: RunFacts) -> str:
    constant = facts.constant
    parts, failed = [], []
    for model in facts.models.values():
        figures = model.result.figures
        if years(figures.mae.value) < years(constant.mae) and share(figures.gender_accuracy.value) > share(
            constant.gender_accuracy
        ):
            cut = round(100 * (1 - figures.mae.value / constant.mae))
            wrong = (1 - figures.gender_accuracy.value) / max(1 - constant.gender_accuracy, 1e-9)
            parts.append(
                f"{model.name} takes {cut}\N{NO-BREAK SPACE}% off the single answer's age error and "
                f"{round(100 * (1 - wrong))}\N{NO-BREAK SPACE}% off its errors of gender"
            )
        else:
            failed.append(model.name)
    text = f"{listed(parts)}. " if parts else ""
    if failed:
        text += f"{listed(failed)} {'does' if len(failed) == 1 else 'do'} not beat the single answer in both tasks. "
    files = "Each model is" if len(facts.models) > 1 else "The model is"
    return (
        f"{text}{files} one Keras file with two outputs, age in years and the probability of female, that takes "
        "128 \N{MULTIPLICATION SIGN} 128 pixels in 0 to 1, loads with Keras alone and answers alike in either channel "
        "order."
    )


def _where_errors_lie(facts: RunFacts) -> list[str]:
    return [
        f"{see('groups')} shows for whom the models fail.",
        *_shared_extremes(facts),
        *_by_gender(facts),
        *_other_columns(facts),
        *_minors(facts),
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
            sentences.append(f"{what} is hardest for both at {next(iter(worst.values()))} years.")
        else:
            sentences.append(
                f"{what} is hardest "
                + " and ".join(f"for {name} at {band}" for name, band in worst.items())
                + " years."
            )
    return sentences


def _by_gender(facts: RunFacts) -> list[str]:
    sentences = []
    for model in facts.models.values():
        parts = model.result.by("gender")
        if len(parts) != 2 or any(part.few for part in parts):
            continue
        better, worse = sorted(parts, key=lambda part: part.figures.mae.value)
        least, most = years_text(better.figures.mae.value), years_text(worse.figures.mae.value)
        if least == most:
            sentences.append(f"{model.name} reads the age of either gender equally well.")
            continue
        clear = "" if apart(better, worse, "mae") else ", though the intervals overlap"
        sentences.append(
            f"{model.name} is {least} off for {better.name} and {most} for {worse.name} faces{clear}."
        )
    return sentences


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
        young = model.answers[(ages >= 10) & (ages < ADULT_YEARS)]
        minors = len(young)
        parts.append(f"{model.name} {percent_text((young['predicted_age'] >= ADULT_YEARS).mean())}" if minors else "")
    if minors < MINORS_MIN:
        return []
    return [
        f"Of the {minors:,} faces of {MINORS} years, {listed(parts)} are read as {ADULT_YEARS} or older: no such "
        "estimate may decide who is let in or served."
    ]


def _improvements(facts: RunFacts) -> list[str]:
    """What would help, from the verdicts on the curves and the worst groups."""
    fits: dict[Fit, list[str]] = {}
    for model in facts.models.values():
        for task, ending in (
            ("age", age_ending(model, facts.constant)),
            ("gender", gender_ending(model, facts.constant)),
        ):
            fits.setdefault(ending.fit, []).append(f"{model.letter}'s {task}")
    sentences = []
    if over := fits.get(Fit.OVERFITTING):
        sentences.append(
            f"Overfitting shows in {listed(over)}: fewer epochs, stronger regularisation or more images are next."
        )
    if gap := fits.get(Fit.GAP):
        sentences.append(f"The gap in {listed(gap)} asks for more images rather than a larger network.")
    if under := fits.get(Fit.UNDERFITTING):
        sentences.append(f"Underfitting shows in {listed(under)}: a longer training or a larger network comes first.")
    if close := fits.get(Fit.CLOSE):
        sentences.append(
            f"In {listed(close)} training and validation are close, so there is room for a larger network or a longer "
            "training."
        )
    worst = [found.most.name for model in facts.models.values() if (found := age_extremes(model.result.by("age")))]
    if worst:
        bands = listed(list(dict.fromkeys(worst)))
        sentences.append(f"Most would be gained from images of {bands} years, where errors of age are largest.")
    return sentences


def _ethics(facts: RunFacts) -> str:
    owners = (
        " The UTKFace images were collected from the web for non-commercial research and remain their owners'."
        if facts.utkface
        else ""
    )
    return (
        "A binary gender and an age guessed from looks are limits of the data set's labels, given by others, not facts "
        f"about a person; the models repeat them.{owners} Errors are not spread evenly over people{cite('gender-shades')}"
        ", and an average hides that. The models are made to measure and to learn from, not to decide about "
        f"anybody{cite('model-cards')}."
    )

