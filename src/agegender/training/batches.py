"""Batches of an epoch, each a function of (seed, epoch, number): the same whatever ran before, or was interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np

from agegender.models.age_targets import age_distribution_targets
from agegender.models.network import AGE, AGE_DISTRIBUTION, GENDER
from agegender.training.augment import Augmentation, augment_batch, mix_pairs

if TYPE_CHECKING:
    from agegender.training.soft_targets import Answers, Teachers

LOADER_THREADS = 2
BATCHES_AHEAD = 4

_ORDER, _BATCH = 0, 1
"""Which stream of chance a generator belongs to."""


@dataclass(frozen=True)
class FaceArrays:
    """Images with their targets.

    Attributes:
        images: (n, 128, 128, 3) uint8, RGB; may be a memory map.
        ages: (n,) float32, years.
        genders: (n,) float32, 0 male, 1 female.
        rows: (k,) int64, which of the n belong to this set.
    """

    images: np.ndarray
    ages: np.ndarray
    genders: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def subset(self, count: int, seed: int) -> FaceArrays:
        """At most `count` of the rows, drawn once by seed, in their order."""
        if count >= len(self.rows):
            return self
        chosen = np.random.default_rng(seed).choice(self.rows, size=count, replace=False)
        return FaceArrays(self.images, self.ages, self.genders, np.sort(chosen))

    def pixels(self) -> np.ndarray:
        """The images of these rows as the contract wants them, (k, 128, 128, 3) float32 in 0..1."""
        return self.images[self.rows].astype(np.float32) / 255.0


class EpochBatches(keras.utils.PyDataset):
    """The augmented batches of one epoch. The last, incomplete batch is left out of a shuffled epoch.

    Args:
        faces: What to draw from.
        batch_size: Images a batch.
        epoch: Number of the epoch, from 0.
        seed: The run's seed.
        augmentation: How much to vary.
        age_sd_years: Width of an adult's age label.
        own: The network's own answers and their share of the targets, 0..1.
        teachers: Trained networks and the share of the targets that their answers to each batch are, 0..1.
    """

    def __init__(
        self, faces: FaceArrays, *, batch_size: int, epoch: int, seed: int, augmentation: Augmentation,
        age_sd_years: float, own: tuple[Answers, float] | None = None,
        teachers: tuple[Teachers, float] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(workers=LOADER_THREADS, use_multiprocessing=False, max_queue_size=BATCHES_AHEAD)
        self.faces = faces
        self.batch_size = min(batch_size, len(faces))
        self.epoch = epoch
        self.seed = seed
        self.augmentation = augmentation
        self.age_sd_years = age_sd_years
        self.own = own
        self.teachers = teachers
        order = np.random.default_rng([seed, epoch, _ORDER])
        self._rows = order.permutation(faces.rows)

    def __len__(self) -> int:
        return len(self._rows) // self.batch_size

    def __getitem__(self, index: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        rng = np.random.default_rng([self.seed, self.epoch, _BATCH, index])
        rows = self._rows[index * self.batch_size : (index + 1) * self.batch_size]
        images = augment_batch(self.faces.images[rows], self.augmentation, rng)
        targets = self.targets(rows)
        if rng.random() < self.augmentation.mixup:
            images, targets = mix_pairs(images, targets, self.augmentation.mixup_alpha, rng)
        if self.teachers is not None:
            teachers, share = self.teachers
            targets = teachers.blend(targets, images, share)
        return images, targets

    def targets(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """What each output is to answer for these rows, teachers aside."""
        ages = self.faces.ages[rows]
        targets = {
            AGE_DISTRIBUTION: age_distribution_targets(ages, self.age_sd_years),
            AGE: ages[:, None],
            GENDER: self.faces.genders[rows][:, None],
        }
        if self.own is not None:
            answers, share = self.own
            targets = answers.blend(targets, rows, share)
        return targets
