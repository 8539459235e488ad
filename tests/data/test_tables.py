"""CSV and Parquet tables: columns, genders by name, and what is wrong with single rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from agegender.data.listing import DRAWN_MARKER
from agegender.data.tables import TableReader
from agegender.errors import InputError, SettingError

ROWS: dict[str, list[Any]] = {
    "path": ["b.jpg", "sub/a.PNG"],
    "age": [31, 7],
    "gender": ["Female", "MALE"],
    "race": ["asian", ""],
    "camera": ["phone", "studio"],
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("b.jpg", "sub/a.PNG", "c.jpg", "d.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def saved(place: Path, rows: dict[str, list[Any]], kind: str = "csv") -> Path:
    path = place / f"faces.{kind}"
    table = pd.DataFrame(rows)
    if kind.lower() == "csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)
    return path


def reasons(path: Path, **options: Any) -> dict[str, str]:
    return {r.file: r.reason for r in TableReader(path, **options).listing.rejected}


@pytest.mark.parametrize("kind", ["csv", "CSV", "parquet"])
def test_a_table_gives_typed_labels_groups_and_bytes(kind: str, place: Path) -> None:
    reader = TableReader(saved(place, ROWS, kind))
    table = reader.listing.table
    assert list(table.columns) == ["file", "age", "gender", "race", "camera"]
    assert table["age"].dtype == "int16"
    assert table.astype(object).where(table.notna(), None).to_numpy().tolist() == [
        ["b.jpg", 31, "female", "Asian", "phone"],
        ["sub/a.PNG", 7, "male", None, "studio"],
    ]
    assert list(table["camera"].cat.categories) == ["phone", "studio"]
    assert {file: read() for file, read in reader.contents()} == {"b.jpg": b"b.jpg", "sub/a.PNG": b"sub/a.PNG"}


def test_columns_of_any_case_a_column_file_a_byte_order_mark_and_a_saved_index(place: Path) -> None:
    path = place / "faces.csv"
    path.write_text("\ufeff,File,AGE,Gender\n0, b.jpg , 31.0, female \n\n", encoding="utf-8")
    table = TableReader(path).listing.table
    assert table.astype(object).to_numpy().tolist()[0][:3] == ["b.jpg", 31, "female"]
    assert list(table.columns) == ["file", "age", "gender", "race"]


def test_windows_paths_and_absolute_paths_are_found(place: Path) -> None:
    absolute = (place / "c.jpg").as_posix()
    rows = {"path": ["sub\\a.PNG", "./b.jpg", absolute], "age": [1, 2, 3], "gender": ["male"] * 3}
    reader = TableReader(saved(place, rows))
    assert sorted(reader.listing.table["file"]) == sorted(["sub/a.PNG", "b.jpg", absolute])
    assert {read() for _, read in reader.contents()} == {b"sub/a.PNG", b"b.jpg", b"c.jpg"}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("codes", [[0, 1], [1, 1], [0.0, None], ["0", "1"]])
def test_bare_gender_codes_are_refused_as_a_whole(codes: list[Any], kind: str, place: Path) -> None:
    path = saved(place, ROWS | {"gender": codes}, kind)
    with pytest.raises(InputError, match="0 is male in UTKFace and female in other sets"):
        TableReader(path)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("codes", [[1, 0], [1.0, 0.0], ["1", "0"], ["Female", 0]])
def test_codes_mean_what_the_caller_says(codes: list[Any], kind: str, place: Path) -> None:
    path = saved(place, ROWS | {"gender": codes if kind == "csv" else [str(c) for c in codes]}, kind)
    swapped = TableReader(path, gender_codes={0: "female", 1: "male"}).listing.table
    plain = TableReader(path, gender_codes={"0": "Male", "1": "female"}).listing.table
    assert list(plain["gender"]) == ["female", "male"]
    assert list(swapped["gender"])[1] == "female"


def test_letters_as_codes(place: Path) -> None:
    path = saved(place, ROWS | {"gender": ["F", "m"]})
    assert set(reasons(path).values()) == {"bad_gender"}
    assert reasons(path, gender_codes={"f": "female", "M": "male"}) == {}


def test_a_code_must_mean_a_gender(place: Path) -> None:
    with pytest.raises(SettingError, match="Received: 0=man"):
        TableReader(saved(place, ROWS), gender_codes={0: "man"})


def test_each_bad_row_has_its_reason_and_the_others_are_read(place: Path) -> None:
    (place / "e.gif").write_bytes(b"x")
    rows: list[tuple[str, str, str, str | None]] = [
        ("b.jpg", "20", "male", None),
        ("gone.jpg", "20", "male", "missing_file"),
        ("sub", "20", "male", "unsupported_format"),
        ("e.gif", "20", "male", "unsupported_format"),
        ("c.jpg", "200", "male", "age_out_of_range"),
        ("./c.jpg", "-1", "male", "age_out_of_range"),
        ("d.jpg", "", "male", "bad_age"),
        ("d.jpg", "old", "male", "bad_age"),
        ("d.jpg", "20.5", "male", "bad_age"),
        ("d.jpg", "inf", "male", "bad_age"),
        ("d.jpg", "20", "", "bad_gender"),
        ("d.jpg", "20", "1", "bad_gender"),
        ("", "20", "male", "bad_path"),
        ("sub/../b.jpg", "21", "female", "duplicate_path"),
    ]
    path = place / "faces.csv"
    path.write_text("path,age,gender\n" + "".join(f"{file},{age},{gender}\n" for file, age, gender, _ in rows))
    listing = TableReader(path).listing
    assert list(listing.table["file"]) == ["b.jpg"]
    assert listing.table["age"].tolist() == [20]
    assert [r.reason for r in listing.rejected] == [reason for *_, reason in rows if reason]
    details = {r.reason: r.detail for r in listing.rejected}
    assert details["duplicate_path"] == "Row 14 repeats the path of row 1, which is used."
    assert "Row 13" in details["bad_path"]


def test_a_nul_or_an_invalid_character_in_a_path_is_a_missing_file(place: Path) -> None:
    assert set(reasons(saved(place, ROWS | {"path": ["b\0.jpg", "b.jpg"]}, "parquet")).values()) == {"missing_file"}


@pytest.mark.parametrize("missing", ["path", "age", "gender"])
def test_a_missing_column_is_named_with_what_was_received(missing: str, place: Path) -> None:
    rows = {name: values for name, values in ROWS.items() if name != missing}
    with pytest.raises(InputError, match=f"Received: {', '.join(rows)}"):
        TableReader(saved(place, rows))


def test_semicolons_get_a_hint(place: Path) -> None:
    (place / "faces.csv").write_text("path;age;gender\nb.jpg;20;male\n")
    with pytest.raises(InputError, match="separated by commas"):
        TableReader(place / "faces.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Received: none"),
        ("path,age,gender,Age\n", "same name: age"),
        ("path,file,age,gender\n", "not both"),
        ("path,age,gender,predicted_age\n", "columns that predictions use: predicted_age"),
        ("path,age,gender\nb.jpg,20,male,x\n", "Line 2 of .* has 4 values where the header has 3"),
        ('path,age,gender\n"b.jpg,20,male\n', "cannot be read as a CSV file"),
    ],
)
def test_a_malformed_csv_is_an_error(text: str, message: str, place: Path) -> None:
    (place / "faces.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        TableReader(place / "faces.csv")


def test_a_csv_in_another_encoding_is_an_error(place: Path) -> None:
    (place / "faces.csv").write_bytes("path,age,gender\nZoë.jpg,20,male\n".encode("latin-1"))
    with pytest.raises(InputError, match="UTF-8"):
        TableReader(place / "faces.csv")


def test_a_text_file_called_parquet_is_an_error(place: Path) -> None:
    (place / "faces.parquet").write_text("hello")
    with pytest.raises(InputError, match="cannot be read as a Parquet file"):
        TableReader(place / "faces.parquet")


def test_unknown_races_count_as_unknown_with_a_note(place: Path) -> None:
    listing = TableReader(saved(place, ROWS | {"race": ["Latino", "white"]})).listing
    assert listing.table["race"].isna().tolist() == [True, False]
    assert listing.notes[0].startswith("race: 1 values are none of White, Black, Asian, Indian, Others")


def test_drawn_faces_stay_drawn_in_a_table(place: Path) -> None:
    path = saved(place, ROWS)
    assert not TableReader(path).listing.drawn
    (place / "sub" / DRAWN_MARKER).write_text("{}")
    assert TableReader(path).listing.drawn
