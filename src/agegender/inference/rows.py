"""Results as rows of a table: one a face, and one for each picture without, so that every picture has its status."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from agegender.artifacts import atomic_path
from agegender.errors import SettingError
from agegender.inference.results import ImageFailure, ImageResult
from agegender.optional import DATA, require

Row = dict[str, Any]

PARQUET, CSV, JSONL = ".parquet", ".csv", ".jsonl"
ROWS_A_GROUP = 5000

_POINTS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")

TEXT, WHOLE, NUMBER, YES_OR_NO, NUMBERS = "string", "int32", "float32", "bool", "list of float32"
"""What a column holds, by the names of Arrow's types."""

_ALWAYS = ("file", "status")
"""Columns that no row leaves empty."""

COLUMNS: dict[str, str] = {
    **dict.fromkeys(("file", "status", "detail"), TEXT),
    **dict.fromkeys(("width", "height", "faces", "face"), WHOLE),
    **dict.fromkeys(("left", "top", "right", "bottom", "detection_score"), NUMBER),
    **dict.fromkeys((f"{point}_{axis}" for point in _POINTS for axis in "xy"), NUMBER),
    **dict.fromkeys(("age", "age_low", "age_high", "age_level"), NUMBER),
    "gender": TEXT,
    **dict.fromkeys(("gender_probability", "female_probability"), NUMBER),
    "unsure": YES_OR_NO,
    "notes": TEXT,
    "age_distribution": NUMBERS,
}
"""Columns of a table of results, in order: places in pixels of the upright picture, ages in years, `face` counted from
0."""

CSV_COLUMNS = tuple(name for name in COLUMNS if name != "age_distribution")
"""A list has no place in a CSV."""


def shown(path: str) -> str:
    """A path as text that every table can hold: bytes that are no UTF-8 become a backslash, x, two digits."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def rows_of(result: ImageResult) -> list[Row]:
    """The rows of one picture, at least one; a key that is missing is empty."""
    if isinstance(result, ImageFailure):
        return [{"file": shown(result.source), "status": result.status, "detail": result.detail}]
    picture = {
        "file": shown(result.source),
        "status": result.status,
        "width": result.width,
        "height": result.height,
        "faces": len(result.faces),
    }
    rows = []
    for number, face in enumerate(result.faces):
        content = face.as_json()
        row: Row = picture | {"face": number, "notes": ";".join(face.notes)}
        row |= {key: content[key] for key in ("detection_score", "age", "gender", "unsure", "age_distribution")}
        row |= {key: content[key] for key in ("gender_probability", "female_probability")}
        if content["box"] is not None:
            row |= dict(zip(("left", "top", "right", "bottom"), content["box"], strict=True))
        for point, (x, y) in (content["landmarks"] or {}).items():
            row |= {f"{point}_x": x, f"{point}_y": y}
        if face.age_interval is not None:
            low, high, level = face.age_interval
            row |= {"age_low": low, "age_high": high, "age_level": level}
        rows.append(row)
    return rows or [picture]


def checked_format(path: Path) -> str:
    """The suffix that says how a table is written.

    Raises:
        SettingError: Another one.
        MissingExtraError: Parquet, and pyarrow is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in (PARQUET, CSV, JSONL):
        raise SettingError(f"--out must end in {PARQUET}, {CSV} or {JSONL}. Received: {path.name}")
    if suffix == PARQUET:
        require("pyarrow.parquet", DATA)
    return suffix


def write_rows(rows: Iterable[Row], path: Path) -> int:
    """Write a table, whole or not at all, with memory for a few thousand rows at a time.

    Args:
        rows: From `rows_of`.
        path: Ends in `.parquet`, `.csv` or `.jsonl`.

    Returns:
        The number of rows.

    Raises:
        SettingError: Another ending.
        MissingExtraError: Parquet, and pyarrow is not installed.
        OutputError: The file cannot be written.
    """
    write = {PARQUET: _write_parquet, CSV: _write_csv, JSONL: _write_jsonl}[checked_format(path)]
    with atomic_path(path) as temporary:
        return write(rows, temporary)


def arrow_schema() -> Any:
    """`COLUMNS` as a `pyarrow.Schema`.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pa = require("pyarrow", DATA)
    types = {kind: pa.list_(pa.float32()) if kind == NUMBERS else pa.type_for_alias(kind) for kind in COLUMNS.values()}
    return pa.schema([pa.field(name, types[kind], nullable=name not in _ALWAYS) for name, kind in COLUMNS.items()])


def _write_parquet(rows: Iterable[Row], path: Path) -> int:
    pa, pq, schema = require("pyarrow", DATA), require("pyarrow.parquet", DATA), arrow_schema()
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(rows):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


def _write_csv(rows: Iterable[Row], path: Path) -> int:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, CSV_COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        count = 0
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def _write_jsonl(rows: Iterable[Row], path: Path) -> int:
    with path.open("w", encoding="utf-8") as file:
        count = 0
        for row in rows:
            file.write(json.dumps({name: row.get(name) for name in COLUMNS}, ensure_ascii=False) + "\n")
            count += 1
    return count


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    group: list[Row] = []
    for row in rows:
        group.append(row)
        if len(group) == ROWS_A_GROUP:
            yield group
            group = []
    if group:
        yield group
