"""The brief's 5,000 crops, made again from the public UTKFace release.

The release holds 200-pixel aligned crops. The brief's are 5,000 of them, resized to 128 pixels (bilinear) and saved
as JPEG of quality 75. The list of their names travels with this package; no picture does.
"""

from __future__ import annotations

import gzip
import importlib.resources
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from PIL import Image

from agegender.artifacts import explained_writes, write_bytes, write_text
from agegender.data.images import read_face
from agegender.data.listing import LazyContent, found, is_ignored
from agegender.data.names import is_image_name
from agegender.data.parallel import ordered_map, usable_cores
from agegender.data.readers import open_reader
from agegender.data.tables import TABLE_SUFFIXES
from agegender.errors import ImageError, InputError, OutputError, SettingError
from agegender.optional import require
from agegender.types import Progress, silent

SOURCE_SIDE_PIXELS = 200
SIDE_PIXELS = 128
JPEG_QUALITY = 75

KAGGLE_PREFIX = "kaggle:"
UTKFACE_FOLDER = "utkface"
"""Lower-case name of the folder that counts: Kaggle's archive unpacks its pictures again under other names."""

LEAST_WORKERS = 4
"""Even on one core: most of the time of a written file is spent waiting for the disk."""

EXPECTED = (
    "the aligned and cropped pictures of the UTKFace release, 200 x 200 pixels, with names such as "
    "26_0_1_20170116220224657.jpg.chip.jpg"
)


@dataclass(frozen=True, slots=True)
class PrepareResult:
    """What `prepare` did.

    Attributes:
        destination: The folder of the crops.
        wanted: How many crops the brief has.
        written: How many were written now.
        kept: How many stood there whole from an earlier run.
        missing: Names that the source does not hold.
        unusable: Name and reason of crops that the source holds but that cannot be used.
        repeated: Further pictures of a wanted name in the source, not used.
        missing_list: Where the names of `missing` and `unusable` are written; None if there are none.
    """

    destination: Path
    wanted: int
    written: int
    kept: int
    missing: tuple[str, ...]
    unusable: tuple[tuple[str, str], ...]
    repeated: int
    missing_list: Path | None


def brief_names() -> tuple[str, ...]:
    """The file names of the brief's training and validation images, sorted."""
    content = importlib.resources.files("agegender").joinpath("data", "brief_names.txt.gz").read_bytes()
    return tuple(gzip.decompress(content).decode("ascii").splitlines())


def prepare(
    source: str | Path, destination: str | Path, *, progress: Progress = silent, workers: int | None = None
) -> PrepareResult:
    """Pick the brief's pictures out of the public release and bring them to the brief's form.

    A picture is recognised by its name up to the first `.jpg`, in any case. Where the source holds a name several
    times, the one in a folder `UTKFace` counts, then the least deep one. Crops that are 128 x 128 JPEGs already are
    copied as they are. Every file is written whole or not at all, and whole ones are kept, so that a killed run goes
    on where it was and a second source fills what the first one lacked.

    Args:
        source: A folder, a .zip, a .tar (also compressed), or `kaggle:OWNER/DATASET`, which downloads.
        destination: The folder to fill; it holds nothing else afterwards. The names that are missing go to
            `<destination>-missing.txt` beside it, so that no reader takes that list for data.
        progress: Shows how far it is.
        workers: Threads; by default one a core, at least four.

    Raises:
        SettingError: One of the two folders lies inside the other.
        InputError: The source is missing, damaged, or holds none of the brief's pictures in a usable form.
        OutputError: The destination cannot be written, or holds other images.
        MissingExtraError: A `kaggle:` source without the extra `kaggle`.
    """
    names = brief_names()
    root = kaggle_folder(str(source)) if str(source).startswith(KAGGLE_PREFIX) else Path(source)
    destination = Path(destination).resolve()
    _require_apart(root, destination)
    if root.is_file() and root.name.lower().endswith(TABLE_SUFFIXES):
        raise InputError(f"prepare reads a folder, a .zip or a .tar of {EXPECTED}. Received a table: {root}.")
    reader = open_reader(root)
    files = reader.listing.table["file"].tolist()
    chosen, repeated = _choose(files, names)
    if not chosen:
        everything = [*files, *(rejection.file for rejection in reader.listing.rejected)]
        raise InputError(
            f"None of the brief's {len(names):,} pictures is in {root}. Expected {EXPECTED}. "
            f"Found: {found(everything) or 'no files'}{_examples(everything)}."
        )
    workers = workers or max(LEAST_WORKERS, usable_cores())
    with explained_writes(destination):
        destination.mkdir(parents=True, exist_ok=True)
        _require_own(destination, names)
        kept = {name for name, whole in ordered_map(partial(_is_whole, destination), names, workers) if whole}
    wanted = {file: name for file, name in chosen.items() if name not in kept}
    items = ((file, read) for file, read in reader.contents() if file in wanted) if wanted else ()
    results = _write_crops(items, lambda file: destination / wanted[file], workers)
    outcomes = {wanted[file]: problem for file, problem in progress(results, total=len(wanted), title="Preparing")}
    unusable = tuple(sorted((name, problem) for name, problem in outcomes.items() if problem))
    written = len(outcomes) - len(unusable)
    if unusable and not written and not kept:
        raise InputError(
            f"None of the {len(unusable):,} pictures that {root} holds can be used. Expected {EXPECTED}. "
            f"The first, {unusable[0][0]}: {unusable[0][1]}"
        )
    missing = tuple(sorted(set(names) - kept - outcomes.keys()))
    missing_list = _write_missing(destination, missing, unusable)
    return PrepareResult(destination, len(names), written, len(kept), missing, unusable, repeated, missing_list)


def crop(content: bytes) -> bytes:
    """One picture of the release as the brief has it: 128 x 128, bilinear, JPEG of quality 75.

    Args:
        content: An image file of 200 x 200 pixels, or of 128 x 128; a JPEG of that size comes back unchanged.

    Raises:
        ImageError: `wrong_size`, or what `images.read_face` raises.
    """
    pixels, (width, height) = read_face(content, size=SIDE_PIXELS)
    if width == height == SIDE_PIXELS and content.startswith(b"\xff\xd8"):
        return content
    if width != height or width not in (SOURCE_SIDE_PIXELS, SIDE_PIXELS):
        raise ImageError(
            "wrong_size",
            f"It is {width} x {height} pixels, not {SOURCE_SIDE_PIXELS} x {SOURCE_SIDE_PIXELS}: "
            "take the aligned and cropped release, not the pictures in the wild.",
        )
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def kaggle_folder(source: str) -> Path:
    """Download a data set from Kaggle, or find it in kagglehub's cache, and give its folder `UTKFace`.

    Args:
        source: `kaggle:OWNER/DATASET`, such as `kaggle:jangedoo/utkface-new`.

    Raises:
        MissingExtraError: The extra `kaggle` is not installed.
        InputError: No such data set, no network, no permission, or no folder `UTKFace` in it.
    """
    handle = source.removeprefix(KAGGLE_PREFIX)
    if handle.count("/") != 1 or not all(handle.split("/")):
        raise InputError(f"Expected kaggle:OWNER/DATASET, such as kaggle:jangedoo/utkface-new. Received: {source}.")
    kagglehub = require("kagglehub", "kaggle")
    try:
        folder = kagglehub.dataset_download(handle)
    except Exception as error:  # kagglehub passes on what its HTTP library, the disk and the service raise
        raise InputError(
            f"{source} could not be downloaded ({type(error).__name__}: {error}). Check the network and your Kaggle "
            "API token, or download the archive with a browser and give its path."
        ) from error
    return utkface_folder(Path(folder))


def utkface_folder(root: Path) -> Path:
    """The folder `UTKFace` (in any case) that holds images and lies least deep under `root`.

    Raises:
        InputError: There is none.
    """
    folders = sorted(path for path in (root, *root.rglob("*")) if path.is_dir())
    for folder in sorted(folders, key=lambda path: len(path.parts)):
        if folder.name.lower() == UTKFACE_FOLDER and any(is_image_name(path.name) for path in folder.iterdir()):
            return folder
    present = ", ".join(str(path.relative_to(root)) for path in folders[1:6]) or "no folders"
    raise InputError(f"Expected a folder UTKFace with {EXPECTED} in {root}. Found: {present}.")


def _stem(file: str) -> str:
    """The name up to the first `.jpg`, in lower case; a name of the release has a space before it."""
    return PurePosixPath(file).name.lower().partition(".jpg")[0].strip()


def _choose(files: Iterable[str], names: Iterable[str]) -> tuple[dict[str, str], int]:
    """Which file of the source becomes which of the brief's, and how many further ones have a wanted name."""
    by_stem = {_stem(name): name for name in names}

    def preference(file: str) -> tuple[bool, int, str]:
        path = PurePosixPath(file)
        return path.parent.name.lower() != UTKFACE_FOLDER, len(path.parts), file

    chosen: dict[str, str] = {}
    repeated = 0
    taken: set[str] = set()
    for file in sorted(files, key=preference):
        name = by_stem.get(_stem(file))
        if name is None:
            continue
        if name in taken:
            repeated += 1
        else:
            taken.add(name)
            chosen[file] = name
    return chosen, repeated


def _write_crops(
    items: Iterable[LazyContent], target: Callable[[str], Path], workers: int
) -> Iterable[tuple[str, str | None]]:
    """Write one crop an item; give back the file and what was wrong with it, or None."""

    def write(item: LazyContent) -> tuple[str, str | None]:
        file, read = item
        try:
            write_bytes(target(file), crop(read()))
        except ImageError as error:
            return file, f"{error.reason}: {error.detail}"
        return file, None

    return ordered_map(write, items, workers)


def _is_whole(destination: Path, name: str) -> tuple[str, bool]:
    """Whether a crop of that name stands there and decodes to the right size."""
    path = destination / name
    if not path.exists():
        return name, False
    try:
        read_face(path.read_bytes(), size=SIDE_PIXELS, strict_size=True)
    except ImageError:
        return name, False
    return name, True


def _require_apart(root: Path, destination: Path) -> None:
    source = root.resolve()
    if source.is_dir() and (source.is_relative_to(destination) or destination.is_relative_to(source)):
        raise SettingError(
            f"Source and destination must not lie inside one another, or faces would be counted twice. "
            f"Received: {root} and {destination}. Choose another destination."
        )


def _require_own(destination: Path, names: Iterable[str]) -> None:
    """Refuse a folder with other images in it; remove what a killed run left half-written."""
    for leftover in destination.glob(".*.partial.jpg"):
        leftover.unlink(missing_ok=True)
    own = set(names)
    present = (path.relative_to(destination).as_posix() for path in destination.rglob("*"))
    strangers = sorted(file for file in present if is_image_name(file) and file not in own and not is_ignored(file))
    if strangers:
        raise OutputError(
            f"{destination} holds images that are not the brief's: {len(strangers):,}{_examples(strangers)}. "
            "Choose a new folder, or one that prepare has filled."
        )


def _write_missing(destination: Path, missing: Iterable[str], unusable: Iterable[tuple[str, str]]) -> Path | None:
    """Write the names that are not there, with the reason after a tab; remove the list of an earlier run if none."""
    path = destination.with_name(f"{destination.name}-missing.txt")
    lines = sorted([*(f"{name}\tnot in the source" for name in missing), *(f"{n}\t{reason}" for n, reason in unusable)])
    if lines:
        return write_text(path, "".join(f"{line}\n" for line in lines))
    with explained_writes(path):
        path.unlink(missing_ok=True)
    return None


def _examples(files: list[str]) -> str:
    return f", such as {', '.join(files[:3])}" if files else ""
