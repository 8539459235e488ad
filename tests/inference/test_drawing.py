"""Answers drawn over a picture: where they belong, readable on small ones, and dashed where unsure."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agegender.inference.drawing import LONGEST_SIDE, SURE, UNSURE, caption, drawn_over, write_drawn
from agegender.inference.results import AgeInterval, Box, Face, ImageFaces
from agegender.labels import Gender

FACE = Face(
    age=34.4,
    age_interval=AgeInterval(27, 42, 0.9),
    age_distribution=np.full(117, 1 / 117, np.float32),
    gender=Gender.FEMALE,
    gender_probability=0.931,
    female_probability=0.931,
    unsure=False,
    box=Box(100, 80, 300, 320),
)


def near(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(pixels.astype(int) - colour).sum(axis=2) < 12).astype(int)


def test_the_caption_says_all_in_one_line() -> None:
    assert caption(FACE) == "34 (27-42), female 93 %"
    assert caption(dataclasses.replace(FACE, age_interval=None, unsure=True)) == "34, female 93 % unsure"


def test_a_box_stands_where_the_face_is_and_is_dashed_when_unsure() -> None:
    grey = np.full((400, 400, 3), 128, np.uint8)
    drawn = np.asarray(drawn_over(grey, ImageFaces("x", 400, 400, (FACE,))))
    assert near(drawn, SURE)[150:250, 99:103].sum(axis=0).max() == 100
    assert near(drawn, SURE)[:40].sum() == 0
    unsure = np.asarray(drawn_over(grey, ImageFaces("x", 400, 400, (dataclasses.replace(FACE, unsure=True),))))
    assert 20 < near(unsure, UNSURE)[150:250, 99:103].sum(axis=0).max() < 80


@pytest.mark.parametrize(("width", "height"), [(4000, 1000), (60, 40)])
def test_large_pictures_shrink_small_ones_grow_and_nothing_falls_outside(width: int, height: int) -> None:
    face = dataclasses.replace(FACE, box=Box(-10, -20, width * 0.4, height * 1.1))
    image = drawn_over(np.zeros((height, width, 3), np.uint8), ImageFaces("x", width, height, (face,)))
    assert max(image.size) == (LONGEST_SIDE if width > 1000 else 256)
    assert near(np.asarray(image), SURE).sum() > 100


def test_files_of_one_name_do_not_overwrite_each_other_and_carry_no_metadata(
    tmp_path: Path, face_pixels: np.ndarray
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera of somebody"
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        Image.fromarray(face_pixels).save(tmp_path / folder / "me.jpg", exif=exif)
        source = str(tmp_path / folder / "me.jpg")
        write_drawn(ImageFaces(source, 128, 128, (dataclasses.replace(FACE, box=None),)), source, tmp_path / "seen")
    written = sorted((tmp_path / "seen").iterdir())
    assert len(written) == 2
    assert all(b"Camera of somebody" not in path.read_bytes() for path in written)
    assert Image.open(written[0]).getexif() == {}
