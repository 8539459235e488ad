"""The inert newer keys are left out, in one place; anything that would change the model is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from agegender.errors import ModelError
from agegender.models.portable import HOW_IT_RAN, INERT_DEFAULTS, NEWER_LAYERS, newer_parts, portable_config


def layer(class_name: str, **settings: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": class_name, "config": settings, "registered_name": None}


def model(*layers: dict[str, Any], **extra: Any) -> dict[str, Any]:
    return {"module": "keras", "class_name": "Functional", "config": {"layers": list(layers)}, **extra}


def test_inert_keys_go_at_every_depth() -> None:
    uniform = layer("GlorotUniform", seed=None, input_axes=None, output_axes=None)
    dense = layer("Dense", units=3, kernel_initializer=uniform, quantization_config=None)
    norm = layer("BatchNormalization", momentum=0.9, renorm=False, renorm_clipping=None, renorm_momentum=0.99)
    before = model(dense, model(norm))
    portable = portable_config(before)
    expected = model(
        layer("Dense", units=3, kernel_initializer=layer("GlorotUniform", seed=None)),
        model(layer("BatchNormalization", momentum=0.9)),
    )
    assert portable == expected


def test_the_given_configuration_is_not_changed() -> None:
    before = model(layer("Resizing", height=8, antialias=False))
    kept = copy.deepcopy(before)
    portable_config(before)
    assert before == kept


@pytest.mark.parametrize("key", INERT_DEFAULTS)
def test_a_key_in_use_is_refused_by_name(key: str) -> None:
    default = INERT_DEFAULTS[key]
    used = not default if isinstance(default, bool) else 0.5
    inner = model(layer("Dense", units=1, **{key: used}))
    with pytest.raises(ModelError, match=rf"Dense\.{key}={used!r}"):
        portable_config(model(inner))
    assert portable_config(model(layer("Dense", units=1, **{key: default}))) == model(layer("Dense", units=1))


@pytest.mark.parametrize("name", sorted(NEWER_LAYERS))
def test_a_layer_that_keras_3_8_lacks_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match=name):
        portable_config(model(layer(name)))


def test_equal_words_elsewhere_stay() -> None:
    named = model(
        layer("Dense", name="renorm"), compile_config={"loss": {"antialias": "mse"}, "metrics": {"renorm": []}}
    )
    assert portable_config(named) == named


def test_how_the_saving_machine_ran_it_is_left_out() -> None:
    compiled = {"loss": "mse", **dict.fromkeys(HOW_IT_RAN, True)}
    assert portable_config(model(compile_config=compiled)) == model(compile_config={"loss": "mse"})


def test_newer_parts_are_listed_once_and_gone_afterwards() -> None:
    twice = model(*[layer("Dense", quantization_config=None)] * 2, layer("BatchNormalization", renorm=False))
    assert newer_parts(twice) == ["BatchNormalization.renorm=False", "Dense.quantization_config=None"]
    assert newer_parts(twice, inert=False) == []
    portable = portable_config(twice)
    assert newer_parts(portable) == []
    assert portable_config(portable) == portable
