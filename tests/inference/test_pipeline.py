"""From a photograph to typed answers, one by one and in lists, with a typed failure where a picture cannot be used."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import agegender
from agegender.errors import ImageError
from agegender.inference import pipeline
from agegender.inference.align import TEMPLATE
from agegender.inference.calibration import UNSURE_BELOW
from agegender.inference.decode import read_picture
from agegender.inference.pipeline import FacePredictor
from agegender.inference.quality import quality_notes
from agegender.inference.results import ImageFaces, ImageFailure


@pytest.fixture(scope="module")
def predictor(tiny_onnx: Path) -> FacePredictor:
    return agegender.load(tiny_onnx, workers=2, threads=1)


def test_a_photograph_gives_a_face_with_all_that_is_known(predictor: FacePredictor, photograph: Path) -> None:
    result = predictor.predict(photograph)
    assert (result.source, result.width, result.height, result.status) == (str(photograph), 512, 600, "ok")
    (face,) = result.faces
    assert face.box is not None
    assert face.landmarks is not None
    assert face.box.left < face.landmarks.left_eye.x < face.landmarks.right_eye.x < face.box.right
    assert face.age_distribution.sum() == pytest.approx(1, abs=1e-4)
    assert face.age == pytest.approx(float(face.age_distribution @ np.arange(117)), abs=0.01)
    assert face.gender_probability == max(face.female_probability, 1 - face.female_probability)
    assert (face.gender == "female") == (face.female_probability >= 0.5)
    assert face.age_interval is None
    assert face.notes == ()
    assert face.unsure == (face.gender_probability < UNSURE_BELOW)
    assert json.loads(json.dumps(face.as_json()))["age"] == round(face.age, 2)
    with pytest.raises(ValueError, match="read-only"):
        face.age_distribution[0] = 1
    with pytest.raises(AttributeError):
        face.age = 3  # type: ignore[misc]


def test_a_list_keeps_its_order_and_goes_on_after_a_bad_picture(
    predictor: FacePredictor, photograph: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(photograph.read_bytes()[:5000])
    empty = np.full((60, 80, 3), 200, np.uint8)
    results = predictor.predict([str(bad), photograph, empty, photograph.read_bytes(), tmp_path / "none.png"])
    assert [result.status for result in results] == ["truncated", "ok", "no_face", "ok", "unreadable"]
    assert [result.source for result in results[2:4]] == ["<ndarray>", "<bytes>"]
    assert isinstance(results[0], ImageFailure)
    assert isinstance(results[1], ImageFaces)
    assert isinstance(results[3], ImageFaces)
    assert results[1].faces[0].age == pytest.approx(results[3].faces[0].age, abs=0.05)
    with pytest.raises(ImageError, match="cut off"):
        predictor.predict(bad)
    assert predictor.predict([]) == []


def test_several_faces_come_from_left_to_right(predictor: FacePredictor, photograph: Path) -> None:
    half = cv2.resize(read_picture(photograph).pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    faces = predictor.predict(np.hstack([half, half[:, ::-1]]).astype(np.uint8)).faces
    assert len(faces) == 2
    lefts = [face.box.left for face in faces if face.box is not None]
    assert lefts == sorted(lefts)
    one = FacePredictor(predictor.predictor, most_faces=1)
    assert len(one.predict(np.hstack([half, half]).astype(np.uint8)).faces) == 1


def test_crops_are_resized_as_in_training_and_nothing_is_looked_for(
    predictor: FacePredictor, face_pixels: np.ndarray, tmp_path: Path
) -> None:
    from agegender.data import read_face

    large = tmp_path / "large.png"
    Image.fromarray(face_pixels).resize((301, 200)).save(large)
    (face,) = predictor.predict(large, crops=True).faces
    wanted = predictor.predictor.predict_crops(read_face(large.read_bytes())[0][None])
    assert face.age == wanted.age[0]
    assert (face.box, face.landmarks, face.detection_score, face.notes) == (None, None, None, ())


def test_a_turned_photograph_gives_the_same_answer_and_says_so(predictor: FacePredictor, photograph: Path) -> None:
    pixels = read_picture(photograph).pixels
    (upright,) = predictor.predict(pixels).faces
    (turned,) = predictor.predict(np.ascontiguousarray(np.rot90(pixels, 2))).faces
    assert turned.notes == ("turned_picture",)
    assert turned.unsure
    assert turned.age == pytest.approx(upright.age, abs=1.5)


def test_what_makes_a_face_hard_to_read_is_noted() -> None:
    assert quality_notes(TEMPLATE * 2, 0.999, 256, 256) == ()
    assert quality_notes(TEMPLATE * 0.4, 0.999, 256, 256) == ("small",)
    assert quality_notes(TEMPLATE * 2 - [130, 0], 0.999, 256, 256) == ("cut_off",)
    assert quality_notes(TEMPLATE * 2, 0.92, 256, 256) == ("faint",)
    aside = TEMPLATE.copy()
    aside[2, 0] += 20
    assert quality_notes(aside * 2 + 100, 0.999, 500, 500) == ("turned_away",)
    tilted = (TEMPLATE - 64) @ np.array([[0.7, 0.714], [-0.714, 0.7]]) * 2 + 500
    assert quality_notes(tilted, 0.999, 1000, 1000) == ("tilted",)


def test_a_stream_takes_only_a_few_pictures_ahead_and_holds_none_behind(
    predictor: FacePredictor, face_pixels: np.ndarray
) -> None:
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield face_pixels

    results = predictor.stream(endless(), crops=True)  # type: ignore[arg-type]
    for given in range(1, 200):
        next(results)
        assert taken - given < 60
    results.close()  # type: ignore[attr-defined]
    gc.collect()
    pictures = [kept for kept in gc.get_objects() if isinstance(kept, pipeline._Found)]
    assert len(pictures) == 0
