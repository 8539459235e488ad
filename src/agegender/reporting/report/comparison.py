"""Section 4.1: which model is better, and whether the paired tests say so."""

from __future__ import annotations

from agegender.evaluation.compare import ComparisonResult, p_text
from agegender.reporting.report.document import Block, Paragraph, TableBlock, see
from agegender.reporting.report.facts import RunFacts
from agegender.reporting.report.judgements import (
    Verdict,
    age_verdict,
    gender_verdict,
)
from agegender.reporting.report.numbers import (
    counting,
    interval_text,
    minutes_text,
    number,
    percent_interval,
    share,
    signed,
    years,
)


def comparison_blocks(facts: RunFacts) -> list[Block]:
    """The text and the table of the comparison; nothing with one model."""
    comparison = facts.comparison
    if comparison is None:
        return []
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
