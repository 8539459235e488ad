"""Averaged weights in place of the raw ones, with batch norm measured again for them.

An average of weights does not fit the batch-norm statistics that the raw weights left behind (Izmailov et al.,
"Averaging Weights Leads to Wider Optima", UAI 2018, section 3.3), so these are measured afresh before any use.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras
import numpy as np

from agegender.training.batches import FaceArrays
from agegender.training.optimizer import AveragingAdamW

NORM_BATCH = 64


@contextlib.contextmanager
def averaged_weights(model: keras.Model, faces: FaceArrays, norm_images: int, seed: int) -> Iterator[None]:
    """Within this, the model holds averaged weights and matching batch-norm statistics; afterwards the raw ones.

    Args:
        model: The compiled training model, its optimizer an `AveragingAdamW`.
        faces: Training images to measure batch norm on, without augmentation.
        norm_images: At most how many of them.
        seed: Which of them.
    """
    optimizer = model.optimizer
    assert isinstance(optimizer, AveragingAdamW)
    raw = [np.array(keras.ops.convert_to_numpy(variable)) for variable in model.weights]
    for variable, average in zip(model.trainable_variables, optimizer.averages(), strict=True):
        # A copy: JAX hands buffers over to the compiled step, and one that two variables share would be lost to both.
        variable.assign(np.array(keras.ops.convert_to_numpy(average)))
    try:
        measure_norms(model, faces.subset(norm_images, seed))
        yield
    finally:
        for variable, value in zip(model.weights, raw, strict=True):
            variable.assign(value)


def measure_norms(model: keras.Model, faces: FaceArrays) -> None:
    """Set every batch norm's mean and variance to the average over batches of these images, mirrored at random.

    Dropout is off meanwhile: the statistics are meant for inference.
    """
    layers = list(model._flatten_layers(include_self=False, recursive=True))
    norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable]
    if not norms:
        return
    drops = [layer for layer in layers if isinstance(layer, keras.layers.Dropout)]
    momenta, rates = [layer.momentum for layer in norms], [layer.rate for layer in drops]
    try:
        for layer in drops:
            layer.rate = 0.0
        # Files stand in order of age and gender: a batch of neighbours would miss the variance between batches.
        shuffled = np.random.default_rng(NORM_BATCH).permutation(faces.rows)
        for step in range(max(1, len(faces) // NORM_BATCH)):
            for layer in norms:
                # The mean of all batches so far: 0, 1/2, 2/3, ... of the former value stays.
                layer.momentum = step / (step + 1)
            rows = shuffled[step * NORM_BATCH : (step + 1) * NORM_BATCH]
            pixels = faces.images[rows].astype(np.float32) / 255.0
            pixels[step % 2 :: 2] = pixels[step % 2 :: 2, :, ::-1]
            model(pixels, training=True)
    finally:
        for layer, momentum in zip(norms, momenta, strict=True):
            layer.momentum = momentum
        for layer, rate in zip(drops, rates, strict=True):
            layer.rate = rate
