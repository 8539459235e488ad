"""Opened graphs: the same answers as the model gives, and any part of the way alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from agegender.evaluation.load import checked_model
from agegender.evaluation.opened import IMAGE, open_graph
from agegender.evaluation.sanity import redrawn_weights
from agegender.models.custom_cnn import CustomCnn, build_custom_cnn
from agegender.models.probe_images import face_like_images

keras: Any = pytest.importorskip("keras")

PIXELS = face_like_images(3, seed=2).astype(np.float32) / 255.0


def heads(features: Any) -> list[Any]:
    return [keras.layers.Dense(1, name="age")(features), keras.layers.Dense(1, "sigmoid", name="gender")(features)]


def shared_trunk_seen_twice() -> Any:
    """The package's own network: channel order, a nested trunk called on the image and on its mirror image."""
    plan = CustomCnn(stem_channels=(4, 4), stage_channels=(4, 8), stage_blocks=(1, 1))
    return build_custom_cnn(plan).contract


def sequences_with_inner_names_in_common() -> Any:
    image = keras.Input((128, 128, 3))

    def part(stride: int, name: str) -> Any:
        return keras.Sequential(
            [keras.layers.Conv2D(4, 3, strides=stride, name="conv"), keras.layers.BatchNormalization(name="norm")],
            name=name,
        )

    x = part(4, "second")(part(4, "first")(image))
    return keras.Model(image, heads(keras.layers.GlobalAveragePooling2D()(x)))


def application_that_pools_inside() -> Any:
    backbone = keras.applications.MobileNetV2(
        input_shape=(128, 128, 3), alpha=0.35, include_top=False, weights=None, pooling="avg"
    )
    image = keras.Input((128, 128, 3))
    return keras.Model(image, heads(backbone(keras.layers.Rescaling(2.0, -1.0)(image), training=False)))


def operations_and_dropout_left_on() -> Any:
    image = keras.Input((128, 128, 3))
    x = keras.ops.concatenate([image, keras.ops.flip(image, axis=1)], axis=-1)
    x = keras.layers.Conv2D(4, 8, strides=8, activation="relu")(x * 2.0)
    x = keras.layers.Dropout(0.5)(x, training=True)
    return keras.Model(image, heads(keras.layers.Flatten()(x)))


def sequential_as_a_whole() -> Any:
    inner = keras.Sequential([keras.Input((128, 128, 3)), keras.layers.Conv2D(4, 8, strides=8), keras.layers.Flatten()])
    return keras.Model(inner.inputs, heads(inner.outputs[0]))


@pytest.mark.parametrize(
    "build",
    [
        shared_trunk_seen_twice,
        sequences_with_inner_names_in_common,
        application_that_pools_inside,
        operations_and_dropout_left_on,
        sequential_as_a_whole,
    ],
)
def test_running_the_steps_gives_what_the_model_predicts(build: Callable[[], Any]) -> None:
    keras.utils.set_random_seed(4)
    model = build()
    graph = open_graph(model)
    assert all(not getattr(step.operation, "layers", None) for step in graph.steps), "a model stayed closed"
    with redrawn_weights(checked_model(model), seed=1):  # a network's own start may answer nearly the same to all
        values = graph.run({IMAGE: keras.ops.convert_to_tensor(PIXELS)}, graph.outputs)
        answers = model.predict(PIXELS, verbose=0)
    for number, expected in zip(graph.outputs, answers, strict=True):
        found = keras.ops.convert_to_numpy(values[number])
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
        assert np.ptp(expected) > 1e-3


def test_a_part_is_run_from_what_is_given_and_nothing_before_it() -> None:
    image = keras.Input((128, 128, 3))
    coarse = keras.layers.AveragePooling2D(32, name="coarse")(image)
    model = keras.Model(image, heads(keras.layers.Flatten(name="flat")(coarse)))
    graph = open_graph(model)
    by_name = {step.operation.name: step.results[0] for step in graph.steps}
    vector = keras.ops.ones((1, 48))
    values = graph.run({by_name["flat"]: vector}, [by_name["age"]])
    assert set(values) == {by_name["flat"], by_name["age"]}
    kernel, bias = model.get_layer("age").get_weights()
    assert keras.ops.convert_to_numpy(values[by_name["age"]]).item() == pytest.approx(kernel.sum() + bias[0], abs=1e-5)
    with pytest.raises(KeyError):
        graph.run({}, graph.outputs)


def test_the_last_of_a_kind_on_every_way() -> None:
    image = keras.Input((128, 128, 3))
    early = keras.layers.AveragePooling2D(8, name="early")(image)
    late = keras.layers.AveragePooling2D(4, name="late")(early)
    pooled = [keras.layers.GlobalAveragePooling2D()(x) for x in (early, late)]
    graph = open_graph(keras.Model(image, heads(keras.layers.Concatenate()(pooled))))
    number = {step.operation.name: step.results[0] for step in graph.steps}
    kind = [IMAGE, number["early"], number["late"]]
    assert graph.last_of(number["age"], kind) == sorted([number["early"], number["late"]])
    assert graph.last_of(number["late"], kind) == [number["late"]]
    assert graph.last_of(number["age"], [IMAGE]) == [IMAGE]
    assert graph.last_of(number["age"], []) == []
