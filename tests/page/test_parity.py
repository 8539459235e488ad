"""The page's arithmetic, run in Node, gives what Python gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from agegender.inference.align import TEMPLATE, crop_face, roll_degrees, share_outside
from agegender.inference.boxes import moved, patches, squares, suppress
from agegender.inference.calibration import Calibrator
from agegender.inference.pipeline import load
from agegender.inference.predictor import Answers
from agegender.inference.quality import quality_notes
from agegender.page.facts import shared_facts
from agegender.uncertainty import Calibration, UnsureRule, fit_intervals
from agegender.uncertainty.temperature import GenderTemperature

Ask = Callable[[list[dict[str, Any]]], list[Any]]

FACTS = shared_facts()
MOST_YEARS = 0.1
"""How far the page's age may be from Python's."""


def task(module: str, name: str, *args: Any) -> dict[str, Any]:
    return {"module": f"engine/{module}.js", "name": name, "args": list(args)}


def posed(scale: float, degrees: float, x: float, y: float) -> np.ndarray:
    """The template's landmarks, scaled, tilted and put somewhere."""
    turn = np.radians(degrees)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return scale * TEMPLATE @ rotation + [x, y]


@pytest.fixture(scope="module")
def pixels(photograph: Path) -> np.ndarray:
    return np.array(Image.open(photograph).convert("RGB"))


def test_pictures_are_resized_turned_and_cut_as_opencv_does(ask: Ask, pixels: np.ndarray) -> None:
    small = pixels[100:130, 200:231]
    tasks, wanted = [], []
    for width, height in ((256, 300), (363, 426), (128, 150), (511, 599), (97, 53)):
        tasks.append(task("pixels", "shrunk", pixels, width, height))
        wanted.append(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
    tasks.append(task("pixels", "enlarged", small, 48, 48))
    wanted.append(cv2.resize(small, (48, 48), interpolation=cv2.INTER_LINEAR))
    for quarters in (1, 2, 3):
        tasks.append(task("pixels", "turned", pixels, quarters))
        wanted.append(np.rot90(pixels, quarters))
    poses = (posed(2.3, 0, 100, 80), posed(0.7, 5, -20, 10), posed(1.4, 40, 250, 30), posed(5, -170, 500, 500))
    for points in poses:
        tasks.append(task("align", "cropFace", pixels, points, FACTS["crop"]))
        wanted.append(crop_face(pixels, points))
    for answer, expected in zip(ask(tasks), wanted, strict=True):
        data = answer["data"] if isinstance(answer, dict) else answer
        found = np.array(data).reshape(expected.shape)
        difference = np.abs(found.astype(int) - expected)
        assert difference.max() <= 1
        assert difference.mean() < 0.03


def test_boxes_are_thinned_squared_and_cut_as_in_python(ask: Ask, pixels: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 400, (60, 2))
    boxes = np.hstack([corners, corners + rng.uniform(30, 120, (60, 2))])
    scores = rng.random(60).round(1)  # many are equal
    offsets = rng.normal(0, 0.1, (60, 4))
    outside = np.array([[-30.0, -20, 25, 35], [480.0, 570, 560, 650], [900.0, 900, 950, 950], [10.0, 10, 400, 400]])
    union, smaller, grey, *rest = ask([
        task("boxes", "suppress", boxes, scores, 0.3),
        task("boxes", "suppress", boxes, scores, 0.5, True),
        task("boxes", "patches", pixels, outside, 24),
        *(task("boxes", "square", box) for box in boxes[:5]),
        *(task("boxes", "shifted", box, offset) for box, offset in zip(boxes, offsets, strict=True)),
    ])  # fmt: skip
    assert union == suppress(boxes, scores, 0.3)
    assert smaller == suppress(boxes, scores, 0.5, of_smaller=True)
    assert np.abs(np.array(grey).reshape(4, 24, 24, 3) - patches(pixels, outside, 24)).max() <= 1
    np.testing.assert_allclose(rest[:5], squares(boxes[:5]))
    np.testing.assert_allclose(rest[5:], moved(boxes, offsets))


def test_what_makes_a_face_hard_to_read_is_the_same(ask: Ask) -> None:
    faces = [
        (posed(2, 0, 100, 100), 0.999), (posed(0.3, 0, 100, 100), 0.999), (posed(2, 35, 300, 50), 0.99),
        (posed(2, 0, -60, 100), 0.99), (posed(2, -90, 100, 400), 0.9),
    ]  # fmt: skip
    away = posed(2, 0, 100, 100)
    away[2, 0] += 60
    faces.append((away, 0.999))
    tasks, wanted = [], []
    for points, score in faces:
        for turned in (False, True):
            face = {"landmarks": points, "score": score, "box": [0, 0, 1, 1]}
            picture = {"width": 500, "height": 500}
            tasks.append(task("quality", "qualityNotes", face, picture, turned, FACTS["crop"], FACTS["quality"]))
            wanted.append(list(quality_notes(points, score, 500, 500, turned=turned)))
        tasks.append(task("align", "rollDegrees", points, FACTS["crop"]))
        wanted.append(pytest.approx(roll_degrees(points)))
        tasks.append(task("align", "shareOutside", points, 500, 500, FACTS["crop"]))
        wanted.append(pytest.approx(share_outside(points, 500, 500)))
    assert ask(tasks) == wanted
    assert {note for notes in wanted if isinstance(notes, list) for note in notes} == {
        "small", "tilted", "turned_away", "cut_off", "faint", "turned_picture",
    }  # fmt: skip


@pytest.mark.parametrize("method", ["shortest", "quantiles", "scaled", "constant", "raw"])
def test_a_calibration_is_read_as_python_reads_it(ask: Ask, method: str) -> None:
    rng = np.random.default_rng(3)
    ages = rng.uniform(5, 90, 900).round()
    guessed = ages + rng.normal(0, 6, 900)
    bumps = np.exp(-0.5 * ((np.arange(117) - guessed[:, None]) / rng.uniform(3, 9, (900, 1))) ** 2) + 1e-9
    bumps = (bumps / bumps.sum(axis=1, keepdims=True)).astype(np.float32)
    female = rng.random(900)
    record = Calibration(
        intervals=fit_intervals(method, guessed[:700], bumps[:700].astype(float), ages[:700]),
        temperature=GenderTemperature(1.7, 700, 0.3, 0.2),
        unsure=UnsureRule(1.0, 0.05, 0.95, 700, 600, 20, 0.049),
        baselines=(),
        model_sha256="0" * 64,
        calibrated_on={},
    ).as_record()
    new = Answers(guessed[700:], female[700:], bumps[700:])
    reading = Calibrator(record).read(new)
    tasks = [
        task("calibration", "read", record, age, shares, share, 0.8)
        for age, shares, share in zip(new.age, new.age_distribution, new.female_probability, strict=True)
    ]
    for found, interval, share, unsure in zip(
        ask(tasks), reading.intervals, reading.female_probability, reading.unsure_gender, strict=True
    ):
        assert interval is not None
        assert (found["interval"]["low"], found["interval"]["high"]) == (interval.low, interval.high)
        assert found["female"] == pytest.approx(share)
        assert found["unsureGender"] == unsure
    never = record | {"gender": record["gender"] | {"unsure": record["gender"]["unsure"] | {"distance": None}}}
    (nothing, bare, unclear) = ask([
        task("calibration", "read", never, 30, bumps[0], 0.999, 0.8),
        task("calibration", "read", None, 30, bumps[0], 0.1, 0.8),
        task("calibration", "read", None, 30, bumps[0], 0.79, 0.8),
    ])  # fmt: skip
    assert nothing["unsureGender"] is True
    assert bare == {"interval": None, "female": 0.1, "unsureGender": False}
    assert unclear["unsureGender"] is True


def test_whole_photographs_are_answered_alike(ask: Ask, pixels: np.ndarray, shown_models: list[str]) -> None:
    half, quarter = (np.array(Image.fromarray(pixels).resize((512 // n, 600 // n))) for n in (2, 5))
    several = np.full((640, 1100, 3), 90, np.uint8)
    several[20:620, :512] = pixels
    several[60:360, 560:816] = half
    several[400:520, 900:1002] = quarter
    on_its_head = np.ascontiguousarray(several[::-1, ::-1])
    pictures = [several, on_its_head, np.rot90(pixels), np.full((80, 90, 3), 200, np.uint8)]
    answers = ask([{"name": "predict", "args": [picture]} for picture in pictures])
    for number, model in enumerate(shown_models):
        predictor = load(model, workers=1)
        for picture, faces in zip(pictures, answers, strict=True):
            wanted = predictor.predict(np.ascontiguousarray(picture)).faces
            assert len(faces) == len(wanted)
            for face, expected in zip(faces, wanted, strict=True):
                found = face["answers"][number]
                assert expected.box is not None
                assert expected.landmarks is not None
                np.testing.assert_allclose(face["box"], expected.box, atol=0.5)
                np.testing.assert_allclose(face["landmarks"], expected.landmarks, atol=0.05)
                assert found["age"] == pytest.approx(expected.age, abs=MOST_YEARS)
                assert found["gender"] == expected.gender
                assert found["genderProbability"] == pytest.approx(expected.gender_probability, abs=0.01)
                assert tuple(face["notes"]) == expected.notes
                assert bool(face["notes"] or found["doubts"]) == expected.unsure
    assert [len(faces) for faces in answers] == [3, 3, 1, 0]
