"""Training over several devices: said clearly where it cannot be; elsewhere what one device gives, but for rounding."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest

from agegender.artifacts import read_json
from agegender.errors import SettingError
from agegender.pipeline import RunSettings, run
from agegender.run_folder import RunFolder
from agegender.training.devices import check_batch, devices_in_use, every_device, predict_evenly

ROOT = Path(__file__).parent.parent.parent
DEVICES = 4


def under_jax_alone(test: Callable[..., None]) -> Callable[..., None]:
    """A long test; all of them in one process, as they share what is trained once."""
    for mark in (pytest.mark.long, pytest.mark.timeout(3600), pytest.mark.xdist_group("devices")):
        test = mark(test)
    return test


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="is about the other backends")
def test_another_backend_is_named_before_anything_is_written(drawn_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"needs the backend jax. Received: the backend tensorflow.*KERAS_BACKEND"):
        every_device()
    with pytest.raises(SettingError, match="Received: the backend tensorflow"):
        run(RunSettings(out=tmp_path / "run", data=str(drawn_folder), models=("A",), distribute=True))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("images", "devices", "better"), [(6, 4, 4), (30, 8, 24), (3, 4, 4), (1, 2, 2)])
def test_a_batch_that_cannot_be_split_says_which_could(images: int, devices: int, better: int) -> None:
    said = f"multiple of {devices}. Received: batches of {images} images. Give --set B.batch_size={better},"
    with pytest.raises(SettingError, match=re.escape(said)):
        check_batch("B", images, devices)
    check_batch("B", better, devices)


def test_a_run_may_go_on_with_other_devices(tmp_path: Path) -> None:
    alone, spread = (RunSettings(out=tmp_path, distribute=choice).comparable() for choice in (False, True))
    assert alone == spread


def test_on_one_device_answers_are_those_of_predict() -> None:
    entry = keras.Input((4,))
    outputs = {"a": keras.layers.Dense(2)(entry), "b": keras.layers.Dense(1)(entry)}
    model = keras.Model(entry, outputs)
    rows = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    assert devices_in_use() == 1
    answers, wanted = predict_evenly(model, rows, 3), model.predict(rows, batch_size=3, verbose="0")
    assert {name: len(values) for name, values in answers.items()} == {"a": 7, "b": 7}
    for name, values in answers.items():
        np.testing.assert_array_equal(values, wanted[name])


class UnderJax:
    """The Python of the environment with JAX, with four forced devices; what else it needs comes from this one."""

    def __init__(self, python: Path, cache: Path) -> None:
        self._python, self._cache = python, cache

    def __call__(self, *words: object, devices: int = DEVICES) -> subprocess.CompletedProcess[str]:
        paths = [str(ROOT / "src"), sysconfig.get_paths()["purelib"]]
        added = {
            "KERAS_BACKEND": "jax",
            "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
            "JAX_PLATFORMS": "cpu",
            "JAX_COMPILATION_CACHE_DIR": str(self._cache),
            "PYTHONPATH": os.pathsep.join(paths),
            "COLUMNS": "200",
        }
        return subprocess.run(
            [str(self._python), *map(str, words)],
            cwd=ROOT, env=os.environ | added, capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def under_jax(clean_environments: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> UnderJax:
    return UnderJax(clean_environments.ensure_environment("keras-3.15-jax"), tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="module")
def trained(under_jax: UnderJax, drawn_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("on_devices")
    done = under_jax(Path(__file__).with_name("on_devices.py"), drawn_folder, out)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    return json.loads((out / "result.json").read_text())


@under_jax_alone
def test_four_devices_share_each_batch_and_learn_what_one_learns(trained: dict[str, Any]) -> None:
    assert trained["devices"] == ["cpu:0", "cpu:1", "cpu:2", "cpu:3"]
    # Of training and of prediction: images in a batch, of these on each device, devices.
    assert {tuple(shard) for shard in trained["one"]["shards"]} >= {(8, 8, 1)}
    assert {tuple(shard) for shard in trained["all"]["shards"]} >= {(8, 2, 4)}
    assert all(whole == DEVICES * part for whole, part, _ in trained["all"]["shards"])
    assert trained["one"]["history"].pop("devices") == [1, 1, 1]
    assert trained["all"]["history"].pop("devices") == [4, 4, 4]
    assert_alike(trained["all"], trained["one"])


@under_jax_alone
@pytest.mark.parametrize(("name", "devices"), [("resumed_on_all", [4, 4, 4]), ("resumed_on_one", [4, 4, 1])])
def test_a_training_goes_on_over_the_same_devices_or_on_one(
    trained: dict[str, Any], name: str, devices: list[int]
) -> None:
    assert trained[name]["history"].pop("devices") == devices
    trained["one"]["history"].pop("devices", None)
    assert_alike(trained[name], trained["one"])


@under_jax_alone
def test_too_few_images_for_the_devices_are_said(trained: dict[str, Any]) -> None:
    assert "Received: batches of 10 images. Give --set A.batch_size=8" in trained["few"]


def assert_alike(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one["history"].keys() == other["history"].keys()
    for column, values in one["history"].items():
        if column == "phase":
            assert values == other["history"][column]
        else:
            np.testing.assert_allclose(values, other["history"][column], rtol=1e-4, atol=1e-4, err_msg=column)
    np.testing.assert_allclose(one["age"], other["age"], atol=1e-3)
    np.testing.assert_allclose(one["female"], other["female"], atol=1e-4)


@under_jax_alone
def test_the_command_spreads_a_run_and_records_the_devices(
    under_jax: UnderJax, drawn_folder: Path, tmp_path: Path
) -> None:
    small = ["A.network.stem_channels=[8,8]", "A.network.stage_channels=[8,16]", "A.network.stage_blocks=[1,1]",
             "A.phases.0.epochs=1", "A.phases.0.side=0", "A.curve_images=16", "A.norm_images=64"]  # fmt: skip
    changes = [word for change in small for word in ("--set", change)]
    words = ["-m", "agegender", "run", "--data", drawn_folder, "--models", "A", "--phases", "1", *changes]

    def said(done: subprocess.CompletedProcess[str]) -> str:
        return " ".join(done.stderr.split())

    alone = under_jax(*words, "--out", tmp_path / "alone", "--distribute", devices=1)
    assert (alone.returncode, "two devices or more. Received: cpu:0" in said(alone)) == (2, True), said(alone)
    uneven = under_jax(*words, "--out", tmp_path / "uneven", "--distribute", "--set", "A.batch_size=6")
    assert (uneven.returncode, "Give --set A.batch_size=4" in said(uneven)) == (2, True), said(uneven)
    assert not any(tmp_path.iterdir())

    done = under_jax(*words, "--out", tmp_path / "run", "--distribute", "--set", "A.batch_size=8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "each batch over cpu:0, cpu:1, cpu:2, cpu:3" in said(done)
    folder = RunFolder(tmp_path / "run")
    devices = ["cpu:0", "cpu:1", "cpu:2", "cpu:3"]
    assert read_json(folder.record)["devices"] == {"A": devices}
    assert read_json(folder.sidecar("A"))["devices"] == devices
    again = under_jax(*words, "--out", tmp_path / "run", "--set", "A.batch_size=8", "--resume")
    assert again.returncode == 0, again.stdout + again.stderr
    assert read_json(folder.record)["devices"] == {"A": devices}, "a finished training keeps what it was made on"
