"""CSV and Parquet tables of labelled faces: path, age, gender and any group columns.

Gender is given by name. A bare 0 or 1 is refused unless the caller says what it means: 0 is male in UTKFace and female
in other sets, and a wrong guess would swap every label without an error.
"""

from __future__ import annotations

import csv
import functools
import math
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow
import pyarrow.parquet

from agegender.data.images import read_image_file
from agegender.data.listing import (
    DRAWN_MARKER,
    LazyContent,
    Listing,
    Rejection,
    face_table,
    printable,
    require_image_name,
)
from agegender.data.names import checked_age
from agegender.errors import ImageError, InputError, SettingError
from agegender.labels import Gender, Race

TABLE_SUFFIXES = (".csv", ".parquet")

RESERVED_COLUMNS = frozenset(("predicted_age", "female_probability", "age_distribution", "model", "order"))
"""Columns of the prediction table, after which no group column may be named."""

_GENDERS = {str(gender): gender for gender in Gender}
_RACES = {str(race).lower(): race for race in Race}

Columns = dict[str, list[str]]
"""A table as text: every value stripped, a missing one empty."""


class TableReader:
    """A table with columns `path` (or `file`), `age`, `gender`, optionally `race` and groups; case does not matter.

    Paths are relative to the table's folder, or absolute. Group columns keep their names and become text.
    """

    def __init__(self, path: Path, *, gender_codes: Mapping[int | str, str] | None = None) -> None:
        self._folder = path.parent
        meaning = _meaning(gender_codes)
        columns = _read_csv(path) if path.suffix.lower() == ".csv" else _read_parquet(path)
        self.listing = _listing(path, columns, meaning)

    def contents(self) -> Iterator[LazyContent]:
        """See `Reader.contents`."""
        for file in self.listing.table["file"]:
            yield file, functools.partial(read_image_file, self._folder / file)


@dataclass
class _Rows:
    """The usable rows so far, as parallel lists."""

    files: list[str] = field(default_factory=list)
    ages: list[int] = field(default_factory=list)
    genders: list[Gender] = field(default_factory=list)
    races: list[Race | None] = field(default_factory=list)
    groups: dict[str, list[str | None]] = field(default_factory=dict)
    rejected: list[Rejection] = field(default_factory=list)


def _listing(path: Path, columns: Columns, meaning: Mapping[str, Gender]) -> Listing:
    file_column, group_columns = _check_columns(path, columns)
    _require_named_genders(path, columns["gender"], meaning)
    rows = _Rows(groups={name: [] for name in group_columns})
    first_row: dict[str, int] = {}
    unknown_races = 0
    for index, given in enumerate(columns[file_column]):
        number = index + 1
        file = posixpath.normpath(given.replace("\\", "/")) if given else f"(row {number})"
        try:
            if not given:
                raise ImageError("bad_path", f"Row {number} has no path.")
            _require_image_file(path.parent, file)
            if file in first_row:
                raise ImageError(
                    "duplicate_path", f"Row {number} repeats the path of row {first_row[file]}, which is used."
                )
            age, gender = _age(columns["age"][index]), _gender(columns["gender"][index], meaning)
        except ImageError as error:
            rows.rejected.append(Rejection(printable(file), error.reason, error.detail))
            continue
        first_row[file] = number
        race_text = columns["race"][index] if "race" in columns else ""
        race = _RACES.get(race_text.lower())
        unknown_races += bool(race_text) and race is None
        rows.files.append(file)
        rows.ages.append(age)
        rows.genders.append(gender)
        rows.races.append(race)
        for name, values in rows.groups.items():
            values.append(columns[name][index] or None)
    notes = ()
    if unknown_races:
        known = ", ".join(str(race) for race in Race)
        notes = (
            f"race: {unknown_races:,} values are none of {known} and count as unknown. "
            "To measure by groups of your own, name the column otherwise.",
        )
    table = face_table(rows.files, rows.ages, rows.genders, rows.races, rows.groups)
    return Listing(table, tuple(rows.rejected), (), _is_drawn(path.parent, rows.files), notes)


def _check_columns(path: Path, columns: Columns) -> tuple[str, list[str]]:
    """The name of the path column and of the group columns."""
    received = ", ".join(columns) or "none"
    path_columns = [name for name in ("path", "file") if name in columns]
    missing = [name for name in ("age", "gender") if name not in columns]
    if len(path_columns) != 1 or missing:
        hint = " Values are separated by commas." if any(mark in received for mark in ";\t") else ""
        raise InputError(
            f"The table {path} needs the columns path (or file, not both), age and gender. Received: {received}.{hint}"
        )
    groups = [name for name in columns if name not in ("path", "file", "age", "gender", "race")]
    if taken := sorted(RESERVED_COLUMNS.intersection(groups)):
        raise InputError(
            f"The table {path} has columns that predictions use: {', '.join(taken)}. Rename or remove them."
        )
    return path_columns[0], groups


def _meaning(gender_codes: Mapping[int | str, str] | None) -> dict[str, Gender]:
    """What each text of the gender column means: the names, and the codes that the caller explained."""
    meaning = dict(_GENDERS)
    for code, name in (gender_codes or {}).items():
        gender = _GENDERS.get(str(name).lower())
        if gender is None:
            raise SettingError(f"gender_codes maps codes to male or female, such as 0=male. Received: {code}={name}.")
        meaning[_text(code).lower()] = gender
    return meaning


def _require_named_genders(path: Path, texts: Sequence[str], meaning: Mapping[str, Gender]) -> None:
    """Refuse a column of bare codes as a whole, since every single row would be a guess."""
    known = [text for text in texts if _plain_number(text).lower() in meaning]
    codes = Counter(_plain_number(text) for text in texts if _plain_number(text).isdigit())
    if codes and not known:
        raise InputError(
            f"The gender column of {path} holds codes ({', '.join(sorted(codes)[:4])}), not names. 0 is male in "
            "UTKFace and female in other sets: write male and female, or say what the codes mean, as in "
            "--gender-codes 0=male,1=female."
        )


def _require_image_file(folder: Path, file: str) -> None:
    try:
        require_image_name(file)
    except ImageError as error:  # a row of a table claims to be an image, so it counts as one that failed
        raise ImageError("unsupported_format", error.detail) from error
    if printable(file) != file:
        raise ImageError("bad_path", "The path is not valid UTF-8 text.")
    try:
        there = (folder / file).is_file()
    except ValueError:  # a NUL character
        there = False
    if not there:
        raise ImageError("missing_file", f"There is no such file below {folder}.")


def _age(text: str) -> int:
    try:
        age = float(text)
    except ValueError:
        age = math.nan
    if not age.is_integer():
        raise ImageError("bad_age", f"The age must be whole years. Received: {text or 'nothing'}.")
    return checked_age(int(age))


def _gender(text: str, meaning: Mapping[str, Gender]) -> Gender:
    gender = meaning.get(_plain_number(text).lower())
    if gender is None:
        raise ImageError("bad_gender", f"Expected one of {', '.join(meaning)}. Received: {text or 'nothing'}.")
    return gender


def _plain_number(text: str) -> str:
    """`1.0`, as a float column with gaps writes it, is `1`."""
    return text.removesuffix(".0")


def _is_drawn(folder: Path, files: Sequence[str]) -> bool:
    """Whether the marker of drawn faces lies beside the table or beside any of its images."""
    return any((folder / parent / DRAWN_MARKER).is_file() for parent in {"", *map(posixpath.dirname, files)})


def _read_csv(path: Path) -> Columns:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, [])
            names = _column_names(path, header)
            columns: Columns = {name: [] for name in names.values()}
            for row in rows:
                if not row:
                    continue
                if len(row) != len(header):
                    raise InputError(
                        f"Line {rows.line_num} of {path} has {len(row)} values where the header has {len(header)}. "
                        "Put a value that holds a comma in double quotes."
                    )
                for position, name in names.items():
                    columns[name].append(row[position].strip())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The table {path} cannot be read as a CSV file in UTF-8 ({error}).") from error
    return columns


def _read_parquet(path: Path) -> Columns:
    try:
        table = pyarrow.parquet.ParquetFile(path).read()
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"The table {path} cannot be read as a Parquet file ({error}).") from error
    names = _column_names(path, table.column_names)
    return {name: [_text(value) for value in table.column(position).to_pylist()] for position, name in names.items()}


def _column_names(path: Path, header: Sequence[str]) -> dict[int, str]:
    """Position and name of each named column; the known ones in lower case. An unnamed one is a saved index."""
    known = {"path", "file", "age", "gender", "race"}
    names = {
        position: name.strip().lower() if name.strip().lower() in known else name.strip()
        for position, name in enumerate(header)
        if name.strip()
    }
    if twice := [name for name, count in Counter(names.values()).items() if count > 1]:
        raise InputError(f"The table {path} has columns of the same name: {', '.join(twice)}.")
    return names


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
