"""Telling age from gender among a model's outputs."""

import keras
import pytest

from agegender.errors import ModelError, SettingError
from agegender.evaluation.outputs import OutputPlaces, find_outputs


def features():
    image = keras.Input((8, 8, 3))
    return image, keras.layers.GlobalAveragePooling2D()(image)


def two_outputs(first, second):
    """A model of two Dense outputs, each given as (name, activation)."""
    image, pooled = features()
    return keras.Model(
        image, [keras.layers.Dense(1, activation=activation, name=name)(pooled) for name, activation in (first, second)]
    )


AGE_FIRST, GENDER_FIRST = OutputPlaces(age=0, gender=1), OutputPlaces(age=1, gender=0)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("age", None), ("gender", "sigmoid"), AGE_FIRST),
        (("gender", "sigmoid"), ("age", None), GENDER_FIRST),
        (("age_output", None), ("gender_output", "sigmoid"), AGE_FIRST),
        (("predGender", "sigmoid"), ("predAge", "relu"), GENDER_FIRST),
        # Both end in a sigmoid, an age of 0..1 to be scaled later perhaps: names decide.
        (("gender_2", "sigmoid"), ("head_age", "sigmoid"), GENDER_FIRST),
        # Names decide against the sigmoid: the model's author said what is what.
        (("age", "sigmoid"), ("gender", None), AGE_FIRST),
        (("dense_7", None), ("dense_8", "sigmoid"), AGE_FIRST),
        (("dense_7", "sigmoid"), ("dense_8", "relu"), GENDER_FIRST),
        # `average` and `stage` hold the letters of age but not the word.
        (("average", "sigmoid"), ("stage_2", None), GENDER_FIRST),
        (("dense_1", None), ("gender", "sigmoid"), AGE_FIRST),
        # A name that holds both words says nothing.
        (("age_gender_1", None), ("age_gender_2", "sigmoid"), AGE_FIRST),
    ],
)
def test_outputs_are_told_by_name_else_by_the_sigmoid(first, second, expected):
    assert find_outputs(two_outputs(first, second)) == expected


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("dense_1", None), ("dense_2", None)),
        (("dense_1", "sigmoid"), ("dense_2", "sigmoid")),
        # The name and the sigmoid contradict each other.
        (("age", "sigmoid"), ("dense_2", None)),
        (("gender", None), ("dense_2", "sigmoid")),
    ],
)
def test_what_cannot_be_decided_is_an_error_that_says_how_to_decide(first, second):
    model = two_outputs(first, second)
    with pytest.raises(ModelError, match="--outputs age,gender") as caught:
        find_outputs(model)
    assert first[0] in str(caught.value)
    assert find_outputs(model, ["gender", "age"]) == GENDER_FIRST
    assert find_outputs(model, ["age", "gender"]) == AGE_FIRST


def test_what_the_caller_says_goes_above_names():
    assert find_outputs(two_outputs(("age", None), ("gender", "sigmoid")), ("gender", "age")) == GENDER_FIRST


@pytest.mark.parametrize("outputs", [["age"], ["age", "age"], ["age", "sex"], ["age", "gender", "race"], []])
def test_an_arrangement_that_makes_no_sense_is_refused(outputs):
    with pytest.raises(SettingError, match="age,gender or gender,age"):
        find_outputs(two_outputs(("a", None), ("b", None)), outputs)


def with_last_layers(make):
    image, pooled = features()
    return keras.Model(image, [keras.layers.Dense(1, name="first")(pooled), make(pooled)])


@pytest.mark.parametrize(
    "make",
    [
        lambda x: keras.layers.Activation("sigmoid")(keras.layers.Dense(1)(x)),
        lambda x: keras.layers.Activation("linear", dtype="float32")(keras.layers.Dense(1, activation="sigmoid")(x)),
        lambda x: keras.layers.Reshape((1,))(keras.layers.Dense(1, activation="sigmoid")(x)),
        lambda x: keras.ops.sigmoid(keras.layers.Dense(1)(x)),
        keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1, activation="sigmoid")]),
    ],
    ids=["activation layer", "cast to float32", "reshaped", "operation", "sequential head"],
)
def test_a_sigmoid_is_seen_through_layers_that_pass_it_on(make):
    assert find_outputs(with_last_layers(make)) == AGE_FIRST


def test_a_sigmoid_is_seen_inside_a_model_with_two_outputs():
    inner_input = keras.Input((3,))
    inner = keras.Model(
        inner_input, [keras.layers.Dense(1, activation="sigmoid")(inner_input), keras.layers.Dense(1)(inner_input)]
    )
    image, pooled = features()
    assert find_outputs(keras.Model(image, inner(pooled))) == GENDER_FIRST


def test_a_scaled_sigmoid_is_no_sigmoid():
    """A sigmoid times 116 is an age."""
    model = with_last_layers(lambda x: keras.layers.Rescaling(116.0)(keras.layers.Dense(1, activation="sigmoid")(x)))
    with pytest.raises(ModelError, match="Cannot tell"):
        find_outputs(model)


def test_outputs_given_as_a_dictionary():
    image, pooled = features()
    model = keras.Model(
        image, {"gender": keras.layers.Dense(1, name="g")(pooled), "age": keras.layers.Dense(1, name="a")(pooled)}
    )
    with pytest.raises(ModelError, match="Cannot tell"):
        find_outputs(model)
