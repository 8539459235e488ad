"""Corrections of a data set as a file: which images to leave out, which labels to change, and why.

A table `corrections.csv` with the columns `file`, `action`, `value` and `reason`, one row a correction:

    drop     the file is not used; no value
    age      the value, whole years, replaces the age
    gender   the value, male or female, replaces the gender
    look     nothing is changed: somebody should look, and then write another action or delete the row

`agegender audit` writes such a table; people edit it; `agegender run --corrections` applies it to what it learns from.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from agegender.artifacts import atomic_path, sha256_file
from agegender.data.names import checked_age
from agegender.errors import ImageError, InputError
from agegender.labels import Gender

COLUMNS = ("file", "action", "value", "reason")
DROP, AGE, GENDER, LOOK = "drop", "age", "gender", "look"
ACTIONS = (DROP, AGE, GENDER, LOOK)


@dataclass(frozen=True, slots=True)
class Correction:
    """One row.

    Attributes:
        file: As the data set names it.
        action: One of `ACTIONS`.
        value: Whole years, or male or female; empty for `drop` and `look`.
        reason: For people.
    """

    file: str
    action: str
    value: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Corrections:
    """The rows of a file, checked against each other.

    Attributes:
        rows: In the file's order.
        source: The file's name.
        sha256: Of its bytes.
    """

    rows: tuple[Correction, ...]
    source: str
    sha256: str

    @property
    def dropped(self) -> frozenset[str]:
        """Files that are not to be used."""
        return frozenset(row.file for row in self.rows if row.action == DROP)

    def apply(self, table: pd.DataFrame) -> pd.DataFrame:
        """A face table without the dropped files and with the changed labels; the other columns stay.

        Raises:
            InputError: A file to correct is not in the table, or no file is left.
        """
        known = set(table["file"])
        unknown = [row.file for row in self.rows if row.file not in known]
        if unknown:
            raise InputError(
                f"{len(unknown):,} of the {len(self.rows):,} corrections in {self.source} are about files that are not "
                f"in the data, the first: {unknown[0]}. Give the data that was audited, or delete those rows."
            )
        corrected = table.copy()
        position = {file: row for row, file in enumerate(table["file"])}
        for correction in self.rows:
            if correction.action in (AGE, GENDER):
                value = int(correction.value) if correction.action == AGE else correction.value
                corrected.loc[position[correction.file], correction.action] = value
        left: Any = corrected[~corrected["file"].isin(list(self.dropped))].reset_index(drop=True)
        if left.empty:
            raise InputError(f"The corrections in {self.source} drop every file. Leave at least two.")
        return left

    def record(self) -> dict[str, Any]:
        """What run.json and a model's sidecar say of them: file name, SHA-256, and how many rows did what."""
        counts = {action: sum(row.action == action for row in self.rows) for action in ACTIONS}
        return {
            "file": Path(self.source).name,
            "sha256": self.sha256,
            "dropped": counts[DROP],
            "ages_changed": counts[AGE],
            "genders_changed": counts[GENDER],
            "left_as_they_are": counts[LOOK],
        }

    def note(self) -> str:
        """The same as a sentence for the user."""
        said = self.record()
        return (
            f"Corrections of {self.source}: {said['dropped']:,} files dropped, {said['ages_changed']:,} ages and "
            f"{said['genders_changed']:,} genders changed, {said['left_as_they_are']:,} rows only say look."
        )


def read_corrections(path: str | Path) -> Corrections:
    """Read a table of corrections.

    Raises:
        InputError: It is not there, is no such table, or a row is malformed or contradicts another.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            names = reader.fieldnames or []
            if not {"file", "action"} <= set(names):
                raise InputError(
                    f"{path} is no table of corrections: it needs the columns {', '.join(COLUMNS)}. Received: "
                    f"{', '.join(names) or 'none'}."
                )
            rows = tuple(_checked(path, reader.line_num, row) for row in reader)
        digest = sha256_file(path)
    except FileNotFoundError as error:
        raise InputError(
            f"There are no corrections at {path}. `agegender audit DATA --out DIR` writes some."
        ) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The corrections {path} cannot be read as a CSV file in UTF-8 ({error}).") from error
    _require_no_contradiction(path, rows)
    return Corrections(rows, str(path), digest)


def write_corrections(rows: Iterable[Correction], path: str | Path) -> Path:
    """Write a table of corrections, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        table.writerows((row.file, row.action, row.value, row.reason) for row in rows)
    return Path(path)


def _checked(path: Path, line: int, row: dict[str | None, Any]) -> Correction:
    file, action, value, reason = (str(row.get(name) or "").strip() for name in COLUMNS)
    action = action.lower()
    where = f"Line {line} of {path}"
    if not file or action not in ACTIONS:
        raise InputError(f"{where} needs a file and one of {', '.join(ACTIONS)}. Received: {file!r}, {action!r}.")
    if action == AGE:
        try:
            value = str(checked_age(int(value)))
        except (ValueError, ImageError) as error:
            raise InputError(f"{where} needs whole years in 0..116. Received: {value or 'nothing'}.") from error
    elif action == GENDER:
        value = value.lower()
        if value not in set(map(str, Gender)):
            raise InputError(f"{where} needs male or female, never a code. Received: {value or 'nothing'}.")
    return Correction(file, action, value, reason)


def _require_no_contradiction(path: Path, rows: Iterable[Correction]) -> None:
    """Two different values for one label of one file; a drop beside a value is fine, the drop wins."""
    said: dict[tuple[str, str], str] = {}
    for row in rows:
        if row.action in (AGE, GENDER) and said.setdefault((row.file, row.action), row.value) != row.value:
            raise InputError(
                f"{path} gives {row.file} two values for {row.action}: {said[row.file, row.action]} and {row.value}. "
                "Keep one."
            )
