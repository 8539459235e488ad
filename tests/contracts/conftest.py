"""Every model that must keep the contract, by name, and the environments in which it is loaded."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agegender.models.contract import ContractReport, check_models
from agegender.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = {f"models/{file.name}": file for file in sorted((ROOT / "models").glob("*.keras"))}
BUILT = ("A trained", "B trained")
"""A new model joins the suite by its name here and its file in `contract_files`. Each is loaded six times in each
version of Keras: a network that the shipped files hold already would only cost minutes."""

_DIFFERENCE = "largest difference"
"""The property under which a test's report carries a line for the end of the run."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that takes `contract_model` on every model."""
    if "contract_model" in metafunc.fixturenames:
        metafunc.parametrize("contract_model", [*BUILT, *SHIPPED])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the version tests measured; properties of a report come here from pytest-xdist's processes too."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    if lines := [value for report in reports for name, value in report.user_properties if name == _DIFFERENCE]:
        terminalreporter.section("largest differences between Keras versions and backends")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture
def note_difference(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Keep a line for the end of the test run."""
    return lambda line: record_property(_DIFFERENCE, line)


@pytest.fixture(scope="session")
def contract_files(trained_run: Path) -> dict[str, Path]:
    """The file of each model by name: both networks out of a real run, A's with few layers, and those shipped."""
    return SHIPPED | {f"{letter} trained": RunFolder(trained_run).model(letter) for letter in "AB"}


@pytest.fixture(scope="session")
def contract_reports(
    contract_files: dict[str, Path], made_once: Callable[[str, Callable[[Path], object]], Path]
) -> dict[str, ContractReport]:
    """Each model's report by name, loaded by the locked Keras and its default backend in one clean process."""
    kept = made_once(
        "contract_reports.pickle",
        lambda path: path.write_bytes(pickle.dumps(check_models(list(contract_files.values())))),
    )
    return dict(zip(contract_files, pickle.loads(kept.read_bytes()), strict=True))
