"""The gradient of a function of a backend's tensors, one small function a backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from agegender.errors import SettingError
from agegender.optional import require

Function = Callable[[Sequence[Any]], Any]


def gradients(function: Function, values: Sequence[Any]) -> list[npt.NDArray[np.float64]]:
    """The gradient of the sum of what a function gives, with respect to each value.

    Where row i of the answer depends on row i of the values alone, as in a network that predicts, this is each row's
    own gradient.

    Args:
        function: From tensors of the running Keras backend to one tensor.
        values: Where to take the gradient: tensors of that backend.

    Returns:
        An array a value, of its shape; zero where the answer does not depend on it.

    Raises:
        SettingError: The backend is neither TensorFlow, JAX nor PyTorch.
    """
    keras = require("keras", "train")
    backend = keras.backend.backend()
    if backend not in _BY_BACKEND:
        raise SettingError(
            f"Gradients are had from {', '.join(_BY_BACKEND)}. Received: the Keras backend {backend}. "
            "Set KERAS_BACKEND to one of them."
        )
    found = _BY_BACKEND[backend](function, values)
    as_array = keras.ops.convert_to_numpy
    return [np.asarray(as_array(keras.ops.cast(gradient, "float32")), dtype=np.float64) for gradient in found]


def _tensorflow(function: Function, values: Sequence[Any]) -> Sequence[Any]:
    tensorflow = require("tensorflow", "tensorflow")
    with tensorflow.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        total = tensorflow.reduce_sum(function(values))
    return tape.gradient(total, values, unconnected_gradients=tensorflow.UnconnectedGradients.ZERO)


def _jax(function: Function, values: Sequence[Any]) -> Sequence[Any]:
    jax = require("jax", "jax")
    return jax.grad(lambda leaves: function(leaves).sum())(list(values))


def _torch(function: Function, values: Sequence[Any]) -> Sequence[Any]:
    torch = require("torch", "torch")
    leaves = [value.detach().requires_grad_(True) for value in values]
    found = torch.autograd.grad(function(leaves).sum(), leaves, allow_unused=True)
    return [torch.zeros_like(leaf) if one is None else one for one, leaf in zip(found, leaves, strict=True)]


_BY_BACKEND: dict[str, Callable[[Function, Sequence[Any]], Sequence[Any]]] = {
    "tensorflow": _tensorflow,
    "jax": _jax,
    "torch": _torch,
}
