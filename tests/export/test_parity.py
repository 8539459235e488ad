"""The gate: what is measured, and where it closes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from agegender.errors import ModelError
from agegender.evaluation.predict import Predictions
from agegender.export.parity import Parity, check_parity, measure_parity
from agegender.inference.predictor import Answers

SAME = Parity(200, "drawn faces", 0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0)


def test_differences_are_counted_by_image_and_against_the_labels() -> None:
    keras = Predictions(np.array([10.0, 20.0, 30.0, 40.0]), np.array([0.1, 0.6, 0.4, 0.9]))
    exported = Answers(
        np.array([10.0, 21.0, 30.0, 38.0]), np.array([0.1, 0.4, 0.4, 0.9]), np.empty((4, 117), np.float32)
    )
    truth = np.array([10.0, 25.0, 30.0, 45.0]), np.array([False, True, False, True])
    parity = measure_parity(keras, exported, *truth, data="four")
    assert parity == Parity(
        images=4,
        data="four",
        age_largest=2.0,
        age_mean=0.75,
        probability_largest=pytest.approx(0.2),  # pyright: ignore[reportArgumentType]
        genders_changed=0.25,
        mae_keras=2.5,
        mae_change=0.25,
        accuracy_change=-0.25,
    )


@pytest.mark.parametrize(
    ("precision", "change", "words"),
    [
        ("float32", {"age_largest": 0.021}, "one age differs by 0.021 years"),
        ("float32", {"probability_largest": 0.002}, "one probability"),
        ("int8", {"mae_change": -0.11}, "age MAE changes by 0.11 years"),
        ("int8", {"accuracy_change": -0.02}, "right genders change by 2 points"),
        ("int8", {"mae_change": float("nan")}, "age MAE"),
    ],
)
def test_the_gate_closes_behind_its_limits(precision: str, change: dict[str, float], words: str) -> None:
    check_parity(SAME, precision)
    with pytest.raises(ModelError, match=words):
        check_parity(dataclasses.replace(SAME, **change), precision)


def test_int8_may_move_single_ages_further_than_float32() -> None:
    check_parity(dataclasses.replace(SAME, age_largest=1.4, probability_largest=0.05), "int8")
