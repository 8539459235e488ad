"""The sections of a card that quote measured figures: evaluation with intervals and by group, and limits."""

from __future__ import annotations

from collections.abc import Sequence

from agegender.cards.facts import CardFacts, MissingFactError
from agegender.cards.sections import DRAWN_WARNING, held_out_epoch
from agegender.cards.words import bullets, counted, percent, share, table, years
from agegender.evaluation.compare import describe_comparison
from agegender.evaluation.evaluate import EvaluationResult, SliceResult


def evaluation(facts: CardFacts) -> str:
    """Figures with 95 % intervals over all images and by group, and the comparison with the other model."""
    result = facts.measured.result(facts.model, facts.order)
    parts = [_measured_where(facts), _overall(result), _gender_counts(result)]
    for column in dict.fromkeys(part.column for part in result.slices):
        parts.append(_by_group(column, result.by(column)))
    parts += [_orders(facts), _compared(facts)]
    return "\n\n".join(part for part in parts if part)


def limits(facts: CardFacts) -> str:
    """Where the model fails, as measured, and what the measurement cannot show."""
    result = facts.measured.result(facts.model, facts.order)
    lines = [*_worst_groups(result), *_gap(facts)]
    few = [f"{part.column} {part.name} ({part.figures.n})" for part in result.slices if part.few]
    if few:
        lines.append(f"Too few images to say much of: {', '.join(few)}.")
    bias = result.figures.bias
    if bias.low > 0 or bias.high < 0:
        direction = "older" if bias.value > 0 else "younger"
        lines.append(f"On average people are taken for {direction} than their label: {years(bias, signed=True)} years.")
    lines.append(
        "Measured on crops made like those it was trained on; other crops, light, cameras and compression can be far "
        "worse (`agegender sensitivity` measures how far)."
    )
    if facts.measured_on == "validation":
        lines.append("The figures are of validation images, on which the recipe was chosen: they flatter the model.")
    if facts.drawn:
        lines.append(DRAWN_WARNING)
    return bullets(lines)


def _measured_where(facts: CardFacts) -> str:
    measured, name = facts.measured, facts.measured_on
    which = (
        "given apart from the training data"
        if name == "test"
        else "held out of training; the recipe was chosen on them"
    )
    drawn = " They are drawn faces: the figures say nothing about people." if measured.drawn else ""
    return (
        f"Measured on {counted(measured.n, f'{name} image')}, {which}. In brackets: 95 % intervals, bootstrap over "
        f"images. Channel order {facts.order.upper()}.{drawn}"
    )


def _overall(result: EvaluationResult) -> str:
    figures = result.figures
    rows = [
        ["age MAE, years", years(figures.mae)],
        ["median error of age, years", years(figures.median)],
        ["ages within 5 years", percent(figures.cs5)],
        ["age bias (predicted minus label), years", years(figures.bias, signed=True)],
        ["gender right", percent(figures.gender_accuracy)],
    ]
    return table(["figure", "value (95 % interval)"], rows)


def _gender_counts(result: EvaluationResult) -> str:
    counts = result.confusion
    rows = [
        ["male", f"{counts.male_as_male:,}", f"{counts.male_as_female:,}"],
        ["female", f"{counts.female_as_male:,}", f"{counts.female_as_female:,}"],
    ]
    return table(["label", "answered male", "answered female"], rows)


def _by_group(column: str, slices: Sequence[SliceResult]) -> str:
    what = "age band" if column == "age" else column
    rows = [
        [
            part.name + (" (few)" if part.few else ""),
            f"{part.figures.n:,}",
            years(part.figures.mae),
            years(part.figures.bias, signed=True),
            percent(part.figures.gender_accuracy),
        ]
        for part in slices
    ]
    headings = [what, "images", "age MAE, years", "age bias, years", "gender right"]
    return f"### By {what}\n\n{table(headings, rows)}"


def _orders(facts: CardFacts) -> str:
    for agreement in facts.measured.order_agreement:
        if agreement.model == facts.model:
            return (
                f"BGR against RGB: ages differ by {agreement.mean_age_difference:.3f} years on average, and "
                f"{share(agreement.gender_agreement)} of the genders are the same."
            )
    return ""


def _compared(facts: CardFacts) -> str:
    about = [one for one in facts.measured.comparisons if facts.model in (one.first, one.second)]
    if not about:
        return ""
    return "### Against the other model\n\n" + "\n\n".join(describe_comparison(comparison) for comparison in about)


def _worst_groups(result: EvaluationResult) -> list[str]:
    """Which groups are read worst, by column; where intervals overlap, that none stands out."""
    lines = []
    for column in dict.fromkeys(part.column for part in result.slices):
        enough = [part for part in result.by(column) if not part.few]
        if len(enough) < 2:
            continue
        what = "age band" if column == "age" else column
        ages = sorted(enough, key=lambda part: part.figures.mae.value)
        genders = sorted(enough, key=lambda part: part.figures.gender_accuracy.value, reverse=True)
        ages_part = ages[-1].figures.mae.low > ages[0].figures.mae.high
        genders_part = genders[-1].figures.gender_accuracy.high < genders[0].figures.gender_accuracy.low
        lines.append(
            f"By {what}, age MAE {_stands_out(ages, ages_part)}: {years(ages[0].figures.mae)} years of {ages[0].name} "
            f"to {years(ages[-1].figures.mae)} of {ages[-1].name}."
        )
        lines.append(
            f"By {what}, gender accuracy {_stands_out(genders, genders_part)}: "
            f"{percent(genders[0].figures.gender_accuracy)} of {genders[0].name} to "
            f"{percent(genders[-1].figures.gender_accuracy)} of {genders[-1].name}."
        )
    return lines


def _stands_out(best_to_worst: Sequence[SliceResult], clearly: bool) -> str:
    """What may be said of the worst group; the intervals of best and worst part or overlap."""
    return f"is worst for {best_to_worst[-1].name}" if clearly else "differs by no more than chance may explain"


def _gap(facts: CardFacts) -> list[str]:
    try:
        epoch, is_twins = held_out_epoch(facts)
    except MissingFactError:
        return []  # the section Training says that the gap is not known
    train, validation = round(epoch["train_age_mae"], 2), round(epoch["validation_age_mae"], 2)
    if validation <= train:
        return []
    which = "Its twin fits the" if is_twins else "It fits its"
    return [f"{which} training images better than new ones: age MAE {train:.2f} against {validation:.2f} years."]
