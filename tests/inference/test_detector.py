"""A real photograph's face is found, in any size, tilt and turn, and nothing where nothing is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from agegender.errors import SettingError
from agegender.inference.align import TEMPLATE, crop_face, roll_degrees
from agegender.inference.decode import read_picture
from agegender.inference.detector import Detections, DetectorSettings, FaceDetector
from agegender.inference.turning import detect_any_way_up, turned_back

EYES = np.array([[222.0, 190.0], [308.0, 186.0]])
"""Of the photograph, measured by eye."""


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(threads=1)


@pytest.fixture(scope="module")
def pixels(photograph: Path) -> np.ndarray:
    return read_picture(photograph).pixels


def test_the_face_and_its_landmarks_are_found(detector: FaceDetector, pixels: np.ndarray) -> None:
    found = detector.detect(pixels)
    assert len(found) == 1
    assert found.scores[0] > 0.99
    np.testing.assert_allclose(found.landmarks[0][:2], EYES, atol=8)
    left, top, right, bottom = found.boxes[0]
    assert ((found.landmarks[0] > (left, top)) & (found.landmarks[0] < (right, bottom))).all()
    assert abs(roll_degrees(found.landmarks[0])) < 8


@pytest.mark.parametrize(("degrees", "scale"), [(0.0, 0.25), (25.0, 0.6), (-25.0, 0.4), (10.0, 2.0)])
def test_it_is_found_small_large_and_tilted_at_the_place_it_was_moved_to(
    detector: FaceDetector, pixels: np.ndarray, degrees: float, scale: float
) -> None:
    move = cv2.getRotationMatrix2D((260, 220), degrees, scale)
    move[:, 2] += np.array([700 * max(scale, 0.7), 500 * max(scale, 0.7)]) - (260, 220)
    size = (int(1400 * max(scale, 0.7)), int(1000 * max(scale, 0.7)))
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    moved = cv2.warpAffine(pixels, move, size, flags=flags, borderValue=(120, 130, 110))
    found = detector.detect(moved.astype(np.uint8))
    assert len(found) == 1
    np.testing.assert_allclose(found.landmarks[0][:2], EYES @ move[:, :2].T + move[:, 2], atol=12 * scale + 2)


def test_several_faces_stand_apart(detector: FaceDetector, pixels: np.ndarray) -> None:
    half = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    found = detector.detect(np.hstack([half, half[:, ::-1], half]).astype(np.uint8))
    assert len(found) == 3
    assert np.ptp(np.sort(found.boxes[:, 0])) > 450


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_picture_on_its_side_or_head_is_turned(detector: FaceDetector, pixels: np.ndarray, quarters: int) -> None:
    upright = detector.detect(pixels).landmarks[0]
    lying = np.ascontiguousarray(np.rot90(pixels, quarters))
    found, turned = detect_any_way_up(detector, lying)
    assert (len(found), turned) == (1, True)
    crop, wanted = crop_face(lying, found.landmarks[0]), crop_face(pixels, upright)
    assert np.abs(crop.astype(int) - wanted).mean() < 6
    assert detect_any_way_up(detector, pixels)[1] is False


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_places_of_a_turned_picture_are_turned_back(quarters: int) -> None:
    pixels = np.zeros((40, 70), np.uint8)
    pixels[11, 52] = 1
    y, x = np.argwhere(np.rot90(pixels, quarters))[0]
    points = np.tile([[float(x), float(y)]], (1, 5, 1))
    back = turned_back(Detections(np.array([[x, y, x + 2.0, y + 1.0]]), np.ones(1), points), quarters, 70, 40)
    np.testing.assert_allclose(back.landmarks, np.tile([[52.0, 11.0]], (1, 5, 1)))
    left, top, right, bottom = back.boxes[0]
    assert (right - left, bottom - top) == ((2, 1) if quarters == 2 else (1, 2))


def test_a_second_look_refuses_what_only_resembles_a_face_and_places_landmarks_of_tilted_ones_alike(
    detector: FaceDetector, pixels: np.ndarray
) -> None:
    skimage = pytest.importorskip("skimage")
    astronaut = read_picture(Path(skimage.__file__).parent / "data" / "astronaut.png").pixels
    once = FaceDetector(DetectorSettings(confirmed=None), threads=1)
    assert (len(once.detect(astronaut)), len(detector.detect(astronaut))) == (2, 1)  # the suit, and the face

    def unlike(looking: FaceDetector) -> float:
        upright = looking.detect(pixels).landmarks[0]
        apart = []
        for degrees in (-28, -14, 14, 28):
            move = cv2.getRotationMatrix2D((260, 230), degrees, 0.5)
            tilted = cv2.warpAffine(pixels, move, (512, 600), flags=cv2.INTER_AREA, borderValue=(120, 130, 110))
            (found,) = looking.detect(tilted.astype(np.uint8)).landmarks
            apart.append(np.linalg.norm(found - upright @ move[:, :2].T - move[:, 2], axis=1).mean())
        return float(np.mean(apart))

    assert unlike(detector) < unlike(once)


def test_a_second_look_does_not_shrink_a_face_whose_first_landmarks_are_poor(
    detector: FaceDetector, pixels: np.ndarray
) -> None:
    first = FaceDetector(DetectorSettings(confirmed=None), threads=1).detect(pixels)
    poor = first.landmarks.copy()
    poor[0, 2, 0] += 0.35 * (poor[0, 1, 0] - poor[0, 0, 0])  # the nose
    well, poorly = (
        detector._confirmed(pixels, Detections(first.boxes, first.scores, points), 0.5).landmarks[0]
        for points in (first.landmarks, poor)
    )
    assert np.linalg.norm(poorly[1] - poorly[0]) == pytest.approx(np.linalg.norm(well[1] - well[0]), rel=0.01)


def test_nothing_is_found_where_there_is_none(detector: FaceDetector) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (300, 400, 3), np.uint8)
    waves = (127 + 120 * np.sin(np.arange(400) / 7)[None, :, None] * np.ones((300, 1, 3))).astype(np.uint8)
    for empty in (noise, waves, np.zeros((16, 900, 3), np.uint8), np.full((200, 200, 3), 255, np.uint8)):
        assert len(detector.detect(empty)) == 0


def test_the_work_for_one_picture_is_bounded(pixels: np.ndarray) -> None:
    few = FaceDetector(DetectorSettings(most_proposals=60, largest_level=400), threads=1)
    levels = list(few._pyramid(np.zeros((3000, 4000, 3), np.uint8)))
    assert max(max(level.shape) for level in levels) == 400
    assert len(few.detect(pixels)) == 1


def test_bad_pixels_and_settings_are_refused(detector: FaceDetector) -> None:
    with pytest.raises(SettingError, match="uint8 of shape"):
        detector.detect(np.zeros((20, 20), np.uint8))
    with pytest.raises(SettingError, match="smallest face is 12"):
        DetectorSettings(min_face=4)


def test_the_template_is_a_face_that_looks_ahead() -> None:
    assert TEMPLATE.shape == (5, 2)
    assert abs(TEMPLATE[:, 0].mean() - 64) < 3
    assert TEMPLATE[0, 0] < TEMPLATE[2, 0] < TEMPLATE[1, 0]
    assert TEMPLATE[:2, 1].max() < TEMPLATE[2, 1] < TEMPLATE[3:, 1].min()
