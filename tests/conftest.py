"""Fixtures that more than one room uses: drawn faces, and one tiny real run of both models."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from agegender.evaluation.answers import Answers

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as `backend.choose_backend` has it, before a test imports Keras

ROOT = Path(__file__).resolve().parents[1]
TINY_FACES = 48

MadeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests neither use nor fill the user's cache of decoded images."""
    os.environ["AGEGENDER_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> MadeOnce:
    """Makes a path, by its name and a function, in one of pytest-xdist's processes while the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    root = base if worker_id == "master" else base.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        path, finished = root / name, root / f"{name}.finished"
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not finished.exists():
                make(path)
                finished.touch()
        return path

    return made


@pytest.fixture(scope="session")
def drawn_folder(made_once: MadeOnce) -> Path:
    """48 drawn faces of seed 5."""
    from agegender.data.drawn import draw_faces

    return made_once("drawn_faces", lambda out: draw_faces(out, count=TINY_FACES, seed=5))


@pytest.fixture(scope="session")
def trained_run(made_once: MadeOnce, drawn_folder: Path) -> Path:
    """The folder of a finished run of the whole main job, on few faces for one epoch a phase; A has few layers."""
    from agegender.pipeline import RunSettings, run

    few_layers = (("network.stem_channels", "[8, 8]"), ("network.stage_channels", "[8, 16, 16]"),
                  ("network.stage_blocks", "[1, 1, 1]"))  # fmt: skip

    one_epoch = (("phases.0.epochs", "1"), ("phases.1.epochs", "1"), ("phases.1.side", "0"), ("curve_images", "16"),
                 ("batch_size", "16"))  # fmt: skip
    changes = {"A": (*one_epoch, *few_layers), "B": one_epoch}
    return made_once(
        "tiny_run", lambda out: run(RunSettings(out=out, data=str(drawn_folder), changes=changes, phases=2))
    )


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs leave out their pictures, half of a tiny run's time; `trained_run` has them."""
    monkeypatch.setattr("agegender.pipeline.draw", lambda *_: [])


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
        sys.modules[name] = module  # dataclasses look their module up
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


def _tiny_model() -> Any:
    """Mean colour to answers: 10 years and 60 for full red, as a bump; the bluer, the likelier female."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    ages, sd = np.arange(117, dtype=np.float32), 15.0
    constants = {
        "to_scores": np.outer([60.0, 0.0, 0.0], ages / sd**2).astype(np.float32),
        "scores_of_black": ((10 * ages - ages**2 / 2) / sd**2).astype(np.float32),
        "ages": ages[:, None],
        "to_gender": np.array([[-8.0], [0.0], [8.0]], np.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["colour"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["colour", "to_scores"], ["raised"]),
        helper.make_node("Add", ["raised", "scores_of_black"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["age_distribution"], axis=-1),
        helper.make_node("MatMul", ["age_distribution", "ages"], ["age"]),
        helper.make_node("MatMul", ["colour", "to_gender"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["gender"]),
    ]
    ends = [("image", ["batch", 128, 128, 3]), ("age", ["batch", 1]), ("gender", ["batch", 1]),
            ("age_distribution", ["batch", 117])]  # fmt: skip
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ends]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tiny", values[:1], values[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(scope="session")
def tiny_onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny exported model, made by hand without Keras, with its manifest."""
    import onnx

    from agegender.artifacts import sha256_file
    from agegender.inference.manifest import Manifest, ModelFile, write_manifest

    path = tmp_path_factory.mktemp("tiny") / "tiny.onnx"
    onnx.save(_tiny_model(), path)
    file = ModelFile(path.name, sha256_file(path), path.stat().st_size, 17)
    write_manifest(Manifest("tiny", {"float32": file}), path.parent)
    return path


@pytest.fixture(scope="session")
def photograph() -> Path:
    """Grace Hopper, a public domain portrait of 512 x 600 pixels."""
    matplotlib = pytest.importorskip("matplotlib")
    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
