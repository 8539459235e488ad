"""Real photographs, which the wheels of matplotlib, scikit-image and scikit-learn carry, are found and answered.

The two portraits in colour are public domain: Grace Hopper, 77 or 78 years old (US Navy, 1984), and Eileen Collins, in
her thirties or forties (NASA). A third photograph, grey, shows a cameraman from the side.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import cv2
import numpy as np
import pytest

import agegender
from agegender.inference.align import CROP_SIDE, TEMPLATE, scale_of, similarity
from agegender.inference.decode import read_picture
from agegender.inference.pipeline import FacePredictor
from agegender.inference.results import Face, ImageFaces
from agegender.shipped import shipped_manifest

FACES = {"hopper": ((222.0, 190.0), (308.0, 186.0)), "astronaut": ((204.0, 100.0), (246.0, 103.0))}
"""Where the two eyes lie, in pixels, measured by eye."""

AGES = {"hopper": 77, "astronaut": 42}
"""Of Grace Hopper (born in December 1906) in January 1984 and Eileen Collins (November 1956) in early 1999."""


def _of_wheel(package: str, *parts: str) -> Path:
    module = importlib.import_module(package)
    assert module.__file__ is not None
    return Path(module.__file__).parent.joinpath(*parts)


@pytest.fixture(scope="module")
def portraits(photograph: Path) -> dict[str, np.ndarray]:
    files = {"hopper": photograph, "astronaut": _of_wheel("skimage", "data", "astronaut.png")}
    return {name: read_picture(file).pixels for name, file in files.items()}


@pytest.fixture(scope="module")
def predictor(tiny_onnx: Path) -> FacePredictor:
    """Finds faces as every model does; its answers mean nothing."""
    return agegender.load(tiny_onnx, workers=1, threads=1)


def eyes_of(face: Face) -> np.ndarray:
    assert face.landmarks is not None
    return np.array([face.landmarks.left_eye, face.landmarks.right_eye])


def crop_side(result: ImageFaces) -> float:
    """Pixels of the picture that the only face's crop takes."""
    assert result.faces[0].landmarks is not None
    return CROP_SIDE / scale_of(similarity(np.array(result.faces[0].landmarks), TEMPLATE))


@pytest.mark.parametrize("name", FACES)
def test_a_portrait_is_one_face_with_its_eyes_in_place(
    predictor: FacePredictor, portraits: dict[str, np.ndarray], name: str
) -> None:
    (face,) = predictor.predict(portraits[name]).faces
    np.testing.assert_allclose(eyes_of(face), FACES[name], atol=8)
    assert face.notes == ()


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("name", FACES)
def test_it_is_found_in_any_turn(
    predictor: FacePredictor, portraits: dict[str, np.ndarray], name: str, quarters: int
) -> None:
    pixels = portraits[name]
    (face,) = predictor.predict(np.ascontiguousarray(np.rot90(pixels, quarters))).faces
    assert face.notes == ("turned_picture",)
    turned = np.zeros(pixels.shape[:2], np.uint8)
    for number, (x, y) in enumerate(FACES[name]):
        turned[round(y), round(x)] = number + 1
    turned = np.rot90(turned, quarters)
    for number, eye in enumerate(eyes_of(face)):
        ((y, x),) = np.argwhere(turned == number + 1)
        assert np.hypot(*(eye - (x, y))) < 12


@pytest.mark.parametrize("side", [60, 75])
@pytest.mark.parametrize("name", FACES)
def test_it_is_found_where_it_is_small(
    predictor: FacePredictor, portraits: dict[str, np.ndarray], name: str, side: int
) -> None:
    shrink = side / crop_side(predictor.predict(portraits[name]))
    small = cv2.resize(portraits[name], None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA).astype(np.uint8)
    result = predictor.predict(small)
    (face,) = result.faces
    np.testing.assert_allclose(eyes_of(face) / shrink, FACES[name], atol=12)
    assert crop_side(result) == pytest.approx(side, rel=0.1)


@pytest.mark.parametrize("name", FACES)
def test_it_is_found_where_the_picture_ends_at_the_chin_and_the_forehead(
    predictor: FacePredictor, portraits: dict[str, np.ndarray], name: str
) -> None:
    pixels = portraits[name]
    (whole,) = predictor.predict(pixels).faces
    assert whole.box is not None
    left, top, right, bottom = (round(edge) for edge in whole.box)
    tight = np.ascontiguousarray(pixels[max(top, 0) : bottom, max(left, 0) : right])
    (face,) = predictor.predict(tight).faces
    np.testing.assert_allclose(eyes_of(face) + np.array([left, top]), eyes_of(whole), atol=0.05 * (right - left))


def test_two_people_in_one_picture_are_both_found(predictor: FacePredictor, portraits: dict[str, np.ndarray]) -> None:
    collage = np.full((600, 1100, 3), 90, np.uint8)
    collage[:, :512] = portraits["hopper"]
    collage[60:572, 560:1072] = portraits["astronaut"]
    first, second = predictor.predict(collage).faces
    np.testing.assert_allclose(eyes_of(first), FACES["hopper"], atol=8)
    np.testing.assert_allclose(eyes_of(second) - (560, 60), FACES["astronaut"], atol=8)


def test_a_small_grey_face_from_the_side_is_found(predictor: FacePredictor) -> None:
    (face,) = predictor.predict(_of_wheel("skimage", "data", "camera.png")).faces
    assert face.box is not None
    assert 180 < face.box.left < face.box.right < 270
    assert 100 < face.box.top < face.box.bottom < 210


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_a_temple_and_a_flower_show_no_face(predictor: FacePredictor, name: str) -> None:
    result = predictor.predict(_of_wheel("sklearn", "datasets", "images", name))
    assert (result.status, result.faces) == ("no_face", ())


@pytest.mark.parametrize(
    "name",
    [
        "brick",
        "cell",
        "chelsea",
        "coffee",
        "coins",
        "grass",
        "gravel",
        "horse",
        "ihc",
        "moon",
        "motorcycle_left",
        "page",
    ],
)
def test_a_cat_a_motorcycle_and_textures_show_no_face(predictor: FacePredictor, name: str) -> None:
    assert predictor.predict(_of_wheel("skimage", "data", f"{name}.png")).status == "no_face"


@pytest.mark.parametrize("name", FACES)
def test_the_shipped_models_interval_holds_the_age_and_it_is_not_wrong_and_sure_of_the_gender(
    portraits: dict[str, np.ndarray], name: str
) -> None:
    shipped = agegender.load(shipped_manifest("B"), workers=1, threads=1)
    for pixels in (portraits[name], np.ascontiguousarray(np.rot90(portraits[name]))):
        (face,) = shipped.predict(pixels).faces
        assert face.gender == "female" or face.unsure, "sure, and wrong"
        assert face.age_interval is not None
        assert face.age_interval.low <= AGES[name] <= face.age_interval.high
