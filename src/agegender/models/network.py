"""From a trunk of feature maps to the two models that share it: one to train, one that is saved under the contract."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from agegender.models.age_targets import AGE_BINS, BIN_AGES
from agegender.models.input_layers import IMAGE_SIZE, mirrored, red_first

AGE_DISTRIBUTION, AGE, GENDER = "age_distribution", "age", "gender"


@dataclass(frozen=True)
class AgeGenderNetwork:
    """One set of weights behind two graphs.

    Attributes:
        training: Input (batch, 128, 128, 3) in 0..1; outputs by name: `age_distribution` (batch, 117), `age`
            (batch, 1) in years, `gender` (batch, 1), the probability of female.
        contract: The same weights with the outputs `age` and `gender` alone and, if asked, averaged over the image
            and its mirror image. This is what is saved.
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


def build_network(trunk: keras.Model, *, name: str, dropout: float, mirror_average: bool) -> AgeGenderNetwork:
    """Put the input layers before a trunk and the two heads behind it.

    The heads are linear in the pooled features, so averaging the features of an image and of its mirror image
    averages both answers' logits at the cost of one head.

    Args:
        trunk: Model from (batch, 128, 128, 3) in 0..1 to a feature map.
        name: Name of the models.
        dropout: Share of the pooled features that is dropped while training, 0..1.
        mirror_average: Average over the mirror image in the saved model.
    """
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
    if mirror_average:
        mirror_features = pool(trunk(mirrored(ordered)))
        features = keras.layers.Average(dtype="float32", name="mirror_average")([features, mirror_features])
        answers = heads(features)
    else:
        answers = learnt
    return AgeGenderNetwork(
        training=keras.Model(images, learnt, name=f"{name}_training"),
        contract=keras.Model(images, [answers[AGE], answers[GENDER]], name=name),
        trunk=trunk,
    )
