"""Fixtures that more than one room uses: drawn faces, and one tiny real run of both models."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

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
def planted() -> ModuleType:
    """`tests/planted.py` as a module: run folders written by hand, with figures that are planted."""
    spec = importlib.util.spec_from_file_location("planted", Path(__file__).with_name("planted.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look their annotations up
    spec.loader.exec_module(module)
    return module


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
