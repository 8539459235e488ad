"""Paired comparisons of prediction tables, and the sentences about them."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from agegender.errors import InputError
from agegender.evaluation.compare import (
    compare_orders,
    compare_predictions,
    comparison_from_dict,
    describe_comparison,
    p_text,
)
from agegender.metrics.paired import mcnemar_exact_p_value


def answers(errors, right, *, seed=0):
    """A prediction table with these errors of age, and with the gender right where said so."""
    n = len(errors)
    age = np.random.default_rng(seed).integers(20, 60, n)
    female = np.arange(n) % 2 == 0
    return pd.DataFrame(
        {
            "file": [f"{index}.jpg" for index in range(n)],
            "age": age,
            "gender": np.where(female, "female", "male"),
            "predicted_age": age + np.asarray(errors, float),
            "female_probability": np.where(female == np.asarray(right), 0.8, 0.2),
        }
    )


def test_differences_counts_and_p_values_by_hand():
    first = answers([1, -2, 3, 4], [True, True, False, True])
    second = answers([-3, 2, 1, 8], [True, False, False, False])
    result = compare_predictions(first, second, names=("A", "B"), order="bgr")
    assert (result.first, result.second, result.order, result.n) == ("A", "B", "bgr", 4)
    assert result.mae_difference.value == pytest.approx((1 + 2 + 3 + 4) / 4 - (3 + 2 + 1 + 8) / 4)
    assert result.gender_accuracy_difference.value == pytest.approx(0.75 - 0.25)
    assert (result.gender_first_only, result.gender_second_only) == (2, 0)
    assert result.gender_p_value == mcnemar_exact_p_value(2, 0) == 0.5
    # |differences| -2, 0, 2, -4: of 16 arrangements 12 have a sum of 4 or more in size.
    assert result.age_p_value == pytest.approx(12 / 16, abs=0.02)


def test_swapping_the_models_turns_the_signs_and_keeps_the_p_values():
    rng = np.random.default_rng(1)
    first = answers(rng.normal(0, 5, 300), rng.random(300) < 0.9)
    second = answers(rng.normal(0, 6, 300), rng.random(300) < 0.8)
    ahead, back = compare_predictions(first, second), compare_predictions(second, first)
    assert ahead.mae_difference.value == pytest.approx(-back.mae_difference.value)
    # BCa's quantiles are read between resamples, so the bounds mirror to within the spacing of these.
    assert ahead.mae_difference.low == pytest.approx(-back.mae_difference.high, abs=0.02)
    assert ahead.age_p_value == back.age_p_value
    assert ahead.gender_p_value == back.gender_p_value
    assert (ahead.gender_first_only, ahead.gender_second_only) == (back.gender_second_only, back.gender_first_only)


def test_pairing_finds_a_small_difference_that_lies_under_large_errors():
    """Two models that err alike, one always a tenth of a year more: no interval of either alone would show it."""
    rng = np.random.default_rng(2)
    errors = np.abs(rng.normal(0, 8, 400)) + 0.2
    result = compare_predictions(
        answers(errors + rng.normal(0.1, 0.3, 400), [True] * 400), answers(errors, [True] * 400), names=("A", "B")
    )
    assert 0 < result.mae_difference.low < 0.1 < result.mae_difference.high < 0.2
    assert result.age_p_value < 0.001
    assert result.gender_p_value == 1.0
    text = describe_comparison(result)
    years = f"{result.mae_difference.value:.2f}"
    assert text.startswith(f"On the same 400 images B's mean age error is {years} years below A's (95 % interval ")
    assert "p < 0.001): chance does not explain that." in text
    assert text.endswith("Gender: both are right on the same images.")


def test_a_difference_that_chance_explains_is_not_claimed():
    rng = np.random.default_rng(3)
    result = compare_predictions(
        answers(rng.normal(0, 5, 100), rng.random(100) < 0.9),
        answers(rng.normal(0, 5, 100), rng.random(100) < 0.9),
        names=("A", "B"),
    )
    assert result.age_p_value > 0.05
    assert result.mae_difference.low < 0 < result.mae_difference.high
    text = describe_comparison(result)
    assert text.count("chance alone can explain that") == 2
    assert f"on {result.gender_first_only} images only A is right, on {result.gender_second_only} only B" in text
    assert "for A minus B" in text


def test_a_model_against_itself():
    same = answers([1, 2, 3], [True, False, True])
    result = compare_predictions(same, same, names=("A", "copy"))
    assert (result.age_p_value, result.gender_p_value) == (1.0, 1.0)
    assert "A and copy are equally far off in age on every one" in describe_comparison(result)


def test_other_images_are_refused():
    first = answers([1, 2, 3], [True] * 3)
    with pytest.raises(InputError, match="3 and 2 rows, 2 files in both"):
        compare_predictions(first, first.iloc[:2])
    with pytest.raises(InputError, match="same images"):
        compare_orders(first, first.iloc[::-1])


def test_channel_orders_by_hand():
    rgb, bgr = answers([0, 0, 0, 0], [True] * 4), answers([0.5, -0.5, 0, 1], [True, True, True, False])
    agreement = compare_orders(rgb, bgr, model="A")
    assert (agreement.model, agreement.n) == ("A", 4)
    assert agreement.mean_age_difference == pytest.approx(0.5)
    assert agreement.largest_age_difference == pytest.approx(1.0)
    assert agreement.gender_agreement == 0.75


def test_a_comparison_goes_through_a_dictionary_and_back():
    result = compare_predictions(answers([1, 2, 3], [True] * 3), answers([2, 2, 2], [True] * 3))
    assert comparison_from_dict(dataclasses.asdict(result)) == result


def test_p_values_in_words():
    assert (p_text(0.0009), p_text(0.001), p_text(0.04567)) == ("< 0.001", "= 0.001", "= 0.046")
