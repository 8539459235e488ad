"""Section 4: which model is better, what was achieved, what the figures teach, and what they must not be used for."""

from __future__ import annotations

from agegender.brief import REPORT_SECTIONS
from agegender.evaluation.compare import ComparisonResult, p_text
from agegender.labels import Gender
from agegender.reporting.report.calibration import calibration_blocks
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
    band_text,
    counting,
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
from agegender.reporting.words import listed
from agegender.run_folder import MODELS

SECTION = REPORT_SECTIONS[3]
ADULT_YEARS = 18
_PERCENT = "\N{NO-BREAK SPACE}%"
MINORS = (10, 17)
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
        *calibration_blocks(list(facts.models.values())),
        Paragraph(" ".join(_improvements(facts))),
        Paragraph(_ethics(facts)),
    ]


def _comparison(facts: RunFacts) -> list[Block]:
    comparison = facts.comparison
    assert comparison is not None
    text = [
        f"{see('comparison')} sets both side by side.",
        age_comparison(comparison),
        gender_comparison(comparison),
        conclusion(comparison),
        *_both_wrong(facts, comparison),
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
    return f"Model {better} reads age better, beyond chance: {size} ({evidence})."


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
    return f"Model {better} is right about gender more often, beyond chance, by {points:.1f} points ({counts})."


def _only(images: int, letter: str) -> str:
    return f"only {letter} right on {images:,}"


def _both_wrong(facts: RunFacts, comparison: ComparisonResult) -> list[str]:
    """How many images neither model gets right: what no choice between the two can mend."""
    confusion = facts.models["A"].result.confusion
    both = confusion.male_as_female + confusion.female_as_male - comparison.gender_second_only
    if both <= 0:
        return []
    images = f"{counting(both).capitalize()} {'images are' if both > 1 else 'image is'}"
    return [f"{images} read wrongly in gender by both: hard to tell, or wrongly labelled."]


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
        ("epochs", f"{a.recipe.epochs:,}", f"{b.recipe.epochs:,}", "", ""),
        (f"training time{' of the twin' if a.twin else ''}", minutes_text(a.seconds), minutes_text(b.seconds), "", ""),
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
    cuts, failed = [], []
    for model in facts.models.values():
        figures = model.result.figures
        mae, right = years(figures.mae.value), share(figures.gender_accuracy.value)
        if mae < years(constant.mae) and right > share(constant.gender_accuracy):
            wrong = (1 - figures.gender_accuracy.value) / max(1 - constant.gender_accuracy, 1e-9)
            age_cut, gender_cut = (f"{round(100 * (1 - left))}{_PERCENT}" for left in (mae / constant.mae, wrong))
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


def _where_errors_lie(facts: RunFacts) -> list[str]:
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
        parts.append(f"{percent_text((young['predicted_age'] >= ADULT_YEARS).mean())} by {model.name}")
    return [
        f"Of {minors:,} faces of {MINORS[0]} to {MINORS[1]} years, {listed(parts)} are read as {ADULT_YEARS} or older: "
        "no such estimate may decide who is let in or served."
    ]


def _improvements(facts: RunFacts) -> list[str]:
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
