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
    AGE_GAP,
    GENDER_FAR,
    GENDER_GAP,
    Ending,
    Fit,
    age_ending,
    age_extremes,
    gender_ending,
    gender_extremes,
)
from agegender.reporting.report.numbers import (
    interval_text,
    number,
    percent_interval,
    percent_text,
    plain,
    years,
    years_text,
)

_PERCENT = "\N{NO-BREAK SPACE}%"


def performance(
    facts: RunFacts, model: ModelFacts, heading: Heading, pictures: Mapping[str, FigureBlock]
) -> list[Block]:
    """The blocks of a model's performance.

    Args:
        facts: Of the run.
        model: Which model.
        heading: Of this part.
        pictures: Figures by key; those of calibration and explanation may be absent.
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
    return " ".join([lead, _age_curve(age), _gender_curve(gender)])


def _age_curve(end: Ending) -> str:
    if end.validation is None:
        known = f"At epoch {end.last_epoch} the age MAE is {end.train:.2f} years on training images"
        return f"{known}{_no_validation(end, f'{end.constant:.2f} years')}"
    worse = "above" if end.apart >= 0 else "below"
    relation = "equal to" if end.train == end.validation else f"{abs(end.apart):.0f}{_PERCENT} {worse}"
    values = (
        f"At epoch {end.last_epoch} the age MAE is {end.train:.2f} years on training and {end.validation:.2f} on "
        f"validation images, {relation}{' that' if relation != 'equal to' else ' it'}; its best was {end.best:.2f}"
        f"{_when(end)}."
    )
    verdict = {
        Fit.CLOSE: _close(end.apart < -100 * AGE_GAP),
        Fit.GAP: (
            "That is a gap, as of a network that knows its training images better than new ones, yet no overfitting: "
            "validation stands near its best."
        ),
        Fit.OVERFITTING: f"That is overfitting: {_reasons(end, f'{plain(100 * AGE_FAR)}{_PERCENT}', 'age MAE')}.",
        Fit.UNDERFITTING: (
            f"That is underfitting: on its own training images the error is over half of the single answer's "
            f"{end.constant:.2f} years."
        ),
    }[end.fit]
    return f"{values} {verdict}"


def _gender_curve(end: Ending) -> str:
    if end.validation is None:
        known = f"Gender is right for {end.train:.1f}{_PERCENT} of the training images"
        return f"{known}{_no_validation(end, f'{end.constant:.1f}{_PERCENT}')}"
    side = "more" if end.apart <= 0 else "fewer"
    relation = "as many" if end.apart == 0 else f"{abs(end.apart):.1f} points {side}"
    values = (
        f"Gender is right for {end.train:.1f}{_PERCENT} of training and {end.validation:.1f}{_PERCENT} of validation "
        f"images, {relation}; its best was {end.best:.1f}{_PERCENT}{_when(end)}."
    )
    verdict = {
        Fit.CLOSE: _close(end.apart < -GENDER_GAP),
        Fit.GAP: "That is a gap without overfitting.",
        Fit.OVERFITTING: f"That is overfitting: {_reasons(end, f'{plain(GENDER_FAR)} points', 'gender loss')}.",
        Fit.UNDERFITTING: (
            f"That is underfitting: on training images errors are over half of the single answer's "
            f"{end.constant:.1f}{_PERCENT}."
        ),
    }[end.fit]
    return f"{values} {verdict}"


def _close(better: bool) -> str:
    if better:
        return "Validation is no worse than training: no sign of overfitting."
    return "The two are close: no sign of over- or underfitting."


def _no_validation(end: Ending, floor: str) -> str:
    if end.fit is Fit.UNDERFITTING:
        return f", with errors over half of the single answer's {floor}: underfitting."
    return ". Nothing was held out, so overfitting cannot be judged."


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
    which = "final model" if model.twin else model.name
    bias = years(figures.bias.value)
    direction = (
        "neither too old nor too young on average"
        if bias == 0
        else f"{abs(bias):.2f} years too {'old' if bias > 0 else 'young'} on average"
    )
    return (
        f"On the {facts.images:,} {facts.measured_on} images ({see(results_key(model))}) the {which} is "
        f"{years_text(figures.mae.value)} off, {direction}; {percent_text(figures.cs5.value)} of its ages are within "
        f"{CS_YEARS} years ({see(f'{model.letter}_predicted_age')}). Gender is right for "
        f"{percent_text(figures.gender_accuracy.value)}"
        f"{_by_label(model)} ({see(f'{model.letter}_confusion')})."
    ).replace("the Model", "Model")


def _by_label(model: ModelFacts) -> str:
    parts = {part.name: part for part in model.result.by("gender")}
    if set(parts) != set(Gender):
        return ""
    shares = [f"{percent_text(parts[name].figures.gender_accuracy.value)} of those labelled {name}" for name in Gender]
    return f", {' and '.join(shares)}"


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
        f"Age is read best at {age.least.name} years ({age.least.figures.mae.value:.2f} off) and worst at "
        f"{age.most.name} ({age.most.figures.mae.value:.2f} off{towards}; {key})."
    )
    if gender is not None:
        text += (
            f" Gender is right most often at {gender.least.name} years "
            f"({percent_text(gender.least.figures.gender_accuracy.value)}), least at {gender.most.name} "
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
        f"{model.name} on {facts.images:,} {facts.measured_on} images, with 95 % bootstrap intervals"
        f"{_drawn(facts)}.",
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
            label = f"{name} years" if column == "age" else f"{column}: {name}"
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


EXTRAS: Mapping[str, str] = {
    "calibration": "How far the model's probabilities can be believed is drawn in",
    "gradcam": "Which parts of an image its answers rest on is drawn in",
}
"""Figures of later measurements, shown where a run's folder `figures` holds them: name's ending, and its sentence."""


def _extras(letter: str, pictures: Mapping[str, FigureBlock]) -> list[Block]:
    blocks: list[Block] = []
    for name, sentence in EXTRAS.items():
        if figure := pictures.get(f"{letter}_{name}"):
            blocks += [Paragraph(f"{sentence} {see(figure.key)}."), figure]
    return blocks
