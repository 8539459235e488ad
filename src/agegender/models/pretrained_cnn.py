"""Model B: an ImageNet CNN without its classifier, with this package's heads, to be fine-tuned.

EfficientNet-Lite0 comes with its weights inside the package; any network of `keras.applications` works the same with
weights that Keras downloads or that a file holds.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import keras
import numpy as np

from agegender.artifacts import sha256_file
from agegender.errors import ModelError, SettingError
from agegender.models.efficientnet_lite import (
    WEIGHTS_FILE,
    WIDTH_DEPTH,
    build_efficientnet_lite,
    packaged_weights,
    set_weights_by_layer,
    weights_by_layer,
)
from agegender.models.input_layers import IMAGE_SIZE, affine_colours, resized
from agegender.models.network import MEAN, AgeGenderNetwork, build_network, dtype_policy, image_input

IMAGENET, RANDOM = "imagenet", "random"


@dataclass(frozen=True)
class PretrainedCnn:
    """The plan of Model B's network.

    Attributes:
        backbone: `EfficientNetLite0`, `EfficientNetLite2` or any name of `keras.applications`.
        weights: `imagenet` (packaged or downloaded by Keras), `random`, or the path of an offline file.
        side: Height and width to which the network enlarges the image for its backbone, a multiple of 32; 128 leaves
            it as it is. ImageNet networks learnt objects of 200 pixels and more.
        drop_path: Probability that the last residual branch is dropped while training (EfficientNet-Lite only).
        dropout: Share of the pooled features that is dropped while training.
        mirror_average: Average the saved model's answer over the mirror image.
        age_readout: Which age the saved model reads off its distribution, `mean` or `median`.
        soften_noise: Standard deviation, in pixels, of the blur by which the saved model softens noisy images
            (`noise_layers`); 0 is none.
    """

    backbone: str = "EfficientNetLite0"
    weights: str = IMAGENET
    side: int = IMAGE_SIZE
    drop_path: float = 0.2
    dropout: float = 0.3
    mirror_average: bool = True
    age_readout: str = MEAN
    soften_noise: float = 0.0


@dataclass(frozen=True)
class WeightsOrigin:
    """Which weights a model started from; stands in every record of it.

    Attributes:
        start: `imagenet`, `random` or `file`.
        source: Where they came from, for people.
        sha256: Hash of the file, empty when there is none.
    """

    start: str
    source: str
    sha256: str = ""


def _application(name: str) -> tuple[ModuleType, Callable[..., keras.Model]]:
    """The module and the constructor of a `keras.applications` network."""
    builder = getattr(keras.applications, name, None)
    if not callable(builder):
        known = sorted(key for key, value in vars(keras.applications).items() if inspect.isfunction(value))
        raise SettingError(
            f"Unknown backbone {name!r}. Expected one of {', '.join(WIDTH_DEPTH)}, or a name of keras.applications: "
            f"{', '.join(known)}."
        )
    for module in vars(keras.applications).values():
        if inspect.ismodule(module) and getattr(module, name, None) is builder:
            return module, cast(Callable[..., keras.Model], builder)
    raise SettingError(f"keras.applications.{name} has no module with its pre-processing; choose another backbone.")


def _expected_colours(module: ModuleType) -> tuple[np.ndarray, np.ndarray]:
    """A module's pre-processing as `colour @ matrix + offset` on values 0..1.

    All of them are affine in the colour (scale, mean, order of channels), so four probes give them exactly.
    """
    probes = np.zeros((1, 1, 4, 3), dtype="float32")
    probes[0, 0, 1:] = np.eye(3) * 255.0
    answers = np.asarray(module.preprocess_input(probes.copy()), dtype="float32")[0, 0]
    return answers[1:] - answers[0], answers[0]


def _downloaded(builder: Callable[..., keras.Model], name: str, **settings: Any) -> keras.Model:
    try:
        return builder(weights=IMAGENET, **settings)
    except Exception as error:
        raise ModelError(
            f"The ImageNet weights of {name} could not be downloaded ({type(error).__name__}: {error}). Connect to the "
            "internet once, or give --backbone-weights FILE with a file of them, or choose the backbone "
            "EfficientNetLite0, whose weights travel with this package, or --backbone-weights random."
        ) from error


def _load_file(model: keras.Model, path: Path) -> None:
    """Fill a backbone from a `.weights.h5` or `.keras` file of the same network without its classifier."""
    if not path.is_file():
        raise ModelError(f"No such file of backbone weights: {path}. Give a .weights.h5 or .keras file.")
    if path.suffix == ".keras":
        loaded = cast(keras.Model, keras.models.load_model(path))
        set_weights_by_layer(model, weights_by_layer(loaded), path.name)
        return
    try:
        model.load_weights(path)
    except Exception as error:
        raise ModelError(
            f"{path.name} does not hold the weights of {model.name} without its classifier "
            f"({type(error).__name__}: {str(error)[:300]}). Expected a .weights.h5 or .keras file of that network."
        ) from error


def _lite_trunk(plan: PretrainedCnn) -> tuple[keras.Model, WeightsOrigin]:
    trunk = build_efficientnet_lite(plan.backbone, drop_path=plan.drop_path, side=plan.side)
    if plan.weights == RANDOM:
        return trunk, WeightsOrigin(RANDOM, "random start")
    if plan.weights != IMAGENET:
        _load_file(trunk, Path(plan.weights))
        return trunk, WeightsOrigin("file", Path(plan.weights).name, sha256_file(plan.weights))
    if plan.backbone != "EfficientNetLite0":
        raise SettingError(
            f"The weights of {plan.backbone} do not travel with this package. Give --backbone-weights FILE, or choose "
            "EfficientNetLite0, or --backbone-weights random."
        )
    set_weights_by_layer(trunk, packaged_weights(), WEIGHTS_FILE)
    packaged = Path(__file__).parent / "weights" / WEIGHTS_FILE
    return trunk, WeightsOrigin(IMAGENET, "EfficientNet-Lite0, packaged, Apache-2.0", sha256_file(packaged))


def _application_trunk(plan: PretrainedCnn) -> tuple[keras.Model, WeightsOrigin]:
    module, builder = _application(plan.backbone)
    settings = {"include_top": False, "input_shape": (plan.side, plan.side, 3)}
    if plan.weights == IMAGENET:
        backbone = _downloaded(builder, plan.backbone, **settings)
        origin = WeightsOrigin(IMAGENET, f"keras.applications.{plan.backbone}")
    else:
        backbone = builder(weights=None, **settings)
        origin = WeightsOrigin(RANDOM, "random start")
        if plan.weights != RANDOM:
            _load_file(backbone, Path(plan.weights))
            origin = WeightsOrigin("file", Path(plan.weights).name, sha256_file(plan.weights))
    backbone = _without_layer_scale(backbone)
    images = image_input()
    colours = affine_colours(resized(images, plan.side), *_expected_colours(module), name="imagenet_scale")
    return keras.Model(images, backbone(colours), name=f"{plan.backbone.lower()}_trunk"), origin


def _without_layer_scale(backbone: keras.Model) -> keras.Model:
    """Put a depthwise 1x1 convolution where ConvNeXt's `LayerScale` stands: the same product, and a public layer.

    `LayerScale` is a private class of `keras.applications` that no plain `load_model` in safe mode finds.
    """
    scales = [layer for layer in backbone.layers if type(layer).__name__ == "LayerScale"]
    if not scales:
        return backbone

    def public(layer: keras.Layer) -> keras.Layer:
        if type(layer).__name__ == "LayerScale":
            return keras.layers.DepthwiseConv2D(1, use_bias=False, name=layer.name)
        return type(layer).from_config(layer.get_config())

    clone = keras.models.clone_model(backbone, clone_function=public)
    for layer in backbone.layers:
        weights = layer.get_weights()
        if type(layer).__name__ == "LayerScale":
            weights = [weights[0][None, None, :, None]]
        if weights:
            clone.get_layer(layer.name).set_weights(weights)
    return clone


def build_pretrained_cnn(
    plan: PretrainedCnn | None = None, *, precision: str = "float32"
) -> tuple[AgeGenderNetwork, WeightsOrigin]:
    """Model B at its start, and where that start came from.

    Args:
        plan: Backbone, weights and rates; the default is the shipped network.
        precision: Keras dtype policy of the backbone, `float32` or `mixed_bfloat16`.

    Raises:
        SettingError: The backbone is unknown, or its weights are neither packaged nor given.
        ModelError: Weights could not be downloaded, or a file does not fit.
    """
    plan = plan or PretrainedCnn()
    if plan.side < IMAGE_SIZE or plan.side % 32 or plan.side >= 320:
        raise SettingError(f"side must be a multiple of 32 from {IMAGE_SIZE} to 288. Received: {plan.side}")
    with dtype_policy(precision):
        trunk, origin = _lite_trunk(plan) if plan.backbone in WIDTH_DEPTH else _application_trunk(plan)
    network = build_network(
        trunk,
        name="age_gender_B",
        dropout=plan.dropout,
        mirror_average=plan.mirror_average,
        age_readout=plan.age_readout,
        soften_noise=plan.soften_noise,
    )
    return network, origin
