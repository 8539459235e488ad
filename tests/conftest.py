"""Fixtures that more than one room uses: drawn faces, and one tiny real run of both models."""

from __future__ import annotations

import fcntl
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from agegender.evaluation.answers import Answers

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

ROOT = Path(__file__).resolve().parents[1]
TINY_FACES = 48


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests neither use nor fill the user's cache of decoded images."""
    os.environ["AGEGENDER_CACHE"] = str(tmp_path_factory.mktemp("cache"))


def _made_once(factory: pytest.TempPathFactory, worker: str, name: str, make: Callable[[Path], object]) -> Path:
    """A path that one of pytest-xdist's processes makes and the others wait for."""
    root = factory.getbasetemp() if worker == "master" else factory.getbasetemp().parent
    path, finished = root / name, root / f"{name}.finished"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            make(path)
            finished.touch()
    return path


@pytest.fixture(scope="session")
def drawn_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """48 drawn faces of seed 5."""
    from agegender.data.drawn import draw_faces

    return _made_once(tmp_path_factory, worker_id, "drawn_faces", lambda out: draw_faces(out, count=TINY_FACES, seed=5))


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory, drawn_folder: Path, worker_id: str) -> Path:
    """The folder of a finished run of the whole main job, on few faces for one epoch a phase."""
    from agegender.pipeline import RunSettings, run

    one_epoch = (("phases.0.epochs", "1"), ("phases.-1.epochs", "1"), ("curve_images", "16"), ("batch_size", "16"))
    changes = {"A": one_epoch, "B": one_epoch}
    return _made_once(
        tmp_path_factory,
        worker_id,
        "tiny_run",
        lambda out: run(RunSettings(out=out, data=str(drawn_folder), changes=changes)),
    )


@pytest.fixture(scope="session")
def script() -> Callable[[str], ModuleType]:
    """Gives a file of `scripts/` as a module, by its name without suffix."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def clean_environments(script: Callable[[str], ModuleType]) -> ModuleType:
    """`scripts/clean_environments.py` as a module."""
    return script("clean_environments")


@pytest.fixture(scope="session")
def simulated_answers() -> Callable[..., Answers]:
    """Gives a model's answers to n faces, made up from a known truth, with no Keras.

    Errors grow with age, men of group `Black` are read 6 years too old, and the model is twice as sure as it may be.
    """
    import numpy as np
    import pandas as pd

    from agegender.evaluation.answers import Answers
    from agegender.uncertainty.distribution import YEARS

    def make(n: int, seed: int, *, drawn: bool = False) -> Answers:
        rng = np.random.default_rng(seed)
        shares = [0.1, 0.08, 0.08, 0.1, 0.3, 0.2, 0.1, 0.04]
        ages = rng.choice([1, 6, 14, 17, 24, 40, 60, 75], size=n, p=shares)
        female, black = rng.random(n) < 0.5, rng.random(n) < 0.3
        sd = 1 + 0.1 * ages
        centre = ages + sd * rng.standard_normal(n) + 6 * (black & ~female)
        density = np.exp(-0.5 * ((YEARS - centre[:, None]) / (sd[:, None] / 2)) ** 2) + 1e-12
        distribution = density / density.sum(axis=1, keepdims=True)
        honest = np.where(female, 1, -1) * 2.5 + 1.5 * rng.standard_normal(n)
        table = pd.DataFrame(
            {
                "file": [f"{seed}_{row:05d}.jpg" for row in range(n)],
                "age": ages.astype(np.int16),
                "gender": pd.Categorical(np.where(female, "female", "male"), ["male", "female"]),
                "race": pd.Categorical(np.where(black, "Black", "White"), ["White", "Black"]),
                "predicted_age": distribution @ YEARS,
                "female_probability": 1 / (1 + np.exp(-2 * honest)),
                "age_distribution": list(distribution.astype(np.float32)),
            }
        )
        return Answers(table, "A", None, "faces", "all images", "f" * 64, None, drawn)

    return make
