"""A calibration in the manifest gives intervals and an honest "unsure"; without one there is no interval."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import numpy as np
import pytest

import agegender
from agegender.artifacts import read_json, write_json
from agegender.errors import InputError
from agegender.inference.calibration import Calibrator
from agegender.inference.manifest import manifest_path
from agegender.inference.predictor import Answers


def bumps(ages: np.ndarray, sd: float) -> np.ndarray:
    density = np.exp(-0.5 * ((np.arange(117) - ages[:, None]) / sd) ** 2)
    return (density / density.sum(axis=1, keepdims=True)).astype(np.float32)


def answers(count: int, seed: int) -> tuple[Answers, np.ndarray, np.ndarray]:
    """A model that errs by 6 years and is wrong about one gender in ten, with true ages and genders."""
    rng = np.random.default_rng(seed)
    ages = rng.uniform(15, 75, count).round()
    guessed = ages + rng.normal(0, 6, count)
    female = rng.random(count) < 0.5
    logits = np.where(female, 1, -1) * rng.normal(3, 2.3, count)
    return Answers(guessed, 1 / (1 + np.exp(-logits)), bumps(guessed, 6)), ages, female


def test_without_a_calibration_the_answers_stand_as_they_are() -> None:
    raw = Answers(np.array([20.0, 30.0]), np.array([0.79, 0.1]), bumps(np.array([20.0, 30.0]), 5))
    reading = Calibrator(None).read(raw)
    assert reading.intervals == (None, None)
    assert reading.unsure_gender.tolist() == [True, False]
    np.testing.assert_array_equal(reading.female_probability, raw.female_probability)


def test_a_calibrated_model_gives_intervals_that_hold(tiny_onnx: Path, face_pixels: np.ndarray, tmp_path: Path) -> None:
    pytest.importorskip("agegender.uncertainty")
    uncertainty = importlib.import_module("agegender.uncertainty")
    fitted, ages, female = answers(1500, seed=0)
    parts = fitted.age, fitted.age_distribution
    record = uncertainty.Calibration(
        intervals=uncertainty.fit_intervals("shortest", *parts, ages),
        temperature=uncertainty.fit_temperature(fitted.female_probability, female),
        unsure=uncertainty.fit_unsure(fitted.female_probability, female),
        baselines=(),
        model_sha256="0" * 64,
        calibrated_on={"set": "made up", "n": 1500},
    ).as_record()
    new, new_ages, _ = answers(1500, seed=1)
    reading = Calibrator(record).read(new)
    assert all(interval is not None and interval.level == 0.9 for interval in reading.intervals)
    held = [interval.low <= age <= interval.high for interval, age in zip(reading.intervals, new_ages, strict=True)
            if interval is not None]  # fmt: skip
    assert 0.87 < np.mean(held) < 0.94
    assert 0.05 < reading.unsure_gender.mean() < 0.6
    assert (
        len(Calibrator(record).read(Answers(np.empty(0), np.empty(0), np.empty((0, 117), np.float32))).intervals) == 0
    )
    for path in (tiny_onnx, manifest_path(tiny_onnx)):
        shutil.copy(path, tmp_path)
    path = manifest_path(tmp_path / tiny_onnx.name)
    write_json(path, read_json(path) | {"calibration": record})
    (face,) = agegender.load(tmp_path / tiny_onnx.name).predict(face_pixels, crops=True).faces
    assert face.age_interval is not None
    assert face.age_interval.low <= face.age <= face.age_interval.high
    write_json(path, read_json(path) | {"calibration": {"version": 99}})
    with pytest.raises(InputError, match="Calibrate again"):
        agegender.load(tmp_path / tiny_onnx.name)
