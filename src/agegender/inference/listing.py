"""What a user points at, as one list of image files: paths, folders, a text file of paths, or standard input."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agegender.errors import InputError
from agegender.inference.decode import SUFFIXES
from agegender.inference.storage import is_address, list_address, without_query

STANDARD_INPUT = "-"
LIST_SUFFIX = ".txt"


@dataclass(frozen=True, slots=True)
class ImageList:
    """Image files, each once, in a fixed order.

    Attributes:
        files: Paths as they will stand in the result.
        ignored: How many other files lie in the folders given.
    """

    files: tuple[str, ...]
    ignored: int = 0


def list_images(places: Iterable[str], standard_input: Iterable[str] = ()) -> ImageList:
    """Find what is to be predicted.

    Args:
        places: Image files, folders (looked through with all below, by suffix), addresses such as `s3://bucket/folder`
            (likewise), text files of one path or file's address a line (relative to where the command runs; blank lines
            and lines that begin with `#` are passed over), or `-` for such lines on standard input.
        standard_input: Its lines.

    Raises:
        InputError: A place does not exist, a list cannot be read, or there is no image at all.
    """
    files: dict[str, None] = {}
    ignored = 0
    for place in places:
        path = Path(place)
        if place == STANDARD_INPUT:
            files |= dict.fromkeys(_listed(standard_input))
        elif is_address(place) or path.is_dir():
            found, others = _at_address(place) if is_address(place) else _in_folder(path)
            files |= dict.fromkeys(found)
            ignored += others
        elif not path.is_file():
            raise InputError(f"There is no file or folder {place}. Give image files, folders, a list.txt, or -.")
        elif path.suffix.lower() == LIST_SUFFIX:
            files |= dict.fromkeys(_read_list(path))
        else:
            files[place] = None
    if not files:
        raise InputError(
            f"There is no image to predict. Looked for {', '.join(SUFFIXES)}; {ignored:,} other files were passed over."
        )
    return ImageList(tuple(files), ignored)


def _in_folder(folder: Path) -> tuple[list[str], int]:
    """Paths of the images below a folder, sorted, and how many other files there are; hidden ones are not looked at."""
    found, others = [], 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith("."):
                continue
            if name.lower().endswith(SUFFIXES):
                found.append(os.path.join(root, name))  # noqa: PTH118 - millions of names: Path would double the time
            else:
                others += 1
    return found, others


def _at_address(address: str) -> tuple[list[str], int]:
    everything = list_address(address)
    if everything == [address]:
        return everything, 0
    found = [file for file in everything if without_query(file).lower().endswith(SUFFIXES)]
    return found, len(everything) - len(found)


def _read_list(path: Path) -> list[str]:
    try:
        return _listed(path.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a list of paths, one a line in UTF-8 ({error}).") from error


def _listed(lines: Iterable[str]) -> list[str]:
    stripped = (line.strip() for line in lines)
    return [line for line in stripped if line and not line.startswith("#")]
