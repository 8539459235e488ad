"""A Keras graph as one flat list of steps, models used as layers opened, that can be run from any place to any other.

`keras.Model(inner_tensors, outputs)` cannot do this: it reaches neither into a model that is used as a layer nor past
two inner layers of one name. Here a trunk that is called twice simply stands in the list twice, with the same layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agegender.evaluation.graph import call_of
from agegender.optional import require

if TYPE_CHECKING:
    import keras

IMAGE = 0
"""The value that everything starts from: the model's input."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One call of one layer or operation.

    Attributes:
        operation: The layer, or an operation of `keras.ops`.
        call: How it was called, as Keras recorded it.
        sources: Numbers of the values it takes, by the identity of the symbolic tensor that stands for each.
        results: Numbers of the values it gives.
    """

    operation: Any
    call: Any
    sources: Mapping[int, int]
    results: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class OpenedGraph:
    """Steps in an order in which they can be run; values are numbered, the image is 0.

    Attributes:
        steps: None of them is a model used as a layer.
        outputs: Numbers of the model's outputs, in its order.
        maker: The step that gives a value, by the value's number; the image has none.
    """

    steps: tuple[Step, ...]
    outputs: tuple[int, ...]
    maker: Mapping[int, Step]

    def run(self, given: Mapping[int, Any], wanted: Iterable[int]) -> dict[int, Any]:
        """Compute values as `model.predict` would, and nothing that they do not need.

        Args:
            given: Tensors of the backend by number; what lies before them is not computed.
            wanted: Numbers of the values asked for.

        Returns:
            Every value that was given or computed, by number.

        Raises:
            KeyError: A value asked for needs one that is not given, such as the image.
        """
        flatten = require("keras", "train").tree.flatten
        symbols: dict[int, Any] = dict(given)
        for step in self._needed(given, wanted):
            args, kwargs = step.call.arguments.fill_in(
                {symbol: symbols[number] for symbol, number in step.sources.items()}
            )
            if kwargs.get("training"):  # asked for where the graph was built; predicting overrules it
                kwargs["training"] = False
            symbols |= zip(step.results, flatten(step.operation(*args, **kwargs)), strict=True)
        return symbols

    def _needed(self, given: Mapping[int, Any], wanted: Iterable[int]) -> list[Step]:
        missing = set(wanted) - set(given)
        needed = []
        for step in reversed(self.steps):
            if missing & set(step.results):
                needed.append(step)
                missing |= set(step.sources.values()) - set(given)
        return needed[::-1]

    def last_of(self, number: int, kind: Iterable[int]) -> list[int]:
        """The values of a kind that a value is computed from and that no later one of the kind stands behind, sorted.

        A value of the kind is its own last.
        """
        of_kind = set(kind)
        found, seen, waiting = set(), set(), [number]
        while waiting:
            value = waiting.pop()
            if value in seen:
                continue
            seen.add(value)
            if value in of_kind:
                found.add(value)
            elif value in self.maker:
                waiting += self.maker[value].sources.values()
        return sorted(found)


def open_graph(model: keras.Model) -> OpenedGraph:
    """The steps of a functional or sequential model with one input.

    Args:
        model: Loaded or built; nothing in it is changed.
    """
    steps: list[Step] = []
    (image,) = model.inputs
    numbers = iter(range(IMAGE + 1, 10**9))
    outputs = _open(model.outputs, {id(image): IMAGE}, steps, numbers)
    return OpenedGraph(tuple(steps), outputs, {number: step for step in steps for number in step.results})


def _open(outputs: Iterable[Any], known: dict[int, int], steps: list[Step], numbers: Iterator[int]) -> tuple[int, ...]:
    """Append the steps that lead to `outputs`, and give their numbers; `known` numbers the inputs and is filled."""
    outputs = list(outputs)
    for call in _calls_in_order(outputs, known):
        sources = {id(tensor): known[id(tensor)] for tensor in call.input_tensors}
        inner = call.operation
        if getattr(inner, "outputs", None) and len(inner.inputs) == len(call.input_tensors):
            entries = {
                id(entry): known[id(tensor)] for entry, tensor in zip(inner.inputs, call.input_tensors, strict=True)
            }
            results = _open(inner.outputs, entries, steps, numbers)
        else:
            results = tuple(next(numbers) for _ in call.outputs)
            steps.append(Step(inner, call, sources, results))
        known |= {id(tensor): number for tensor, number in zip(call.outputs, results, strict=True)}
    return tuple(known[id(tensor)] for tensor in outputs)


def _calls_in_order(outputs: Iterable[Any], known: Mapping[int, int]) -> list[Any]:
    """The calls behind some tensors, each once, sources first; without recursion, since networks are deep."""
    ordered: list[Any] = []
    met: set[int] = set()
    waiting = [(call_of(tensor), False) for tensor in outputs if id(tensor) not in known]
    while waiting:
        call, sources_done = waiting.pop()
        if sources_done:
            ordered.append(call)
        elif id(call) not in met:
            met.add(id(call))
            waiting.append((call, True))
            waiting += [(call_of(tensor), False) for tensor in call.input_tensors if id(tensor) not in known]
    return ordered
