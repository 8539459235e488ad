"""Maps of planted networks, whose evidence is known to lie in one place: 1 of 64 cells would be hit by chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from agegender.errors import ModelError, SettingError
from agegender.evaluation import explain
from agegender.evaluation.explain import LOGITS, PROBABILITY, explain_faces
from agegender.evaluation.load import LoadedModel, checked_model
from agegender.evaluation.opened import IMAGE, open_graph
from agegender.models.input_layers import mirrored, red_first
from agegender.models.probe_images import face_like_images

keras: Any = pytest.importorskip("keras")

CELL = 16
"""Pixels; the planted networks have 8 x 8 cells."""

FACES = face_like_images(4, seed=3)
PLACES = [(0, 0), (2, 6), (5, 1), (7, 7)]


def cells_of(image: Any, channels: int = 4) -> Any:
    """A trunk whose cells never overlap, with random weights: whatever it shows of a cell comes from that cell."""
    initializer = keras.initializers.RandomNormal(stddev=0.1, seed=6)
    layer = keras.layers.Conv2D(
        channels, CELL, strides=CELL, activation="relu", kernel_initializer=initializer, bias_initializer="ones"
    )
    return layer(image)


def weights_of_one_cell(place: tuple[int, int], channels: int = 4) -> np.ndarray:
    kernel = np.zeros((8, 8, channels, 1), np.float32)
    kernel[place] = np.linspace(1.0, 2.0, channels)[:, None]
    return kernel.reshape(-1, 1)


def reader_of_two_cells(age_place: tuple[int, int], gender_place: tuple[int, int]) -> LoadedModel:
    """Its age reads one cell alone and its gender another one."""
    image = keras.Input((128, 128, 3))
    flat = keras.layers.Flatten()(cells_of(image))
    age, gender = keras.layers.Dense(1, name="age"), keras.layers.Dense(1, "sigmoid", name="gender")
    model = keras.Model(image, [age(flat), gender(flat)])
    age.set_weights([weights_of_one_cell(age_place), np.array([30.0], np.float32)])
    gender.set_weights([weights_of_one_cell(gender_place), np.array([-2.0], np.float32)])
    return checked_model(model)


def red_spot(place: tuple[int, int]) -> np.ndarray:
    """Grey noise with one red cell, uint8 (1, 128, 128, 3)."""
    grey = np.random.default_rng(1).integers(60, 180, (128, 128, 1)).repeat(3, axis=2).astype(np.uint8)
    grey[..., 0] += 12  # so that it can be told from its blue-first form
    row, column = (CELL * at for at in place)
    grey[row : row + CELL, column : column + CELL] = (250, 20, 20)
    return grey[None]


def red_finder(trunk_of: Callable[[Any], list[Any]]) -> LoadedModel:
    """Its age and gender grow with the red of the image, wherever that stands."""
    image = keras.Input((128, 128, 3))
    inner = keras.Input((128, 128, 3))
    spots = keras.layers.Conv2D(1, CELL, strides=CELL, activation="relu", name="spots")
    trunk = keras.Model(inner, spots(inner), name="trunk")
    kernel = np.tile(np.array([1.0, -0.5, -0.5], np.float32) / CELL**2, (CELL, CELL, 1))[..., None]
    spots.set_weights([kernel, np.array([-0.1], np.float32)])
    pooled = [keras.layers.GlobalAveragePooling2D()(trunk(view)) for view in trunk_of(image)]
    features = keras.layers.Average()(pooled) if len(pooled) > 1 else pooled[0]
    age, gender = keras.layers.Dense(1, name="age"), keras.layers.Dense(1, "sigmoid", name="gender")
    model = keras.Model(image, [age(features), gender(features)])
    age.set_weights([np.array([[900.0]], np.float32), np.array([20.0], np.float32)])
    gender.set_weights([np.array([[-50.0]], np.float32), np.array([1.0], np.float32)])
    return checked_model(model)


@pytest.mark.parametrize("place", PLACES)
def test_a_network_that_reads_one_cell_gets_its_map_there_and_nowhere_else(place: tuple[int, int]) -> None:
    other = (7 - place[0], (place[1] + 3) % 8)
    found = explain_faces(reader_of_two_cells(place, other), FACES)
    for maps, where in ((found.age, place), (found.gender, other)):
        assert maps.cells.shape == (4, 8, 8)
        here = maps.cells[:, *where]
        assert np.all(here > 0.1)
        assert np.abs(maps.cells).sum() == pytest.approx(here.sum(), rel=1e-6)


def test_a_map_sums_to_the_answer_less_its_bias() -> None:
    found = explain_faces(reader_of_two_cells((2, 3), (4, 4)), FACES)
    np.testing.assert_allclose(found.age.cells.sum(axis=(1, 2)) + 30.0, found.age.answers, rtol=1e-5)
    assert found.gender.unit == LOGITS
    logits = found.gender.cells.sum(axis=(1, 2)) - 2.0
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), found.gender.answers, rtol=1e-5)


def test_grad_cam_would_mark_cells_that_such_a_network_never_reads() -> None:
    """Why the maps are HiResCAM's: with the gradient averaged over places first, little is left on the true cell."""
    model = reader_of_two_cells((2, 6), (5, 1))
    graph = open_graph(model.keras_model)
    maps = next(step.results[0] for step in graph.steps if isinstance(step.operation, keras.layers.Conv2D))
    values = graph.run({IMAGE: keras.ops.convert_to_tensor(FACES.astype(np.float32) / 255)}, [maps])
    slope = weights_of_one_cell((2, 6)).reshape(8, 8, 4)
    grad_cam = (slope.mean(axis=(0, 1)) * keras.ops.convert_to_numpy(values[maps])).sum(axis=-1)
    on_cell = grad_cam[:, 2, 6] / grad_cam.sum(axis=(1, 2))
    assert np.all(on_cell < 0.1)


def ordered_also_mirrored(image: Any) -> list[Any]:
    ordered = red_first(image)
    return [ordered, mirrored(ordered)]


VIEWS: dict[str, Callable[[Any], list[Any]]] = {
    "as it is": lambda image: [image],
    "channels ordered": lambda image: [red_first(image)],
    "also mirrored": lambda image: [image, mirrored(image)],
    "ordered, also mirrored": ordered_also_mirrored,
    "mirrored alone": lambda image: [keras.ops.flip(image, axis=2)],
    "upside down alone": lambda image: [keras.ops.flip(image, axis=1)],
    "turned by half": lambda image: [keras.ops.flip(image, axis=(1, 2))],
}


@pytest.mark.parametrize("views", VIEWS)
def test_the_map_finds_what_the_network_finds_however_its_trunk_sees_the_image(views: str) -> None:
    model = red_finder(VIEWS[views])
    for place in ((1, 6), (6, 2)):
        found = explain_faces(model, red_spot(place))
        for maps, sign in ((found.age, 1), (found.gender, -1)):
            assert sign * maps.cells[0, *place] > 0.98 * np.abs(maps.cells).sum() > 0


def test_maps_of_several_sizes_are_added_on_the_finest_without_loss() -> None:
    """The age also reads the mean of the image itself: its own 128 x 128 pixels are a last map too."""
    image = keras.Input((128, 128, 3))
    features = keras.layers.GlobalAveragePooling2D()(cells_of(image))
    pixels = keras.layers.GlobalAveragePooling2D()(image)
    both = keras.layers.Concatenate()([features, pixels])
    age, gender = keras.layers.Dense(1, use_bias=False, name="age"), keras.layers.Dense(1, "sigmoid", name="gender")
    found = explain_faces(checked_model(keras.Model(image, [age(both), gender(features)])), FACES)
    assert found.age.cells.shape == (4, 128, 128)
    assert found.gender.cells.shape == (4, 8, 8)
    np.testing.assert_allclose(found.age.cells.sum(axis=(1, 2)), found.age.answers, rtol=1e-4, atol=1e-4)
    assert found.gender.at(64).shape == (4, 64, 64)


def test_batches_change_nothing_and_twice_is_the_same() -> None:
    model = reader_of_two_cells((1, 2), (6, 5))
    whole, parts = explain_faces(model, FACES), explain_faces(model, FACES, batch_size=3)
    np.testing.assert_allclose(parts.gender.cells, whole.gender.cells, rtol=1e-6)
    np.testing.assert_array_equal(explain_faces(model, FACES).age.cells, whole.age.cells)


def test_a_sure_gender_still_has_a_map() -> None:
    """Its sigmoid is exactly 1 in float32, without slope; its logit is explained."""
    model = reader_of_two_cells((3, 3), (4, 2))
    layer = model.keras_model.get_layer("gender")
    layer.set_weights([weights_of_one_cell((4, 2)), np.array([50.0], np.float32)])
    found = explain_faces(model, FACES).gender
    assert found.answers.min() == 1.0
    assert np.all(found.cells[:, 4, 2] > 0.1)


@pytest.mark.parametrize("last", ["activation", "operation", "average"])
def test_other_ends_than_a_dense_sigmoid(last: str) -> None:
    image = keras.Input((128, 128, 3))
    features = keras.layers.Flatten()(cells_of(image))
    logit = keras.layers.Dense(1)(features)
    if last == "activation":
        gender = keras.layers.Activation("sigmoid", name="gender")(logit)
    elif last == "operation":
        gender = keras.layers.Reshape((1,), name="gender")(keras.ops.sigmoid(logit))
    else:
        twice = [keras.layers.Dense(1, "sigmoid")(features) for _ in range(2)]
        gender = keras.layers.Average(name="gender")(twice)
    found = explain_faces(
        checked_model(keras.Model(image, [keras.layers.Dense(1, name="age")(features), gender])), FACES
    )
    assert found.gender.unit == (PROBABILITY if last == "average" else LOGITS)
    assert np.abs(found.gender.cells).max() > 0


def test_gender_before_age_is_told_apart() -> None:
    model = reader_of_two_cells((0, 3), (6, 6)).keras_model
    swapped = checked_model(keras.Model(model.inputs, model.outputs[::-1]))
    found = explain_faces(swapped, FACES)
    assert np.all(np.abs(found.age.cells).reshape(4, -1).argmax(axis=1) == 3)
    assert found.age.answers.min() > 30


def test_what_cannot_be_explained_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = reader_of_two_cells((3, 3), (4, 2))
    wrong: Any = FACES.astype(np.float32)
    with pytest.raises(SettingError, match="float32 of shape"):
        explain_faces(model, wrong)
    with pytest.raises(SettingError, match="n at least 1"):
        explain_faces(model, FACES[:0])
    with pytest.raises(SettingError, match="batch size"):
        explain_faces(model, FACES, batch_size=0)
    model.keras_model.get_layer("age").set_weights([np.full((256, 1), np.nan, np.float32), np.zeros(1, np.float32)])
    with pytest.raises(ModelError, match="maps of age are not finite"):
        explain_faces(model, FACES)
    monkeypatch.setattr(keras.backend, "backend", lambda: "openvino")
    with pytest.raises(SettingError, match="Received: the Keras backend openvino"):
        explain_faces(model, FACES)


def test_every_value_that_is_explained_is_a_map_before_it() -> None:
    """Of the network with a nested trunk, the maps are those of the trunk, 8 x 8, once a view."""
    model = red_finder(VIEWS["also mirrored"])
    age, gender = explain._targets(model, open_graph(model.keras_model))
    assert [(site.height, site.width, site.upside_down) for site in age.sites] == [(8, 8, False)] * 2
    assert sorted(site.mirrored for site in age.sites) == [False, True]
    assert gender.sites == age.sites
