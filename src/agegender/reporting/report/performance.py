"""The third part of sections 2 and 3: what the curves show, what the model is worth, where its errors lie."""

from __future__ import annotations

from collections.abc import Mapping

from agegender.evaluation.evaluate import CS_YEARS
from agegender.labels import Gender
from agegender.metrics.baseline import ConstantPredictor
from agegender.reporting.report.document import Beside, Block, FigureBlock, Heading, Paragraph, TableBlock, see
from agegender.reporting.report.facts import ModelFacts, RunFacts
from agegender.reporting.report.judgements import (
    AGE_FAR,
    GENDER_FAR,
    Ending,
    Fit,
    age_ending,
    age_extremes,
    gender_ending,
    gender_extremes,
)
from agegender.reporting.report.numbers import (
    PERCENT,
    band_text,
    interval_text,
    number,
    percent_interval,
    percent_text,
    plain,
    years,
    years_text,
)


def performance(
    facts: RunFacts, model: ModelFacts, heading: Heading, pictures: Mapping[str, FigureBlock]
) -> list[Block]:
    """The blocks of a model's performance.

    Args:
        facts: Of the run.
        model: Which model.
        heading: Of this part.
        pictures: Figures by key; that of an explanation may be absent.
    """
    letter = model.letter
    curves, bands = pictures[f"{letter}_learning_curves"], pictures[f"{letter}_error_by_age"]
    beside = Beside((pictures[f"{letter}_predicted_age"], pictures[f"{letter}_confusion"]))
    return [
        heading,
        Paragraph(curve_sentences(model, facts.constant)),
        curves,
        Paragraph(f"{result_sentences(facts, model)} {group_sentences(model)}"),
        results_table(model, facts),
        bands,
        beside,
        *_extras(letter, pictures),
    ]


def curve_sentences(model: ModelFacts, constant: ConstantPredictor) -> str:
    """What the learning curves show, and whether that is under- or overfitting by the stated rules."""
    age, gender = age_ending(model, constant), gender_ending(model, constant)
    whose = "the twin of the final model" if model.twin else model.name
    lead = f"{see(f'{model.letter}_learning_curves')} shows how {whose} learnt."
    if age.validation is None or gender.validation is None:
        return " ".join([lead, *_training_only(age, gender)])
    if age.fit is gender.fit is Fit.CLOSE:
        verdict = "Neither task shows under- or overfitting."
    else:
        verdict = f"Age {_age_verdict(age)}; gender {_gender_verdict(gender)}."
    return " ".join([lead, _age_curve(age, age.validation), _gender_curve(gender, gender.validation), verdict])


def _age_curve(end: Ending, validation: float) -> str:
    relation = (
        "equal" if end.train == validation else f"{abs(end.apart):.0f}{PERCENT} {'more' if end.apart >= 0 else 'less'}"
    )
    return (
        f"At epoch {end.last_epoch} the age MAE is {end.train:.2f} years on training and {validation:.2f} on "
        f"validation images ({relation}; best {end.best:.2f}{_when(end)})."
    )


def _gender_curve(end: Ending, validation: float) -> str:
    relation = "equal" if end.apart == 0 else f"{abs(end.apart):.1f} points {'less' if end.apart > 0 else 'more'}"
    return (
        f"Gender is right for {end.train:.1f}{PERCENT} and {validation:.1f}{PERCENT} ({relation}; best "
        f"{end.best:.1f}{PERCENT}{_when(end)})."
    )


def _age_verdict(end: Ending) -> str:
    return {
        Fit.CLOSE: "shows no under- or overfitting",
        Fit.GAP: "shows a gap but no overfitting, since validation stands near its best",
        Fit.OVERFITTING: f"overfits, since {_reasons(end, f'{plain(100 * AGE_FAR)}{PERCENT}', 'age MAE')}",
        Fit.UNDERFITTING: (
            f"underfits: even on training images errors are over half of the single answer's {end.constant:.2f} years"
        ),
    }[end.fit]


def _gender_verdict(end: Ending) -> str:
    return {
        Fit.CLOSE: "shows no under- or overfitting",
        Fit.GAP: "shows a gap but no overfitting",
        Fit.OVERFITTING: f"overfits, since {_reasons(end, f'{plain(GENDER_FAR)} points', 'gender loss')}",
        Fit.UNDERFITTING: (
            f"underfits: even on training images errors are over half of the single answer's "
            f"{end.constant:.1f}{PERCENT}"
        ),
    }[end.fit]


def _training_only(age: Ending, gender: Ending) -> list[str]:
    """Sentences where nothing was held out: underfitting can be seen, overfitting cannot."""
    sentences = [
        f"At epoch {age.last_epoch} the age MAE is {age.train:.2f} years on training images, and gender is right for "
        f"{gender.train:.1f}{PERCENT}."
    ]
    if age.fit is Fit.UNDERFITTING:
        sentences.append(f"Age {_age_verdict(age)}.")
    if gender.fit is Fit.UNDERFITTING:
        sentences.append(f"Gender {_gender_verdict(gender)}.")
    return [*sentences, "Nothing was held out, so overfitting cannot be judged."]


def _when(end: Ending) -> str:
    return ", at that epoch" if end.best_epoch == end.last_epoch else f", at epoch {end.best_epoch}"


def _reasons(end: Ending, far: str, turning: str) -> str:
    reasons = []
    if end.far:
        reasons.append(f"the gap is over {far}")
    if end.turned:
        reasons.append(f"the validation {turning} has risen since its best epoch")
    return " and ".join(reasons)


def result_sentences(facts: RunFacts, model: ModelFacts) -> str:
    """What the model is worth on the measured images."""
    figures = model.result.figures
    which = "the final model" if model.twin else model.name
    bias = years(figures.bias.value)
    direction = (
        "neither too old nor too young on average"
        if bias == 0
        else f"{abs(bias):.2f} years too {'old' if bias > 0 else 'young'} on average"
    )
    return (
        f"On the {facts.images:,} {facts.measured_on} images ({see(results_key(model))}) {which} is "
        f"{years_text(figures.mae.value)} off, {direction}; {percent_text(figures.cs5.value)} of its ages are within "
        f"{CS_YEARS} years ({see(f'{model.letter}_predicted_age')}). Gender is right for "
        f"{percent_text(figures.gender_accuracy.value)} ({_by_label(model)}{see(f'{model.letter}_confusion')})."
    )


def _by_label(model: ModelFacts) -> str:
    parts = {part.name: part for part in model.result.by("gender")}
    if set(parts) != set(Gender):
        return ""
    shares = [f"{name} {percent_text(parts[name].figures.gender_accuracy.value)}" for name in Gender]
    return f"{', '.join(shares)}; "


def group_sentences(model: ModelFacts) -> str:
    """Where errors lie by age band."""
    bands = model.result.by("age")
    age, gender = age_extremes(bands), gender_extremes(bands)
    key = see(f"{model.letter}_error_by_age")
    if age is None:
        return f"By age band ({key}) too few groups are large enough to compare, or none differs."
    bias = years(age.most.figures.bias.value)
    towards = f", on average {abs(bias):.2f} too {'old' if bias > 0 else 'young'}" if bias else ""
    text = (
        f"Age is read best at {band_text(age.least.name)} years ({age.least.figures.mae.value:.2f} off) and worst at "
        f"{band_text(age.most.name)} ({age.most.figures.mae.value:.2f} off{towards}; {key})."
    )
    if gender is not None:
        text += (
            f" Gender is right most often at {band_text(gender.least.name)} years "
            f"({percent_text(gender.least.figures.gender_accuracy.value)}), least at {band_text(gender.most.name)} "
            f"({percent_text(gender.most.figures.gender_accuracy.value)})."
        )
    return text


def results_key(model: ModelFacts) -> str:
    """The key of `results_table`."""
    return f"{model.letter}_results"


def results_table(model: ModelFacts, facts: RunFacts) -> TableBlock:
    """Every figure of a model with its interval."""
    figures = model.result.figures
    rows = [
        ("age: mean absolute error, years", figures.mae, 1.0, 2),
        ("age: median absolute error, years", figures.median, 1.0, 2),
        (f"age: within {CS_YEARS} years, %", figures.cs5, 100.0, 1),
        ("age: bias (predicted minus true), years", figures.bias, 1.0, 2),
        ("gender: accuracy, %", figures.gender_accuracy, 100.0, 1),
        ("gender: cross-entropy, nats", figures.gender_cross_entropy, 1.0, 3),
    ]
    return TableBlock(
        results_key(model),
        f"{model.name} on {facts.images:,} {facts.measured_on} images, with 95 % bootstrap intervals{_drawn(facts)}.",
        ("figure", "value", "from", "to"),
        tuple(
            (what, *(number(scale * one, digits) for one in (interval.value, interval.low, interval.high)))
            for what, interval, scale, digits in rows
        ),
    )


def groups_table(facts: RunFacts) -> TableBlock:
    """Errors of every model by age band and by gender, and by every other column that was measured."""
    models = list(facts.models.values())
    columns = list(dict.fromkeys(part.column for part in models[0].result.slices))
    rows, rules = [], []
    for column in columns:
        parts = [{part.name: part for part in model.result.by(column)} for model in models]
        if column != columns[0]:
            rules.append(len(rows))
        for name, part in parts[0].items():
            label = f"{band_text(name)} years" if column == "age" else f"{column}: {name}"
            cells = [label, f"{part.figures.n:,}{'*' if part.few else ''}"]
            own = [group[name].figures for group in parts]
            cells += [interval_text(figures.mae) for figures in own]
            cells += [percent_interval(figures.gender_accuracy) for figures in own]
            rows.append(tuple(cells))
    names = [model.letter for model in models]
    return TableBlock(
        "groups",
        f"Error by group on the {facts.measured_on} images, with 95 % bootstrap intervals. * too few images to mean "
        f"much{_drawn(facts)}.",
        ("group", "images", *(f"age MAE of {name}" for name in names), *(f"gender right, %, {name}" for name in names)),
        tuple(rows),
        tuple(rules),
    )


def _drawn(facts: RunFacts) -> str:
    return "; drawn faces, not people" if facts.drawn else ""


EXPLANATION = "explanation"
"""Where in a face answers come from: the figure of `agegender explain`, shown where a model's folder holds it."""


def _extras(letter: str, pictures: Mapping[str, FigureBlock]) -> list[Block]:
    figure = pictures.get(f"{letter}_{EXPLANATION}")
    if figure is None:
        return []
    return [Paragraph(f"{see(figure.key)} shows where in a face its answers come from."), figure]
