"""Do maps show what a model learnt? They are compared with those of the same network with its weights drawn anew.

Source: Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018: the model parameter randomisation test, all
layers at once, by Spearman's rank correlation with and without the sign. A method whose maps look the same on an
untrained network shows edges of the image, not what was learnt.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from agegender.errors import SettingError
from agegender.evaluation.explain import BATCH_SIZE, Explanation, explain_faces
from agegender.evaluation.load import LoadedModel
from agegender.evaluation.opened import open_graph
from agegender.types import Progress, silent

REDRAWS = 5
"""One random network may agree by luck, with all images at once; the mean over five says more."""

SUSPICIOUS = 0.5
"""A mean correlation above this, with or without the sign, means that a map owes much to the image alone."""


@dataclass(frozen=True, slots=True)
class SanityResult:
    """How much the maps of one output resemble those of untrained networks.

    Attributes:
        output: `age` or `gender`.
        correlation: Mean rank correlation of cells, -1..1, over images and redraws; near 0 is good. NaN where no pair
            of maps could be compared.
        correlation_without_sign: The same of absolute values.
        compared: Pairs of maps compared: images times redraws, less those with a map that is the same everywhere.
        not_compared: Those.
        redrawn_share: Of the model's weights, which share was drawn anew, 0..1.
    """

    output: str
    correlation: float
    correlation_without_sign: float
    compared: int
    not_compared: int
    redrawn_share: float

    @property
    def passed(self) -> bool:
        """Whether maps changed with the weights: neither mean correlation is above `SUSPICIOUS` in size."""
        return max(abs(self.correlation), abs(self.correlation_without_sign)) <= SUSPICIOUS


def check_sanity(
    model: LoadedModel,
    images: npt.NDArray[np.uint8],
    explanation: Explanation,
    *,
    redraws: int = REDRAWS,
    seed: int = 0,
    batch_size: int = BATCH_SIZE,
    progress: Progress = silent,
) -> tuple[SanityResult, SanityResult]:
    """Compare maps with those of the same network with random weights.

    The model's weights are changed while this runs and put back at its end, also if it fails.

    Args:
        model: The model that was explained.
        images: The images that were, uint8 (n, 128, 128, 3).
        explanation: What `explain_faces` gave for them.
        redraws: How many random networks, at least 1.
        seed: Of their weights.
        batch_size: Images a forward pass.
        progress: Shows how far it is.

    Returns:
        The result of age, then of gender.

    Raises:
        SettingError: Fewer than one redraw, or an explanation of another number of images.
    """
    if redraws < 1 or len(images) != len(explanation.age.cells):
        raise SettingError(
            f"At least 1 redraw and as many explained images as images are needed. Received: {redraws}, and "
            f"{len(explanation.age.cells)} explained for {len(images)} images"
        )
    pairs: dict[str, list[tuple[float, float]]] = {maps.output: [] for maps in explanation.outputs}
    share = 0.0
    for number in progress(range(redraws), total=redraws, title="Comparing with random weights"):
        with redrawn_weights(model, seed=seed + number) as redrawn:
            share, random = redrawn, explain_faces(model, images, batch_size=batch_size)
        for learnt, untrained in zip(explanation.outputs, random.outputs, strict=True):
            pairs[learnt.output] += [
                (rank_correlation(one, other), rank_correlation(np.abs(one), np.abs(other)))
                for one, other in zip(learnt.cells, untrained.cells, strict=True)
            ]
    first, second = (_result(output, np.array(found), share) for output, found in pairs.items())
    return first, second


def _result(output: str, pairs: npt.NDArray[np.float64], share: float) -> SanityResult:
    found = pairs[np.isfinite(pairs).all(axis=1)]
    signed, unsigned = found.mean(axis=0) if len(found) else (math.nan, math.nan)
    return SanityResult(output, float(signed), float(unsigned), len(found), len(pairs) - len(found), share)


def rank_correlation(first: npt.NDArray, second: npt.NDArray) -> float:
    """Spearman's rank correlation of two arrays of one shape, -1..1; ties share their mean rank.

    NaN where either is the same everywhere.
    """
    ranks = [pd.Series(np.ravel(values)).rank().to_numpy() for values in (first, second)]
    if any(np.ptp(one) == 0 for one in ranks):
        return math.nan
    return float(np.corrcoef(ranks)[0, 1])


@contextmanager
def redrawn_weights(model: LoadedModel, *, seed: int) -> Iterator[float]:
    """Give a model random weights for a while; yields which share of all its weights that is, 0..1.

    Redrawn is every layer that can learn, and every one that looks at more than one pixel, frozen or not. What stays
    are frozen layers of single pixels or vectors: of that kind are those that a network is built with, such as the
    order of channels, the mirror image and the ages of the bins.

    Kernels are normal with variance 2 over their inputs (He et al., ICCV 2015), normalisations are as at their start,
    biases are 0.
    """
    layers = {id(step.operation): step.operation for step in open_graph(model.keras_model).steps}.values()
    weighted = [layer for layer in layers if getattr(layer, "weights", None)]
    chosen = [layer for layer in weighted if layer.trainable_weights or max(_kernel_size(layer), default=1) > 1]
    former = [(layer, layer.get_weights()) for layer in chosen]
    rng = np.random.default_rng(seed)
    every = sum(int(np.prod(weight.shape)) for layer in weighted for weight in layer.weights)
    try:
        for layer in chosen:
            layer.set_weights([_drawn(layer, weight, rng) for weight in layer.weights])
        yield sum(values.size for _, weights in former for values in weights) / max(every, 1)
    finally:
        for layer, weights in former:
            layer.set_weights(weights)


def _kernel_size(layer: Any) -> tuple[int, ...]:
    return tuple(getattr(layer, "kernel_size", ()))


def _drawn(layer: Any, weight: Any, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    shape = tuple(weight.shape)
    if len(shape) < 2:
        start = 1.0 if weight.name in ("gamma", "scale", "moving_variance") else 0.0
        return np.full(shape, start, dtype=np.float32)
    depthwise = "depthwise" in f"{type(layer).__name__} {weight.name}".lower()
    inputs = np.prod(shape[:2]) if depthwise else np.prod(shape[:-1])
    return rng.normal(0.0, math.sqrt(2.0 / inputs), shape).astype(np.float32)
