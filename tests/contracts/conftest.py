"""Every model that must keep the contract, by name, and the environments in which it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agegender.models.contract import ContractReport, check_models
from agegender.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = {f"models/{file.name}": file for file in sorted((ROOT / "models").glob("*.keras"))}
BUILT = ("A trained", "B trained", "A small, median")
"""A new model joins the suite by its name here and its builder in `contract_files`. Each is loaded six times in each
version of Keras: a network that a run or the shipped files hold already would only cost minutes."""

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
def contract_files(tmp_path_factory: pytest.TempPathFactory, trained_run: Path) -> dict[str, Path]:
    """The file of each model by name: both networks out of a real run, a small one, and those shipped."""
    import keras

    from agegender.models.custom_cnn import CustomCnn, build_custom_cnn
    from agegender.models.losses import SAVED_LOSSES, SAVED_METRICS
    from agegender.models.saving import save_model

    folder = tmp_path_factory.mktemp("contract")
    files = dict(SHIPPED)
    builders = {
        # The readout does not depend on the network's size, and every file is loaded six times.
        "A small, median": lambda: build_custom_cnn(
            CustomCnn(stem_channels=(8, 8), stage_channels=(8, 16, 16), stage_blocks=(1, 1, 1), age_readout="median")
        ),
    }
    for name, build in builders.items():
        keras.utils.set_random_seed(8)
        model = build().contract
        model.compile(loss=SAVED_LOSSES, metrics=SAVED_METRICS)
        files[name] = save_model(model, folder / f"{name.replace(' ', '_')}.keras")
    for letter in "AB":
        files[f"{letter} trained"] = RunFolder(trained_run).model(letter)
    return files


@pytest.fixture(scope="session")
def contract_reports(contract_files: dict[str, Path]) -> dict[str, ContractReport]:
    """Each model's report by name, loaded by the locked Keras and its default backend in one clean process."""
    return dict(zip(contract_files, check_models(list(contract_files.values())), strict=True))
