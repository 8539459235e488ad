"""Drawn faces with known truth, and problems planted among them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from agegender.data.dataset import Dataset
from agegender.data.drawn.faces import LabelNoise, draw_face
from agegender.data.listing import face_table
from agegender.labels import Gender

Images = NDArray[np.uint8]
Change = Callable[[Images], Images]

DRAWN = 320


def recompressed(image: Images, quality: int) -> Images:
    content = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR))[..., ::-1].astype(np.uint8)


def cut(image: Images, left: int, top: int, right: int, bottom: int) -> Images:
    """Without some pixels of each side, enlarged to the old size, as who cuts a picture for a data set does."""
    height, width = image.shape[:2]
    part = np.ascontiguousarray(image[top : height - bottom, left : width - right])
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def resized(image: Images, side: int) -> Images:
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


CHANGES: dict[str, Change] = {
    "resized": lambda image: resized(image, 72),
    "recompressed": lambda image: recompressed(image, 40),
    "flipped": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "cut": lambda image: cut(image, 8, 3, 2, 7),
    "brightened": lambda image: np.clip(image * 1.2 + 12, 0, 255).astype(np.uint8),
    "flipped, cut, recompressed": lambda image: recompressed(cut(image[:, ::-1], 4, 8, 4, 0), 60),
}


@pytest.fixture(scope="session")
def drawn_images() -> tuple[Images, list[int], list[Gender]]:
    """320 drawn faces of seed 11 with their true ages and genders."""
    drawn = [draw_face(index, 11, LabelNoise(0.0, 0.0)) for index in range(DRAWN)]
    images = np.stack([picture for picture, _ in drawn])
    return images, [labels.true_age for _, labels in drawn], [labels.true_gender for _, labels in drawn]


def make_dataset(
    images: Images | Sequence[Images],
    ages: Sequence[int] | None = None,
    genders: Sequence[Gender] | None = None,
    *,
    contents: Sequence[bytes] | None = None,
    sides: Sequence[int] | None = None,
) -> Dataset:
    """A data set of pictures, named 0000.jpg and so on; equal pictures count as equal files unless told otherwise."""
    pictures = np.stack(list(images))
    count = len(pictures)
    names = [f"{number:04d}.jpg" for number in range(count)]
    table = face_table(names, ages or [30] * count, genders or [Gender.MALE, Gender.FEMALE] * (count // 2) +
                       [Gender.MALE] * (count % 2), [None] * count)  # fmt: skip
    files = contents or [picture.tobytes() for picture in pictures]
    side = np.asarray(sides if sides is not None else [pictures.shape[1]] * count)
    origin = pd.DataFrame(
        {"sha256": [hashlib.sha256(content).hexdigest() for content in files], "width": side, "height": side}
    )
    rejected = pd.DataFrame({"file": [], "reason": [], "detail": []})
    return Dataset(table, pictures, rejected, "planted", "0" * 64, drawn=True, resized=0, origin=origin)


@pytest.fixture(scope="session")
def dataset_of() -> Callable[..., Dataset]:
    """`make_dataset`."""
    return make_dataset


@pytest.fixture(scope="session")
def changes() -> dict[str, Change]:
    """Ways of copying a picture, by name."""
    return CHANGES
