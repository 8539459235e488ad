"""What shows no face is told from faces, drawn or darkened or upside down; few are asked about where there are many."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_sample_images

from agegender.audit.faces import Faces
from agegender.audit.kinds.no_face import LENIENT, NoFace, doubtful_rows, face_probability
from agegender.audit.material import Material
from agegender.inference.detector import FaceDetector

Images = NDArray[np.uint8]


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(LENIENT, threads=1)


@pytest.fixture(scope="module")
def others() -> Images:
    """Sixteen pictures of something else: noise, a sunset, stripes, one colour, parts of a temple and of a flower."""
    rng = np.random.default_rng(4)
    down = np.linspace(0, 1, 128)[:, None, None]
    sunset = np.broadcast_to(down * [40, 60, 120] + (1 - down) * [250, 150, 60], (128, 128, 3))
    stripes = np.broadcast_to((np.arange(128) // 8 % 2 * 200 + 20)[:, None], (128, 128))
    pictures = [
        rng.integers(0, 256, (128, 128, 3)),
        cv2.GaussianBlur(rng.integers(0, 256, (128, 128, 3)).astype(np.float32), (0, 0), 6) * 4 - 380,
        sunset,
        np.repeat(stripes[..., None], 3, axis=2),
        np.full((128, 128, 3), 90),
    ]
    for photograph in load_sample_images().images:
        height, width = photograph.shape[:2]
        for _ in range(6 if len(pictures) < 11 else 5):
            side = int(rng.integers(150, 400))
            top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
            part = np.ascontiguousarray(photograph[top : top + side, left : left + side])
            pictures.append(cv2.resize(part, (128, 128), interpolation=cv2.INTER_AREA))
    return np.stack([np.clip(picture, 0, 255).astype(np.uint8) for picture in pictures])


def test_faces_are_faces_also_darkened_and_upside_down(drawn_images, detector: FaceDetector) -> None:
    for number, face in enumerate(drawn_images[0][:20]):
        assert face_probability(detector, face) >= 0.5, number
    spoilt = {
        "darkened": (drawn_images[0][0] * 0.2).astype(np.uint8),
        "upside down": np.ascontiguousarray(drawn_images[0][1][::-1, ::-1]),
        "on its side": np.ascontiguousarray(np.rot90(drawn_images[0][2])),
        "small": cv2.resize(drawn_images[0][3], (48, 48), interpolation=cv2.INTER_AREA),
    }
    for name, face in spoilt.items():
        assert face_probability(detector, face) >= 0.5, name


def test_other_things_are_named_and_no_face_is(
    drawn_images, dataset_of, others: Images, detector: FaceDetector
) -> None:
    """Among fewer than 200 pictures every one is looked at."""
    images = np.concatenate([drawn_images[0][:40], others])
    found = NoFace().find(Material(Faces(dataset_of(images)), [], [], detector=detector))
    assert {one.file for one in found} == {f"{40 + number:04d}.jpg" for number in range(len(others))}
    assert {one.suggestion for one in found} == {"look"}
    assert [one.score for one in found] == sorted(one.score for one in found)
    assert "nothing that looks like a face" in found[0].evidence


def test_of_many_only_the_doubtful_are_asked_about(
    drawn_images, dataset_of, others: Images, detector: FaceDetector
) -> None:
    images = np.concatenate([drawn_images[0], others[:4]])
    images[5] = (images[5] * 0.15).astype(np.uint8)
    images[6] = cv2.GaussianBlur(images[6], (0, 0), 7)
    count = len(images)
    material = Material(Faces(dataset_of(images, sides=[128] * 7 + [40] + [128] * (count - 8))), [], [])
    asked = set(doubtful_rows(material).tolist())
    assert {5, 6, 7, *range(count - 4, count)} <= asked, "dark, blurred, tiny, and what is no face"
    assert len(asked) <= 0.2 * count
    assert NoFace().find(material) == [], "without a detector nothing is said"
