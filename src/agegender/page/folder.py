"""A folder of many files that is whole or absent, as `artifacts` does it for one file."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from agegender.artifacts import explained_writes
from agegender.errors import OutputError


@contextlib.contextmanager
def atomic_folder(target: Path, *, may_replace: Callable[[Path], bool]) -> Iterator[Path]:
    """Give a temporary folder beside `target`; on success it takes its place, on failure it is removed.

    An earlier folder is moved aside first, since no system replaces a folder that is not empty. It is put back if the
    new one cannot take its place.

    Args:
        target: The folder wanted.
        may_replace: Whether a folder that stands there, and is not empty, may go.

    Raises:
        OutputError: Something else stands there, or it cannot be written.
    """
    with explained_writes(target):
        _refuse_foreign(target, may_replace)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".partial", dir=target.parent))
    try:
        with explained_writes(target):
            yield temporary
            _sync(temporary)
            temporary.chmod(0o755)
            _put(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _refuse_foreign(target: Path, may_replace: Callable[[Path], bool]) -> None:
    if target.is_dir() and any(target.iterdir()) and not may_replace(target):
        raise OutputError(
            f"{target} holds other files than an earlier page, and would be replaced as a whole. Choose another --out, "
            "or empty it first."
        )
    if target.exists() and not target.is_dir():
        raise OutputError(f"{target} is a file; expected a folder to write. Choose another --out.")


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def _put(temporary: Path, target: Path) -> None:
    if not target.is_dir():
        temporary.rename(target)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".former", dir=target.parent))
    target.rename(aside / target.name)
    try:
        temporary.rename(target)
    except BaseException:
        (aside / target.name).rename(target)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
