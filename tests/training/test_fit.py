"""Training for real on a few drawn faces: it learns, it can be killed and goes on, it says what is wrong."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from agegender.data.dataset import load_dataset
from agegender.errors import InputError, Interrupted, SettingError
from agegender.models.custom_cnn import CustomCnn
from agegender.models.pretrained_cnn import PretrainedCnn
from agegender.training import fit, learner
from agegender.training.averaging import averaged_weights, measure_norms
from agegender.training.batches import FaceArrays
from agegender.training.checkpoint import read_state
from agegender.training.fit import CHECKPOINT, HISTORY, train
from agegender.training.recipe import Phase, Recipe

TINY = Recipe(
    model="A",
    network=CustomCnn(stem_channels=(8, 8), stage_channels=(8, 16), stage_blocks=(1, 1)),
    phases=(
        Phase("heads", epochs=1, learning_rate=4e-3, end_rate=2e-3, trunk_rate=0.0, side=64),
        Phase("all", epochs=4, learning_rate=4e-3, warmup_epochs=0.5, trunk_rate=0.5),
    ),
    batch_size=8,
    weight_decay=0.01,
    average_epochs=1.0,
    self_distillation=0.5,
    curve_images=24,
)
KILL_AFTER_EPOCHS = 2


@pytest.fixture(scope="module")
def faces(drawn_folder: Path) -> tuple[FaceArrays, FaceArrays]:
    return face_arrays(drawn_folder)


def face_arrays(folder: Path) -> tuple[FaceArrays, FaceArrays]:
    dataset = load_dataset(folder)
    ages = dataset.table["age"].to_numpy(dtype=np.float32)
    genders = (dataset.table["gender"] == "female").to_numpy(dtype=np.float32)
    rows = np.arange(len(dataset))
    return (
        FaceArrays(dataset.images, ages, genders, rows[:32]),
        FaceArrays(dataset.images, ages, genders, rows[32:]),
    )


@pytest.fixture(scope="module")
def unbroken_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("unbroken")


@pytest.fixture(scope="module")
def unbroken(faces: tuple[FaceArrays, FaceArrays], unbroken_folder: Path) -> fit.TrainedModel:
    return train(TINY, *faces, unbroken_folder, seed=3)


def test_the_history_has_a_row_an_epoch_and_the_phases(unbroken: fit.TrainedModel) -> None:
    history = unbroken.history
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert history["phase"].tolist() == ["heads", "all", "all", "all", "all"]
    assert history.notna().to_numpy().all()
    assert history["learning_rate"].iloc[0] == pytest.approx(2e-3, rel=1e-3)
    assert history["learning_rate"].iloc[-1] == pytest.approx(0.0, abs=1e-6)
    assert history["train_gender_accuracy"].between(0, 1).all()


def test_it_learns(unbroken: fit.TrainedModel) -> None:
    assert unbroken.history["train_loss_batches"].iloc[-1] < 0.9 * unbroken.history["train_loss_batches"].iloc[0]


def test_the_contract_model_holds_the_averaged_weights(
    unbroken: fit.TrainedModel, faces: tuple[FaceArrays, FaceArrays]
) -> None:
    training, _ = faces
    age, gender = unbroken.contract.predict(training.pixels(), verbose="0")
    assert age.shape == gender.shape == (32, 1)
    scores = unbroken.contract.evaluate(
        training.pixels(), [training.ages[training.rows], training.genders[training.rows]], verbose="0"
    )
    assert np.isfinite(scores).all()
    assert unbroken.contract.compute_dtype == "float32"


def test_a_finished_training_resumes_to_the_same_answers(
    unbroken: fit.TrainedModel, unbroken_folder: Path, faces: tuple[FaceArrays, FaceArrays]
) -> None:
    lines: list[str] = []
    again = train(TINY, *faces, unbroken_folder, seed=3, resume=True, announce=lines.append)
    assert lines == ["A: going on after epoch 5 of 5"]
    pixels = faces[1].pixels()
    np.testing.assert_allclose(
        again.contract.predict(pixels, verbose="0")[0], unbroken.contract.predict(pixels, verbose="0")[0], atol=1e-3
    )


def test_a_killed_training_goes_on_to_the_figures_of_an_unbroken_one(
    unbroken: fit.TrainedModel, faces: tuple[FaceArrays, FaceArrays], drawn_folder: Path, tmp_path: Path
) -> None:
    program = (
        "import importlib.util, sys, pathlib\n"
        "spec = importlib.util.spec_from_file_location('test_fit_child', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
        "module.train(module.TINY, *module.face_arrays(pathlib.Path(sys.argv[2])), pathlib.Path(sys.argv[3]), seed=3)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, __file__, str(drawn_folder), str(tmp_path)],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    deadline = time.monotonic() + 240
    while (state := read_state(tmp_path / CHECKPOINT)) is None or state.epochs_done < KILL_AFTER_EPOCHS:
        assert child.poll() is None, "the child ended before it could be killed"
        assert time.monotonic() < deadline, "no checkpoint in time"
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    state = read_state(tmp_path / CHECKPOINT)
    assert state is not None
    assert KILL_AFTER_EPOCHS <= state.epochs_done < TINY.epochs

    resumed = train(TINY, *faces, tmp_path, seed=3, resume=True)
    columns = ["train_age_mae", "validation_age_mae", "train_gender_accuracy", "train_loss_batches"]
    assert resumed.history["epoch"].tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(
        resumed.history[columns].to_numpy(float), unbroken.history[columns].to_numpy(float), rtol=0.05, atol=0.1
    )


def test_stopped_by_the_user_keeps_the_last_epoch_and_says_how_to_go_on(
    faces: tuple[FaceArrays, FaceArrays], tmp_path: Path
) -> None:
    def stop_after_two(line: str) -> None:
        if line.startswith("A   2/"):
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=r"after epoch 2 of 5.*--resume"):
        train(TINY, *faces, tmp_path, seed=3, announce=stop_after_two)
    assert len(pd.read_csv(tmp_path / HISTORY)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [CHECKPOINT, HISTORY]
    other = dataclasses.replace(TINY, batch_size=4)
    with pytest.raises(SettingError, match="another recipe"):
        train(other, *faces, tmp_path, seed=3, resume=True)


def test_stopped_before_the_images_change_size_it_goes_on_to_the_same_figures(
    unbroken: fit.TrainedModel, faces: tuple[FaceArrays, FaceArrays], tmp_path: Path
) -> None:
    def stop_after_one(line: str) -> None:
        if line.startswith("A   1/"):
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="after epoch 1 of 5"):
        train(TINY, *faces, tmp_path, seed=3, announce=stop_after_one)
    resumed = train(TINY, *faces, tmp_path, seed=3, resume=True)
    columns = ["train_age_mae", "validation_age_mae", "train_loss_batches"]
    np.testing.assert_allclose(
        resumed.history[columns].to_numpy(float), unbroken.history[columns].to_numpy(float), rtol=0.05, atol=0.1
    )


def test_a_phase_on_smaller_images_has_the_same_weights() -> None:
    student = learner.learner(TINY, TINY.phases[0])
    for variable in student.model.trainable_variables:
        variable.assign_add(keras.ops.full(variable.shape, 0.25))
    other = learner.moved(student, TINY, TINY.phases[1], seed=3)
    assert [layer.name for layer in student.fixed] == ["resize_columns", "resize_rows"]
    assert not other.fixed
    weights = {variable.path: variable for variable in student.model.weights if "resize" not in variable.path}
    moved = [variable for variable in other.model.weights if "seed" not in variable.path]
    assert {variable.path for variable in moved} == {path for path in weights if "seed" not in path}
    for variable in moved:
        np.testing.assert_array_equal(variable, weights[variable.path])


def test_the_last_phase_is_at_the_size_of_the_saved_network(
    faces: tuple[FaceArrays, FaceArrays], tmp_path: Path
) -> None:
    small = dataclasses.replace(TINY, phases=TINY.phases[:1])
    with pytest.raises(SettingError, match=r"at 64 pixels and its network at 128: set phases.-1.side=0"):
        train(small, *faces, tmp_path, seed=3)


def test_a_broken_checkpoint_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"PK half a file")
    assert read_state(tmp_path / CHECKPOINT) is None
    assert read_state(tmp_path / "none.npz") is None


def test_a_loss_that_is_no_number_stops_with_advice(faces: tuple[FaceArrays, FaceArrays], tmp_path: Path) -> None:
    wild = dataclasses.replace(TINY, phases=(Phase("wild", epochs=1, learning_rate=1e30),), clip_norm=1e30)
    with pytest.raises(SettingError, match="Lower the learning rate"):
        train(wild, *faces, tmp_path, seed=3)
    assert not list(tmp_path.iterdir())


def test_too_few_images(faces: tuple[FaceArrays, FaceArrays], tmp_path: Path) -> None:
    few = dataclasses.replace(faces[0], rows=np.arange(3))
    with pytest.raises(InputError, match="3 images"):
        train(TINY, few, None, tmp_path, seed=1)


def test_averaged_weights_come_and_go(faces: tuple[FaceArrays, FaceArrays]) -> None:
    student = learner.learner(TINY)
    model = student.model
    fit.start_phase(student, TINY, TINY.phases[1], 32)
    fit._train_epoch(model, TINY, TINY.phases[1], faces[0], 0, 1, None, None)
    raw = model.get_weights()
    with averaged_weights(model, faces[0], 32, 1):
        inside = model.get_weights()
    for before, after in zip(raw, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert any(not np.array_equal(one, two) for one, two in zip(raw, inside, strict=True))


def stem_norm_after(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and variance of the first batch norm after it was measured on these images; the maps that come into it."""
    network, _ = learner.build(TINY, "float32")
    nothing = np.zeros(len(images), np.float32)
    faces = FaceArrays(images, nothing, nothing, np.arange(len(images)))
    measure_norms(network.training, faces)
    norm = network.trunk.get_layer("stem1_norm")
    assert isinstance(norm, keras.layers.BatchNormalization)
    before = keras.Model(network.trunk.input, norm.input)
    assert norm.momentum == 0.95, "measuring must leave the momentum as it was"
    mean, variance = (keras.ops.convert_to_numpy(value) for value in (norm.moving_mean, norm.moving_variance))
    return np.asarray(mean), np.asarray(variance), before.predict(faces.pixels(), verbose="0")


def test_norms_are_the_statistics_of_the_images(faces: tuple[FaceArrays, FaceArrays]) -> None:
    images = faces[0].images[faces[0].rows]
    # Equal to their mirror images, since half of them are mirrored; one batch of them, so the figures are exact.
    symmetric = ((images.astype(np.uint16) + images[:, :, ::-1]) // 2).astype(np.uint8)
    mean, variance, maps = stem_norm_after(symmetric)
    np.testing.assert_allclose(mean, maps.mean(axis=(0, 1, 2)), atol=1e-4)
    np.testing.assert_allclose(variance, maps.var(axis=(0, 1, 2)), rtol=1e-3)


def test_norms_count_the_variance_between_images_that_stand_in_order() -> None:
    """Dark images first, light ones last: batches of neighbours would find a small part of the variance."""
    levels = np.linspace(20, 235, 256).astype(np.uint8)
    _, variance, maps = stem_norm_after(np.tile(levels[:, None, None, None], (1, 128, 128, 3)))
    np.testing.assert_allclose(variance, maps.var(axis=(0, 1, 2)), rtol=0.15)


@pytest.mark.parametrize("backbone", ["EfficientNetLite0", "MobileNetV2"])
def test_thawing_the_backbone_leaves_what_scales_its_input_alone(backbone: str) -> None:
    plan = PretrainedCnn(backbone, weights="random", side=160)
    phases = (Phase("heads", 1, 1e-3, trunk_rate=0.0), Phase("all", 1, 1e-3))
    recipe = dataclasses.replace(TINY, model="B", network=plan, phases=phases)
    student = learner.learner(recipe)
    for phase in recipe.phases:
        fit.start_phase(student, recipe, phase, 32)
        learning = {variable.path for variable in student.model.trainable_variables}
        assert not [path for path in learning if "resize" in path or "imagenet_scale" in path]
        assert (len(learning) > 100) == (phase.trunk_rate > 0)
