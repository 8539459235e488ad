"""Corrections as a file: read strictly, applied exactly, recorded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agegender.artifacts import sha256_file
from agegender.data.corrections import Correction, read_corrections, write_corrections
from agegender.data.dataset import load_dataset
from agegender.errors import InputError

HEADER = "file,action,value,reason\n"


def written(folder: Path, rows: str, header: str = HEADER) -> Path:
    path = folder / "corrections.csv"
    path.write_text(header + rows, encoding="utf-8")
    return path


def test_rows_are_written_and_read_again(tmp_path: Path) -> None:
    rows = (
        Correction("a.jpg", "drop", "", 'the same as "b", bytes too'),
        Correction("b.jpg", "age", "31", "two\nlines"),
        Correction("c.jpg", "gender", "female"),
        Correction("d.jpg", "look"),
    )
    path = write_corrections(rows, tmp_path / "corrections.csv")
    read = read_corrections(path)
    assert read.rows == rows
    assert read.sha256 == sha256_file(path)
    assert read.record() == {
        "file": "corrections.csv", "sha256": read.sha256, "dropped": 1, "ages_changed": 1, "genders_changed": 1,
        "left_as_they_are": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a.jpg,remove,,\n", "one of drop, age, gender, look"),
        (",drop,,\n", "needs a file"),
        ("a.jpg,age,117,\n", "whole years in 0..116"),
        ("a.jpg,age,old,\n", "whole years"),
        ("a.jpg,gender,1,\n", "never a code"),
        ("a.jpg,age,30,\na.jpg,age,31,\n", "two values for age: 30 and 31"),
    ],
)
def test_malformed_rows_are_refused_with_their_line(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_corrections(written(tmp_path, rows))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="agegender audit"):
        read_corrections(tmp_path / "none.csv")
    with pytest.raises(InputError, match="needs the columns file, action"):
        read_corrections(written(tmp_path, "a.jpg,30\n", "path,age\n"))
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_corrections(tmp_path / "binary.csv")


def test_a_data_set_is_loaded_corrected(drawn_folder: Path, tmp_path: Path) -> None:
    plain = load_dataset(drawn_folder)
    first, second, third, fourth = plain.table["file"][:4]
    other = "male" if plain.table["gender"].tolist()[2] == "female" else "female"
    rows = f"{first},drop,,\n{second},age,101,\n{third},gender,{other},\n{fourth},look,,\n"
    corrections = read_corrections(written(tmp_path, rows))
    corrected = load_dataset(drawn_folder, corrections=corrections)
    assert corrected.table["file"].tolist() == plain.table["file"].tolist()[1:]
    assert (corrected.images == plain.images[1:]).all()
    assert corrected.table["age"].tolist() == [101, *plain.table["age"][2:]]
    assert corrected.table["gender"].astype(str).tolist() == [
        str(plain.table["gender"][1]), other, *plain.table["gender"][3:].astype(str),
    ]  # fmt: skip
    assert corrected.table.dtypes.tolist() == plain.table.dtypes.tolist()
    assert corrected.fingerprint != plain.fingerprint
    assert corrected.corrections == corrections.record()
    assert plain.corrections is None
    assert any("1 files dropped, 1 ages and 1 genders changed" in note for note in corrected.notes)
    assert corrected.origin["sha256"].tolist() == plain.origin["sha256"].tolist()[1:]


def test_a_dropped_file_that_is_damaged_no_longer_counts_as_rejected(drawn_folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "faces"
    shutil.copytree(drawn_folder, source)
    name = load_dataset(drawn_folder).table["file"][0]
    (source / name).write_bytes(b"")
    assert len(load_dataset(source).rejected) == 1
    corrections = read_corrections(written(tmp_path, f"{name},drop,,\n"))
    assert len(load_dataset(source, corrections=corrections).rejected) == 0


def test_corrections_of_other_data_or_of_everything_are_refused(drawn_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not in the data, the first: elsewhere\.jpg"):
        load_dataset(drawn_folder, corrections=read_corrections(written(tmp_path, "elsewhere.jpg,drop,,\n")))
    files = load_dataset(drawn_folder).table["file"]
    with pytest.raises(InputError, match="drop every file"):
        load_dataset(
            drawn_folder, corrections=read_corrections(written(tmp_path, "".join(f"{file},drop,,\n" for file in files)))
        )


def test_origin_says_what_the_files_were(drawn_folder: Path) -> None:
    data = load_dataset(drawn_folder)
    assert data.origin.columns.tolist() == ["sha256", "width", "height"]
    assert data.origin["sha256"].tolist() == [sha256_file(drawn_folder / file) for file in data.table["file"]]
    assert set(data.origin["width"]) == {128}
