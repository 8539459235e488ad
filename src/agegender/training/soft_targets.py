"""Soft targets: part of each target is an answer, the network's own of the epoch before or that of trained teachers.

A network answers with what many similar faces have in common before it learns single labels by heart, so its answers
are milder on labels that are wrong. The share of its own answers grows from 0 as it becomes better than its labels.
Several teachers of the same kind know more than each of them, and one network can learn much of that. They are asked
about the very images that the student sees, augmented and mixed: on plain training images they would give back labels
that they know by heart.

Sources: Kim et al., "Self-Knowledge Distillation with Progressive Refinement of Targets", ICCV 2021; Hinton et al.,
"Distilling the Knowledge in a Neural Network", 2015 (arXiv 1503.02531); Furlanello et al., "Born-Again Neural
Networks", ICML 2018 (teachers of the student's own kind); Beyer et al., "Knowledge distillation: A good teacher is
patient and consistent", CVPR 2022 (the same view for teacher and student).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from agegender.models.age_targets import BIN_AGES
from agegender.models.network import AGE, AGE_DISTRIBUTION, GENDER
from agegender.training.batches import FaceArrays
from agegender.training.curves import PREDICTION_BATCH
from agegender.training.devices import predict_evenly

SMALLEST_SHARE = 0.05
"""Below this the answers are not worth the forward pass: of an early network they are poor besides."""

IMAGES_AT_ONCE = 5 * PREDICTION_BATCH
"""98 MB of pixels."""


@dataclass(frozen=True)
class Answers:
    """A network's answers to its training images.

    Attributes:
        distribution: (n, 117) float32, row i for image i of `FaceArrays.images`; 0 where it was not asked.
        female: (n,) float32, the probability of female.
    """

    distribution: np.ndarray
    female: np.ndarray

    def blend(self, targets: dict[str, np.ndarray], rows: np.ndarray, share: float) -> dict[str, np.ndarray]:
        """Targets of some rows with this share of them replaced by the answers."""
        return _blended(targets, self.distribution[rows], self.female[rows][:, None], share)


class Teachers:
    """Trained networks whose mean answer is a share of a student's targets.

    Args:
        networks: Training networks with their weights (`learner.trained_network`), one or more.
    """

    def __init__(self, networks: Sequence[keras.Model]) -> None:
        self._networks = tuple(networks)
        self._one_at_a_time = threading.Lock()

    def blend(self, targets: dict[str, np.ndarray], images: np.ndarray, share: float) -> dict[str, np.ndarray]:
        """Targets of a batch with this share of them replaced by the mean answer to its images.

        Args:
            targets: By output, one row an image.
            images: (n, 128, 128, 3) float32 in 0..1, as the student sees them.
            share: 0..1.
        """
        with self._one_at_a_time:  # batches are made in several threads
            answers = [network.predict_on_batch(images) for network in self._networks]
        distribution = np.mean([answer[AGE_DISTRIBUTION] for answer in answers], axis=0)
        return _blended(targets, distribution, np.mean([answer[GENDER] for answer in answers], axis=0), share)


def _blended(
    targets: dict[str, np.ndarray], distribution: np.ndarray, female: np.ndarray, share: float
) -> dict[str, np.ndarray]:
    answered = {AGE_DISTRIBUTION: distribution, AGE: (distribution @ BIN_AGES)[:, None], GENDER: female}
    return {name: (1.0 - share) * target + share * answered[name] for name, target in targets.items()}


def share_at(epoch: int, epochs: int, last_share: float) -> float:
    """The share of own answers in an epoch, counted from 0: linear up to `last_share`; small ones count as 0."""
    share = last_share * epoch / max(1, epochs - 1)
    return share if share >= SMALLEST_SHARE else 0.0


def own_answers(model: keras.Model, faces: FaceArrays) -> Answers:
    """What a training model as it stands answers to its training images, without augmentation."""
    distribution = np.zeros((len(faces.images), len(BIN_AGES)), dtype=np.float32)
    female = np.zeros(len(faces.images), dtype=np.float32)
    for start in range(0, len(faces), IMAGES_AT_ONCE):
        part = FaceArrays(faces.images, faces.ages, faces.genders, faces.rows[start : start + IMAGES_AT_ONCE])
        answers = predict_evenly(model, part.pixels(), PREDICTION_BATCH)
        distribution[part.rows] = answers[AGE_DISTRIBUTION]
        female[part.rows] = answers[GENDER][:, 0]
    return Answers(distribution, female)
