"""A folder of drawn faces: written whole or not at all, marked as drawn, reused when it is the one asked for."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from agegender.artifacts import explained_writes, read_json, write_json
from agegender.data.drawn.faces import DEFAULT_LABEL_NOISE, LabelNoise, draw_face, file_name
from agegender.errors import InputError, OutputError, SettingError
from agegender.labels import Gender
from agegender.types import Progress, silent

DRAWN_MARKER = "drawn_faces.json"
"""The file that says: these faces are drawn, by which settings, and what is true about each."""

DRAWING_VERSION = 1
"""Raised whenever the same seed gives other pictures or labels."""

_JPEG_QUALITY = 90
_NOTE = (
    "Faces drawn by a program; no person is shown. The labels in the file names hold the stated noise; "
    "each line of `faces` gives a file, its true age in years and its true gender."
)


@dataclass(frozen=True, slots=True)
class DrawnFace:
    """One line of the marker: a file and the truth about it, age in whole years."""

    file: str
    true_age: int
    true_gender: Gender


@dataclass(frozen=True, slots=True)
class Marker:
    """What `drawn_faces.json` says about a folder."""

    version: int
    seed: int
    count: int
    label_noise: LabelNoise
    faces: tuple[DrawnFace, ...]


def is_drawn_folder(path: str | Path) -> bool:
    """Whether a folder holds the marker of drawn faces."""
    return (Path(path) / DRAWN_MARKER).is_file()


def read_marker(folder: str | Path) -> Marker:
    """Read the marker of a folder of drawn faces.

    Raises:
        InputError: There is none, or it is damaged.
    """
    path = Path(folder) / DRAWN_MARKER
    try:
        content: dict[str, Any] = read_json(path)
        faces = [line.split(" ") for line in content["faces"]]
        return Marker(
            version=int(content["version"]),
            seed=int(content["seed"]),
            count=int(content["count"]),
            label_noise=LabelNoise(**content["label_noise"]),
            faces=tuple(DrawnFace(file, int(age), Gender(gender)) for file, age, gender in faces),
        )
    except FileNotFoundError as error:
        raise InputError(f"{folder} is no folder of drawn faces: it has no {DRAWN_MARKER}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, OSError, SettingError) as error:
        raise InputError(f"{path} cannot be read ({error}). Delete the folder and draw it again.") from error


def draw_faces(
    folder: str | Path,
    *,
    count: int,
    seed: int,
    label_noise: LabelNoise = DEFAULT_LABEL_NOISE,
    progress: Progress = silent,
    workers: int | None = None,
) -> Path:
    """Draw a data set: `count` JPEGs of 128 x 128 named like UTKFace, and the marker.

    The same settings give the same bytes on one machine with one set of library versions. The folder appears when
    it is complete. A complete folder of the same settings is left as it is.

    Args:
        folder: Where to; absent, empty, or drawn before with these settings.
        count: How many faces, at least 1.
        seed: Which faces, at least 0. A larger count of one seed starts with the faces of a smaller one.
        label_noise: How wrong the written labels are.
        progress: Shows how far the drawing is.
        workers: Threads; None takes one a core.

    Returns:
        The folder.

    Raises:
        SettingError: A count below 1 or a negative seed.
        OutputError: The folder holds something else, or cannot be written.
    """
    folder = Path(folder)
    if count < 1 or seed < 0:
        raise SettingError(f"count must be at least 1 and seed at least 0. Received: count {count}, seed {seed}")
    if _stands_already(folder, count, seed, label_noise):
        return folder
    with explained_writes(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".partial", dir=folder.parent))
    try:
        with explained_writes(folder):
            lines = list(
                progress(_write_all(temporary, count, seed, label_noise, workers), total=count, title="Drawing faces")
            )
            content = {
                "note": _NOTE,
                "version": DRAWING_VERSION,
                "seed": seed,
                "count": count,
                "label_noise": dataclasses.asdict(label_noise),
                "faces": lines,
            }
            write_json(temporary / DRAWN_MARKER, content)
            temporary.chmod(0o755)
            _put_in_place(temporary, folder, lambda: _stands_already(folder, count, seed, label_noise))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _put_in_place(temporary: Path, folder: Path, stands_already: Callable[[], bool]) -> None:
    """Rename; if another process was faster, its folder must hold the same faces."""
    try:
        temporary.replace(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not stands_already():
            raise


def _stands_already(folder: Path, count: int, seed: int, label_noise: LabelNoise) -> bool:
    """Whether exactly this was drawn before; raises an `OutputError` if something else is in the way."""
    with explained_writes(folder):
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return False
    if not is_drawn_folder(folder):
        raise OutputError(f"{folder} is there and holds no drawn faces. Choose a new or empty folder.")
    try:
        marker = read_marker(folder)
    except InputError as error:
        raise OutputError(str(error)) from error
    wanted, found = (
        (DRAWING_VERSION, seed, count, label_noise),
        (marker.version, marker.seed, marker.count, marker.label_noise),
    )
    if wanted != found:
        raise OutputError(
            f"{folder} holds other drawn faces (version, seed, count, label noise: {found}; asked for: {wanted}). "
            "Choose another folder or delete it."
        )
    files = {entry.name for entry in os.scandir(folder)} - {DRAWN_MARKER}
    differing = files ^ {face.file for face in marker.faces}
    if differing:
        raise OutputError(
            f"{len(differing)} files of {folder} are missing or do not belong there. Delete it and draw again."
        )
    return True


def _write_all(folder: Path, count: int, seed: int, label_noise: LabelNoise, workers: int | None) -> Iterator[str]:
    """Draw and write every face; gives the marker's lines in order."""

    def write_one(index: int) -> str:
        picture, labels = draw_face(index, seed, label_noise)
        name = file_name(labels, index, seed)
        done, content = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if not done:  # cv2 gives no reason
            raise OutputError(f"Face {index} of seed {seed} could not be encoded as JPEG.")
        (folder / name).write_bytes(content.tobytes())
        return f"{name} {labels.true_age} {labels.true_gender}"

    threads = workers or os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        # In blocks, so that an interruption waits for a few faces and not for all that were handed in.
        numbers = iter(range(count))
        while block := list(itertools.islice(numbers, 8 * threads)):
            yield from pool.map(write_one, block)
