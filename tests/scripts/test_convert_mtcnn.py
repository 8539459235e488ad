"""The conversion of the face detector: every network as Keras's layers compute it, and the files that are packaged."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
import pytest

from agegender.artifacts import sha256_file
from agegender.errors import InputError

WEIGHTS = Path(__file__).resolve().parents[2] / "src" / "agegender" / "inference" / "weights"
PACKAGED = {
    "pnet": "fc4292de9a63b75396d7604c4850b508ce06d86f75c31e3ec1336a2d3e441688",
    "rnet": "5ca6a476c0c3b1807ec3dcaf6efc5a745aef09d040ee54796e92bb7e63a0cc2b",
    "onet": "f8b6b552715f20ecca4f8a751585218dfb4e6c12b71f2e11958060b474f7335b",
}
FILTERS = {"pnet": ((10, 3), (16, 3), (32, 3)), "rnet": ((28, 3), (48, 3), (64, 2)),
           "onet": ((32, 3), (64, 3), (64, 3), (128, 2))}  # fmt: skip
POOLS = {"pnet": ((2, "same"),), "rnet": ((3, "same"), (3, "valid")),
         "onet": ((3, "same"), (3, "valid"), (2, "same"))}  # fmt: skip
UNITS = {"pnet": (4, 2), "rnet": (4, 2), "onet": (4, 10, 2)}


@pytest.fixture(scope="module")
def converter(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("convert_mtcnn")


def test_the_packaged_files_are_those_that_were_compared_with_the_wheels_own_networks() -> None:
    assert {name: sha256_file(WEIGHTS / f"{name}.onnx") for name in PACKAGED} == PACKAGED
    assert "MIT License" in (WEIGHTS / "NOTICE.md").read_text(encoding="utf-8")


def reference(network: str, side: int) -> tuple[Any, list[Any]]:
    """The wheel's network in Keras's layers, and those with weights in the order of the wheel's arrays."""
    import keras

    weighted = []

    def apply(layer: Any, x: Any) -> Any:
        weighted.append(layer)
        return layer(x)

    layers = keras.layers
    image = keras.Input((side, side, 3))
    x = image
    for index, (filters, size) in enumerate(FILTERS[network]):
        x = apply(layers.PReLU(shared_axes=[1, 2]), apply(layers.Conv2D(filters, size), x))
        if index < len(POOLS[network]):
            pool, padding = POOLS[network][index]
            x = layers.MaxPooling2D(pool, 2, padding=padding)(x)
    if network != "pnet":
        x = layers.Flatten()(layers.Permute((2, 1, 3))(x))
        x = apply(layers.PReLU(), apply(layers.Dense(128 if network == "rnet" else 256), x))
    outputs = [
        apply(layers.Conv2D(units, 1) if network == "pnet" else layers.Dense(units), x) for units in UNITS[network]
    ]
    return keras.Model(image, [*outputs[:-1], layers.Softmax()(outputs[-1])]), weighted


@pytest.mark.parametrize(("network", "side"), [("pnet", 12), ("pnet", 31), ("rnet", 24), ("onet", 48)])
def test_a_converted_network_computes_what_its_layers_say(converter: ModuleType, network: str, side: int) -> None:
    model, layers = reference(network, side)
    rng = np.random.default_rng(side)
    weights = []
    for layer in layers:
        layer.set_weights([rng.normal(0, 0.12, array.shape).astype(np.float32) for array in layer.get_weights()])
        weights += layer.get_weights()
    pixels = rng.integers(0, 256, (3, side, side, 3)).astype(np.float32)
    wanted = [np.asarray(answer) for answer in model.predict((pixels - 127.5) / 128, verbose=0)]
    content = converter.build(network, weights).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    answers: list[Any] = list(session.run(None, {"pixels": pixels}))
    for ours, theirs in zip(answers, wanted, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=2e-4, rtol=1e-3)


def test_another_wheel_is_refused(converter: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read as the wheel"):
        converter.read_weights(tmp_path / "none.whl", "pnet")
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("mtcnn/assets/weights/pnet.lz4", b"other")
    with pytest.raises(InputError, match="SHA-256"):
        converter.read_weights(wheel, "pnet")


def test_weights_that_do_not_fit_are_refused(converter: ModuleType) -> None:
    _, layers = reference("rnet", 24)
    weights = [array for layer in layers for array in layer.get_weights()]
    with pytest.raises(InputError, match="found no layer"):
        converter.build("rnet", [*weights, np.zeros(3, np.float32)])


@pytest.mark.long
def test_the_public_wheel_gives_the_packaged_files(converter: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("lz4")
    pytest.importorskip("joblib")
    for path in converter.convert(converter.download_wheel(tmp_path), tmp_path / "out"):
        assert sha256_file(path) == PACKAGED[path.stem]
