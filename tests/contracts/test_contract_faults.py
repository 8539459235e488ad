"""Planted faults: each is caught by the check that is there for it, and by no check that it does not concern."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from agegender.errors import MissingExtraError, ModelError, SettingError
from agegender.models.contract import TERMS, ContractReport, Outcome, check_model, check_models
from agegender.models.input_layers import red_first
from agegender.models.network import median_age
from agegender.models.saving import make_portable

pytestmark = pytest.mark.timeout(1200)  # the first test waits for all the faulty files

layers: Any = keras.layers
YEARS = np.arange(117, dtype=np.float32)
LOSSES = {"age": "mean_absolute_error", "gender": "binary_crossentropy"}
METRICS = {"age": ["mae"], "gender": ["accuracy"]}


def bold(seed: int, spread: float = 2.0) -> Any:
    """Start weights so wide that what differs in the image differs in the answer."""
    return keras.initializers.RandomNormal(stddev=spread, seed=seed)


def trunk(images: Any, *, side: int = 8, norm: dict[str, Any] | None = None) -> Any:
    x = layers.Conv2D(4, 5, strides=4, padding="same", kernel_initializer=bold(1, 0.5))(images)
    x = layers.BatchNormalization()(x, **(norm or {}))
    return layers.Conv2D(8, 3, strides=32 // side, padding="same", kernel_initializer=bold(2, 0.5))(x)


def age_output(features: Any, *, per_year: float = 1.0, older: float = 0.0, name: str = "age_distribution") -> Any:
    distribution = layers.Dense(117, activation="softmax", kernel_initializer=bold(3), name=name)(features)
    mean = layers.Dense(1, use_bias=bool(older), trainable=False, name="age")
    age = mean(distribution)
    mean.set_weights([YEARS[:, None] * per_year, *([np.array([older])] if older else [])])
    return age


def median_output(features: Any) -> Any:
    return median_age(
        layers.Dense(117, activation="softmax", kernel_initializer=bold(3), name="age_distribution")(features)
    )


def gender_output(features: Any, units: int = 1, activation: str | None = "sigmoid") -> Any:
    return layers.Dense(units, activation=activation, kernel_initializer=bold(4), name="gender")(features)


def pooled(maps: Any) -> Any:
    return layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(maps))


def model(
    *,
    before: Callable[[Any], Any] = red_first,
    after: Callable[[Any], Any] = pooled,
    age: Callable[[Any], Any] = age_output,
    gender: Callable[[Any], Any] = gender_output,
    size: int = 128,
    swapped: bool = False,
    compiled: dict[str, Any] | None = None,
    **trunk_options: Any,
) -> Any:
    """A small model that keeps the contract, unless an argument says otherwise."""
    images = keras.Input((size, size, 3))
    features = after(trunk(before(images), **trunk_options))
    outputs = [age(features), gender(features)]
    built = keras.Model(images, outputs[::-1] if swapped else outputs)
    if compiled is None:
        compiled = {"loss": LOSSES, "metrics": METRICS}
    if compiled:
        built.compile("sgd", **compiled)
    return built


@keras.saving.register_keras_serializable("elsewhere")
class CustomLayer(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs


class PackageLayer(CustomLayer):
    pass


PackageLayer.__module__ = "agegender.models.layers"


def custom_loss(truth: Any, answer: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(truth - answer))


def under_bfloat16() -> Any:
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        return model()
    finally:
        keras.config.set_dtype_policy(former)


def without_techniques() -> Any:
    images = keras.Input((128, 128, 3))
    maps = layers.Conv2D(8, 3, strides=16, kernel_initializer=bold(2, 0.5))(red_first(images))
    features = layers.GlobalAveragePooling2D()(maps)
    built = keras.Model(images, [age_output(features), gender_output(features)])
    built.compile("sgd", loss=LOSSES, metrics=METRICS)
    return built


def diverged() -> Any:
    built = model()
    built.get_layer("age_distribution").set_weights([np.full((8, 117), np.nan), np.zeros(117)])
    return built


def nested_flatten() -> Any:
    inner_input = keras.Input((16, 16, 8))
    inner = keras.Model(inner_input, layers.Dropout(0.3)(layers.Flatten()(inner_input)))
    return model(side=16, after=inner)


def forced(layer: Any, **options: Any) -> Callable[[Any], Any]:
    """Red-first images through a layer that the graph calls in training mode."""
    return lambda images: layer(red_first(images), training=True, **options)


def mean_age(features: Any) -> Any:
    return layers.Dense(1, bias_initializer=keras.initializers.Constant(40.0), name="age")(features)


FAULTS: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "none": (model, set()),
    "gender as a softmax of 2": (
        lambda: model(gender=lambda x: gender_output(x, 2, "softmax")),
        {"output_units", "gender_sigmoid"},
    ),
    "gender without a sigmoid": (lambda: model(gender=lambda x: gender_output(x, 1, None)), {"gender_sigmoid"}),
    "gender by a hard sigmoid": (
        lambda: model(gender=lambda x: gender_output(x, 1, "hard_sigmoid")),
        {"gender_sigmoid"},
    ),
    "outputs swapped": (lambda: model(swapped=True), {"output_names"}),
    "outputs without names": (
        lambda: model(gender=layers.Dense(1, activation="sigmoid"), compiled={}),
        {"output_names"},
    ),
    "age in 0..1": (lambda: model(age=lambda x: age_output(x, per_year=1 / 116)), {"age_years", "age_distribution"}),
    "age in months": (lambda: model(age=lambda x: age_output(x, per_year=12.0)), {"age_years", "age_distribution"}),
    "age three years beside its distribution": (
        lambda: model(age=lambda x: age_output(x, older=3.0)),
        {"age_distribution"},
    ),
    "none, the median of its distribution": (lambda: model(age=median_output), set()),
    "no age distribution": (lambda: model(age=mean_age), {"age_distribution"}),
    "age distribution under another name": (
        lambda: model(age=lambda x: age_output(x, name="ages")),
        {"age_distribution"},
    ),
    "input of 64 pixels": (lambda: model(size=64, before=lambda x: x), {"input"}),
    "input of any size": (lambda: model(size=None, before=lambda x: x), {"input"}),  # type: ignore[arg-type]
    "a Lambda": (lambda: model(before=layers.Lambda(lambda x: x * 2.0)), {"built_in_parts", "loads"}),
    "a custom registered layer": (lambda: model(before=CustomLayer()), {"built_in_parts", "loads"}),
    "a layer of this package": (lambda: model(before=PackageLayer()), {"built_in_parts", "loads"}),
    "a keras.ops node": (lambda: model(before=lambda x: red_first(x) * 1.0), {"built_in_parts"}),
    "a custom loss": (
        lambda: model(compiled={"loss": {"age": custom_loss, "gender": "mse"}, "metrics": METRICS}),
        {"built_in_parts", "loads"},
    ),
    "not compiled": (lambda: model(compiled={}), {"compiled"}),
    "compiled without metrics": (lambda: model(compiled={"loss": LOSSES}), {"compiled"}),
    "maps of 16 x 16 before the heads": (lambda: model(side=16), {"feature_maps"}),
    "maps of 16 x 16 flattened in a nested model": (nested_flatten, {"feature_maps"}),
    "a dense layer on maps of 32 x 32": (
        lambda: model(side=32, after=lambda x: pooled(layers.Conv2D(8, 4, 4)(layers.Dense(8)(x)))),
        {"feature_maps"},
    ),
    "a flip at inference": (
        lambda: model(before=forced(layers.RandomFlip("horizontal", seed=1))),
        {"training_only", "repeatable"},
    ),
    "dropout at inference": (
        lambda: model(after=lambda x: layers.Dropout(0.5, seed=1)(layers.GlobalAveragePooling2D()(x), training=True)),
        {"training_only", "repeatable"},
    ),
    "statistics of the batch at inference": (
        lambda: model(norm={"training": True}),
        {"training_only", "repeatable"},
    ),
    "answers that depend on the batch": (
        lambda: model(after=lambda x: layers.UnitNormalization(axis=0)(pooled(x))),
        {"batches", "channel_order"},
    ),
    "channel order matters": (lambda: model(before=lambda x: x), {"channel_order"}),
    "half precision": (under_bfloat16, {"float32", "age_distribution"}),
    "no technique against overfitting": (without_techniques, {"overfitting"}),
    "weights that diverged": (
        diverged,
        {"age_years", "age_distribution", "batches", "repeatable", "channel_order", "compiled"},
    ),
}


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def without_weights(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in ("config.json", "metadata.json")}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)


DAMAGE: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "not a zip": (lambda path: path.write_bytes(np.random.default_rng(1).bytes(5000)), {"whole_file", "loads"}),
    "empty": (lambda path: path.write_bytes(b""), {"whole_file", "loads"}),
    "truncated": (truncated, {"whole_file", "loads"}),
    "no weights inside": (without_weights, {"whole_file", "loads"}),
    "saved plainly by the newest Keras": (lambda path: model().save(path), {"older_keras"}),
    "weights alone": (lambda path: model().save_weights(path), {"whole_file", "loads"}),
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ContractReport]:
    """All faulty files, checked by one process."""
    folder = tmp_path_factory.mktemp("faults")
    files: dict[str, Path] = {}
    for number, (fault, (build, _)) in enumerate(FAULTS.items()):
        files[fault] = folder / f"fault{number}.keras"
        build().save(files[fault])
        make_portable(files[fault])
    for number, (fault, (damage, _)) in enumerate(DAMAGE.items()):
        files[fault] = folder / (f"damage{number}.weights.h5" if fault == "weights alone" else f"damage{number}.keras")
        files[fault].write_bytes(files["none"].read_bytes())
        damage(files[fault])
    return dict(zip(files, check_models(list(files.values())), strict=True))


@pytest.mark.parametrize("fault", [*FAULTS, *DAMAGE])
def test_a_fault_is_caught_by_the_right_checks(fault: str, reports: dict[str, ContractReport]) -> None:
    expected = (FAULTS | DAMAGE)[fault][1]
    broken = {check.name: check.found for check in reports[fault].broken}
    assert set(broken) == expected, broken
    assert reports[fault].passed is (not expected)


def test_every_check_can_fail() -> None:
    caught = set().union(*(expected for _, expected in (FAULTS | DAMAGE).values()))
    assert caught == set(TERMS)


def test_what_was_found_says_where(reports: dict[str, ContractReport]) -> None:
    def found(fault: str, name: str) -> str:
        return next(check.found for check in reports[fault].checks if check.name == name)

    assert "Lambda" in found("a Lambda", "built_in_parts")
    assert "elsewhere>CustomLayer" in found("a custom registered layer", "built_in_parts")
    assert "Could not locate class 'PackageLayer'" in found("a layer of this package", "loads")
    assert "16 x 16" in found("maps of 16 x 16 flattened in a nested model", "feature_maps")
    assert "Dense.quantization_config=None" in found("saved plainly by the newest Keras", "older_keras")
    assert "RandomFlip" in found("a flip at inference", "training_only")
    assert "[None, 64, 64, 3]" in found("input of 64 pixels", "input").replace("(", "[").replace(")", "]")


def test_what_rests_on_a_broken_check_is_not_made(reports: dict[str, ContractReport]) -> None:
    outcomes = {check.name: check.outcome for check in reports["not a zip"].checks}
    assert outcomes["channel_order"] is outcomes["built_in_parts"] is Outcome.NOT_MADE
    assert reports["not a zip"].answers == {}


def test_a_foreign_file_is_excused_from_what_is_asked_of_own_files(tmp_path: Path) -> None:
    file = tmp_path / "foreign.keras"
    model(age=mean_age).save(file)
    make_portable(file)
    images = np.zeros((2, 128, 128, 3), np.uint8)
    report = check_model(file, foreign=True, images=images)
    assert report.passed
    assert [check.name for check in report.checks if check.outcome is Outcome.NOTED] == ["age_distribution"]
    assert report.answers["age"].shape == (2,)
    assert report.as_json()["checks"][0] == {
        "name": "whole_file",
        "outcome": "passed",
        "found": report.checks[0].found,
        "expected": TERMS["whole_file"].expected,
        "advice": TERMS["whole_file"].advice,
    }


def test_errors_of_the_caller_are_told_from_broken_files(tmp_path: Path) -> None:
    file = tmp_path / "any.keras"
    with pytest.raises(ModelError, match="no model file"):
        check_model(file)
    file.write_bytes(b"")
    with pytest.raises(SettingError, match="Received: float32"):
        check_model(file, images=np.zeros((1, 128, 128, 3), np.float32))
    with pytest.raises(SettingError, match="Cannot run"):
        check_model(file, python=tmp_path / "no-python")
    with pytest.raises(ModelError, match=r"took longer than 0\.2 s"):
        check_model(file, timeout_seconds=0.2)


def test_an_interpreter_without_keras_says_what_to_install(tmp_path: Path, clean_environments: Any) -> None:
    file = tmp_path / "any.keras"
    file.write_bytes(b"")
    (tmp_path / "clean-bare.txt").write_text("")
    bare = clean_environments.ensure_environment("bare", requirements=tmp_path, home=tmp_path / "envs")
    with pytest.raises(MissingExtraError, match="has no NumPy"):
        check_model(file, python=bare)
