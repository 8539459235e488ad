"""What each output is trained on. To change the loss of age: here, and one line of a recipe.

Built-in Keras losses only, so that any of it could stand in a saved file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

SAVED_LOSSES = {"age": "mean_absolute_error", "gender": "binary_crossentropy"}
SAVED_METRICS = {"age": ["mean_absolute_error"], "gender": ["binary_accuracy"]}
"""What the contract file is compiled with, so that a plain `model.evaluate` gives the brief's two metrics."""


@dataclass(frozen=True)
class LossWeights:
    """The training loss: `distribution` x cross-entropy + `years` x L1 of the expectation + `gender` x cross-entropy.

    Attributes:
        distribution: Weight of the cross-entropy against the label distribution, in nats.
        years: Weight of the absolute error of the expected age, per year.
        gender: Weight of the binary cross-entropy, in nats.
        gender_smoothing: Share of the gender label that is moved to 0.5; 0.06 turns 1 into 0.97.
    """

    distribution: float = 1.0
    years: float = 0.1
    gender: float = 1.0
    gender_smoothing: float = 0.06


def training_losses(weights: LossWeights) -> dict[str, Any]:
    """Losses and their weights by output name, as `compile` takes them."""
    return {
        "loss": {
            "age_distribution": keras.losses.CategoricalCrossentropy(),
            "age": keras.losses.MeanAbsoluteError(),
            "gender": keras.losses.BinaryCrossentropy(label_smoothing=weights.gender_smoothing),
        },
        "loss_weights": {
            "age_distribution": weights.distribution,
            "age": weights.years,
            "gender": weights.gender,
        },
    }
