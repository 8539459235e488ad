"""Predictions against what a plain load and `model.predict` give."""

from typing import Any

import keras
import numpy as np
import pytest

from agegender.errors import ModelError, SettingError
from agegender.evaluation import predict
from agegender.evaluation.load import checked_model, load_model
from agegender.evaluation.predict import ORDERS, predict_faces, prediction_table


def plain_answers(path, images, order, batch_size=100):
    pixels = images.astype(np.float32) / 255
    model: Any = keras.models.load_model(path)
    answers = model.predict(pixels if order == "rgb" else pixels[..., ::-1], batch_size=batch_size, verbose=0)
    return answers[0][:, 0], answers[1][:, 0]


def assert_same(answers, age, female):
    """Equal but for rounding: a short last batch is filled up here, and sums in another order round otherwise."""
    np.testing.assert_allclose(answers.age, age, atol=2e-4)
    np.testing.assert_allclose(answers.female_probability, female, atol=2e-6)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("swapped", [False, True])
def test_answers_are_those_of_the_marker(model_file, images, order, swapped):
    path = model_file("swapped" if swapped else "age_gender_A", swapped=swapped)
    first, second = plain_answers(path, images, order)
    age, female = (second, first) if swapped else (first, second)
    answers = predict_faces(load_model(path), images, orders=[order])[order]
    assert_same(answers, age, female)
    assert answers.age_distribution is None
    assert answers.age.std() > 1
    assert answers.female_probability.std() > 0.01


def test_runs_of_batches_change_nothing(model_file, images, monkeypatch):
    monkeypatch.setattr(predict, "_RUN_IMAGES", 25)  # runs of 2 batches of 10, the last one shorter
    age, female = plain_answers(model_file(), images, "bgr", batch_size=10)
    answers = predict_faces(load_model(model_file()), images, orders=ORDERS, batch_size=10)["bgr"]
    assert_same(answers, age, female)


@pytest.mark.parametrize("steepness", [1e6, 400.0], ids=["always ordered", "ordered unless the colours are close"])
@pytest.mark.parametrize("batch_size", [100, 7])
def test_a_network_that_orders_channels_is_not_asked_twice_and_answers_as_if_it_were(
    model_file, images, monkeypatch, steepness, batch_size
):
    path = model_file(f"ordering_{steepness:g}", steepness=steepness)
    monkeypatch.setattr(predict, "_RUN_IMAGES", 30)
    asked = []
    answered_again = predict._answered_again

    def counted(ask, pixels, known, different):
        asked.append(int(different.sum()))
        return answered_again(ask, pixels, known, different)

    monkeypatch.setattr(predict, "_answered_again", counted)
    both = predict_faces(load_model(path), images, orders=ORDERS, batch_size=batch_size)
    for order in ORDERS:
        age, female = plain_answers(path, images, order, batch_size)
        assert_same(both[order], age, female)
    if steepness == 1e6:
        assert sum(asked) == 0
        assert np.array_equal(both["rgb"].age, both["bgr"].age)
    elif batch_size == 7:
        assert sum(asked) < len(images)  # how many depends on how the processor rounds; on some it is none


def test_batches_whose_images_differ_are_asked_again(model_file, images, monkeypatch):
    path = model_file("ordering_400", steepness=400.0)
    model = load_model(path)

    def first_batch_differs(first, other, batch_size):
        return np.arange(len(first)) < batch_size

    monkeypatch.setattr(predict, "_different", first_batch_differs)
    asked = []
    answered_again = predict._answered_again

    def counted(ask, pixels, known, different):
        asked.append(int(different.sum()))
        return answered_again(ask, pixels, known, different)

    monkeypatch.setattr(predict, "_answered_again", counted)
    both = predict_faces(model, images, orders=ORDERS, batch_size=7)
    assert sum(asked) == 7
    age, female = plain_answers(path, images, "bgr", 7)
    assert_same(both["bgr"], age, female)


def test_fewer_images_than_a_batch_are_not_filled_up_to_one(model_file, images, monkeypatch):
    model = load_model(model_file())
    sizes = []
    answer: Any = model.keras_model.predict_on_batch
    monkeypatch.setattr(model.keras_model, "predict_on_batch", lambda batch: sizes.append(len(batch)) or answer(batch))
    predict_faces(model, images[:3])
    assert sizes == [3]
    predict_faces(model, images[:43], batch_size=20)
    assert sizes == [3, 20, 20, 20]


def test_threads_change_nothing(model_file, images, monkeypatch):
    many = predict_faces(load_model(model_file()), images, batch_size=8)["rgb"]
    monkeypatch.setattr(predict, "_MOST_THREADS", 1)
    one = predict_faces(load_model(model_file()), images, batch_size=8)["rgb"]
    assert np.array_equal(many.age, one.age)
    assert np.array_equal(many.female_probability, one.female_probability)


def test_a_network_that_does_not_order_channels_gives_two_different_answers(model_file, images):
    both = predict_faces(load_model(model_file()), images, orders=ORDERS)
    assert np.abs(both["rgb"].age - both["bgr"].age).mean() > 0.5


def test_the_distribution_comes_from_the_same_pass(model_file, images):
    model = load_model(model_file("ordering", steepness=1e6))
    plain = predict_faces(model, images, orders=ORDERS)
    for order in ORDERS:
        answers = predict_faces(model, images, orders=ORDERS, with_distribution=True)[order]
        assert np.array_equal(answers.age, plain[order].age)
        assert answers.age_distribution is not None
        assert answers.age_distribution.shape == (57, 117)
        assert answers.age_distribution.dtype == np.float32
        assert answers.age_distribution.sum(axis=1) == pytest.approx(np.ones(57), abs=1e-5)
        assert answers.age_distribution @ np.arange(117) == pytest.approx(answers.age, abs=1e-3)


def test_the_distribution_of_a_layer_that_is_used_twice_in_training_is_still_found(images):
    """The layers of one set of weights may stand in a training graph and in the saved one."""
    image = keras.Input((128, 128, 3))
    softmax, age = keras.layers.Dense(117, "softmax", name="age_distribution"), keras.layers.Dense(1, name="age")
    gender = keras.layers.Dense(1, "sigmoid", name="gender")
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    keras.Model(image, [age(softmax(pooled)), gender(pooled)])
    coarse = keras.layers.GlobalAveragePooling2D()(keras.layers.AveragePooling2D(2)(image))
    saved = checked_model(keras.Model(image, [age(softmax(coarse)), gender(coarse)]))
    answers = predict_faces(saved, images[:3], with_distribution=True)["rgb"]
    assert answers.age_distribution is not None
    assert answers.age_distribution.shape == (3, 117)


def test_a_model_without_a_distribution_says_so(images):
    image = keras.Input((128, 128, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    outputs = [keras.layers.Dense(1, name="age")(pooled), keras.layers.Dense(1, "sigmoid", name="gender")(pooled)]
    with pytest.raises(ModelError, match="age_distribution"):
        predict_faces(checked_model(keras.Model(image, outputs)), images, with_distribution=True)


def broken_model(age_weight, gender_activation):
    image = keras.Input((128, 128, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    age = keras.layers.Dense(1, name="age")
    nine: Any = keras.initializers.Constant(9.0)
    gender = keras.layers.Dense(1, gender_activation, name="gender", bias_initializer=nine)
    model = keras.Model(image, [age(pooled), gender(pooled)])
    age.set_weights([np.full((3, 1), age_weight, np.float32), np.zeros(1, np.float32)])
    return checked_model(model)


def test_answers_that_are_no_numbers_are_an_error(images):
    with pytest.raises(ModelError, match="not a finite number for 57 of 57"):
        predict_faces(broken_model(np.nan, "sigmoid"), images)


def test_logits_in_place_of_a_probability_are_an_error(images):
    with pytest.raises(ModelError, match=r"End it in a sigmoid"):
        predict_faces(broken_model(1.0, None), images)


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((0, 128, 128, 3), np.uint8),
        np.zeros((2, 64, 64, 3), np.uint8),
        np.zeros((2, 128, 128, 3), np.float32),
        np.zeros((128, 128, 3), np.uint8),
    ],
    ids=["none", "size", "type", "one without batch axis"],
)
def test_images_of_another_kind_are_refused(model_file, bad):
    with pytest.raises(SettingError, match="uint8 of shape"):
        predict_faces(load_model(model_file()), bad)


def test_a_batch_size_below_one_is_refused(model_file, images):
    with pytest.raises(SettingError, match="Received: 0"):
        predict_faces(load_model(model_file()), images, batch_size=0)


def test_progress_counts_images(model_file, images):
    seen = []

    def progress(items, /, *, total, title):
        for item in items:
            seen.append((item, total, title))
            yield item

    predict_faces(load_model(model_file()), images, progress=progress, title="Predicting A")
    assert len(seen) == 57
    assert seen[-1] == (57, 57, "Predicting A")


def test_the_table_keeps_labels_and_groups(model_file, images, face_table):
    answers = predict_faces(load_model(model_file()), images, with_distribution=True)["rgb"]
    rows = prediction_table(face_table, answers)
    assert list(rows.columns) == [*face_table.columns, "predicted_age", "female_probability", "age_distribution"]
    assert rows["predicted_age"].tolist() == answers.age.tolist()
    assert "predicted_age" not in face_table.columns
    with pytest.raises(SettingError, match="Received: 56 and 57"):
        prediction_table(face_table.iloc[1:], answers)
