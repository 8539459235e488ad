"""Every model under Keras 3.8, 3.10 and JAX, in clean environments: the same contract, the same answers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from agegender.models.contract import ContractReport, check_model, check_models

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

TOLERANCE_YEARS = 0.05
TOLERANCE_PROBABILITY = 0.005
ENVIRONMENTS = {
    "keras-3.8": ("3.8.", "tensorflow"),
    "keras-3.10": ("3.10.", "tensorflow"),
    "keras-3.15-jax": ("3.15.", "jax"),
}
OLDER = ("keras-3.8", "keras-3.10")
COLAB = "keras-3.8"
"""Colab's Keras at the brief's date."""


def _grouped(environment: str) -> Any:
    """A parameter whose tests stay in one of pytest-xdist's processes, which makes each environment's reports once."""
    marks = [pytest.mark.xdist_group(environment), *([pytest.mark.colab] if environment == COLAB else [])]
    return pytest.param(environment, marks=marks)


@pytest.fixture(scope="module", params=[_grouped(name) for name in ENVIRONMENTS])
def environment(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def python(environment: str, clean_environments: ModuleType) -> Path:
    return clean_environments.ensure_environment(environment)


@pytest.fixture(scope="module")
def reports_there(python: Path, contract_files: dict[str, Path]) -> dict[str, ContractReport]:
    reports = check_models(list(contract_files.values()), python=python)
    return dict(zip(contract_files, reports, strict=True))


def test_the_environment_is_clean(environment: str, python: Path) -> None:
    code = "import importlib.util as u; print([n for n in ('agegender', 'pandas', 'cv2', 'PIL') if u.find_spec(n)])"
    assert subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_model_keeps_the_contract_there(
    contract_model: str, environment: str, reports_there: dict[str, ContractReport]
) -> None:
    report = reports_there[contract_model]
    version, backend = ENVIRONMENTS[environment]
    assert report.versions["keras"].startswith(version)
    assert report.versions["backend"] == backend
    assert report.passed, report.broken


def test_the_model_answers_the_same_there(
    contract_model: str,
    environment: str,
    reports_there: dict[str, ContractReport],
    contract_reports: dict[str, ContractReport],
    note_difference: Callable[[str], None],
) -> None:
    here, there = contract_reports[contract_model].answers, reports_there[contract_model].answers
    years, probability = (float(np.abs(here[name] - there[name]).max()) for name in ("age", "gender"))
    note_difference(f"{contract_model:12} {environment:16} age {years:.2e} years, gender {probability:.2e}")
    assert years <= TOLERANCE_YEARS
    assert probability <= TOLERANCE_PROBABILITY


@pytest.mark.parametrize("older", [_grouped(name) for name in OLDER])
def test_without_the_removal_of_inert_keys_it_would_not_load(
    older: str, clean_environments: ModuleType, contract_files: dict[str, Path], tmp_path: Path
) -> None:
    import keras

    plain = tmp_path / "plain.keras"
    model: Any = keras.models.load_model(contract_files["A trained"])
    model.save(plain)
    report = check_model(plain, python=clean_environments.ensure_environment(older))
    assert {check.name for check in report.broken} == {"older_keras", "loads"}
