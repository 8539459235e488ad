"""Augmentation: shapes, ranges, chance, and what each part does."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from agegender.training.augment import Augmentation, augment_batch, augment_image, mix_pairs

NOTHING = Augmentation(**{item.name: 0.0 for item in dataclasses.fields(Augmentation) if item.name != "mixup_alpha"})


@pytest.fixture
def images() -> np.ndarray:
    rows, columns = np.mgrid[0:128, 0:128]
    base = np.stack([rows, columns, (rows + columns) // 2], axis=-1).astype(np.uint8)
    return np.stack([base, base[::-1], base[:, ::-1] // 2 + 60])


def test_nothing_changes_nothing(images: np.ndarray) -> None:
    varied = augment_batch(images, NOTHING, np.random.default_rng(0))
    assert varied.dtype == np.float32
    np.testing.assert_allclose(varied * 255, images, atol=1e-3)


def test_default_stays_in_range_and_varies(images: np.ndarray) -> None:
    varied = augment_batch(images, Augmentation(), np.random.default_rng(0))
    assert varied.shape == images.shape
    assert varied.min() >= 0
    assert varied.max() <= 1
    assert np.abs(varied * 255 - images).mean() > 5


def test_same_generator_same_images_other_generator_others(images: np.ndarray) -> None:
    first, second, third = (augment_batch(images, Augmentation(), np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, third)


def test_source_is_left_alone(images: np.ndarray) -> None:
    former = images.copy()
    augment_batch(images, Augmentation(erase=1.0), np.random.default_rng(0))
    np.testing.assert_array_equal(images, former)


def test_mirror_alone_is_a_mirror(images: np.ndarray) -> None:
    varied = augment_image(images[0], dataclasses.replace(NOTHING, mirror=1.0), np.random.default_rng(0))
    np.testing.assert_allclose(varied.astype(int), images[0][:, ::-1].astype(int), atol=1)


def test_grey_alone_is_grey(images: np.ndarray) -> None:
    varied = augment_image(images[0], dataclasses.replace(NOTHING, grey=1.0), np.random.default_rng(0))
    np.testing.assert_array_equal(varied[..., 0], varied[..., 2])


def test_reversed_channels_alone(images: np.ndarray) -> None:
    varied = augment_image(images[0], dataclasses.replace(NOTHING, reversed_channels=1.0), np.random.default_rng(0))
    np.testing.assert_array_equal(varied, images[0][..., ::-1])


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_erased_share(share: float) -> None:
    flat = np.full((400, 32, 32, 3), 128, dtype=np.uint8)
    varied = augment_batch(flat, dataclasses.replace(NOTHING, erase=share), np.random.default_rng(3))
    touched = (np.abs(varied * 255 - 128) > 2).any(axis=(1, 2, 3)).mean()
    assert touched == pytest.approx(share, abs=0.08)


@pytest.mark.parametrize("name", ["blur", "low_resolution", "jpeg", "noise"])
def test_each_degradation_degrades_a_little(name: str, images: np.ndarray) -> None:
    sharp = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    varied = augment_image(sharp, dataclasses.replace(NOTHING, **{name: 1.0}), np.random.default_rng(1))
    assert varied.shape == sharp.shape
    assert not np.array_equal(varied, sharp)
    smooth = augment_image(images[0], dataclasses.replace(NOTHING, **{name: 1.0}), np.random.default_rng(1))
    assert np.abs(smooth.astype(int) - images[0].astype(int)).mean() < 12


def test_mixing_blends_images_and_targets_by_one_share() -> None:
    images = np.arange(8, dtype=np.float32).reshape(8, 1, 1, 1) * np.ones((8, 4, 4, 3), dtype=np.float32)
    ages = np.arange(8, dtype=np.float32)[:, None]
    mixed, targets = mix_pairs(images, {"age": ages}, 0.4, np.random.default_rng(0))
    np.testing.assert_allclose(mixed[:, 0, 0, :1], targets["age"], rtol=1e-6)
    assert not np.array_equal(targets["age"], ages)
    assert targets["age"].sum() != 0


def test_a_strength_scales_all_but_the_mirror_image() -> None:
    full = Augmentation(mixup=0.5)
    assert full.scaled(1.0) == full
    mild = full.scaled(0.2)
    assert (mild.mirror, mild.mixup_alpha) == (full.mirror, full.mixup_alpha)
    assert mild.rotation_degrees == pytest.approx(1.6)
    assert mild.erase == pytest.approx(0.08)
    assert mild.mixup == pytest.approx(0.1)
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    still = augment_image(image, replace(full.scaled(0.0), mirror=0.0), np.random.default_rng(1))
    np.testing.assert_allclose(still.astype(int), image.astype(int), atol=1)
