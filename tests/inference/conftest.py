"""A tiny exported model, made by hand without Keras, and the real photograph that matplotlib ships for its own tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from agegender.artifacts import sha256_file
from agegender.inference.manifest import Manifest, ModelFile, write_manifest


def tiny_model(steepness: float = 60.0) -> onnx.ModelProto:
    """Mean colour to answers: the redder, the older; the bluer, the likelier female. Rows do not see each other."""
    rng = np.random.default_rng(0)
    ages = np.arange(117, dtype=np.float32)
    constants = {
        "to_scores": (rng.normal(0, steepness, (3, 117))).astype(np.float32),
        "ages": ages[:, None],
        "to_gender": np.array([[-8.0], [0.0], [8.0]], np.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["colour"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["colour", "to_scores"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["age_distribution"], axis=-1),
        helper.make_node("MatMul", ["age_distribution", "ages"], ["age"]),
        helper.make_node("MatMul", ["colour", "to_gender"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["gender"]),
    ]
    ends = [("image", ["batch", 128, 128, 3]), ("age", ["batch", 1]), ("gender", ["batch", 1]),
            ("age_distribution", ["batch", 117])]  # fmt: skip
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ends]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tiny", values[:1], values[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(scope="session")
def tiny_onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with its manifest."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.onnx"
    onnx.save(tiny_model(), path)
    file = ModelFile(path.name, sha256_file(path), path.stat().st_size, 17)
    write_manifest(Manifest("tiny", {"float32": file}), path.parent)
    return path


@pytest.fixture(scope="session")
def photograph() -> Path:
    """Grace Hopper, a public domain portrait of 512 x 600 pixels."""
    matplotlib = pytest.importorskip("matplotlib")
    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="session")
def face_pixels() -> np.ndarray:
    """A drawn face, uint8 (128, 128, 3)."""
    from agegender.data.drawn import draw_face

    return draw_face(0, 7)[0]
