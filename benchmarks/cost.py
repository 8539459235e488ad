"""What the default recipes cost: operations of a training, its time on a T4 by estimate, one image's time on this CPU.

    python benchmarks/cost.py models/*.keras models/*.onnx

A `.keras` file is asked through TensorFlow, an `.onnx` file through the package's own onnxruntime session. The
operations are those that TensorFlow counts in the graph of one forward pass; a training step is taken as three of
them (forward, gradient by the input, gradient by the weights). Only meaningful on an idle machine.
"""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # its profiler counts the operations

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from agegender.inference.sessions import open_session
from agegender.models.input_layers import IMAGE_SIZE
from agegender.training.learner import build
from agegender.training.recipe import Recipe
from agegender.training.recipes import default_recipe

T4_PEAK = 8.1e12
"""Float32 operations a second, by NVIDIA's data sheet."""

T4_SHARE = 0.15
"""How much of the peak a small convolutional network is assumed to reach; cautious."""

PASSES_A_STEP = 3
IMAGES = 5_000
WARM_UP, REPEATS = 10, 100


def forward_operations(model: keras.Model) -> float:
    """Floating-point operations of one image, multiplications and additions counted apart."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2_as_graph

    image = tf.TensorSpec((1, IMAGE_SIZE, IMAGE_SIZE, 3), tf.float32)
    concrete: Any = tf.function(lambda pixels: model(pixels, training=False)).get_concrete_function(image)
    _, graph = convert_variables_to_constants_v2_as_graph(concrete)
    with tf.Graph().as_default() as whole:
        tf.graph_util.import_graph_def(graph, name="")
        options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
        options["output"] = "none"
        found = tf.compat.v1.profiler.profile(whole, run_meta=tf.compat.v1.RunMetadata(), cmd="op", options=options)
    return float(found.total_float_ops)


def training_operations(recipe: Recipe, images: int) -> float:
    """Of the whole recipe on so many images; a phase on smaller images costs less, a frozen trunk one pass."""
    total = 0.0
    for phase in recipe.phases:
        network = recipe.network_in(phase)
        operations = forward_operations(build(dataclasses.replace(recipe, network=network), "float32")[0].training)
        total += operations * images * phase.epochs * (PASSES_A_STEP if phase.trunk_rate else 1)
    return total


def asked_of(path: Path, pixels: np.ndarray) -> Callable[[], object]:
    """A call that sends pixels (1, 128, 128, 3) through a saved file and has the answers as arrays."""
    if path.suffix == ".onnx":
        session = open_session(path.read_bytes(), path.name)
        name = session.get_inputs()[0].name
        return lambda: session.run(None, {name: pixels})
    model = keras.models.load_model(path)
    assert isinstance(model, keras.Model)
    answer: Any = tf.function(lambda images: model(images, training=False))
    images = tf.constant(pixels)
    return lambda: [np.asarray(part) for part in answer(images)]


def latency_ms(path: Path) -> list[float]:
    """Milliseconds of single images through a saved file, pixels to answers."""
    ask = asked_of(path, np.random.default_rng(0).random((1, IMAGE_SIZE, IMAGE_SIZE, 3), dtype=np.float32))
    times = []
    for number in range(WARM_UP + REPEATS):
        started = time.perf_counter()
        ask()
        if number >= WARM_UP:
            times.append((time.perf_counter() - started) * 1e3)
    return times


def main() -> None:
    """Print one line a recipe and one a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    files = parser.parse_args().files
    for letter in "AB":
        recipe = default_recipe(letter, drawn=False)
        operations = training_operations(recipe, IMAGES)
        minutes = operations / (T4_PEAK * T4_SHARE) / 60
        print(
            f"{letter}: {recipe.epochs} epochs of {IMAGES:,} images: {operations / 1e15:.2f} x 10^15 operations, "
            f"{minutes:.0f} min on a T4 at {T4_SHARE:.0%} of its peak"
        )
    for path in files:
        times = latency_ms(path)
        print(
            f"{path}: one image {statistics.median(times):.1f} ms (median of {len(times)}, "
            f"{np.quantile(times, 0.9):.1f} at the 90th percentile, {os.cpu_count()} cores)"
        )


if __name__ == "__main__":
    main()
