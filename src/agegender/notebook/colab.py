"""Google Colab: images from the mounted Drive are copied to the machine's own disk, once."""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agegender.artifacts import atomic_path, explained_writes
from agegender.errors import InputError

COPY_THREADS = 16
"""A mounted Drive answers one small file in tens of milliseconds, whatever its size: many are asked for at once."""


def copy_once(source: str | Path, target: str | Path) -> Path:
    """Copy a folder or a file to the local disk, unless it was copied before.

    The target appears when the copy is whole: what a broken connection left is not taken for it.

    Args:
        source: A folder, copied with everything in it, or a file such as a .zip.
        target: Where to; its parent is made.

    Returns:
        The target.

    Raises:
        InputError: The source is not there.
        OutputError: The disk is full or cannot be written.
    """
    source, target = Path(source), Path(target)
    if target.exists():
        return target
    if source.is_file():
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
        return target
    if not source.is_dir():
        raise InputError(f"There is no {source}. Put the images there, as a folder or a .zip, or write another name.")
    with explained_writes(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".partial", dir=target.parent))
        try:
            _copy_tree(source, temporary)
            temporary.chmod(0o755)
            temporary.replace(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


def _copy_tree(source: Path, target: Path) -> None:
    files: list[tuple[Path, Path]] = []
    for folder, _, names in os.walk(source):
        here = target / Path(folder).relative_to(source)
        here.mkdir(exist_ok=True)
        files += [(Path(folder, name), here / name) for name in names]
    with ThreadPoolExecutor(COPY_THREADS) as pool:
        for _ in pool.map(lambda pair: shutil.copyfile(*pair), files):
            pass
