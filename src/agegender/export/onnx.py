"""A model under the contract to ONNX: float32, any batch size, outputs `age`, `gender`, `age_distribution`.

The conversion is tf2onnx's, which keeps layer names under TensorFlow; under JAX and PyTorch they are lost, and with
them what quantisation must leave alone.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agegender.errors import ModelError, SettingError
from agegender.evaluation.graph import tensor_made_by
from agegender.inference.manifest import AGE, AGE_DISTRIBUTION, AGES, GENDER, IMAGE
from agegender.optional import require

if TYPE_CHECKING:
    import keras
    import onnx

    from agegender.evaluation.load import LoadedModel

OPSETS = (17, 18)
"""Operator sets that onnxruntime 1.20 and later, onnxruntime-web and tf2onnx 1.16 and later all have."""

BATCH = "batch"


def require_tensorflow() -> None:
    """Check that Keras runs on TensorFlow, before anything long begins.

    Raises:
        SettingError: Another backend runs.
        MissingExtraError: Keras or tf2onnx is not installed.
    """
    backend = require("keras", "train").backend.backend()
    if backend != "tensorflow":
        raise SettingError(
            f"Export runs on Keras with TensorFlow. Received: Keras on {backend}. Run it with KERAS_BACKEND=tensorflow "
            "(pip install 'agegender[tensorflow,export]'); files trained on another backend load there as they are."
        )
    require("onnx", "export")
    require("tf2onnx", "export")


def three_outputs(model: LoadedModel) -> keras.Model:
    """The graph of a contract model with the distribution over ages as a third output.

    It is the distribution that the answered age is computed from: of a model that averages over the mirror image, the
    one behind the average.

    Raises:
        ModelError: There is no such layer, or not one alone, or it has other bins than years 0 to 116.
    """
    network = model.keras_model
    distribution = tensor_made_by(network, AGE_DISTRIBUTION)
    if distribution is None or tuple(distribution.shape) != (None, AGES):
        found = "none" if distribution is None else f"shape {tuple(distribution.shape)}"
        raise ModelError(
            f"{model.name}: expected one inner layer named {AGE_DISTRIBUTION} of {AGES} units behind its age. "
            f"Received: {found}. Export models trained with `agegender run`."
        )
    places = model.places
    outputs = [network.outputs[places.age], network.outputs[places.gender], distribution]
    return require("keras", "train").Model(network.inputs, outputs)


def to_onnx(network: keras.Model, *, opset: int = OPSETS[0]) -> onnx.ModelProto:
    """Convert a graph from `three_outputs`.

    Args:
        network: Input (batch, 128, 128, 3); outputs age, gender, distribution.
        opset: 17 or 18.

    Returns:
        Input `image` float32 (batch, 128, 128, 3); outputs `age` (batch, 1) in years, `gender` (batch, 1) as the
        probability of female, `age_distribution` (batch, 117).

    Raises:
        SettingError: Another operator set or backend.
    """
    if opset not in OPSETS:
        raise SettingError(f"The ONNX operator set must be {' or '.join(map(str, OPSETS))}. Received: {opset}")
    require_tensorflow()
    onnx = require("onnx", "export")
    # Keras exports what a call has shown it; a model that was only loaded it refuses.
    network([np.zeros((1, *network.inputs[0].shape[1:]), np.float32)])
    handle, name = tempfile.mkstemp(suffix=".onnx")
    os.close(handle)
    logger = logging.getLogger("tf2onnx")
    level = logger.level
    try:
        # One of its optimisers stumbles over scalars, says so with a traceback, and is skipped.
        logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network.export(name, format="onnx", opset_version=opset, verbose=False)
        model = onnx.load(name)
    finally:
        logger.setLevel(level)
        Path(name).unlink(missing_ok=True)
    _name_ends(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def _name_ends(model: Any) -> None:
    """Give inputs, outputs and their batch axes the names of the contract, in place."""
    graph = model.graph
    ends = [*zip(graph.input, (IMAGE,), strict=True), *zip(graph.output, (AGE, GENDER, AGE_DISTRIBUTION), strict=True)]
    names = {value.name: name for value, name in ends}
    for node in graph.node:
        for values in (node.input, node.output):
            for place, value in enumerate(values):
                values[place] = names.get(value, value)
    for value, name in ends:
        value.name = name
        value.type.tensor_type.shape.dim[0].dim_param = BATCH
    del graph.value_info[:]
    model.producer_name = "agegender"
