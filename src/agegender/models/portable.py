"""The one place that makes a file of the newest Keras loadable in Keras 3.8 and 3.10.

Keras refuses a configuration key that it does not know, also when the key holds the default under which the layer does
what it always did. Such inert keys are left out. A key that says something else, or a layer that the older versions
lack, cannot be left out without changing the model, so it is refused.

The tables were made by saving every built-in layer, initializer, loss, metric and optimizer with Keras 3.15.1 and by
loading each in 3.8.0 and 3.10.0, and by comparing the signatures of all their classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agegender.errors import ModelError

INERT_DEFAULTS: dict[str, Any] = {
    "input_axes": None,  # variance-scaling initializers
    "output_axes": None,
    "quantization_config": None,  # Dense, EinsumDense, Embedding
    "renorm": False,  # BatchNormalization
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
    "use_gate": False,  # MultiHeadAttention, GroupQueryAttention
    "sliding_window": None,
    "antialias": False,  # Resizing
}
"""Keys that Keras 3.8 or 3.10 does not know, and the value under which leaving them out changes nothing."""

HOW_IT_RAN = ("jit_compile", "run_eagerly", "steps_per_execution")
"""Compile settings that describe the machine that saved the file; without them the loading machine chooses its own."""

NEWER_LAYERS = frozenset(
    {
        "AdaptiveAveragePooling1D",
        "AdaptiveAveragePooling2D",
        "AdaptiveAveragePooling3D",
        "AdaptiveMaxPooling1D",
        "AdaptiveMaxPooling2D",
        "AdaptiveMaxPooling3D",
        "AugMix",
        "ContrastLimitedAdaptiveHistogramEqualization",
        "CutMix",
        "RMSNormalization",
        "RandomElasticTransform",
        "RandomErasing",
        "RandomGaussianBlur",
        "RandomInvert",
        "RandomPerspective",
        "ReversibleEmbedding",
    }
)
"""Layers of Keras 3.15 that Keras 3.8 does not have."""


def portable_config(config: dict[str, Any]) -> dict[str, Any]:
    """A model's configuration as Keras 3.8, 3.10 and the newest all read it.

    Args:
        config: The content of `config.json` in a `.keras` file. It is not changed.

    Returns:
        The same model without the inert newer keys and without how the saving machine ran it.

    Raises:
        ModelError: A newer key is in use, or a newer layer: the file would mean something else in an older Keras.
    """
    if used := newer_parts(config, inert=False):
        raise ModelError(
            f"The model cannot be saved for Keras 3.8 and 3.10. Received: {', '.join(used)}. Expected: none of these "
            "newer settings and layers. Build that layer without the setting, or from older layers."
        )
    portable = _without_inert(config)
    if isinstance(compiled := portable.get("compile_config"), dict):
        portable["compile_config"] = {key: value for key, value in compiled.items() if key not in HOW_IT_RAN}
    return portable


def newer_parts(config: dict[str, Any], *, inert: bool = True) -> list[str]:
    """What in a configuration an older Keras does not know, such as `Dense.quantization_config=None`.

    Args:
        config: The content of `config.json`.
        inert: Also list keys that hold their inert default, which `portable_config` would leave out.

    Returns:
        Each kind once, sorted.
    """
    found = set()
    for class_name, settings in keras_objects(config):
        if class_name in NEWER_LAYERS:
            found.add(class_name)
        for key, value in settings.items():
            if key in INERT_DEFAULTS and (inert or value != INERT_DEFAULTS[key]):
                found.add(f"{class_name}.{key}={value!r}")
    return sorted(found)


def keras_objects(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The class name and settings of every serialised object within a configuration, outermost first."""
    if isinstance(value, dict):
        settings = value.get("config")
        if isinstance(value.get("class_name"), str) and isinstance(settings, dict):
            yield value["class_name"], settings
        for inner in value.values():
            yield from keras_objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keras_objects(inner)


def _without_inert(value: Any) -> Any:
    if isinstance(value, dict):
        settings = value.get("config")
        inner = {key: _without_inert(item) for key, item in value.items()}
        if "class_name" in value and isinstance(settings, dict):
            inner["config"] = {key: item for key, item in inner["config"].items() if key not in INERT_DEFAULTS}
        return inner
    if isinstance(value, list):
        return [_without_inert(item) for item in value]
    return value
