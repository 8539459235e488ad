"""From a trunk of feature maps to the two models that share it: one to train, one that is saved under the contract."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from agegender.errors import SettingError
from agegender.models.age_targets import AGE_BINS, BIN_AGES
from agegender.models.input_layers import IMAGE_SIZE, mirrored, red_first
from agegender.models.noise_layers import noise_softened

AGE_DISTRIBUTION, AGE, GENDER = "age_distribution", "age", "gender"

MEAN, MEDIAN = "mean", "median"
"""How a saved model reads one age off its distribution."""

MEDIAN_STEEPNESS = 40.0
"""How sharply a bin counts as below the median; a few hundredths of probability around one half count in part, so that
the answer is no whole number."""


@dataclass(frozen=True)
class AgeGenderNetwork:
    """One set of weights behind two graphs.

    Attributes:
        training: Input (batch, 128, 128, 3) in 0..1; outputs by name: `age_distribution` (batch, 117), `age`
            (batch, 1) in years, `gender` (batch, 1), the probability of female.
        contract: The same weights with the outputs `age` and `gender` alone and, if asked, noisy images softened and
            answers averaged over the image and its mirror image. This is what is saved.
        trunk: Image to feature map (batch, h, w, channels), h and w below 10.
    """

    training: keras.Model
    contract: keras.Model
    trunk: keras.Model


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Build layers under a Keras dtype policy and put the former one back."""
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(former)


def image_input() -> Any:
    """The contract's input: 128 x 128 x 3, values 0..1."""
    return keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3), name="image", dtype="float32")


def median_age(distribution: Any) -> Any:
    """The median of a distribution over the age bins, in two dense layers with fixed weights.

    The median minimises the expected absolute error, which is what age MAE measures; the mean minimises the squared
    error and is drawn along by a long tail. The first layer says of each bin, from 0 to 1, whether the median lies
    above it: sigmoid(40 (1/2 - cumulative probability)). The second one counts those bins.

    Args:
        distribution: Keras tensor (batch, 117), rows sum to 1.

    Returns:
        Keras tensor (batch, 1), years.
    """
    below = keras.layers.Dense(AGE_BINS, "sigmoid", trainable=False, dtype="float32", name="age_below_median")
    count = keras.layers.Dense(1, use_bias=False, trainable=False, dtype="float32", name=AGE)
    age = count(below(distribution))
    cumulative = np.triu(np.ones((AGE_BINS, AGE_BINS), dtype=np.float32))
    below.set_weights([-MEDIAN_STEEPNESS * cumulative, np.full(AGE_BINS, MEDIAN_STEEPNESS / 2, dtype=np.float32)])
    count.set_weights([np.ones((AGE_BINS, 1), dtype=np.float32)])
    return age


def build_network(
    trunk: keras.Model,
    *,
    name: str,
    dropout: float,
    mirror_average: bool,
    age_readout: str = MEAN,
    soften_noise: float = 0.0,
) -> AgeGenderNetwork:
    """Put the input layers before a trunk and the two heads behind it.

    The heads are linear in the pooled features, so averaging the features of an image and of its mirror image
    averages both answers' logits at the cost of one head.

    Args:
        trunk: Model from (batch, 128, 128, 3) in 0..1 to a feature map.
        name: Name of the models.
        dropout: Share of the pooled features that is dropped while training, 0..1.
        mirror_average: Average over the mirror image in the saved model.
        age_readout: `mean` or `median` of the distribution, in the saved model; training always takes the mean.
        soften_noise: Blur of noisy images, in pixels, in the saved model (`noise_softened`); training meets the noise.

    Raises:
        SettingError: Another readout, or a blur out of range.
    """
    if age_readout not in (MEAN, MEDIAN):
        raise SettingError(f"age_readout is {MEAN} or {MEDIAN}. Received: {age_readout!r}")
    images = image_input()
    ordered = red_first(images)
    pool = keras.layers.GlobalAveragePooling2D(dtype="float32", name="pooled_features")
    drop = keras.layers.Dropout(dropout, dtype="float32", name="feature_dropout")
    distribution_head = keras.layers.Dense(AGE_BINS, activation="softmax", dtype="float32", name=AGE_DISTRIBUTION)
    expectation = keras.layers.Dense(1, use_bias=False, trainable=False, dtype="float32", name=AGE)
    gender_head = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name=GENDER)

    def heads(features: Any) -> dict[str, Any]:
        features = drop(features)
        distribution = distribution_head(features)
        return {AGE_DISTRIBUTION: distribution, AGE: expectation(distribution), GENDER: gender_head(features)}

    features = pool(trunk(ordered))
    learnt = heads(features)
    expectation.set_weights([BIN_AGES[:, None]])
    seen = noise_softened(ordered, soften_noise)
    if soften_noise:
        features = pool(trunk(seen))
    if mirror_average:
        mirror_features = pool(trunk(mirrored(seen)))
        features = keras.layers.Average(dtype="float32", name="mirror_average")([features, mirror_features])
    answers = heads(features) if soften_noise or mirror_average else learnt
    age = answers[AGE] if age_readout == MEAN else median_age(answers[AGE_DISTRIBUTION])
    return AgeGenderNetwork(
        training=keras.Model(images, learnt, name=f"{name}_training"),
        contract=keras.Model(images, [age, answers[GENDER]], name=name),
        trunk=trunk,
    )
