"""A model as a short list of blocks, for the drawn architecture: no Keras type leaves this file.

Layers are grouped by what their names say (`stage2_block1_conv` belongs to block 1 of stage 2), neighbouring blocks of
one stage with one output shape are counted as repeats, and layers that one output alone depends on form its branch.
There is no list of known models: the rules hold for `keras.applications`, nested models and unnamed layers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agegender.models.layer_facts import LayerFacts, Shape, layer_facts

MOST_BLOCKS_BY_NAME = 20
"""With more blocks than this in the trunk, names say nothing (NASNet, Inception): its sizes group it instead."""

PURPOSES = {
    "order": "puts red first",
    "noise": "softens noisy images",
    "mirror": "adds the mirror image",
    "mirror_average": "of the image and its mirror image",
    "age": "expectation over the ages",
    "age_below_median": "which ages lie below the median",
}
"""What the blocks of `input_layers` and `network` that learn nothing are for, by the block's name."""

_COUNT_BELOW_MEDIAN = "counts them: the median"
"""What `age` is for after a block `age_below_median`."""

_INNER_BLOCK = re.compile(r"(block|unit|cell|res|residual|bottleneck|layer|b|u)\d+", re.IGNORECASE)
_UNNAMED = "layers at"
_NUMBERED = re.compile(r"(?P<word>[A-Za-z]+?)(?P<number>\d+)(?P<letter>[a-z]?)")


@dataclass(frozen=True, slots=True)
class ArchitectureBlock:
    """One box of a drawn architecture.

    Attributes:
        name: Where it stands in the model, as its layers are named: `stem`, `block3-4`, `age_distribution`.
        kind: What it is: `input`, `conv`, `residual`, `inverted residual`, `fixed`, `pool`, `dense` and so on.
        output_shape: Of one image, channels last, without the batch axis; None where the size is free, empty where
            it is not known.
        parameters: Trained and fixed weights of all repeats together. Over a model's blocks they sum to
            `model.count_params()`.
        repeat: How many blocks of this kind follow one another.
        branch: The output that alone depends on this block; empty for the shared trunk.
        detail: Kernels and what else is worth reading: `3x3, 3x3`, `1x1, 3x3 depthwise, 1x1`, `softmax`.
        shortcut: Whether its input is added to its output; of repeats, whether the last one does.
    """

    name: str
    kind: str
    output_shape: Shape
    parameters: int
    repeat: int = 1
    branch: str = ""
    detail: str = ""
    shortcut: bool = False


def describe(model: Any, input_shape: tuple[int, int, int] | None = None) -> list[ArchitectureBlock]:
    """Describe a Keras model as blocks, from the input to the outputs, the trunk before the branches.

    Args:
        model: Any built `keras.Model`; nested models are opened.
        input_shape: Height, width and channels for a model that leaves them free; ignored where the model fixes them.

    Returns:
        The blocks in order; their parameters sum to `model.count_params()`.

    Raises:
        ModelError: The model has no weights yet because it was never built.
    """
    facts = layer_facts(model, input_shape)
    branches = dict.fromkeys(["", *(one.branch for one in facts)])
    blocks = [block for branch in branches for block in _blocks([one for one in facts if one.branch == branch])]
    if any(block.name == "age_below_median" for block in blocks):
        blocks = [replace(one, detail=_COUNT_BELOW_MEDIAN) if one.name == "age" else one for one in blocks]
    rest = int(model.count_params()) - sum(block.parameters for block in blocks)
    if rest:  # weights that a subclassed model holds itself, outside its layers
        blocks.append(ArchitectureBlock("own weights", "weights", (), rest))
    return blocks


@dataclass(frozen=True, slots=True)
class _Place:
    """A layer with the stage and the block that its name or its size puts it in."""

    facts: LayerFacts
    stage: str
    block: str


@dataclass(slots=True)
class _Unit:
    """Layers that form one block, before repeats are counted."""

    stage: str
    name: str
    layers: list[LayerFacts]

    @property
    def shape(self) -> Shape:
        """Of its last layer, but for padding that prepares the next block."""
        shapes = [layer.shape for layer in self.layers if "Padding" not in layer.cls]
        return shapes[-1] if shapes else self.layers[-1].shape

    @property
    def learns_nothing(self) -> bool:
        return all(layer.fixed for layer in self.layers if layer.parameters)

    @property
    def fixed(self) -> bool:
        return self.learns_nothing and any(layer.parameters for layer in self.layers)


def _blocks(facts: Sequence[LayerFacts]) -> list[ArchitectureBlock]:
    """The blocks of the trunk or of one branch."""
    maps = [index for index, one in enumerate(facts) if len(one.shape) == 3]
    end = maps[-1] + 1 if maps else 0
    tail = _units_of_vectors(facts[end:])
    for by_name in (True, False):
        blocks = [_block(group) for group in _repeats([*_units_of_maps(_places(facts[:end], by_name)), *tail])]
        if len(blocks) <= MOST_BLOCKS_BY_NAME:
            break
    return blocks


def _places(facts: Sequence[LayerFacts], by_name: bool) -> list[_Place]:
    """Put each layer in a stage and a block by its name, or by the smallest map so far where there is no name."""
    tokens = _without_common_prefix(facts)
    smallest: Shape = ()
    places: list[_Place] = []
    for one in facts:
        side = one.shape[:2]
        # A map of 1 x 1 inside a block is a gate (squeeze-and-excitation), no stage of its own.
        if side != (1, 1) and (not smallest or all((a or 0) <= (b or 0) for a, b in zip(side, smallest, strict=False))):
            smallest = side
        if one.cls == "InputLayer":
            places.append(_Place(one, "", one.name))
        elif by_name and not one.automatic_name:
            places.append(_Place(one, *_named_place(tokens[one.key])))
        else:
            size = "\N{MULTIPLICATION SIGN}".join("?" if length is None else str(length) for length in smallest)
            places.append(_Place(one, "", f"{_UNNAMED} {size}"))
    return [_between(places, index) for index in range(len(places))] if by_name else places


def _between(places: Sequence[_Place], index: int) -> _Place:
    """A layer without a name of its own, between two layers of one block, stands in that block."""
    place = places[index]
    if not place.facts.automatic_name:
        return place
    before = next((other for other in reversed(places[:index]) if not other.facts.automatic_name), None)
    after = next((other for other in places[index + 1 :] if not other.facts.automatic_name), None)
    if before and after and before.stage and before.block == after.block:
        return _Place(place.facts, before.stage, before.block)
    return place


def _named_place(tokens: Sequence[str]) -> tuple[str, str]:
    first, *others = tokens
    numbered = _NUMBERED.fullmatch(first)
    if others and _INNER_BLOCK.fullmatch(others[0]):
        return first, f"{first}_{others[0]}"
    if numbered:
        return (numbered["word"] + numbered["number"] if numbered["letter"] else numbered["word"]), first
    return first, first


def _without_common_prefix(facts: Sequence[LayerFacts]) -> dict[int, list[str]]:
    """Names as tokens, without the leading words that most of them share (`convnext_tiny_`)."""
    tokens = {one.key: _tokens(one.name) for one in facts}
    named = [tokens[one.key] for one in facts if not one.automatic_name]
    while named:
        word, count = Counter(each[0] for each in named).most_common(1)[0]
        sharing = [each for each in named if each[0] == word]
        if 2 * count <= len(facts) or any(len(each) < 2 for each in sharing) or re.search(r"\d", word):
            break
        for each in sharing:
            del each[0]
    return tokens


def _tokens(name: str) -> list[str]:
    """`stage_0_block_1_conv` as stage0, block1, conv."""
    tokens: list[str] = []
    for part in re.split(r"[_/]+", name.strip("_/")):
        if part.isdigit() and tokens and not re.search(r"\d", tokens[-1]):
            tokens[-1] += part
        else:
            tokens.append(part)
    return tokens


def _units_of_maps(places: Sequence[_Place]) -> list[_Unit]:
    """Neighbouring layers of one block; what no name ties to another layer goes with the block before it."""
    tied = {place.block for place in places if not place.facts.accessory}
    units: list[_Unit] = []
    for place in places:
        one, last = place.facts, units[-1] if units else None
        after_block = last is not None and last.layers[0].cls not in ("InputLayer", "Rescaling", "Normalization")
        loose = one.accessory and (one.automatic_name or place.block not in tied)
        joins = one.automatic_name and not one.parameters and "Pooling" not in one.cls and one.cls != "Rescaling"
        same_size = last is not None and last.shape[:2] == one.shape[:2]
        if last and (last.name == place.block or (after_block and ((loose and same_size) or (joins and last.stage)))):
            last.layers.append(one)
        else:
            units.append(_Unit(place.stage, place.block, [one]))
    return units


def _units_of_vectors(facts: Sequence[LayerFacts]) -> list[_Unit]:
    """After the feature maps every layer is a block; normalisation, activation and dropout go with the one before."""
    units: list[_Unit] = []
    waiting: list[LayerFacts] = []
    for one in facts:
        if one.accessory and units:
            units[-1].layers.append(one)
        elif one.accessory:
            waiting.append(one)
        else:
            units.append(_Unit("", one.name, [*waiting, one]))
            waiting = []
    return [*units, _Unit("", waiting[-1].name, waiting)] if waiting else units


def _repeats(units: Sequence[_Unit]) -> Iterator[list[_Unit]]:
    """Neighbouring blocks of one stage and one output shape, together."""
    group: list[_Unit] = []
    for unit in units:
        if group and not (unit.stage and unit.stage == group[-1].stage and unit.shape == group[-1].shape):
            yield group
            group = []
        group.append(unit)
    if group:
        yield group


def _block(group: Sequence[_Unit]) -> ArchitectureBlock:
    # The last of a group is the one that repeats; the first may change the size and so lack the shortcut.
    last = group[-1]
    kind, details = _kind(last)
    name = kind if kind == "scaling" and last.name.startswith(_UNNAMED) else _group_name(group)
    if name in PURPOSES and last.learns_nothing:
        details = [PURPOSES[name]]
    details += [f"dropout {layer.dropout:g}" for layer in last.layers if layer.dropout and len(layer.shape) == 1]
    return ArchitectureBlock(
        name=name,
        kind=kind,
        output_shape=last.shape,
        parameters=sum(layer.parameters for unit in group for layer in unit.layers),
        repeat=len(group),
        branch=group[0].layers[0].branch,
        detail=", ".join(details),
        shortcut="residual" in kind,
    )


def _group_name(group: Sequence[_Unit]) -> str:
    first, last = group[0], group[-1]
    numbers = [_NUMBERED.fullmatch(unit.name) for unit in (first, last)]
    if first is not last and numbers[0] and numbers[1] and not numbers[0]["letter"]:
        return f"{first.name}\N{EN DASH}{numbers[1]['number']}"
    if first is not last or first.name.startswith(f"{first.stage}_"):
        return first.stage or first.name
    only = first.layers[0]
    if only.cls == "InputLayer" and only.automatic_name:
        return "input"
    return only.name if len(first.layers) == 1 else first.name


def _kind(unit: _Unit) -> tuple[str, list[str]]:
    """What a block is, and its details."""
    classes = {layer.cls for layer in unit.layers}
    convolutions = [layer for layer in unit.layers if "Conv" in layer.cls and not _aside(layer, unit)]
    if "InputLayer" in classes:
        return "input", []
    if unit.fixed and "BatchNormalization" not in classes and (convolutions or "Dense" not in classes):
        return "fixed", []
    if not convolutions:
        kind, details = _kind_without_kernel([layer for layer in unit.layers if not layer.accessory] or unit.layers)
    else:
        kind = _kind_of_convolutions(convolutions, skip="Add" in classes)
        details = [_kernels(convolutions)]
        if "Multiply" in classes and any(name.startswith("Global") for name in classes):
            details.append("squeeze-and-excitation")
    return kind, [*details, "fixed"] if unit.fixed else details


def _aside(layer: LayerFacts, unit: _Unit) -> bool:
    """Whether a convolution stands beside the block's main path: on its shortcut, or in its gate."""
    in_gate = layer.shape[:2] == (1, 1) and unit.shape[:2] != (1, 1)
    return in_gate or any(word in layer.name for word in ("shortcut", "skip"))


def _kind_of_convolutions(convolutions: Sequence[LayerFacts], *, skip: bool) -> str:
    depthwise = ["Depthwise" in layer.cls for layer in convolutions]
    if any(depthwise) and not depthwise[0]:
        # Expand, filter, project. Source: Sandler et al., "MobileNetV2", CVPR 2018.
        return "inverted residual" if skip else "inverted bottleneck"
    if skip:
        return "residual"
    separable = any(depthwise) or all("Separable" in layer.cls for layer in convolutions)
    return "separable conv" if separable and len(convolutions) > 1 else "conv"


def _kernels(convolutions: Sequence[LayerFacts]) -> str:
    kernels = [
        "\N{MULTIPLICATION SIGN}".join(map(str, layer.kernel)) + (" depthwise" if "Depthwise" in layer.cls else "")
        for layer in convolutions
    ]
    if len(kernels) <= 3:
        return ", ".join(kernels)
    return ", ".join(f"{count} of {kernel}" for kernel, count in Counter(kernels).items())


def _kind_without_kernel(layers: Sequence[LayerFacts]) -> tuple[str, list[str]]:
    """What a block without a convolution is, by its last layer."""
    last = layers[-1]
    activation = [] if last.activation in ("", "linear") else [last.activation]
    if last.cls == "Dense":
        return "dense", activation
    if "Pooling" in last.cls:
        return "pool", ["average" if "Average" in last.cls else "maximum"]
    if last.cls in ("Rescaling", "Normalization"):
        return "scaling", []
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", last.cls).lower(), activation
