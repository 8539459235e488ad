"""Two runs with different figures give different prose, and no sentence contradicts its run's numbers."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from agegender.brief import WORD_LIMIT
from agegender.reporting.report import Document, RunFacts, gather_facts
from agegender.reporting.report.document import Paragraph, TableBlock
from agegender.reporting.report.numbers import counting
from agegender.types import Interval

Compose = Callable[[str], Document]
Facts = Callable[[str], RunFacts]

NAMES = [
    "A better", "B better", "no difference", "A in age, B in gender", "overfitting", "underfitting", "shipped", "drawn",
    "validation", "nothing held out", "everything",
]  # fmt: skip


def prose(document: Document) -> str:
    texts = [document.numbering.plain(block.text) for block in document.blocks if isinstance(block, Paragraph)]
    return "\n".join(texts).replace("\N{NO-BREAK SPACE}", " ")


def printed(facts: RunFacts) -> set[str]:
    """Every decimal that a sentence may print: the run's own numbers, rounded as they are shown."""
    shown: set[str] = {f"{facts.constant.mae:.2f}", f"{100 * facts.constant.gender_accuracy:.1f}"}
    shown.add(f"{100 * (1 - facts.constant.gender_accuracy):.1f}")

    def add(interval: Interval) -> None:
        for value in (interval.value, interval.low, interval.high):
            shown.update((f"{abs(value):.2f}", f"{abs(100 * value):.1f}"))

    for model in facts.models.values():
        for figures in [model.result.figures, *(part.figures for part in model.result.slices)]:
            for name in ("mae", "median", "cs5", "bias", "gender_accuracy"):
                add(getattr(figures, name))
        for column, digits, scale in (("age_mae", 2, 1), ("gender_accuracy", 1, 100)):
            curves = [scale * model.history[name] for name in model.history if str(name).endswith(column)]
            shown.update(f"{value:.{digits}f}" for curve in curves for value in curve)
            if len(curves) == 2:
                ends = [round(curve.iloc[-1], digits) for curve in curves]
                shown.add(f"{abs(ends[0] - ends[1]):.{digits}f}")
        young = model.answers[model.answers["age"].between(10, 17)]["predicted_age"]
        shown.add(f"{100 * (young >= 18).mean():.1f}")
        recipe = model.recipe
        shown.update(f"{value:g}" for value in [*recipe.losses.values(), recipe.weight_decay, recipe.average_epochs])
        if model.calibration is not None:
            shown.update((f"{100 * model.calibration.coverage:.1f}", f"{model.calibration.width:.1f}"))
        if model.agreement is not None:
            shown.add(f"{model.agreement.largest_age_difference:.2f}")
            shown.add(f"{100 * (1 - model.agreement.gender_agreement):.1f}")
    if facts.comparison is not None:
        add(facts.comparison.mae_difference)
        add(facts.comparison.gender_accuracy_difference)
        shown.update(f"{p:.3f}" for p in (facts.comparison.age_p_value, facts.comparison.gender_p_value))
    return shown | {"0.001", "0.05"}


@pytest.mark.parametrize("name", NAMES)
def test_every_decimal_in_the_prose_is_a_number_of_the_run(
    name: str, planted_document: Compose, planted_facts: Facts
) -> None:
    text, known = prose(planted_document(name)), printed(planted_facts(name))
    found = re.findall(r"\d+\.\d+", text)
    assert len(found) > 20
    assert not [number for number in found if number not in known]


@pytest.mark.parametrize("name", NAMES)
def test_the_body_is_short_enough_and_mentions_every_figure_and_table(name: str, planted_document: Compose) -> None:
    document = planted_document(name)
    assert 900 < document.words <= WORD_LIMIT
    assert document.unmentioned == ()
    assert all(figure.caption.endswith(".") and len(figure.caption) > 40 for figure in document.figures())


def test_different_runs_read_differently(planted_document: Compose) -> None:
    bodies = {name: planted_document(name).body for name in NAMES}
    for one, other in itertools.combinations(NAMES, 2):
        assert bodies[one] != bodies[other], (one, other)


@pytest.mark.parametrize(
    ("name", "said", "unsaid"),
    [
        (
            "A better",
            [f"Model A {words}" for words in ("reads age better", "is right about gender more often", "is the better")],
            ["Model B reads age better", "So Model B"],
        ),
        (
            "B better",
            [f"Model B {words}" for words in ("reads age better", "is right about gender more often", "is the better")],
            ["Model A reads age better", "So Model A"],
        ),
        (
            "no difference",
            ["neither is shown to read age better", "neither model is shown to be the better one"],
            ["beyond chance", "is the better one on both"],
        ),
        (
            "A in age, B in gender",
            ["Model A reads age better", "Model B is right about gender more", "Model A is in age, Model B in gender"],
            ["is the better one on both tasks.\n"],
        ),
    ],
)  # fmt: skip
def test_the_winner_is_named_only_where_the_paired_test_says_so(
    name: str, said: list[str], unsaid: list[str], planted_document: Compose, planted_facts: Facts
) -> None:
    text = prose(planted_document(name))
    assert not [words for words in said if words not in text]
    assert not [words for words in unsaid if words in text]
    comparison = planted_facts(name).comparison
    assert comparison is not None
    assert (comparison.age_p_value < 0.05) == ("reads age better, beyond chance" in text)
    assert (comparison.gender_p_value < 0.05) == ("right about gender more often, beyond chance" in text)


@pytest.mark.parametrize("name", NAMES)
def test_who_is_called_better_has_the_better_number_in_the_table(name: str, planted_document: Compose) -> None:
    document = planted_document(name)
    table = next(block for block in document.blocks if isinstance(block, TableBlock) and block.key == "comparison")
    rows = {row[0]: [float(cell.split()[0]) for cell in row[1:3]] for row in table.rows[:2]}
    text = prose(document)
    for better in re.findall(r"Model ([AB]) reads age better", text):
        mine, other = rows["age MAE, years"] if better == "A" else rows["age MAE, years"][::-1]
        assert mine < other
    for better in re.findall(r"Model ([AB]) is right about gender more often", text):
        mine, other = rows["gender right, %"] if better == "A" else rows["gender right, %"][::-1]
        assert mine > other


def test_overfitting_is_told_with_its_reasons(planted_document: Compose) -> None:
    text = prose(planted_document("overfitting"))
    # A: validation 168 % above training and 15 % above its best; gender 11.9 points apart.
    assert "2.10 years on training and 5.62 on validation images (168 % more; best 4.90" in text
    assert "Age overfits, since the gap is over 50 % and the validation age MAE has risen since its best epoch" in text
    assert "gender overfits, since the gap is over 10 points" in text
    # B: only 31 % apart, but 11 % above its best; gender 4.5 points apart and not turned.
    assert (
        "Age overfits, since the validation age MAE has risen since its best epoch; gender shows a gap but no" in text
    )
    assert "Overfitting shows in age of Model A and Model B and gender of Model A:" in text
    assert "underfits" not in text
    assert "Neither task shows" not in text


def test_underfitting_is_told_and_a_gap_is_not_called_overfitting(
    planted_document: Compose, planted_facts: Facts
) -> None:
    text = prose(planted_document("underfitting"))
    constant = planted_facts("underfitting").constant.mae
    assert constant / 2 < 13.20
    assert f"Age underfits: even on training images errors are over half of the single answer's {constant:.2f}" in text
    assert "gender underfits" in text
    assert "Age shows a gap but no overfitting" in text
    assert "overfits" not in text
    assert "a longer training or a larger network comes first" in text


def test_close_curves_are_told_as_such(planted_document: Compose) -> None:
    text = prose(planted_document("B better"))
    assert text.count("Neither task shows under- or overfitting.") == 2
    assert "overfits" not in text
    assert "both tasks of both models training and validation are close" in text


def test_without_validation_overfitting_is_left_open(planted_document: Compose) -> None:
    text = prose(planted_document("nothing held out"))
    assert "none was held out" in text
    assert text.count("Nothing was held out, so overfitting cannot be judged.") == 2
    assert "Neither task shows" not in text
    assert "on validation" not in text


def test_a_shipped_run_says_whose_curves_these_are(planted_document: Compose) -> None:
    document = planted_document("shipped")
    text = prose(document)
    assert "The final models learnt from all 5,000 images" in text
    assert text.count("shows how the twin of the final model learnt") == 2
    captions = {figure.key: figure.caption for figure in document.figures()}
    assert captions["A_learning_curves"].startswith("Model A, twin:")
    assert "twin" not in prose(planted_document("B better"))


def test_a_shipped_run_that_went_on_says_after_which_epoch(planted: ModuleType, tmp_path: Path) -> None:
    root = planted.plant(tmp_path / "run", shipped=True, begun={"A": 30, "B": 9})
    text = prose(planted.compose(gather_facts(root)))
    assert (
        "The final models had the same first epochs, 30 (Model A) and 9 (Model B), then learnt from all 5,000" in text
    )


def test_drawn_faces_are_named_in_the_text_and_below_every_figure_of_data(planted_document: Compose) -> None:
    document = planted_document("drawn")
    assert "nothing of people" in prose(document)
    assert "UTKFace" not in prose(document)
    of_data = [figure for figure in document.figures() if "architecture" not in figure.key]
    assert all("drawn faces" in figure.caption for figure in of_data)
    assert "drawn" not in prose(planted_document("B better"))


def test_images_that_both_read_wrongly_are_counted(planted_document: Compose, planted_facts: Facts) -> None:
    facts = planted_facts("no difference")
    wrong = [
        (model.answers["female_probability"] >= 0.5) != (model.answers["gender"] == "female")
        for model in facts.models.values()
    ]
    both = int(np.sum(np.asarray(wrong[0]) & np.asarray(wrong[1])))
    assert both > 1
    assert f"{counting(both).capitalize()} images are read wrongly in gender by both" in prose(
        planted_document("no difference")
    )


def test_ages_drawn_to_the_middle_are_told_only_where_they_are(
    planted_document: Compose, planted_facts: Facts, composer: Callable[[RunFacts], Document]
) -> None:
    assert "drawn to the middle" not in prose(planted_document("B better"))
    facts = planted_facts("B better")
    model = facts.models["A"]
    shifted = []
    for part in model.result.slices:
        if part.column == "age":
            bias = 4.0 - 8.0 * (int(part.name.split("-")[0]) > 40)
            figures = dataclasses.replace(part.figures, bias=Interval(bias, bias - 1, bias + 1))
            part = dataclasses.replace(part, figures=figures)  # noqa: PLW2901
        shifted.append(part)
    result = dataclasses.replace(model.result, slices=tuple(shifted))
    models = {**facts.models, "A": dataclasses.replace(model, result=result)}
    text = prose(composer(dataclasses.replace(facts, models=models)))
    assert "Model A reads 3–9 years too old and 80–116 too young: rare ages are drawn to the middle." in text


def test_what_is_done_about_noise_is_told_where_it_is_done_and_only_there(
    planted_facts: Facts, composer: Callable[[RunFacts], Document]
) -> None:
    facts = planted_facts("B better")
    without = composer(facts)
    model = facts.models["B"]
    *first, last = model.recipe.phases
    recipe = dataclasses.replace(
        model.recipe,
        network={**model.recipe.network, "soften_noise": 0.85},
        phases=(*first, dataclasses.replace(last, noise_share=0.3)),
    )
    noisy = composer(
        dataclasses.replace(facts, models={**facts.models, "B": dataclasses.replace(model, recipe=recipe)})
    )
    assert "blurs a noisy one (Gaussian, 0.85 pixels)" in prose(noisy)
    assert "blurs a noisy one" not in prose(without)
    columns = [[block for block in document.blocks if isinstance(block, TableBlock) and "noise on" in block.header]
               for document in (without, noisy)]  # fmt: skip
    assert not columns[0]
    (table,) = columns[1]
    assert table.rows[-1][table.header.index("noise on")].replace("\N{NO-BREAK SPACE}", " ") == "30 %"


def test_later_measurements_are_told_where_they_are_and_only_there(planted_document: Compose) -> None:
    everything, plain = planted_document("everything"), planted_document("shipped")
    text = prose(everything)
    assert "intervals meant to hold 90 % hold 91.3 % of the ages with Model A, on average 19.7 years wide" in text
    assert text.count("shows where in a face its answers come from") == 2
    assert "the answers of two trained networks" in text
    assert "the mean of the weights of three trainings" in text
    assert "most by three trainings, took 35 minutes in all (curves: seed 1), with" in text
    keys = {key for key in everything.numbering.names if key not in plain.numbering.names}
    assert keys == {"A_explanation", "B_explanation", "calibration"}
    for word in ("alibrat", "where in a face", "trained networks"):
        assert word not in prose(plain)


def test_what_was_measured_on_is_named(planted_document: Compose) -> None:
    assert "held-out validation images" in prose(planted_document("validation"))
    assert "test images" not in prose(planted_document("validation"))
    assert "test images that no network was trained on" in prose(planted_document("B better"))
