"""Images without labels, from files and folders: what a model is shown when no truth is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agegender.data.drawn import draw_face, is_drawn_folder
from agegender.data.images import read_face, read_image_file
from agegender.data.listing import is_ignored
from agegender.data.names import is_image_name
from agegender.errors import ImageError, InputError, SettingError


@dataclass(frozen=True, eq=False)
class Pictures:
    """A few images.

    Attributes:
        names: What to call each: its file's name, or what is true of a drawn face.
        images: uint8 (n, 128, 128, 3), RGB.
        drawn: All of them are drawn by this package.
        found: Of how many they were chosen.
    """

    names: tuple[str, ...]
    images: np.ndarray
    drawn: bool
    found: int


def read_pictures(sources: Sequence[Path], *, most: int) -> Pictures:
    """Read images from files and folders (with their subfolders); names need not hold labels.

    Of more than `most` files, that many are taken at even distances in the order of their names, since in a set that
    is named by age the first ones are all infants.

    Args:
        sources: Files and folders.
        most: How many images at most, at least 1.

    Raises:
        InputError: A source is not there, holds no image, or a chosen file cannot be read.
        SettingError: `most` is below 1.
    """
    if most < 1:
        raise SettingError(f"At least 1 image must be shown. Received: {most}")
    files = [file for source in sources for file in _files(Path(source))]
    chosen = [files[int(place)] for place in np.linspace(0, len(files) - 1, min(most, len(files))).round()]
    return Pictures(
        names=tuple(file.name for file in chosen),
        images=np.stack([_read(file) for file in chosen]),
        drawn=all(is_drawn_folder(source if Path(source).is_dir() else Path(source).parent) for source in sources),
        found=len(files),
    )


def drawn_pictures(count: int, *, seed: int) -> Pictures:
    """The first drawn faces of a seed, youngest first.

    Raises:
        SettingError: `count` is below 1.
    """
    if count < 1:
        raise SettingError(f"At least 1 face must be drawn. Received: {count}")
    faces = sorted((draw_face(index, seed) for index in range(count)), key=lambda face: face[1].true_age)
    names = tuple(f"drawn: {labels.true_age}, {labels.true_gender}" for _, labels in faces)
    return Pictures(names, np.stack([image for image, _ in faces]), drawn=True, found=count)


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise InputError(f"There is no file or folder {source}. Give images, or folders of images.")
    inside = sorted(path for path in source.rglob("*") if is_image_name(path.name) and path.is_file())
    files = [path for path in inside if not is_ignored(path.relative_to(source).as_posix())]
    if not files:
        raise InputError(f"There are no images (.jpg, .jpeg, .png, .webp) in {source}. Give a folder that holds some.")
    return files


def _read(file: Path) -> np.ndarray:
    try:
        return read_face(read_image_file(file))[0]
    except ImageError as error:
        raise InputError(f"{file} cannot be used: {error} Leave it out.") from error
