"""The typed table, and which names are faces, rejected or ignored."""

from __future__ import annotations

import pandas as pd
import pytest

from agegender.data import drawn
from agegender.data.listing import (
    DRAWN_MARKER,
    NameSorter,
    face_table,
    found,
    is_ignored,
    printable,
    require_image_name,
)
from agegender.errors import ImageError
from agegender.labels import Gender, Race


def test_the_table_is_typed_and_sorted_by_file() -> None:
    table = face_table(
        ["b.jpg", "a.jpg"],
        [30, 20],
        [Gender.FEMALE, Gender.MALE],
        [None, Race.ASIAN],
        {"camera": ["x", None]},
    )
    assert list(table.columns) == ["file", "age", "gender", "race", "camera"]
    assert list(table["file"]) == ["a.jpg", "b.jpg"]
    assert table["age"].dtype == "int16"
    assert list(table["gender"].cat.categories) == ["male", "female"]
    assert list(table["gender"]) == ["male", "female"]
    assert list(table["race"].cat.categories) == [race.value for race in Race]
    assert table["race"].isna().tolist() == [False, True]
    assert table["camera"].isna().tolist() == [True, False]
    assert list(table.index) == [0, 1]


def test_an_empty_table_has_the_same_types() -> None:
    empty = face_table([], [], [], [])
    full = face_table(["a.jpg"], [1], [Gender.MALE], [None])
    pd.testing.assert_series_equal(empty.dtypes, full.dtypes)


@pytest.mark.parametrize(
    "file",
    [".DS_Store", "a/.hidden/1_0_0_1.jpg", "._1_0_0_1.jpg", "__MACOSX/1_0_0_1.jpg", "x/Thumbs.db"],
)
def test_hidden_files_and_leftovers_are_ignored(file: str) -> None:
    sorter = NameSorter()
    assert not sorter.add(file)
    assert sorter.listing().ignored == (file,)
    assert sorter.listing().rejected == ()


def test_a_path_upwards_is_not_hidden() -> None:
    assert not is_ignored("../1_0_0_1.jpg")


def test_the_marker_of_drawn_faces_is_the_one_that_drawing_writes() -> None:
    assert DRAWN_MARKER == drawn.DRAWN_MARKER
    sorter = NameSorter()
    sorter.add(f"deep/{DRAWN_MARKER}")
    assert sorter.listing().ignored == ()
    assert sorter.listing().drawn


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("1_0_0_20170116174525125.gif", "unsupported_format"),
        ("1_0_0_20170116174525125.TIFF", "unsupported_format"),
        ("notes.txt", "not_an_image"),
        ("README", "not_an_image"),
        ("1_0_0_20170116174525125.jpg.part", "not_an_image"),
    ],
)
def test_other_endings_have_their_reason(file: str, reason: str) -> None:
    with pytest.raises(ImageError) as caught:
        require_image_name(file)
    assert caught.value.reason == reason


def test_the_same_path_twice_is_rejected_the_second_time() -> None:
    sorter = NameSorter()
    assert sorter.add("1_0_0_20170116174525125.jpg")
    assert not sorter.add("1_0_0_20170116174525125.jpg")
    assert [r.reason for r in sorter.listing().rejected] == ["duplicate_path"]
    assert len(sorter.listing().table) == 1


def test_a_name_that_is_no_utf8_is_rejected_and_shown() -> None:
    sorter = NameSorter()
    sorter.add("1_0_0_\udcff.jpg")
    assert [(r.file, r.reason) for r in sorter.listing().rejected] == [(r"1_0_0_\xff.jpg", "bad_name")]
    assert printable("Zoë.jpg") == "Zoë.jpg"


def test_what_was_found_is_said_by_ending() -> None:
    assert found(["a.txt", "b.TXT", "c.md", "README"]).startswith("2 .txt, ")
    assert "1 without an ending" in found(["a.txt", "README"])
