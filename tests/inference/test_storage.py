"""Pictures behind addresses are listed, read and answered as files are, whatever their names."""

from __future__ import annotations

from pathlib import Path

import pytest

import agegender
from agegender.errors import ImageError, InputError
from agegender.inference.decode import read_picture
from agegender.inference.listing import list_images
from agegender.inference.storage import is_address, list_address, read_address, without_query

ODD = "50% of #1?.jpg"


@pytest.fixture
def folder(drawn_folder: Path, tmp_path: Path) -> Path:
    root = tmp_path / "some photos"
    (root / "sub").mkdir(parents=True)
    (root / ".cache").mkdir()
    face = next(drawn_folder.glob("*.jpg")).read_bytes()
    for name in ("b.jpg", f"sub/{ODD}", ".cache/a.jpg", ".hidden.jpg"):
        (root / name).write_bytes(face)
    (root / "notes.md").write_text("no image")
    return root


def test_what_is_an_address() -> None:
    for place in ("s3://bucket", "s3://bucket/a/b.jpg", "hdfs://host:8020/x", "file:///tmp", "gs://b/x?region=eu"):
        assert is_address(place), place
    for place in ("a.jpg", "/a/b.jpg", "C:/a.jpg", "C:\\a.jpg", "-", "a/b://c"):
        assert not is_address(place), place
    assert without_query("s3://b/a?.jpg?region=eu&scheme=http") == "s3://b/a?.jpg"
    assert without_query("s3://b/a?.jpg") == "s3://b/a?.jpg"


def test_a_folder_is_listed_with_all_below_and_read_back(folder: Path) -> None:
    address = f"file://{folder}"
    wanted = [f"{address}/b.jpg", f"{address}/sub/{ODD}"]
    assert list_images([address]).files == tuple(wanted)
    assert list_images([address + "/"]) == list_images([address])
    assert list_images([address]).ignored == 1
    assert list_images([wanted[1]]).files == (wanted[1],)
    assert read_address(wanted[1]) == (folder / "b.jpg").read_bytes()
    assert read_picture(wanted[1]).source == wanted[1]


def test_answers_are_those_of_the_files(folder: Path, tiny_onnx: Path) -> None:
    model = agegender.load(tiny_onnx, workers=2, threads=1)
    by_address = model.predict(list_address(f"file://{folder}/sub"), crops=True)
    by_path = model.predict([folder / "sub" / ODD], crops=True)
    assert [r.status for r in by_address] == ["ok"]
    assert [r.faces[0].age for r in (*by_address, *by_path)] == [by_path[0].faces[0].age] * 2  # type: ignore[union-attr]


def test_what_is_not_there_is_said(folder: Path) -> None:
    with pytest.raises(InputError, match="cannot be listed"):
        list_address(f"file://{folder}/nothing")
    with pytest.raises(InputError, match="cannot be listed"):
        list_address("https://example.org/face.jpg")
    with pytest.raises(InputError, match="holds a password"):
        list_address("s3://key:secret@bucket/folder")
    with pytest.raises(ImageError) as caught:
        read_address(f"file://{folder}/nothing.jpg")
    assert caught.value.reason == "unreadable"
