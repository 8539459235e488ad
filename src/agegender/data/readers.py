"""Folders and archives of images named like UTKFace, and the choice of the reader for a source.

Archives are read in memory, member by member; nothing of them is ever written to disk.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from agegender.data.images import MAX_FILE_BYTES, read_image_file
from agegender.data.listing import LazyContent, NameSorter, Reader, Rejection, is_ignored, printable
from agegender.data.tables import TABLE_SUFFIXES, TableReader
from agegender.errors import ImageError, InputError, SettingError

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")

_TAR_BLOCK_BYTES = 512


def is_table(source: str | Path) -> bool:
    """Whether a source is a table by its ending."""
    return str(source).lower().endswith(TABLE_SUFFIXES)


def open_reader(source: str | Path, *, gender_codes: Mapping[int | str, str] | None = None) -> Reader:
    """Open a folder, a .zip, a .tar (also compressed) or a .csv or .parquet table, in any case of ending.

    Args:
        source: Where the data is.
        gender_codes: For tables only: which gender each code of the gender column means.

    Raises:
        InputError: It is missing, of no known kind, or damaged as a whole.
        SettingError: `gender_codes` was given for something else than a table.
    """
    path = Path(source)
    name = path.name.lower()
    try:
        there = path.exists()
    except OSError as error:
        raise InputError(f"{path} cannot be looked at: {error.strerror or error}.") from error
    if not there:
        raise InputError(f"There is nothing at {path}. Give a folder, a .zip, a .tar or a .csv or .parquet table.")
    if path.is_file() and is_table(path):
        return TableReader(path, gender_codes=gender_codes)
    if gender_codes is not None:
        raise SettingError(f"gender_codes is for tables; in file names 0 is male, 1 female. Received with it: {path}.")
    if path.is_dir():
        return FolderReader(path)
    if name.endswith(".zip"):
        return ZipReader(path)
    if name.endswith(TAR_SUFFIXES):
        return TarReader(path)
    raise InputError(
        f"Data is a folder, a .zip, a {', '.join(TAR_SUFFIXES)} or a .csv or .parquet table. Received: {path}."
    )


class FolderReader:
    """A folder of images, read recursively; links to folders are followed, each folder once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        sorter = NameSorter()
        _walk(root, sorter)
        self.listing = sorter.listing()

    def contents(self) -> Iterator[LazyContent]:
        """See `Reader.contents`."""
        for file in self.listing.table["file"]:
            yield file, functools.partial(read_image_file, self._root / file)


def _walk(root: Path, sorter: NameSorter) -> None:
    folders: list[tuple[str, str]] = [("", os.fspath(root))]
    seen: set[tuple[int, int]] = set()
    while folders:
        prefix, folder = folders.pop()
        try:
            status = Path(folder).stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            if not prefix:
                raise InputError(f"The folder {folder} cannot be read: {error.strerror or error}.") from error
            detail = f"The folder cannot be read: {error.strerror or error}."
            sorter.rejected.append(Rejection(printable(prefix), "unreadable_folder", detail))
            continue
        if (status.st_dev, status.st_ino) in seen:  # a link back into the tree
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in entries:
            file = prefix + entry.name
            kind = _kind(entry)
            if kind == "folder":
                if is_ignored(entry.name):
                    sorter.ignored.append(f"{printable(file)}/")
                else:
                    folders.append((f"{file}/", entry.path))
            elif kind == "file":
                sorter.add(file)
            else:
                sorter.add(file, problem=("not_a_file", "It is a broken link, a pipe or a device."))


def _kind(entry: os.DirEntry[str]) -> str:
    """What a name stands for, through links; `other` for a broken or circular link, a pipe or a device."""
    try:
        return "folder" if entry.is_dir() else "file" if entry.is_file() else "other"
    except OSError:
        return "other"


class ZipReader:
    """A .zip of images, at any depth."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._members: dict[str, zipfile.ZipInfo] = {}
        sorter = NameSorter()
        with _archive_errors(path), zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        for member in members:
            if member.is_dir():
                continue
            file = _member_path(member.filename)
            problem = _member_problem(file, member.file_size)
            if member.flag_bits & 1:
                problem = ("unreadable", "It is encrypted in the archive.")
            if sorter.add(file, problem=problem):
                self._members[file] = member
        self.listing = sorter.listing()

    def contents(self) -> Iterator[LazyContent]:
        """See `Reader.contents`. Members are unpacked by the iterating thread: one archive handle is one stream."""
        in_place = sorted(self._members.items(), key=lambda item: item[1].header_offset)
        with _archive_errors(self._path), zipfile.ZipFile(self._path) as archive:
            for file, member in in_place:
                try:
                    content = archive.read(member)
                except (zipfile.BadZipFile, EOFError, zlib.error, LZMAError, NotImplementedError) as error:
                    yield file, _refusal("unreadable", f"It is damaged in the archive: {error}.")
                else:
                    yield file, _given(content)


class TarReader:
    """A .tar of images, plain or compressed, at any depth."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._members: dict[str, tarfile.TarInfo] = {}
        sorter = NameSorter()
        with _archive_errors(path), tarfile.open(path, "r:*") as archive:
            members = archive.getmembers()
            _require_end(archive)
        for member in members:
            if member.isdir():
                continue
            file = _member_path(member.name)
            problem = _member_problem(file, member.size)
            if not member.isreg():
                problem = ("not_a_file", "It is a link or a device in the archive, not a file.")
            if sorter.add(file, problem=problem):
                self._members[file] = member
        self.listing = sorter.listing()

    def contents(self) -> Iterator[LazyContent]:
        """See `Reader.contents`. In the order of the archive, so that a compressed one is unpacked once."""
        in_place = sorted(self._members.items(), key=lambda item: item[1].offset_data)
        with _archive_errors(self._path), tarfile.open(self._path, "r:*") as archive:
            for file, member in in_place:
                stream = archive.extractfile(member)
                assert stream is not None  # only regular files stand in _members
                yield file, _given(stream.read())


def _require_end(archive: tarfile.TarFile) -> None:
    """Check for the block of zeros that ends a tar: at a damaged header `tarfile` stops as if the archive ended."""
    stream = archive.fileobj
    assert stream is not None
    stream.seek(archive.offset)
    if stream.read(_TAR_BLOCK_BYTES) != bytes(_TAR_BLOCK_BYTES):
        raise tarfile.ReadError("it has no end mark, so that members may be missing")


def _member_path(name: str) -> str:
    """The POSIX path of a member; some Windows packers write backslashes."""
    name = name.replace("\\", "/")
    return name if name.startswith("/") else str(PurePosixPath(name))


def _member_problem(file: str, size_bytes: int) -> tuple[str, str] | None:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts:
        return "unsafe_path", "Its path leads out of the archive."
    if size_bytes > MAX_FILE_BYTES:
        return "too_large", f"At most {MAX_FILE_BYTES:,} bytes are read. Received: {size_bytes:,} bytes."
    return None


def _given(content: bytes) -> Callable[[], bytes]:
    return lambda: content


def _refusal(reason: str, detail: str) -> Callable[[], bytes]:
    def refuse() -> bytes:
        raise ImageError(reason, detail)

    return refuse


@contextlib.contextmanager
def _archive_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, LZMAError, OSError) as error:
        raise InputError(
            f"The archive {path} is damaged, incomplete or not what its name says ({error}). Copy or pack it again."
        ) from error
