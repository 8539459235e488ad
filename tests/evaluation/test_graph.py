"""Walking a graph: where everything a model answers goes through."""

import keras

from agegender.evaluation.graph import last_image, tensor_made_by, tensors_of


def heads(x):
    pooled = keras.layers.GlobalAveragePooling2D()(x)
    return [keras.layers.Dense(1, name="age")(pooled), keras.layers.Dense(1, "sigmoid", name="gender")(pooled)]


def test_the_last_image_is_the_last_that_every_path_passes():
    image = keras.Input((128, 128, 3))
    scaled = keras.layers.Rescaling(2.0)(image)
    shifted = keras.layers.Rescaling(1.0, offset=-1.0)(scaled)
    mirror = keras.layers.Conv2D(3, 1, name="looks_like_an_image")(shifted)
    merged = keras.layers.Concatenate()([shifted, mirror])
    assert last_image(keras.Model(image, heads(merged))) is shifted


def test_a_path_around_it_means_that_it_does_not_hold_everything():
    image = keras.Input((128, 128, 3))
    scaled = keras.layers.Rescaling(2.0)(image)
    assert last_image(keras.Model(image, heads(keras.layers.Concatenate()([image, scaled])))) is None


def test_a_network_without_such_a_place():
    image = keras.Input((128, 128, 3))
    assert last_image(keras.Model(image, heads(keras.layers.Conv2D(4, 3, strides=2)(image)))) is None


def test_a_path_to_one_output_alone_counts_too():
    image = keras.Input((128, 128, 3))
    age, _ = heads(keras.layers.Rescaling(2.0)(image))
    gender = keras.layers.Dense(1, "sigmoid")(keras.layers.GlobalAveragePooling2D()(image))
    assert last_image(keras.Model(image, [age, gender])) is None


def test_tensors_are_found_once_each_and_by_their_layer():
    image = keras.Input((128, 128, 3))
    shared = keras.layers.Rescaling(2.0, name="shared")
    once = shared(image)
    twice = shared(once)
    model = keras.Model(image, heads(twice))
    assert len(tensors_of(model.outputs)) == 6  # input, two scaled, pooled, two outputs
    assert tensor_made_by(model, "age") is model.outputs[0]
    assert tensor_made_by(model, "shared") is None
    assert tensor_made_by(model, "nobody") is None
