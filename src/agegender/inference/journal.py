"""A long prediction that may be killed at any moment: what is done is kept, and nothing is done or written twice.

Beside the table to be, a folder `NAME.partial` holds `settings.json` and `rows.jsonl`. Each line of the latter is one
picture with all its rows, so a picture is there whole or not at all; a line that a kill cut off is taken away on
opening. Pictures may come in any order; the table stands in the order that is asked for. When all are there, it is
written under a temporary name, renamed, and the folder removed. A kill between the last two leaves a journal that is
complete: the next run writes the same table again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, KeysView
from pathlib import Path
from types import TracebackType
from typing import Any

from agegender.artifacts import explained_writes, read_json, write_json
from agegender.errors import OutputError, SettingError
from agegender.inference.rows import Row, write_rows

try:
    import fcntl
except ImportError:  # Windows has no such locks; there nobody is stopped from running twice at once
    fcntl = None


class Journal:
    """The rows of a prediction so far. Use as a context manager; one process at a time."""

    def __init__(self, table: Path, settings: dict[str, Any]) -> None:
        """Open the journal of a table, or begin it.

        Args:
            table: Where the table is to be written.
            settings: What must be the same for a prediction to go on, such as the model's hash.

        Raises:
            OutputError: The table is there already, another process writes it, or the folder cannot be written.
            SettingError: A prediction with other settings was begun.
        """
        self.table = table
        self.folder = table.with_name(table.name + ".partial")
        self._rows = self.folder / "rows.jsonl"
        if table.exists() and not self.folder.exists():
            raise OutputError(f"{table} is there already. Choose another --out, or delete it to predict anew.")
        with explained_writes(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = self._rows.open("ab")
        try:
            self._lock()
            self._check(settings)
            self._places = self._whole_lines()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def done(self) -> KeysView[str]:
        """The pictures that are done."""
        return self._places.keys()

    def add(self, rows: list[Row]) -> None:
        """Keep one picture's rows; after `sync` they survive a crash of the machine too."""
        line = json.dumps(rows).encode() + b"\n"
        with explained_writes(self._rows):
            self._file.write(line)
        self._places[rows[0]["file"]] = self._end
        self._end += len(line)

    def sync(self) -> None:
        """Bring what was added to the disk."""
        with explained_writes(self._rows):
            self._file.flush()
            os.fsync(self._file.fileno())

    def finish(self, files: Iterable[str]) -> int:
        """Write the table of these pictures and remove the journal.

        Args:
            files: All pictures that the table is of, each done, in the table's order.

        Returns:
            The number of rows.

        Raises:
            OutputError: The table cannot be written; the journal stays.
        """
        self.sync()
        count = write_rows(self.rows(files), self.table)
        shutil.rmtree(self.folder, ignore_errors=True)
        return count

    def rows(self, files: Iterable[str]) -> Iterator[Row]:
        """The rows of these pictures, each done, in this order."""
        self._file.flush()
        with self._rows.open("rb") as file:
            for name in dict.fromkeys(files):
                if file.tell() != self._places[name]:
                    file.seek(self._places[name])
                yield from json.loads(file.readline())

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputError(
                f"Another process is writing {self.table}. Wait for it, or choose another --out."
            ) from error

    def _check(self, settings: dict[str, Any]) -> None:
        path = self.folder / "settings.json"
        if not path.is_file():
            write_json(path, settings)
            return
        former = read_json(path)
        unlike = [key for key in settings if former.get(key) != settings[key]]
        if unlike:
            changes = "; ".join(f"{key} was {former.get(key)}, is {settings[key]}" for key in unlike)
            raise SettingError(
                f"{self.folder} holds an unfinished prediction with other settings ({changes}). Give the same to go on "
                "with it, choose another --out, or delete that folder."
            )

    def _whole_lines(self) -> dict[str, int]:
        """Where the line of each picture that is done begins; a line that was cut off is taken out of the file."""
        places: dict[str, int] = {}
        self._end = 0
        with self._rows.open("rb") as file:
            for line in file:
                try:
                    rows = json.loads(line) if line.endswith(b"\n") else None
                    name = rows[0]["file"] if rows else None
                except (ValueError, KeyError, TypeError, IndexError):
                    name = None
                if name is None:
                    break  # lines are only appended: nothing sound stands behind a damaged one
                places[name] = self._end
                self._end += len(line)
        if self._end < self._rows.stat().st_size:
            with explained_writes(self._rows):
                self._file.truncate(self._end)
        return places
