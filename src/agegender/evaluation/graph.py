"""Walking a Keras graph from its outputs towards its input.

Keras has no public way from a tensor to what made it. The attributes used here, all in this file, are the same from
Keras 3.0 to 3.15.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def maker(tensor: Any) -> Any:
    """The layer or operation that a tensor comes from; a model used as a layer counts as one."""
    return tensor._keras_history.operation


def made_from(tensor: Any) -> list[Any]:
    """The tensors that a tensor was computed from; none for an input."""
    return list(call_of(tensor).input_tensors)


def call_of(tensor: Any) -> Any:
    """The recorded call that made a tensor: its `operation`, `arguments`, `input_tensors` and `outputs`."""
    operation, node_index, _ = tensor._keras_history
    return operation._inbound_nodes[node_index]


def inside(tensor: Any) -> Any | None:
    """For an output of a model used as a layer, the tensor inside that model that it is; else None."""
    operation, _, tensor_index = tensor._keras_history
    outputs = getattr(operation, "outputs", None)
    return outputs[tensor_index] if outputs else None


def tensors_of(outputs: Iterable[Any], *, stop: Any = None) -> list[Any]:
    """The outputs and every tensor they were computed from, each once; nothing before `stop`, which is left out."""
    found: dict[int, Any] = {}
    waiting = [tensor for tensor in outputs if tensor is not stop]
    while waiting:
        tensor = waiting.pop()
        if id(tensor) not in found:
            found[id(tensor)] = tensor
            waiting += [before for before in made_from(tensor) if before is not stop]
    return list(found.values())


def tensor_made_by(model: keras.Model, layer_name: str) -> Any | None:
    """The tensor in a model's graph that a layer of this name makes; None if there is none, or more than one."""
    found = [tensor for tensor in tensors_of(model.outputs) if maker(tensor).name == layer_name]
    return found[0] if len(found) == 1 else None


def last_image(model: keras.Model) -> Any | None:
    """The last tensor of the input's shape that everything the model answers goes through, other than the input.

    It holds all that a network does to an image as a whole, such as scaling it or ordering its channels: two inputs
    that are equal there get equal answers.
    """
    (image,) = model.inputs
    candidates = [
        tensor
        for tensor in tensors_of(model.outputs)
        if tensor is not image
        and tuple(tensor.shape) == tuple(image.shape)
        and all(before is not image for before in tensors_of(model.outputs, stop=tensor))
    ]
    return max(candidates, key=lambda tensor: len(tensors_of([tensor])), default=None)
