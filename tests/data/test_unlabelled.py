"""Images without labels: which are taken, how they are called, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agegender.data.drawn import draw_face
from agegender.data.unlabelled import drawn_pictures, read_pictures
from agegender.errors import InputError, SettingError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine grey images, their brightness their number times ten, one in a subfolder; a hidden one and a text beside."""
    root = tmp_path / "pictures"
    (root / "sub").mkdir(parents=True)
    for number in range(9):
        place = root / ("sub" if number == 8 else "") / f"{number}.png"
        Image.fromarray(np.full((128, 128, 3), 10 * number, np.uint8)).save(place)
    Image.fromarray(np.full((128, 128, 3), 255, np.uint8)).save(root / ".hidden.png")
    (root / "notes.txt").write_text("no image")
    return root


def test_all_of_a_small_folder_and_an_even_choice_of_a_large_one(folder: Path) -> None:
    every = read_pictures([folder], most=20)
    assert every.names == tuple(f"{number}.png" for number in range(9))
    assert (every.images[:, 0, 0, 0] == 10 * np.arange(9)).all()
    assert not every.drawn
    few = read_pictures([folder], most=3)
    assert (few.names, few.found) == (("0.png", "4.png", "8.png"), 9)
    assert (few.images[:, 5, 5, 1] == [0, 40, 80]).all()
    assert read_pictures([folder / "7.png", folder / "sub"], most=5).names == ("7.png", "8.png")


def test_drawn_faces_are_those_of_the_seed_and_known_as_drawn(drawn_folder: Path) -> None:
    pictures = drawn_pictures(3, seed=4)
    expected = [draw_face(index, 4) for index in range(3)]
    for image, _ in expected:
        assert any(np.array_equal(image, one) for one in pictures.images)
    ages = [int(name.removeprefix("drawn: ").split(",")[0]) for name in pictures.names]
    assert ages == sorted(labels.true_age for _, labels in expected)
    assert pictures.drawn
    assert read_pictures([drawn_folder], most=2).drawn
    assert read_pictures([next(drawn_folder.glob("*.jpg"))], most=2).drawn


def test_what_is_not_there_or_no_image_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file or folder"):
        read_pictures([tmp_path / "none"], most=3)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no images"):
        read_pictures([tmp_path / "empty"], most=3)
    (folder / "0.png").write_bytes(b"not an image at all")
    with pytest.raises(InputError, match=r"0\.png cannot be used"):
        read_pictures([folder], most=3)
    with pytest.raises(SettingError, match="Received: 0"):
        read_pictures([folder], most=0)
    with pytest.raises(SettingError, match="Received: 0"):
        drawn_pictures(0, seed=1)
