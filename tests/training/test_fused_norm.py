"""Fused batch norm answers, learns and counts as Keras's own does."""

import keras
import numpy as np
import pytest

from agegender.training.fused_norm import FusedBatchNormalization, with_fused_norms

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow has the fused operation; others keep Keras's"
)


def small_network() -> keras.Model:
    inner_input = keras.Input((8, 8, 4))
    inner = keras.Model(inner_input, keras.layers.BatchNormalization(momentum=0.8)(inner_input), name="trunk")
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, use_bias=False)(keras.layers.ZeroPadding2D(1)(image))
    x = keras.layers.ReLU()(inner(x))
    x = keras.layers.BatchNormalization(gamma_initializer="zeros", momentum=0.9)(x)
    answer = keras.layers.Dense(1)(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, answer)


def images(count: int = 6) -> np.ndarray:
    return np.random.default_rng(3).normal(2.0, 3.0, size=(count, 8, 8, 3)).astype("float32")


def test_a_copy_has_fused_norms_inside_and_out_and_the_same_values():
    model = small_network()
    copy = with_fused_norms(model)
    kinds = [
        type(layer)
        for layer in copy._flatten_layers(include_self=False, recursive=True)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert kinds == [FusedBatchNormalization, FusedBatchNormalization]
    for ours, theirs in zip(copy.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_learning_gives_the_same_answers_statistics_and_weights():
    keras.utils.set_random_seed(1)
    model = small_network()
    copy = with_fused_norms(model)
    targets = np.arange(6, dtype="float32")[:, None]
    for network in (model, copy):
        network.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
        for _ in range(4):
            network.train_on_batch(images(), targets)
    np.testing.assert_allclose(copy.predict(images(), verbose="0"), model.predict(images(), verbose="0"), atol=2e-4)
    for ours, theirs in zip(copy.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-4)


def test_a_frozen_norm_keeps_its_statistics():
    copy = with_fused_norms(small_network())
    copy.get_layer("trunk").trainable = False
    before = copy.get_layer("trunk").get_weights()
    copy(images(), training=True)
    for ours, theirs in zip(copy.get_layer("trunk").get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_bfloat16_maps_keep_float32_statistics():
    layer = FusedBatchNormalization(dtype="mixed_bfloat16", momentum=0.0)
    answer = layer(images(64), training=True)
    assert keras.backend.standardize_dtype(answer.dtype) == "bfloat16"
    rounded = np.asarray(keras.ops.cast(keras.ops.cast(images(64), "bfloat16"), "float32"))
    mean, variance = (np.asarray(value) for value in layer.get_weights()[2:])
    np.testing.assert_allclose(mean, np.mean(rounded, axis=(0, 1, 2)), rtol=1e-3)
    np.testing.assert_allclose(variance, np.var(rounded, axis=(0, 1, 2)), rtol=1e-3)
