"""Decoded images on disk: memory-mapped, checked at every opening, whole or absent.

One entry is a folder `faces-<key>`:

    images.npy        uint8 (n, size, size, 3) RGB
    table.parquet     row i is image i: file, width, height (the original size in pixels)
    rejected.parquet  files that could not be decoded: file, reason, detail
    manifest.json     format, key, and the size and CRC-32 of each file above

The key is a hash of the names and bytes of all the images and of all that decoding depends on, so an entry never goes
stale: changed data has another key. Opening compares every size and checksum (2.7 GB/s measured: 0.1 s for 5,000
images), so that a truncated, half-written or altered entry is found before anything is learnt from it; it is rebuilt.
An entry is built in a folder beside its place and renamed into it when it is complete and synced. Two processes that
build the same entry do so apart, and the second one uses what the first one put there.

Images are written with plain writes, not through the memory map: on a full disk a mapped write kills the process.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from agegender.data.listing import Rejection
from agegender.errors import OutputError

CACHE_VARIABLE = "AGEGENDER_CACHE"
FORMAT = 1
"""Raised whenever the layout of an entry changes; older entries then have other keys."""

_FILES = ("images.npy", "table.parquet", "rejected.parquet")
_MANIFEST = "manifest.json"
_BUILDING = ".building-"
_DISCARDED = ".discarded-"
_STALE_SECONDS = 24 * 3600
_CHUNK_BYTES = 1 << 22


@dataclass(frozen=True)
class CachedImages:
    """An entry of the cache.

    Attributes:
        table: Row i is image i: `file`, `width` and `height` in pixels as they were; sorted by file.
        images: uint8 (n, size, size, 3) RGB, a read-only memory map.
        rejected: The files that could not be decoded: `file`, `reason`, `detail`.
        rebuilt_because: What was wrong with the entry that stood there before, or None.
    """

    table: pd.DataFrame
    images: np.ndarray
    rejected: pd.DataFrame
    rebuilt_because: str | None = None


class DamagedEntryError(Exception):
    """An entry that is incomplete or altered; says how. Never reaches a user: the entry is rebuilt."""


def default_cache_dir() -> Path:
    """`$AGEGENDER_CACHE`, else `agegender` in `$XDG_CACHE_HOME` or `~/.cache`.

    Raises:
        OutputError: No variable is set and the user has no home folder.
    """
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "agegender"
    try:
        return Path.home() / ".cache" / "agegender"
    except RuntimeError as error:
        raise OutputError(f"There is no home folder to keep the image cache in. Set {CACHE_VARIABLE}.") from error


class EntryWriter:
    """Takes decoded images in any order and lays them down in the order of their slots, without gaps at the end."""

    def __init__(self, folder: Path, files: Sequence[str], size: int) -> None:
        self._folder = folder
        self._files = files
        self._size = size
        self._originals: dict[int, tuple[int, int]] = {}
        self._rejected: list[Rejection] = []
        self._stream: BinaryIO = (folder / "images.npy").open("w+b")
        self._header_bytes = self._stream.write(_npy_header(len(files), size))

    @property
    def _image_bytes(self) -> int:
        return self._size * self._size * 3

    def add(self, slot: int, image: np.ndarray, original: tuple[int, int]) -> None:
        """Write image number `slot` of the files given: uint8 (size, size, 3), and its original (width, height)."""
        self._stream.seek(self._header_bytes + slot * self._image_bytes)
        self._stream.write(np.ascontiguousarray(image).data)
        self._originals[slot] = original

    @property
    def rejected(self) -> Sequence[Rejection]:
        """What was noted so far."""
        return self._rejected

    def reject(self, rejection: Rejection) -> None:
        """Note a file that could not be decoded."""
        self._rejected.append(rejection)

    def finish(self, key: str) -> None:
        """Close the gaps that rejected files left, write the tables and, last, the manifest."""
        slots = sorted(self._originals)
        for row, slot in enumerate(slots):
            if row != slot:
                self._stream.seek(self._header_bytes + slot * self._image_bytes)
                image = self._stream.read(self._image_bytes)
                self._stream.seek(self._header_bytes + row * self._image_bytes)
                self._stream.write(image)
        self._stream.truncate(self._header_bytes + len(slots) * self._image_bytes)
        self._stream.seek(0)
        self._stream.write(_npy_header(len(slots), self._size))
        self.close()
        originals = np.array([self._originals[slot] for slot in slots], dtype=np.int32).reshape(-1, 2)
        table = pd.DataFrame(
            {
                "file": pd.Series([self._files[slot] for slot in slots], dtype=str),
                "width": originals[:, 0],
                "height": originals[:, 1],
            }
        )
        table.to_parquet(self._folder / "table.parquet", index=False)
        rejection_table(self._rejected).to_parquet(self._folder / "rejected.parquet", index=False)
        files = {name: _size_and_checksum(self._folder / name) for name in _FILES}
        (self._folder / _MANIFEST).write_text(
            json.dumps({"format": FORMAT, "key": key, "images": len(slots), "files": files}, indent=2) + "\n",
            encoding="utf-8",
        )
        for name in (*_FILES, _MANIFEST):
            with (self._folder / name).open("rb+") as file:
                os.fsync(file.fileno())

    def close(self) -> None:
        """Close the file of the images."""
        self._stream.close()


def open_or_build(
    root: Path, key: str, files: Sequence[str], size: int, fill: Callable[[EntryWriter], None]
) -> CachedImages:
    """Open the entry of `key`, or build it.

    Args:
        root: The cache folder; made if it is missing.
        key: Hexadecimal hash of all that the entry depends on.
        files: The names of the images, sorted: one slot each.
        size: Width and height in pixels.
        fill: Adds or rejects every file; what it raises goes on to the caller, and no trace of the entry is left.

    Raises:
        OutputError: The cache folder cannot be written or the disk is full.
    """
    place = root / f"faces-{key[:32]}"
    damage = None
    with _explained(root, needed_bytes=len(files) * size * size * 3):
        try:
            return open_entry(place, key, size)
        except FileNotFoundError:
            pass
        except DamagedEntryError as error:
            damage = str(error)
        root.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=root))
        try:
            writer = EntryWriter(building, files, size)
            try:
                fill(writer)
                writer.finish(key)
            finally:
                with contextlib.suppress(OSError):  # the disk may be full, which was raised already
                    writer.close()
            building.chmod(0o755)
            return _publish(building, place, key, size, damage)
        finally:
            shutil.rmtree(building, ignore_errors=True)


def open_entry(place: Path, key: str, size: int) -> CachedImages:
    """Open an entry after comparing every file with the manifest.

    Raises:
        FileNotFoundError: There is no such entry.
        DamagedEntryError: It is incomplete or altered.
    """
    if not place.exists():
        raise FileNotFoundError(place)
    try:
        manifest = json.loads((place / _MANIFEST).read_text(encoding="utf-8"))
        if (manifest["format"], manifest["key"]) != (FORMAT, key):
            raise DamagedEntryError("its manifest belongs to another entry")
        for name in _FILES:
            expected = manifest["files"][name]
            if (place / name).stat().st_size != expected["bytes"]:
                raise DamagedEntryError(f"{name} has another size than when it was written")
            if _size_and_checksum(place / name) != expected:
                raise DamagedEntryError(f"{name} has another checksum than when it was written")
        images = np.load(place / "images.npy", mmap_mode="r", allow_pickle=False)
        table, rejected = (pd.read_parquet(place / name) for name in _FILES[1:])
        if images.shape != (manifest["images"], size, size, 3) or len(table) != len(images):
            raise DamagedEntryError("its tables and its images do not belong together")
    except FileNotFoundError as error:
        raise DamagedEntryError(f"{Path(str(error.filename)).name} is missing") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedEntryError(f"it cannot be read ({error})") from error
    return CachedImages(table, images, rejected)


def rejection_table(rejections: Sequence[Rejection]) -> pd.DataFrame:
    """Rejections as a table of text: `file`, `reason`, `detail`, sorted by file."""
    columns = {name: [getattr(r, name) for r in rejections] for name in ("file", "reason", "detail")}
    return pd.DataFrame(columns, dtype=str).sort_values("file", kind="stable", ignore_index=True)


def _publish(building: Path, place: Path, key: str, size: int, damage: str | None) -> CachedImages:
    """Rename the finished entry into its place, around whatever stands or appears there."""
    for _ in range(5):
        try:
            building.rename(place)
        except OSError:
            if not place.exists():
                raise
        try:
            entry = open_entry(place, key, size)
        except FileNotFoundError:
            continue
        except DamagedEntryError:
            _discard(place)
            continue
        return CachedImages(entry.table, entry.images, entry.rejected, rebuilt_because=damage)
    raise OutputError(f"The image cache entry {place} is damaged and cannot be replaced. Remove it by hand.")


def _discard(place: Path) -> None:
    """Move a damaged entry out of the way in one step, then remove it."""
    aside = Path(tempfile.mkdtemp(prefix=_DISCARDED, dir=place.parent))
    with contextlib.suppress(FileNotFoundError):  # another process was faster
        place.rename(aside / "entry")
    shutil.rmtree(aside, ignore_errors=True)


def _sweep(root: Path) -> None:
    """Remove what killed processes left; a day is far longer than any build."""
    for leftover in (*root.glob(f"{_BUILDING}*"), *root.glob(f"{_DISCARDED}*")):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)


@contextlib.contextmanager
def _explained(root: Path, *, needed_bytes: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"The image cache in {root} cannot be written: {error.strerror or error}. It needs about "
            f"{needed_bytes / 1e6:,.0f} MB. Free some space or choose another folder with {CACHE_VARIABLE}."
        ) from error


def _npy_header(count: int, size: int) -> bytes:
    """The header of an .npy file. NumPy pads it, so that its length is the same for any count."""
    stream = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
    np.lib.format.write_array_header_1_0(stream, fields)
    return stream.getvalue()


def _size_and_checksum(path: Path) -> dict[str, int | str]:
    checksum = 0
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            checksum = zlib.crc32(chunk, checksum)
            size += len(chunk)
    return {"bytes": size, "crc32": f"{checksum:08x}"}
