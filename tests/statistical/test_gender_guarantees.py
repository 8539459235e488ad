"""Temperature recovers a planted one; the risk of the unsure rule stays under its bound as often as promised."""

import numpy as np
import pytest

from agegender.uncertainty.temperature import fit_temperature, sigmoid
from agegender.uncertainty.unsure import fit_unsure


@pytest.mark.parametrize("planted", [0.5, 1.0, 1.8, 4.0])
def test_temperature_recovers_a_planted_one(planted):
    rng = np.random.default_rng(int(10 * planted))
    honest = 2.5 * rng.standard_normal(20_000)
    female = rng.random(20_000) < sigmoid(honest)
    fitted = fit_temperature(sigmoid(planted * honest), female)
    assert fitted.temperature == pytest.approx(planted, rel=0.05)


def test_calibrated_probabilities_come_true():
    rng = np.random.default_rng(3)
    honest = 2.0 * rng.standard_normal(60_000)
    female = rng.random(60_000) < sigmoid(honest)
    said = fit_temperature(sigmoid(3 * honest[:5000]), female[:5000]).apply(sigmoid(3 * honest[5000:]))
    for low in np.arange(0.05, 0.95, 0.1):
        inside = (said >= low) & (said < low + 0.1)
        assert female[5000:][inside].mean() == pytest.approx(said[inside].mean(), abs=0.03)


def risk_above(distance: float, sharpness: float, grid: np.ndarray, weight: np.ndarray) -> float:
    """The true share of errors among answers from this distance on: an answer of logit z is wrong by 1/(1 + e^|hz|)."""
    answered = np.abs(grid) >= distance
    wrong = sigmoid(-np.abs(grid) * sharpness)
    return float((wrong * weight)[answered].sum() / weight[answered].sum())


@pytest.mark.parametrize(("n", "risk", "sharpness"), [(300, 0.2, 0.8), (1000, 0.1, 1.0), (1000, 0.05, 1.6)])
def test_the_risk_among_answers_is_kept(n, risk, sharpness, too_many):
    rng = np.random.default_rng(n)
    grid = np.linspace(-12, 12, 4801)
    weight = np.exp(-0.5 * (grid / 2.2) ** 2)
    worlds, broken, answering = 200, 0, 0
    for _ in range(worlds):
        logits = 2.2 * rng.standard_normal(n)
        female = (logits >= 0) != (rng.random(n) < sigmoid(-np.abs(logits) * sharpness))
        rule = fit_unsure(sigmoid(logits), female, risk=risk, confidence=0.9)
        if rule.distance is not None:
            answering += 1
            broken += risk_above(rule.distance, sharpness, grid, weight) > risk
    assert answering > worlds / 2, "a rule that never answers keeps every risk"
    assert not too_many(broken, worlds, 0.1)
