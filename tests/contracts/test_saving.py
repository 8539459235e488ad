"""A saved file is whole or absent, portable, free of slots, and the model in memory stays as it was."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from agegender.errors import ModelError, OutputError
from agegender.models.contract_file import check_file
from agegender.models.custom_cnn import CustomCnn, build_custom_cnn
from agegender.models.losses import SAVED_LOSSES, SAVED_METRICS
from agegender.models.probe_images import face_like_images
from agegender.models.saving import save_model

TINY = CustomCnn(stem_channels=(4, 8), stage_channels=(8, 8, 8), stage_blocks=(1, 1, 1))
PIXELS = face_like_images(8).astype(np.float32) / 255
TARGETS = {"age": np.linspace(1, 80, 8, dtype=np.float32), "gender": np.arange(8, dtype=np.float32) % 2}


def compiled(model: Any = None, **changes: Any) -> Any:
    model = model or build_custom_cnn(TINY).contract
    settings = {"optimizer": keras.optimizers.AdamW(1e-3), "loss": SAVED_LOSSES, "metrics": SAVED_METRICS}
    model.compile(**(settings | changes))
    return model


def two_heads(*, features: Any = None, names: tuple[str, str] = ("age", "gender")) -> Any:
    images = keras.Input((128, 128, 3))
    x = keras.layers.GlobalAveragePooling2D()(features(images) if features else images)
    outputs = [
        keras.layers.Dense(1, name=name, activation="sigmoid" if name == "gender" else None)(x) for name in names
    ]
    return keras.Model(images, outputs)


@pytest.fixture(scope="module")
def trained() -> Any:
    model = compiled()
    model.fit(PIXELS, TARGETS, batch_size=8, verbose=0)
    return model


@pytest.fixture(scope="module")
def saved(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(trained, tmp_path_factory.mktemp("saved") / "model.keras")


def test_a_plain_load_answers_the_same_and_is_silent(trained: Any, saved: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded: Any = keras.models.load_model(saved)
    for mine, theirs in zip(trained.predict(PIXELS, verbose=0), loaded.predict(PIXELS, verbose=0), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    expected = trained.evaluate(PIXELS, TARGETS, verbose=0, return_dict=True)
    assert loaded.evaluate(PIXELS, TARGETS, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-6)


def test_the_file_is_whole_and_portable(saved: Path) -> None:
    assert {finding.name: finding.passed for finding in check_file(saved)} == {
        "whole_file": True,
        "built_in_parts": True,
        "older_keras": True,
        "training_only": True,
    }
    with zipfile.ZipFile(saved) as archive:
        config = json.loads(archive.read("config.json"))
    assert config["compile_config"]["loss"] == SAVED_LOSSES
    assert config["compile_config"]["metrics"] == SAVED_METRICS


def test_the_file_holds_no_optimizer_slots(trained: Any, saved: Path, tmp_path: Path) -> None:
    assert len(trained.optimizer.variables) > 20
    with zipfile.ZipFile(saved) as archive:
        archive.extract("model.weights.h5", tmp_path)
    with h5py.File(tmp_path / "model.weights.h5") as weights:
        assert len(weights["optimizer/vars"]) == 2  # type: ignore[arg-type]  # iterations and learning rate


def test_saving_leaves_the_model_in_training(trained: Any, tmp_path: Path) -> None:
    optimizer, steps = trained.optimizer, int(trained.optimizer.iterations)
    before = [np.array(value) for value in trained.get_weights()]
    save_model(trained, tmp_path / "model.keras")
    assert trained.optimizer is optimizer
    for mine, theirs in zip(before, trained.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    trained.fit(PIXELS, TARGETS, batch_size=8, verbose=0)
    assert int(optimizer.iterations) == steps + 1


def test_loss_weights_and_loss_objects_survive(tmp_path: Path) -> None:
    losses = {"age": keras.losses.MeanSquaredError(), "gender": keras.losses.BinaryCrossentropy(label_smoothing=0.1)}
    model = compiled(two_heads(), loss=losses, loss_weights={"age": 0.5, "gender": 2.0})
    loaded: Any = keras.models.load_model(save_model(model, tmp_path / "model.keras"))
    expected = model.evaluate(PIXELS, TARGETS, verbose=0, return_dict=True)
    assert loaded.evaluate(PIXELS, TARGETS, verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-6)


def own_loss(truth: Any, answer: Any) -> Any:
    return keras.ops.mean(truth - answer)


def subclassed() -> Any:
    class Subclassed(keras.Model):
        def call(self, inputs: Any) -> Any:
            return inputs

    return Subclassed()


REFUSED = {
    "not compiled": (two_heads, "is not compiled"),
    "own loss": (lambda: compiled(two_heads(), loss={"age": own_loss, "gender": "mse"}), "built-in losses and metrics"),
    "outputs swapped": (lambda: compiled(two_heads(names=("gender", "age"))), r"Received: \['gender', 'age'\]"),
    "no graph": (subclassed, "has no graph"),
    "renorm in use": (
        lambda: compiled(two_heads(features=keras.layers.BatchNormalization(renorm=True))),
        r"BatchNormalization\.renorm=True",
    ),
    "layer that Keras 3.8 lacks": (
        lambda: compiled(two_heads(features=keras.layers.RMSNormalization())),
        "RMSNormalization",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_saved_is_refused_and_nothing_is_left(case: str, tmp_path: Path) -> None:
    build, message = REFUSED[case]
    earlier = tmp_path / "model.keras"
    earlier.write_bytes(b"the file of an earlier run")
    with pytest.raises(ModelError, match=message):
        save_model(build(), earlier)
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]
    assert earlier.read_bytes() == b"the file of an earlier run"


def test_a_name_without_keras_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"Received: model\.h5"):
        save_model(compiled(two_heads()), tmp_path / "model.h5")


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="Cannot write"):
        save_model(compiled(two_heads()), tmp_path / "file" / "model.keras")
