"""Every model that must keep the contract, by name, and the environments in which it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agegender.models.contract import ContractReport, check_models

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = {f"models/{file.name}": file for file in sorted((ROOT / "models").glob("*.keras"))}
BUILT = ("A fresh", "A trained", "B fresh", "B trained")
"""A new model joins the suite by its name here and its builder in `contract_files`."""

_DIFFERENCES = pytest.StashKey[list[str]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that takes `contract_model` on every model."""
    if "contract_model" in metafunc.fixturenames:
        metafunc.parametrize("contract_model", [*BUILT, *SHIPPED])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what the version tests measured."""
    if lines := config.stash.get(_DIFFERENCES, []):
        terminalreporter.section("largest differences between Keras versions and backends")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def note_difference(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Keep a line for the end of the test run."""
    return pytestconfig.stash.setdefault(_DIFFERENCES, []).append


@pytest.fixture(scope="session")
def contract_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The file of each model by name: both networks fresh and after a few steps of training, and those shipped."""
    import keras

    from agegender.models.custom_cnn import build_custom_cnn
    from agegender.models.losses import SAVED_LOSSES, SAVED_METRICS
    from agegender.models.pretrained_cnn import build_pretrained_cnn
    from agegender.models.saving import save_model

    folder = tmp_path_factory.mktemp("contract")
    files = dict(SHIPPED)
    for letter, build in (("A", build_custom_cnn), ("B", lambda: build_pretrained_cnn()[0])):
        keras.utils.set_random_seed(8)
        network = build()
        network.contract.compile(keras.optimizers.AdamW(), loss=SAVED_LOSSES, metrics=SAVED_METRICS)
        files[f"{letter} fresh"] = save_model(network.contract, folder / f"{letter}_fresh.keras")
        _train_briefly(network.training)
        files[f"{letter} trained"] = save_model(network.contract, folder / f"{letter}_trained.keras")
    return files


def _train_briefly(model: Any) -> None:
    """A few steps through the training graph, so that weights and batch statistics have moved from their start."""
    import keras

    from agegender.models.age_targets import age_distribution_targets
    from agegender.models.probe_images import face_like_images

    pixels = face_like_images(32, seed=5).astype(np.float32) / 255
    brightness = pixels.mean((1, 2, 3))
    ages = 116 * (brightness - brightness.min()) / np.ptp(brightness)
    targets = {
        "age_distribution": age_distribution_targets(ages),
        "age": ages[:, None],
        "gender": (np.arange(32) % 2).astype(np.float32)[:, None],
    }
    losses = {"age_distribution": "categorical_crossentropy", "age": "mean_absolute_error"}
    losses["gender"] = "binary_crossentropy"
    # Four steps: tracing a graph for them would take longer than taking them.
    model.compile(keras.optimizers.AdamW(1e-3), loss=losses, run_eagerly=True)
    model.fit(pixels, targets, batch_size=16, epochs=2, verbose=0, shuffle=False)


@pytest.fixture(scope="session")
def contract_reports(contract_files: dict[str, Path]) -> dict[str, ContractReport]:
    """Each model's report by name, loaded by the locked Keras and its default backend in one clean process."""
    return dict(zip(contract_files, check_models(list(contract_files.values())), strict=True))
