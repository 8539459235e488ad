"""Answers in the targets, the network's own and teachers': which share, of which images."""

from __future__ import annotations

import numpy as np
import pytest

from agegender.models.age_targets import age_distribution_targets
from agegender.models.custom_cnn import CustomCnn, build_custom_cnn
from agegender.training.augment import Augmentation
from agegender.training.batches import EpochBatches, FaceArrays
from agegender.training.soft_targets import Answers, Teachers, own_answers, share_at

COUNT = 130


@pytest.fixture(scope="module")
def faces() -> FaceArrays:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (COUNT, 128, 128, 3), dtype=np.uint8)
    ages = rng.uniform(20, 60, COUNT).astype(np.float32)
    return FaceArrays(images, ages, rng.integers(0, 2, COUNT).astype(np.float32), np.arange(10, COUNT))


def test_the_share_grows_linearly_and_small_ones_are_left_out() -> None:
    assert [share_at(epoch, 11, 0.5) for epoch in (0, 1, 2, 10)] == [0.0, 0.05, 0.1, 0.5]
    assert share_at(1, 41, 0.5) == 0.0
    assert share_at(10, 11, 0.0) == 0.0
    assert share_at(0, 1, 0.5) == 0.0


def test_targets_are_blended_row_by_row(faces: FaceArrays) -> None:
    own = Answers(age_distribution_targets(np.full(COUNT, 90.0)), np.full(COUNT, 0.5, np.float32))
    options = {"batch_size": 16, "epoch": 0, "seed": 1, "augmentation": Augmentation(), "age_sd_years": 2.0}
    plain = EpochBatches(faces, **options)[0][1]
    blended = EpochBatches(faces, **options, own=(own, 0.25))[0][1]
    np.testing.assert_allclose(blended["age"], 0.75 * plain["age"] + 0.25 * 90.0, rtol=1e-5)
    np.testing.assert_allclose(blended["gender"], 0.75 * plain["gender"] + 0.125, rtol=1e-6)
    np.testing.assert_allclose(blended["age_distribution"].sum(axis=1), 1.0, rtol=1e-5)
    assert (blended["age_distribution"][:, 90] > 0.04).all()


def test_teachers_are_asked_about_the_mixed_images_and_blended_last(faces: FaceArrays) -> None:
    plan = CustomCnn(stem_channels=(8, 8), stage_channels=(8, 16), stage_blocks=(1, 1))
    networks = [build_custom_cnn(plan).training, build_custom_cnn(plan).training]
    own = Answers(age_distribution_targets(np.full(COUNT, 90.0)), np.full(COUNT, 0.5, np.float32))
    augmentation = Augmentation(mixup=1.0)
    options = {"batch_size": 16, "epoch": 0, "seed": 1, "augmentation": augmentation, "age_sd_years": 2.0}
    images, before = EpochBatches(faces, **options, own=(own, 0.25))[0]
    seen, targets = EpochBatches(faces, **options, own=(own, 0.25), teachers=(Teachers(networks), 0.4))[0]
    np.testing.assert_array_equal(seen, images)
    answers = [network.predict(images, verbose="0") for network in networks]
    for name, target in targets.items():
        expected = 0.6 * before[name] + 0.4 * (answers[0][name] + answers[1][name]) / 2
        np.testing.assert_allclose(target, expected, rtol=1e-3, atol=1e-5)


def test_answers_are_those_of_the_network_in_the_place_of_each_image(faces: FaceArrays) -> None:
    plan = CustomCnn(stem_channels=(8, 8), stage_channels=(8, 16), stage_blocks=(1, 1))
    model = build_custom_cnn(plan).training
    own = own_answers(model, faces)
    answers = model.predict(faces.images[[10, 129]].astype(np.float32) / 255.0, verbose="0")
    np.testing.assert_allclose(own.distribution[[10, 129]], answers["age_distribution"], atol=1e-5)
    np.testing.assert_allclose(own.female[[10, 129]], answers["gender"][:, 0], atol=1e-5)
    assert not own.distribution[:10].any()
