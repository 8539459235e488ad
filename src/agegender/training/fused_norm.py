"""Batch norm in one operation while training on TensorFlow; elsewhere Keras's own.

Keras composes batch norm of a dozen element-wise operations. On a CPU they took longer than the convolutions between
them; TensorFlow's fused operation computes the same five times as fast (docs/experiments.md). Saved files hold
`keras.layers.BatchNormalization` alone: this layer only stands in for it while a network learns.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with the same weights and the same answers, computed faster in training."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise (batch, h, w, channels); batch statistics in training, moving ones otherwise."""
        if not (training and self.trainable and mask is None and self._can_be_fused(inputs)):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf  # noqa: PLC0415  # only where it is the backend

        mean: Any = self.moving_mean
        variance: Any = self.moving_variance
        result = tf.raw_ops.FusedBatchNormV3(
            x=ops.cast(inputs, self.compute_dtype),
            scale=ops.convert_to_tensor(self.gamma),
            offset=ops.convert_to_tensor(self.beta),
            mean=ops.convert_to_tensor(mean),
            variance=ops.convert_to_tensor(variance),
            epsilon=self.epsilon,
            is_training=True,
        )
        # The operation divides by n - 1 where Keras divides by n.
        shape: Any = ops.shape(inputs)
        count = ops.cast(ops.prod(shape[:-1]), "float32")
        batch_variance = result.batch_variance * ops.maximum(count - 1.0, 1.0) / count
        mean.assign(mean * self.momentum + result.batch_mean * (1.0 - self.momentum))
        variance.assign(variance * self.momentum + batch_variance * (1.0 - self.momentum))
        return result.y

    def _can_be_fused(self, inputs: Any) -> bool:
        images = len(inputs.shape) == 4
        return images and self.axis in (-1, 3) and self.scale and self.center and not self.renorm


def with_fused_norms(model: keras.Model) -> keras.Model:
    """The same network, with the same values in weights of its own, for training.

    Args:
        model: A functional model; models inside it are treated alike.

    Returns:
        On TensorFlow a copy with fused batch norms, elsewhere the model itself.
    """
    if keras.backend.backend() != "tensorflow":
        return model

    def fused(layer: keras.Layer) -> keras.Layer:
        kind = FusedBatchNormalization if type(layer) is keras.layers.BatchNormalization else type(layer)
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=fused, recursive=True)
    copy.set_weights(model.get_weights())
    return copy
