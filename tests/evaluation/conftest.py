"""Small real Keras models and noise images; everything here runs in milliseconds once Keras is imported."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agegender.labels import Gender, Race

keras = pytest.importorskip("keras")


def trunk(image: Any, seed: int = 0) -> Any:
    """A convolution over a coarse image and a pooled feature vector, with weights that differ by seed."""
    coarse = keras.layers.AveragePooling2D(16)(image)
    initializer = keras.initializers.RandomNormal(stddev=1.0, seed=seed)
    features = keras.layers.Conv2D(6, 3, activation="relu", kernel_initializer=initializer)(coarse)
    return keras.layers.GlobalAveragePooling2D()(features)


def age_output(features: Any, name: str | None = "age", seed: int = 0) -> Any:
    initializer = keras.initializers.RandomNormal(stddev=2.0, seed=seed)
    softmax = keras.layers.Dense(117, activation="softmax", kernel_initializer=initializer, name="age_distribution")
    expectation = keras.layers.Dense(1, use_bias=False, name=name)
    output = expectation(softmax(features))
    expectation.set_weights([np.arange(117, dtype=np.float32)[:, None]])
    return output


def gender_output(features: Any, name: str | None = "gender", seed: int = 1, activation: str | None = "sigmoid") -> Any:
    initializer = keras.initializers.RandomNormal(stddev=3.0, seed=seed)
    return keras.layers.Dense(1, activation=activation, kernel_initializer=initializer, name=name)(features)


def order_layers(image: Any, steepness: float) -> Any:
    """Put the channel that is brighter on average first, with plain layers."""
    rows = np.array([[-1.0], [0.0], [1.0]], np.float32)[None, None] * steepness

    def fixed(kernel: np.ndarray, x: Any, activation: str | None = None) -> Any:
        layer = keras.layers.Conv2D(kernel.shape[-1], 1, use_bias=False, activation=activation)
        output = layer(x)
        layer.set_weights([kernel.astype(np.float32)])
        return output

    colour = keras.layers.GlobalAveragePooling2D(keepdims=True)(image)
    swapped = fixed(np.eye(3)[::-1][None, None], image)
    keep = keras.layers.Multiply()([image, fixed(-rows, colour, "sigmoid")])
    swap = keras.layers.Multiply()([swapped, fixed(rows, colour, "sigmoid")])
    return keras.layers.Add()([keep, swap])


def build_model(
    *, seed: int = 0, swapped: bool = False, names: tuple[str, str] = ("age", "gender"), steepness: float | None = None
) -> Any:
    """A compiled model; `swapped` puts gender first, `steepness` adds layers that make both channel orders equal."""
    image = keras.Input((128, 128, 3))
    features = trunk(image if steepness is None else order_layers(image, steepness), seed)
    outputs = [age_output(features, names[0], seed + 10), gender_output(features, names[1], seed + 20)]
    model = keras.Model(image, outputs[::-1] if swapped else outputs)
    model.compile(
        "sgd", loss={names[0]: "mean_absolute_error", names[1]: "binary_crossentropy"}, metrics={names[0]: ["mae"]}
    )
    return model


@pytest.fixture(scope="session")
def model_file(tmp_path_factory) -> Callable[..., Any]:
    """Saves `build_model(**settings)` and gives its path; the same settings give the same file."""
    folder = tmp_path_factory.mktemp("models")

    def save(name: str = "age_gender_A", **settings: Any) -> Any:
        path = folder / f"{name}.keras"
        if not path.exists():
            build_model(**settings).save(path)
        return path

    return save


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Coloured noise whose mean colour differs from image to image, so that answers differ; uint8 (57, 128, 128, 3)."""
    rng = np.random.default_rng(0)
    colour = rng.uniform(40, 215, size=(57, 1, 1, 3))
    blocks = rng.uniform(-40, 40, size=(57, 16, 16, 3)).repeat(8, axis=1).repeat(8, axis=2)
    return np.clip(colour + blocks, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def face_table() -> pd.DataFrame:
    """Labels for `images`, as a data set gives them; a race is missing here and there."""
    rng = np.random.default_rng(1)
    races = np.array([*Race, None], dtype=object)
    return pd.DataFrame(
        {
            "file": [f"{index:03d}.jpg" for index in range(57)],
            "age": rng.integers(0, 100, 57).astype(np.int16),
            "gender": pd.Categorical(rng.choice(list(Gender), 57), categories=list(Gender)),
            "race": pd.Categorical(rng.choice(races, 57), categories=list(Race)),
        }
    )
