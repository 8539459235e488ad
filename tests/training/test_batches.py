"""Batches: functions of seed, epoch and number; every image once an epoch."""

from __future__ import annotations

import numpy as np
import pytest

from agegender.training.augment import Augmentation
from agegender.training.batches import EpochBatches, FaceArrays


@pytest.fixture
def faces() -> FaceArrays:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    return FaceArrays(images, np.arange(40, dtype=np.float32), np.arange(40) % 2 * np.float32(1), np.arange(3, 40))


def batches(faces: FaceArrays, epoch: int = 0, seed: int = 1, **changes: float) -> EpochBatches:
    return EpochBatches(
        faces, batch_size=8, epoch=epoch, seed=seed, augmentation=Augmentation(**changes), age_sd_years=2.0
    )


def test_targets_belong_to_the_images_and_no_image_comes_twice(faces: FaceArrays) -> None:
    ages = np.concatenate([targets["age"][:, 0] for _, targets in (batches(faces)[i] for i in range(4))])
    assert len(batches(faces)) == len(faces) // 8
    assert len(set(ages)) == len(ages) == 32
    assert ages.min() >= 3
    images, targets = batches(faces)[0]
    assert images.shape == (8, 32, 32, 3)
    np.testing.assert_allclose(targets["age_distribution"].sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(targets["gender"], targets["age"] % 2)


def test_a_batch_does_not_depend_on_what_was_asked_before(faces: FaceArrays) -> None:
    fresh = batches(faces, epoch=5)[2]
    used = batches(faces, epoch=5)
    for index in (3, 0, 1):
        used[index]
    np.testing.assert_array_equal(fresh[0], used[2][0])
    np.testing.assert_array_equal(fresh[1]["age"], used[2][1]["age"])


def test_epochs_and_seeds_differ(faces: FaceArrays) -> None:
    first = batches(faces, epoch=0)[0][1]["age"]
    assert not np.array_equal(first, batches(faces, epoch=1)[0][1]["age"])
    assert not np.array_equal(first, batches(faces, seed=2)[0][1]["age"])


def test_mixup_mixes(faces: FaceArrays) -> None:
    _, targets = batches(faces, mixup=1.0)[0]
    assert not np.isin(targets["age"], np.arange(40)).all()


def test_fewer_images_than_a_batch_make_one_batch() -> None:
    few = FaceArrays(np.zeros((5, 8, 8, 3), np.uint8), np.zeros(5, np.float32), np.zeros(5, np.float32), np.arange(5))
    assert len(batches(few)) == 1
    assert batches(few)[0][0].shape == (5, 8, 8, 3)


def test_a_subset_is_drawn_once_by_seed(faces: FaceArrays) -> None:
    first, again, other = faces.subset(10, 1), faces.subset(10, 1), faces.subset(10, 2)
    np.testing.assert_array_equal(first.rows, again.rows)
    assert not np.array_equal(first.rows, other.rows)
    assert set(first.rows) <= set(faces.rows)
    assert faces.subset(99, 1) is faces
    assert first.pixels().max() <= 1
