"""Simulated answers of a model: distributions over ages with a known fault, and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from agegender.uncertainty.distribution import YEARS


@dataclass
class Simulated:
    """Answers and labels of n images."""

    predicted: np.ndarray
    distribution: np.ndarray
    ages: np.ndarray
    female_probability: np.ndarray
    female: np.ndarray


def simulated(n: int, seed: int, *, too_sure: float = 2.0, temperature: float = 2.0) -> Simulated:
    """Old faces are read less exactly, and the model believes to be `too_sure` times as exact as it is."""
    rng = np.random.default_rng(seed)
    centre = rng.choice([1.0, 6.0, 14.0, 25.0, 40.0, 57.0, 72.0], size=n, p=[0.1, 0.1, 0.08, 0.3, 0.22, 0.12, 0.08])
    centre += rng.uniform(-1, 3, n)
    sd = 0.8 + 0.12 * np.maximum(centre, 0) * rng.uniform(0.6, 1.6, n)
    ages = np.clip(np.rint(centre + sd * rng.standard_normal(n)), 0, 116)
    density = np.exp(-0.5 * ((YEARS - centre[:, None]) / (sd[:, None] / too_sure)) ** 2)
    distribution = density / density.sum(axis=1, keepdims=True)
    honest = 1.6 * rng.standard_normal(n) * 2
    female = rng.random(n) < 1 / (1 + np.exp(-honest))
    return Simulated(distribution @ YEARS, distribution, ages, 1 / (1 + np.exp(-temperature * honest)), female)


@pytest.fixture(scope="session")
def calibration_faces() -> Simulated:
    return simulated(800, seed=1)


@pytest.fixture(scope="session")
def new_faces() -> Simulated:
    return simulated(1500, seed=2)
