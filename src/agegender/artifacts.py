"""Files that are whole or absent: written under a temporary name, synced, renamed. Also hashes and JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agegender.errors import OutputError


@contextlib.contextmanager
def atomic_path(target: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `target`; on success it replaces `target`, on failure it is removed.

    The temporary name keeps the suffix of the target, since writers such as `model.save` look at it.

    Raises:
        OutputError: The folder cannot be written or the disk is full.
    """
    target = Path(target)
    with explained_writes(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=f".partial{target.suffix}", dir=target.parent)
        os.close(handle)
    temporary = Path(name)
    try:
        with explained_writes(target):
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def explained_writes(target: str | Path) -> Iterator[None]:
    """Turn the operating system's refusals to write into an `OutputError` that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise OutputError(f"No space left to write {target}. Free some space or choose another --out.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
            raise OutputError(
                f"Cannot write {target}: {error.strerror}. Choose a folder you may write to with --out."
            ) from error
        raise


def write_bytes(target: str | Path, content: bytes) -> Path:
    """Write a whole file or none."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)
    return Path(target)


def write_text(target: str | Path, content: str) -> Path:
    """Write a whole UTF-8 text file or none."""
    return write_bytes(target, content.encode())


def write_json(target: str | Path, content: Any) -> Path:
    """Write a value as indented JSON: dataclasses become objects, paths and enums strings, NumPy numbers numbers."""
    return write_text(target, json.dumps(content, indent=2, default=plain, allow_nan=False) + "\n")


def read_json(source: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(source).read_text(encoding="utf-8"))


def plain(value: Any) -> Any:
    """What JSON cannot hold by itself, as something it can.

    Raises:
        TypeError: The value has no plain form.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if callable(tolist := getattr(value, "tolist", None)):
        return tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form. Received: {value!r}")


def sha256_file(path: str | Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
