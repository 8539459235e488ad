"""Learning curves: training and validation images measured alike, without augmentation, with the averaged weights."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

from agegender.metrics.age import mean_absolute_error
from agegender.metrics.gender import accuracy, binary_cross_entropy
from agegender.models.age_targets import age_distribution_targets
from agegender.models.losses import LossWeights
from agegender.models.network import AGE, AGE_DISTRIBUTION, GENDER
from agegender.training.batches import FaceArrays
from agegender.training.devices import predict_evenly

PREDICTION_BATCH = 100
SMALLEST_PROBABILITY = 1e-7


@dataclass(frozen=True)
class CurvePoint:
    """One set measured once.

    Attributes:
        age_loss: The age part of the training loss: cross-entropy of the distribution plus the weighted L1.
        age_mae: Mean absolute error in years.
        gender_loss: Binary cross-entropy in nats, against the unsmoothed label.
        gender_accuracy: 0..1.
    """

    age_loss: float
    age_mae: float
    gender_loss: float
    gender_accuracy: float


def measure(model: keras.Model, faces: FaceArrays, losses: LossWeights, age_sd_years: float) -> CurvePoint:
    """Measure a training model on a set as it stands."""
    answers = predict_evenly(model, faces.pixels(), PREDICTION_BATCH)
    ages, genders = faces.ages[faces.rows], faces.genders[faces.rows]
    wanted = age_distribution_targets(ages, age_sd_years)
    logarithms = np.log(np.clip(answers[AGE_DISTRIBUTION], SMALLEST_PROBABILITY, 1.0))
    cross_entropy = float(-(wanted * logarithms).sum(axis=1).mean())
    female = answers[GENDER][:, 0]
    mae = mean_absolute_error(answers[AGE][:, 0], ages)
    return CurvePoint(
        age_loss=losses.distribution * cross_entropy + losses.years * mae,
        age_mae=mae,
        gender_loss=binary_cross_entropy(female, genders > 0.5),
        gender_accuracy=accuracy(female, genders > 0.5),
    )
