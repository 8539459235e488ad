"""What a user points at becomes one list of files, each once."""

from __future__ import annotations

from pathlib import Path

import pytest

from agegender.errors import InputError
from agegender.inference.listing import list_images


def test_folders_lists_files_and_standard_input_together(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for name in ("b.JPG", "a.png", "deep/c.webp", "notes.txt", ".hidden.jpg", ".cache/d.jpg"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    listed = tmp_path / "list.txt"
    listed.write_text(f"\ufeff# mine\n{folder}/a.png\n\nelsewhere.jpg\n", encoding="utf-8")
    found = list_images([str(folder), str(listed), "-", str(folder / "b.JPG")], ["piped.png\n", "elsewhere.jpg\n"])
    assert found.files == (
        f"{folder}/a.png", f"{folder}/b.JPG", f"{folder}/deep/c.webp", "elsewhere.jpg", "piped.png",
    )  # fmt: skip
    assert found.ignored == 1


def test_a_file_that_was_named_is_tried_whatever_its_name(tmp_path: Path) -> None:
    odd = tmp_path / "photo.backup"
    odd.touch()
    assert list_images([str(odd)]).files == (str(odd),)


def test_what_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file or folder"):
        list_images([str(tmp_path / "none")])
    with pytest.raises(InputError, match="no image to predict"):
        list_images([str(tmp_path)])
    binary = tmp_path / "list.txt"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read as a list"):
        list_images([str(binary)])
