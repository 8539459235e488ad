"""Loading model files: what is accepted and what each refusal says."""

import keras
import numpy as np
import pytest

from agegender.errors import ModelError
from agegender.evaluation.load import checked_file, checked_model, load_model
from agegender.evaluation.outputs import OutputPlaces


def model_of(input_shape, *outputs):
    image = keras.Input(input_shape)
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    return keras.Model(image, [keras.layers.Dense(units, activation=act)(pooled) for units, act in outputs])


def test_a_saved_model_is_loaded_and_its_outputs_are_found(model_file):
    model = load_model(model_file())
    assert model.places == OutputPlaces(age=0, gender=1)
    assert model.name == "age_gender_A.keras"
    assert load_model(model_file("swapped", swapped=True)).places == OutputPlaces(age=1, gender=0)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (model_of((64, 64, 3), (1, None), (1, "sigmoid")), r"\(None, 64, 64, 3\)"),
        (model_of((128, 128, 1), (1, None), (1, "sigmoid")), r"\(None, 128, 128, 1\)"),
        (model_of((None, None, 3), (1, None), (1, "sigmoid")), r"\(None, None, None, 3\)"),
        (model_of((128, 128, 3), (1, None), (2, "softmax")), "two softmax units must become one"),
        (model_of((128, 128, 3), (117, "softmax"), (1, "sigmoid")), r"\(None, 117\), \(None, 1\)"),
        (model_of((128, 128, 3), (1, None)), r"Received: \(None, 1\)"),
        (model_of((128, 128, 3), (1, None), (1, "sigmoid"), (5, "softmax")), r"\(None, 5\)"),
        (model_of((128, 128, 3), (1, None), (1, None)), "--outputs"),
    ],
    ids=["small", "grey", "any size", "softmax gender", "age classes", "one output", "three outputs", "undecidable"],
)
def test_other_inputs_and_outputs_are_refused_with_what_was_received(model, message):
    with pytest.raises(ModelError, match=message):
        checked_model(model)


def test_two_inputs_and_a_fixed_batch_are_refused():
    image, extra = keras.Input((128, 128, 3)), keras.Input((4,))
    pooled = keras.layers.Concatenate()([keras.layers.GlobalAveragePooling2D()(image), extra])
    outputs = [keras.layers.Dense(1)(pooled), keras.layers.Dense(1, activation="sigmoid")(pooled)]
    with pytest.raises(ModelError, match=r"\(None, 128, 128, 3\), \(None, 4\)"):
        checked_model(keras.Model([image, extra], outputs))
    fixed = keras.Input(batch_shape=(8, 128, 128, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(fixed)
    outputs = [keras.layers.Dense(1)(pooled), keras.layers.Dense(1, activation="sigmoid")(pooled)]
    with pytest.raises(ModelError, match=r"\(8, 128, 128, 3\)"):
        checked_model(keras.Model(fixed, outputs))


def test_what_is_no_model_file_is_refused_without_loading(tmp_path):
    with pytest.raises(ModelError, match="No model file at"):
        checked_file(tmp_path / "missing.keras")
    with pytest.raises(ModelError, match="No model file at"):
        checked_file(tmp_path)
    text = tmp_path / "text.keras"
    text.write_text("not a model")
    with pytest.raises(ModelError, match=r"not a \.keras file"):
        checked_file(text)


def test_a_cut_file_is_refused(model_file, tmp_path):
    content = model_file().read_bytes()
    cut = tmp_path / "cut.keras"
    cut.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="cut short"):
        load_model(cut)


def test_an_archive_of_something_else_is_refused(tmp_path):
    np.savez(tmp_path / "arrays.npz", a=np.ones(3))
    (tmp_path / "arrays.npz").rename(tmp_path / "arrays.keras")
    with pytest.raises(ModelError, match="Plain Keras cannot load"):
        load_model(tmp_path / "arrays.keras")


def test_a_lambda_is_refused_by_safe_mode(tmp_path):
    image = keras.Input((128, 128, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Lambda(lambda x: x * 2)(image))
    model = keras.Model(
        image, [keras.layers.Dense(1, name="age")(pooled), keras.layers.Dense(1, name="gender")(pooled)]
    )
    model.save(tmp_path / "lambda.keras")
    with pytest.raises(ModelError, match="built-in layers only"):
        load_model(tmp_path / "lambda.keras")


def test_a_custom_layer_is_refused(tmp_path):
    class Doubling(keras.layers.Layer):
        def call(self, inputs):
            return inputs * 2

    image = keras.Input((128, 128, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(Doubling()(image))
    outputs = [keras.layers.Dense(1, name="age")(pooled), keras.layers.Dense(1, name="gender")(pooled)]
    keras.Model(image, outputs).save(tmp_path / "custom.keras")
    with pytest.raises(ModelError, match="Doubling"):
        load_model(tmp_path / "custom.keras")
