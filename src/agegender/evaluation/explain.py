"""Where in an image a model's age and gender come from: HiResCAM maps of any contract model on any gradient backend.

Method: Draelos, Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks",
arXiv:2011.08891, 2020. The gradient of an output with respect to the last feature maps is multiplied with those maps
place by place and summed over channels. Chosen over Grad-CAM (Selvaraju et al., ICCV 2017), which averages the
gradient over all places first and so marks places that a head with weights of their own for each place never reads; a
test here shows it. Behind global average pooling and a linear head the two are equal. LayerCAM (Jiang et al., IEEE TIP
2021) keeps positive gradients alone, but an age has evidence both ways: maps here keep their sign.

Where an output is linear in the feature maps, a map sums to the output less its bias; elsewhere to first order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from agegender.errors import ModelError, SettingError
from agegender.evaluation.gradients import gradients
from agegender.evaluation.load import INPUT_SHAPE, LoadedModel
from agegender.evaluation.opened import IMAGE, OpenedGraph, open_graph
from agegender.evaluation.outputs import AGE, GENDER
from agegender.models.probe_images import face_like_images
from agegender.optional import require
from agegender.types import Progress, silent

BATCH_SIZE = 8
"""Images a forward pass; every inner value of a batch is kept."""

YEARS, LOGITS, PROBABILITY = "years", "logits of female", "probability of female"
"""In what a map's cells are."""

_PROBES = 4


@dataclass(frozen=True, slots=True, eq=False)
class OutputMaps:
    """Where one output comes from, for several images.

    Attributes:
        output: `age` or `gender`.
        unit: `YEARS`, `LOGITS`, or `PROBABILITY` where no last sigmoid was found whose logit could be taken.
        answers: What the model says, shape (n,): years, or the probability of female.
        cells: Shape (n, height, width) of the finest of the last feature maps, in `unit` a cell; above 0 is evidence
            for an older age or for female, below 0 for a younger age or for male.
    """

    output: str
    unit: str
    answers: npt.NDArray[np.float64]
    cells: npt.NDArray[np.float64]

    def at(self, side: int) -> npt.NDArray[np.float64]:
        """The cells spread over an image of `side` x `side` pixels, still in `unit` a cell; shape (n, side, side)."""
        return np.stack([cv2.resize(cells, (side, side), interpolation=cv2.INTER_LINEAR) for cells in self.cells])


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """The maps of both outputs for the same images."""

    model: str
    age: OutputMaps
    gender: OutputMaps

    @property
    def outputs(self) -> tuple[OutputMaps, OutputMaps]:
        """Age, then gender."""
        return self.age, self.gender


@dataclass(frozen=True, slots=True)
class _Site:
    """One of the last feature maps on the way to an output, and how it lies against the image."""

    number: int
    height: int
    width: int
    upside_down: bool
    mirrored: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """What a map explains: a value of the graph, and how the explained number is read off it."""

    output: str
    unit: str
    answer: int
    number: int
    read: Callable[[Any], Any]
    sites: tuple[_Site, ...]


def explain_faces(
    model: LoadedModel,
    images: npt.NDArray[np.uint8],
    *,
    batch_size: int = BATCH_SIZE,
    progress: Progress = silent,
) -> Explanation:
    """Explain a model's age and gender on images.

    The feature maps explained are the last values of height and width above 1 on every way to an output, whatever
    made them, in models used as layers too. Where a trunk sees the image twice, upright and mirrored, both maps are
    turned to lie as the image does and added. Maps are taken as channels last.

    Args:
        model: From `load_model` or `checked_model`.
        images: RGB pixels 0..255, uint8 of shape (n, 128, 128, 3).
        batch_size: Images a forward pass.
        progress: Shows how far it is.

    Raises:
        SettingError: Images of another type or shape, no image, a batch size below 1, or a backend without gradients.
        ModelError: An output that does not depend on the image, or maps that are not finite.
    """
    if images.dtype != np.uint8 or images.shape[1:] != INPUT_SHAPE[1:] or not len(images):
        raise SettingError(
            f"images must be uint8 of shape (n, 128, 128, 3) with n at least 1. "
            f"Received: {images.dtype} of shape {images.shape}"
        )
    if batch_size < 1:
        raise SettingError(f"The batch size must be 1 or more. Received: {batch_size}")
    graph = open_graph(model.keras_model)
    targets = _targets(model, graph)
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {target.output: [] for target in targets}
    starts = range(0, len(images), batch_size)
    for start in progress(starts, total=len(starts), title=f"Explaining {model.name}"):
        values = graph.run({IMAGE: _pixels(images[start : start + batch_size])}, graph.outputs)
        for target in targets:
            parts[target.output].append((_array(values[target.answer])[:, 0], _cells(graph, target, values)))
    maps = {}
    for target in targets:
        answers, cells = (np.concatenate(arrays) for arrays in zip(*parts[target.output], strict=True))
        if not np.isfinite(cells).all():
            raise ModelError(f"{model.name}: the maps of {target.output} are not finite. Check the model's weights.")
        maps[target.output] = OutputMaps(target.output, target.unit, answers, cells)
    return Explanation(model.name, maps[AGE], maps[GENDER])


def _cells(graph: OpenedGraph, target: _Target, values: Mapping[int, Any]) -> npt.NDArray[np.float64]:
    """Gradient times feature map, summed over channels and sites, shape (n, height, width)."""
    numbers = [site.number for site in target.sites]

    def explained(maps: Sequence[Any]) -> Any:
        given = dict(zip(numbers, maps, strict=True))
        return target.read(graph.run(given, [target.number])[target.number])

    slopes = gradients(explained, [values[number] for number in numbers])
    height, width = (max(sides) for sides in zip(*((site.height, site.width) for site in target.sites), strict=True))
    total: Any = 0.0
    for site, slope in zip(target.sites, slopes, strict=True):
        cells = (slope * _array(values[site.number])).sum(axis=-1)
        cells = cells[:, :: -1 if site.upside_down else 1, :: -1 if site.mirrored else 1]
        total = total + _finer(cells, height, width)
    return total


def _finer(cells: npt.NDArray[np.float64], height: int, width: int) -> npt.NDArray[np.float64]:
    """The same evidence on smaller cells, so that each holds less of it."""
    if cells.shape[1:] == (height, width):
        return cells
    share = cells.shape[1] * cells.shape[2] / (height * width)
    spread = [cv2.resize(np.ascontiguousarray(one), (width, height), interpolation=cv2.INTER_LINEAR) for one in cells]
    return np.stack(spread) * share


def _targets(model: LoadedModel, graph: OpenedGraph) -> tuple[_Target, _Target]:
    """What is explained of a model, and from which feature maps."""
    whole, top_turned, left_turned = _probe_pixels()
    values = graph.run({IMAGE: whole}, graph.outputs)
    maps = [number for number, value in values.items() if len(value.shape) == 4 and min(value.shape[1:3]) > 1]
    age, gender = graph.outputs[model.places.age], graph.outputs[model.places.gender]
    logit = _before_sigmoid(graph, gender)
    explained = (
        (AGE, YEARS, age, age, lambda value: value),
        (GENDER, LOGITS, gender, *logit) if logit else (GENDER, PROBABILITY, gender, gender, lambda value: value),
    )
    numbers = {output: graph.last_of(number, maps) for output, _, _, number, _ in explained}
    for output, found in numbers.items():
        if not found:
            raise ModelError(f"{model.name}: {output} does not depend on the image, so there is nothing to explain.")
    every = sorted(set().union(*numbers.values()))
    changes = [
        {number: np.abs(_array(turned[number]) - _array(values[number])).sum(axis=(0, 3)) for number in every}
        for turned in (graph.run({IMAGE: pixels}, every) for pixels in (top_turned, left_turned))
    ]
    sites = {}
    for number in every:
        height, width = changes[0][number].shape
        by_row, by_column = changes[0][number].sum(axis=1), changes[1][number].sum(axis=0)
        sites[number] = _Site(number, height, width, _more_at_end(by_row), _more_at_end(by_column))
    first, second = (
        _Target(output, unit, answer, number, read, tuple(sites[site] for site in numbers[output]))
        for output, unit, answer, number, read in explained
    )
    return first, second


def _probe_pixels() -> tuple[Any, Any, Any]:
    """Images; the same with the top half mirrored; the same with the left half upside down.

    A half changes in place, so a feature map shows by where it changes how it lies against the image. The mean colour
    of every centred crop stays, so layers that look at it to order the channels answer the same.
    """
    whole = face_like_images(_PROBES)
    top, left = whole.copy(), whole.copy()
    half = whole.shape[1] // 2
    top[:, :half] = top[:, :half, ::-1]
    left[:, :, :half] = left[:, ::-1, :half]
    return _pixels(whole), _pixels(top), _pixels(left)


def _more_at_end(profile: npt.NDArray[np.float64]) -> bool:
    half = len(profile) // 2
    return bool(profile[-half:].sum() > profile[:half].sum())


def _before_sigmoid(graph: OpenedGraph, number: int) -> tuple[int, Callable[[Any], Any]] | None:
    """Where the logit behind a sigmoid is had: a value, and how to read it off; None if no sigmoid comes last.

    A sure answer has a sigmoid without slope, which in float32 is at last exactly none; its logit has not.
    """
    while number in graph.maker:
        step = graph.maker[number]
        layer, sources = step.operation, list(step.sources.values())
        kind, activation = type(layer).__name__, getattr(getattr(layer, "activation", None), "__name__", "")
        if len(sources) != 1:
            return None
        if kind == "Dense" and activation == "sigmoid":
            return sources[0], functools.partial(_linear, layer)
        if kind.lower() == "sigmoid" or (kind == "Activation" and activation == "sigmoid"):
            return sources[0], lambda value: value
        if kind not in {"Reshape", "Flatten", "Identity"} and not (kind == "Activation" and activation == "linear"):
            return None
        number = sources[0]
    return None


def _linear(dense: Any, features: Any) -> Any:
    operations = require("keras", "train").ops
    logits = operations.matmul(operations.cast(features, dense.kernel.dtype), dense.kernel)
    return logits if dense.bias is None else operations.add(logits, dense.bias)


def _pixels(images: npt.NDArray[np.uint8]) -> Any:
    return require("keras", "train").ops.convert_to_tensor(images.astype(np.float32) / 255.0)


def _array(value: Any) -> npt.NDArray[np.float64]:
    operations = require("keras", "train").ops
    return np.asarray(operations.convert_to_numpy(operations.cast(value, "float32")), dtype=np.float64)
