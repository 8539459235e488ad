"""From a source of labelled faces to a `Dataset`: labels, decoded images and everything that was rejected."""

from __future__ import annotations

import contextlib
import hashlib
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL

from agegender.artifacts import atomic_path
from agegender.data.cache import CachedImages, EntryWriter, default_cache_dir, open_or_build, rejection_table
from agegender.data.corrections import Corrections
from agegender.data.images import MAX_PIXELS, read_face
from agegender.data.listing import UNCOUNTED_REASONS, LazyContent, Listing, Reader, Rejection, found
from agegender.data.parallel import ordered_map, usable_cores
from agegender.data.readers import open_reader
from agegender.errors import ImageError, InputError, SettingError
from agegender.types import Progress, silent

MIN_READING_THREADS = 16
"""Reading waits more than it computes where files come over a network (Colab's mounted Drive)."""


@dataclass(frozen=True)
class Dataset:
    """Labelled faces, ready to be split, learnt from or measured on.

    Attributes:
        table: The face table, sorted by file: `file` (str, unique), `age` (int16, years), `gender` (categorical
            "male", "female"), `race` (categorical, missing where unknown) and the group columns of a user's table.
        images: uint8 (n, size, size, 3) RGB, a read-only memory map; image i belongs to row i.
        rejected: Every file that cannot be used: `file`, `reason`, `detail`.
        source: What was read.
        fingerprint: SHA-256 over size, names, bytes and labels of the faces: equal exactly if the data is.
        drawn: The faces are drawn by this package; figures on them say nothing about people.
        resized: How many images had another size.
        ignored: Hidden files and leftovers of systems that were passed over.
        notes: Sentences for the user on all that was not plain: resized, rejected, ignored, rebuilt, corrected.
        origin: Row i is what file i was before decoding: `sha256` of its bytes, `width` and `height` in pixels.
        corrections: What was corrected, as `Corrections.record` says it; None if nothing was asked for.
    """

    table: pd.DataFrame
    images: np.ndarray
    rejected: pd.DataFrame
    source: str
    fingerprint: str
    drawn: bool
    resized: int
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    origin: pd.DataFrame = field(default_factory=pd.DataFrame)
    corrections: dict[str, Any] | None = None

    def __len__(self) -> int:
        return len(self.table)

    def select(self, files: Iterable[str]) -> np.ndarray:
        """The rows of some files, int64, in the order given.

        Raises:
            InputError: A file is not in the data set.
        """
        wanted = list(files)
        rows = pd.Index(self.table["file"]).get_indexer(pd.Index(wanted, dtype=object))
        if (rows < 0).any():
            unknown = [file for file, row in zip(wanted, rows, strict=True) if row < 0]
            raise InputError(
                f"{len(unknown):,} of {len(wanted):,} files are not in {self.source}, the first: {unknown[0]}."
            )
        return rows.astype(np.int64)


class UnusableDataError(InputError):
    """Nothing of a source can be used, or less of it than was asked for.

    Attributes:
        rejected: What `Dataset.rejected` would have held.
    """

    def __init__(self, message: str, rejected: pd.DataFrame) -> None:
        super().__init__(message)
        self.rejected = rejected


def load_dataset(
    source: str | Path,
    *,
    cache_dir: Path | None = None,
    size: int = 128,
    strict_size: bool = False,
    max_rejected_share: float = 0.10,
    allow_rejected: bool = False,
    gender_codes: Mapping[int | str, str] | None = None,
    corrections: Corrections | None = None,
    progress: Progress = silent,
    workers: int | None = None,
) -> Dataset:
    """Read a folder, an archive or a table of labelled faces; decode the images unless the cache holds them.

    Every file is read and hashed each time, so that the cache is right whatever happened to names and dates; only
    decoding is saved.

    Args:
        source: A folder (read recursively), a .zip, a .tar (also compressed), or a .csv or .parquet table.
        cache_dir: Where decoded images are kept; `cache.default_cache_dir()` by default.
        size: Width and height in pixels that images are brought to.
        strict_size: Reject images of another size instead of resizing them.
        max_rejected_share: Of the files that claim to be images, the share that may be rejected, 0..1.
        allow_rejected: Go on whatever that share is, as long as one image is left.
        gender_codes: What a table's gender codes mean, such as `{0: "male", 1: "female"}`; names need none.
        corrections: Files to leave out and labels to change, from `corrections.read_corrections`.
        progress: Shows how far reading and decoding are.
        workers: Threads; by default one per usable core for decoding and at least 16 for reading.

    Raises:
        InputError: There is nothing to read, or nothing usable; or `UnusableDataError`.
        OutputError: The cache cannot be written.
        SettingError: A setting makes no sense.
    """
    _check_settings(size, max_rejected_share, workers)
    limit = 1.0 if allow_rejected else max_rejected_share
    reader = open_reader(source, gender_codes=gender_codes)
    listing = reader.listing
    if corrections is not None:
        notes = (*listing.notes, corrections.note())
        listing = replace(listing, table=corrections.apply(listing.table), notes=notes)
    rejected = list(listing.rejected)
    _check_rejected(source, listing, len(listing.table), rejected, limit)

    digests = _read_digests(reader, progress, workers or max(MIN_READING_THREADS, usable_cores()))
    unused = corrections.dropped if corrections is not None else ()
    rejected += [result for file, result in digests.items() if isinstance(result, Rejection) and file not in unused]
    files = [file for file in listing.table["file"] if isinstance(digests[file], str)]
    _check_rejected(source, listing, len(files), rejected, limit)

    def fill(writer: EntryWriter) -> None:
        decode_workers = workers or usable_cores()
        _decode_all(
            reader,
            digests,
            files,
            writer,
            size=size,
            strict_size=strict_size,
            progress=progress,
            workers=decode_workers,
        )
        if len(writer.rejected) == len(files):
            _check_rejected(source, listing, 0, [*rejected, *writer.rejected], limit)

    cached = open_or_build(
        Path(cache_dir) if cache_dir is not None else default_cache_dir(),
        _cache_key(files, digests, size, strict_size),
        files,
        size,
        fill,
    )
    rejected += [Rejection(*row) for row in cached.rejected.itertuples(index=False)]
    _check_rejected(source, listing, len(cached.table), rejected, limit)

    table = listing.table.loc[listing.table["file"].isin(list(cached.table["file"]))].reset_index(drop=True)
    resized = int((cached.table[["width", "height"]].to_numpy() != size).any(axis=1).sum())
    return Dataset(
        table=table,
        images=cached.images,
        rejected=rejection_table(rejected),
        source=str(source),
        fingerprint=_fingerprint(table, digests, size),
        drawn=listing.drawn,
        resized=resized,
        ignored=listing.ignored,
        notes=_notes(listing, cached, rejected, resized, size),
        origin=pd.DataFrame(
            {
                "sha256": [digests[file] for file in table["file"]],
                "width": cached.table["width"].to_numpy(),
                "height": cached.table["height"].to_numpy(),
            }
        ),
        corrections=corrections.record() if corrections is not None else None,
    )


def write_rejected(dataset: Dataset, path: str | Path) -> Path:
    """Write `rejected.csv`: one row a file that could not be used, with reason and detail; only a header if none.

    Raises:
        OutputError: It cannot be written.
    """
    with atomic_path(path) as temporary:
        dataset.rejected.to_csv(temporary, index=False)
    return Path(path)


def _check_settings(size: int, max_rejected_share: float, workers: int | None) -> None:
    if size < 1:
        raise SettingError(f"size is a number of pixels, at least 1. Received: {size}.")
    if not 0 <= max_rejected_share <= 1:
        raise SettingError(f"max_rejected_share is a share, 0..1. Received: {max_rejected_share}.")
    if workers is not None and workers < 1:
        raise SettingError(f"workers is a number of threads, at least 1. Received: {workers}.")


def _check_rejected(source: str | Path, listing: Listing, usable: int, rejected: list[Rejection], limit: float) -> None:
    """Stop if nothing is usable or too much is rejected; the share only grows, so it is checked early and often."""
    failed = [r for r in rejected if r.reason not in UNCOUNTED_REASONS]
    if usable == 0 and not failed:
        others = [r.file for r in rejected]
        what = f"It holds {found(others)}." if others else "It is empty."
        hidden = f" {len(listing.ignored):,} hidden files were ignored." if listing.ignored else ""
        raise UnusableDataError(
            f"There are no images (.jpg, .jpeg, .png, .webp) in {source}. {what}{hidden}", rejection_table(rejected)
        )
    share = len(failed) / (usable + len(failed))
    if usable and share <= limit:
        return
    allow = (
        f"At most {limit:.0%} may be rejected. Mend the source, or go on with the rest: --allow-rejected "
        "(allow_rejected=True)."
        if usable
        else "Not one image is usable."
    )
    raise UnusableDataError(
        f"{len(failed):,} of {usable + len(failed):,} images in {source} are rejected ({_counts(failed)}). "
        f"The first: {failed[0].file}: {failed[0].detail} {allow}",
        rejection_table(rejected),
    )


def _counts(rejected: Iterable[Rejection]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in Counter(r.reason for r in rejected).most_common())


def _read_digests(reader: Reader, progress: Progress, workers: int) -> dict[str, str | Rejection]:
    """The SHA-256 of every file of the table, or why it cannot be read."""

    def digest(lazy: LazyContent) -> tuple[str, str | Rejection]:
        file, content = lazy
        try:
            return file, hashlib.sha256(content()).hexdigest()
        except ImageError as error:
            return file, Rejection(file, error.reason, error.detail)

    total = len(reader.listing.table)
    with contextlib.closing(ordered_map(digest, reader.contents(), workers)) as results:
        return dict(progress(results, total=total, title="Reading files"))


def _decode_all(
    reader: Reader,
    digests: Mapping[str, str | Rejection],
    files: list[str],
    writer: EntryWriter,
    *,
    size: int,
    strict_size: bool,
    progress: Progress,
    workers: int,
) -> None:
    """Decode every file into its slot, or reject it."""
    slots = {file: slot for slot, file in enumerate(files)}

    def decode(lazy: LazyContent) -> tuple[str, tuple[np.ndarray, tuple[int, int]] | Rejection]:
        file, read = lazy
        try:
            content = read()
        except ImageError as error:
            raise InputError(f"{file} cannot be read any more: {error}. Run again.") from error
        if hashlib.sha256(content).hexdigest() != digests[file]:
            raise InputError(f"{file} changed while the data was being read. Run again once it is at rest.")
        try:
            return file, read_face(content, size=size, strict_size=strict_size)
        except ImageError as error:
            return file, Rejection(file, error.reason, error.detail)

    wanted = (lazy for lazy in reader.contents() if lazy[0] in slots)
    with warnings.catch_warnings(), contextlib.closing(ordered_map(decode, wanted, workers)) as results:
        # Pillow warns of what `read_face` refuses with a reason anyway, and of damaged metadata beside sound pixels.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        for file, result in progress(results, total=len(files), title="Decoding images"):
            if isinstance(result, Rejection):
                writer.reject(result)
            else:
                writer.add(slots[file], *result)


def _cache_key(files: Iterable[str], digests: Mapping[str, str | Rejection], size: int, strict_size: bool) -> str:
    """Hash of all that decoded images depend on: names, bytes, the settings and the decoder."""
    key = hashlib.sha256(f"{size} {strict_size} {MAX_PIXELS} Pillow {PIL.__version__}\n".encode())
    for file in files:
        key.update(f"{file}\0{digests[file]}\n".encode())
    return key.hexdigest()


def _fingerprint(table: pd.DataFrame, digests: Mapping[str, str | Rejection], size: int) -> str:
    fingerprint = hashlib.sha256("\0".join([str(size), *table.columns]).encode() + b"\n")
    for row in table.astype(object).itertuples(index=False):
        values = "\0".join("" if pd.isna(value) else str(value) for value in row)
        fingerprint.update(f"{digests[row[0]]}\0{values}\n".encode())
    return fingerprint.hexdigest()


def _notes(
    listing: Listing, cached: CachedImages, rejected: list[Rejection], resized: int, size: int
) -> tuple[str, ...]:
    notes = list(listing.notes)
    if resized:
        notes.append(
            f"{resized:,} of {len(cached.table):,} images were not {size} x {size} and were resized (bilinear)."
        )
    if rejected:
        notes.append(f"{len(rejected):,} files were rejected: {_counts(rejected)}.")
    if listing.ignored:
        notes.append(f"{len(listing.ignored):,} hidden and system files were ignored.")
    if cached.rebuilt_because:
        notes.append(f"The image cache was damaged ({cached.rebuilt_because}) and has been rebuilt.")
    return tuple(notes)
