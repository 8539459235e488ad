"""Fixtures that more than one room uses: drawn faces, and one tiny real run of both models."""

from __future__ import annotations

import importlib.util
import os
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


@pytest.fixture(scope="session")
def drawn_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 drawn faces of seed 5."""
    from agegender.data.drawn import draw_faces

    return draw_faces(tmp_path_factory.mktemp("drawn") / "faces", count=TINY_FACES, seed=5)


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory, drawn_folder: Path) -> Path:
    """The folder of a finished run of the whole main job, on few faces for one epoch a phase."""
    from agegender.pipeline import RunSettings, run

    out = tmp_path_factory.mktemp("run") / "tiny"
    one_epoch = (("phases.0.epochs", "1"), ("phases.-1.epochs", "1"), ("curve_images", "16"), ("batch_size", "16"))
    run(RunSettings(out=out, data=str(drawn_folder), changes={"A": one_epoch, "B": one_epoch}))
    return out


@pytest.fixture(scope="session")
def clean_environments() -> ModuleType:
    """`scripts/clean_environments.py` as a module."""
    spec = importlib.util.spec_from_file_location("clean_environments", ROOT / "scripts" / "clean_environments.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
