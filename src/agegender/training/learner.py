"""A network made ready to learn, and the contract model that is saved of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from agegender.models.custom_cnn import CustomCnn, build_custom_cnn
from agegender.models.input_layers import RESIZE
from agegender.models.losses import SAVED_LOSSES, SAVED_METRICS
from agegender.models.network import AgeGenderNetwork
from agegender.models.pretrained_cnn import RANDOM, PretrainedCnn, WeightsOrigin, build_pretrained_cnn
from agegender.training.fused_norm import with_fused_norms
from agegender.training.recipe import Phase, Recipe


def build(recipe: Recipe, precision: str) -> tuple[AgeGenderNetwork, WeightsOrigin]:
    """The network of a recipe at its start."""
    if isinstance(recipe.network, CustomCnn):
        return build_custom_cnn(recipe.network, precision=precision), WeightsOrigin(RANDOM, "trained from scratch")
    return build_pretrained_cnn(recipe.network, precision=precision)


@dataclass(frozen=True, eq=False)
class Learner:
    """A network made ready to learn.

    Attributes:
        model: The training model; on TensorFlow with fused batch norms.
        trunk: Its trunk, which a phase may freeze.
        fixed: Layers of the trunk that never learn: what scales colours and sizes of the input.
        origin: Which weights the trunk started from.
    """

    model: keras.Model
    trunk: keras.Model
    fixed: tuple[keras.Layer, ...]
    origin: WeightsOrigin


def learner(recipe: Recipe, phase: Phase | None = None) -> Learner:
    """The network of a recipe at its start, ready to learn at the recipe's precision.

    Args:
        recipe: The recipe.
        phase: For which of its phases; the size of image may differ. None is the network's own.
    """
    if phase is not None:
        recipe = dataclasses.replace(recipe, network=recipe.network_in(phase))
    network, origin = build(recipe, recipe.precision)
    model = with_fused_norms(network.training)
    trunk = model.get_layer(network.trunk.name)
    fixed = tuple(layer for layer in trunk._flatten_layers(include_self=False) if not layer.trainable)
    return Learner(model, trunk, fixed, origin)


def moved(student: Learner, recipe: Recipe, phase: Phase, seed: int) -> Learner:
    """The same weights in the network of another phase, whose trunk sees images of another size.

    Args:
        student: Whose weights.
        recipe: Its recipe.
        phase: The phase that begins.
        seed: Of the dropout's states, which start anew: the same whether a training was interrupted or not.
    """
    keras.utils.set_random_seed(seed)
    other = learner(recipe, phase)
    weights = {variable.path: variable for variable in student.model.weights}
    for variable in other.model.weights:
        if variable.path in weights and RESIZE not in variable.path:
            variable.assign(weights[variable.path])
    return dataclasses.replace(other, origin=student.origin)


def _float32_twin(recipe: Recipe) -> AgeGenderNetwork:
    """The network of a recipe as it is saved, with weights of no meaning."""
    network = recipe.network
    if isinstance(network, PretrainedCnn):
        network = dataclasses.replace(network, weights=RANDOM)
    return build(dataclasses.replace(recipe, network=network), "float32")[0]


def take_weights(model: keras.Model, models: Sequence[tuple[Recipe, Path]]) -> None:
    """Give a training model the mean of the weights of saved contract models of the same trunk and heads, one or more.

    Args:
        model: The training model.
        models: The recipe and the file of each.
    """
    weights = (trained_network(recipe, file).get_weights() for recipe, file in models)
    model.set_weights([np.mean(values, axis=0) for values in zip(*weights, strict=True)])


def trained_network(recipe: Recipe, file: Path) -> keras.Model:
    """The training network, in float32, with the weights of a saved contract model of its recipe.

    It answers one view of a face (no mirror average) with the distribution, the age and the gender.
    """
    twin = _float32_twin(recipe)
    twin.contract.load_weights(file)
    return twin.training


def contract_model(recipe: Recipe, model: keras.Model) -> keras.Model:
    """The float32 twin of a training model that is saved: same weights, two outputs, built-in losses and metrics."""
    twin = _float32_twin(recipe)
    twin.training.set_weights([np.asarray(value, dtype=np.float32) for value in model.get_weights()])
    twin.contract.compile(optimizer="adam", loss=SAVED_LOSSES, metrics=SAVED_METRICS)
    return twin.contract
