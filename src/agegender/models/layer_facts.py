"""What can be told of each layer of a built Keras model, nested models opened, as plain records in the data's order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agegender.errors import ModelError

Shape = tuple[int | None, ...]

_NORMALISATIONS = {"BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization", "LayerScale"}
_ACTIVATIONS = {"Activation", "ReLU", "LeakyReLU", "PReLU", "ELU"}
_NOISE = {"Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise", "StochasticDepth"}
_MOVES = {"ZeroPadding2D", "Flatten", "Reshape", "Identity", "ActivityRegularization"}
_ACCESSORIES = _NORMALISATIONS | _ACTIVATIONS | _NOISE | _MOVES


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer, or one operation of `keras.ops`.

    Attributes:
        key: Tells layers apart, however often one is used.
        name: Its name in the model.
        cls: Its class, such as `Conv2D`.
        shape: Of its output for one image, channels last, without the batch axis; empty where Keras does not know it.
        parameters: Number of its weights.
        fixed: It has weights and none of them is trained.
        branch: The output that alone depends on it; empty for what several outputs share.
        kernel: Height and width of a convolution's kernel.
        activation: Name of its own activation.
        dropout: Share that it drops while training, 0..1.
    """

    key: int
    name: str
    cls: str
    shape: Shape
    parameters: int
    fixed: bool
    branch: str
    kernel: tuple[int, ...]
    activation: str
    dropout: float

    @property
    def accessory(self) -> bool:
        """Whether it belongs to the convolution or dense layer beside it."""
        return self.cls in _ACCESSORIES

    @property
    def automatic_name(self) -> bool:
        """Whether Keras made the name from the class (`conv2d_3`), so that it says nothing about the place."""
        return re.sub(r"_\d+$", "", self.name).replace("_", "").lower() == self.cls.lower()


def layer_facts(model: Any, input_shape: tuple[int, int, int] | None = None) -> list[LayerFacts]:
    """The layers of a model, each once, so that shared weights count once. The first one is the input.

    Args:
        model: A built `keras.Model`; nested models are opened.
        input_shape: Height, width and channels for a model that leaves them free; ignored where the model fixes them.

    Raises:
        ModelError: The model has no weights yet because it was never built.
    """
    if not getattr(model, "built", False):
        raise ModelError(
            f"Cannot describe the model {getattr(model, 'name', model)!r}: it is not built. Call it once on an image."
        )
    model = _with_known_sizes(model, input_shape)
    facts: dict[int, LayerFacts] = {}
    for one in _walk(model, branch=""):
        facts.setdefault(one.key, one)
    if not any(one.cls == "InputLayer" for one in facts.values()):  # a Sequential hides it, a subclass has none
        shape = _shape(getattr(model, "inputs", None))
        return [LayerFacts(0, "input", "InputLayer", shape, 0, False, "", (), "", 0.0), *facts.values()]
    return list(facts.values())


def _walk(model: Any, branch: str) -> Iterator[LayerFacts]:
    branch_of = _branches(model)
    for layer in getattr(model, "operations", None) or model.layers:
        own_branch = branch or branch_of.get(id(layer), "")
        if getattr(layer, "layers", None) and getattr(layer, "inputs", None):
            opened = _with_known_sizes(layer, _shape_of_use(layer))
            yield from (one for one in _walk(opened, own_branch) if one.cls != "InputLayer")
        else:
            weights = getattr(layer, "weights", ())
            yield LayerFacts(
                key=id(layer),
                name=layer.name,
                cls=type(layer).__name__,
                shape=_output_shape(layer),
                parameters=int(layer.count_params()) if weights else 0,
                fixed=bool(weights) and not layer.trainable_weights,
                branch=own_branch,
                kernel=tuple(getattr(layer, "kernel_size", ())),
                activation=getattr(getattr(layer, "activation", None), "__name__", ""),
                dropout=float(layer.rate) if "Dropout" in type(layer).__name__ else 0.0,
            )


def _branches(model: Any) -> dict[int, str]:
    """For each operation that one final output alone depends on, the name of that output.

    An output that another one is computed from, such as a distribution given beside its expectation, is no end of
    its own: it belongs to the branch of the other.
    """
    outputs = getattr(model, "outputs", None) or []
    if len(outputs) < 2 or not hasattr(model, "operations"):
        return {}
    import keras  # noqa: PLC0415 - only models with a graph of several outputs need it

    needed = {
        name: [id(operation) for operation in keras.Function(model.inputs, [tensor]).operations]
        for name, tensor in zip(model.output_names, outputs, strict=True)
    }
    users: dict[int, list[str]] = {}
    for name, operations in needed.items():
        if not any(set(operations) < set(others) for others in needed.values()):
            for operation in operations:
                users.setdefault(operation, []).append(name)
    return {operation: names[0] for operation, names in users.items() if len(names) == 1 < len(needed)}


def _with_known_sizes(model: Any, shape: Shape | None) -> Any:
    """The model itself, or a copy on an input of a known size where the model leaves its size free."""
    if not shape or None in shape or None not in _shape(getattr(model, "inputs", None)):
        return model
    import keras  # noqa: PLC0415 - only models of free size need it

    return keras.models.clone_model(model, input_tensors=keras.Input(shape))


def _shape_of_use(nested: Any) -> Shape:
    """The shape that a nested model is first used on, which may be known where the model itself leaves it free."""
    import keras  # noqa: PLC0415 - only nested models need it

    try:
        return _shape(keras.Operation.input.__get__(nested))  # a model's own `input` is the one it was made with
    except (AttributeError, ValueError):
        return ()


def _output_shape(layer: Any) -> Shape:
    """The shape of a layer's first use; empty outside a graph."""
    try:
        return _shape(layer.output)
    except (AttributeError, ValueError):
        return ()


def _shape(tensors: Any) -> Shape:
    if isinstance(tensors, dict):
        tensors = list(tensors.values())
    if isinstance(tensors, (list, tuple)):
        tensors = tensors[0] if tensors else None
    return () if tensors is None else tuple(tensors.shape[1:])
