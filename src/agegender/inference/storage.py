"""Pictures in object stores and network file systems, by addresses such as `s3://bucket/folder`, through pyarrow.

Schemes are pyarrow's: s3, gs, hdfs, abfs, file. Who may read is settled as usual for each of them (environment
variables, credentials of the machine); what else it takes stands behind a question mark, such as
`s3://bucket/folder?region=eu-central-1`. There is no http: nothing here fetches a web address. pyarrow is imported when
an address comes, and may be absent.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from agegender.data.images import MAX_FILE_BYTES
from agegender.errors import ImageError, InputError
from agegender.optional import DATA, require

_ADDRESS = re.compile(r"(?P<root>[a-z][a-z0-9+.-]+://[^/]*)/?(?P<path>.*?)(?P<query>\?[\w.]+=[^/]*)?", re.DOTALL)


def is_address(place: str) -> bool:
    """Whether a place is an address and not a path of this machine."""
    return _ADDRESS.fullmatch(place) is not None


def list_address(address: str) -> list[str]:
    """The addresses of all files at or below an address, sorted; of those whose name or folder is hidden, none.

    Raises:
        InputError: There is nothing, or it cannot be reached.
        MissingExtraError: pyarrow is not installed.
    """
    root, path, query = _parts(address)
    try:
        system, inside = _opened(root, query)
        found = system.get_file_info(_joined(inside, path))
        if found.is_file:
            return [address]
        below = require("pyarrow.fs", DATA).FileSelector(found.path, recursive=True)
        names = [info.path.removeprefix(found.path).lstrip("/") for info in system.get_file_info(below) if info.is_file]
    except (OSError, ValueError, NotImplementedError) as error:  # pyarrow's own errors are ValueErrors
        raise InputError(
            f"{address} cannot be listed: {error}. Give a path, or an address of S3 (s3://), Google Cloud Storage "
            "(gs://), Azure (abfs://) or HDFS (hdfs://) that this machine may read."
        ) from error
    folder = "/".join(part for part in (root, path.rstrip("/")) if part)
    shown = (name for name in names if not any(part.startswith(".") for part in name.split("/")))
    return [f"{folder}/{name}{query}" for name in sorted(shown)]


def read_address(address: str) -> bytes:
    """The bytes of one file.

    Raises:
        ImageError: `unreadable` (gone, no permission, no connection) or `too_large` (over `MAX_FILE_BYTES`).
        MissingExtraError: pyarrow is not installed.
    """
    root, path, query = _parts(address)
    try:
        system, inside = _opened(root, query)
        with system.open_input_stream(_joined(inside, path)) as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError, NotImplementedError) as error:
        raise ImageError("unreadable", f"The file cannot be read: {error}.") from error
    if len(content) > MAX_FILE_BYTES:
        raise ImageError("too_large", f"At most {MAX_FILE_BYTES:,} bytes are read. The file has more.")
    return content


def without_query(address: str) -> str:
    """An address up to what stands behind a question mark."""
    return address.removesuffix(_parts(address)[2])


def _parts(address: str) -> tuple[str, str, str]:
    found = _ADDRESS.fullmatch(address)
    assert found is not None
    return found["root"], found["path"], found["query"] or ""


def _joined(inside: str, path: str) -> str:
    """A path within a file system; never read as an address, so that any name of a file is itself."""
    return "/".join((inside.rstrip("/"), path.strip("/"))).rstrip("/") or "/"


@functools.lru_cache(maxsize=32)
def _opened(root: str, query: str) -> tuple[Any, str]:
    """A file system, which may be asked from several threads at once, and what the root is called within it."""
    if ":" in root.partition("://")[2].rpartition("@")[0]:
        raise ValueError("it holds a password, which would stand in the table of results; set it in the environment")
    return require("pyarrow.fs", DATA).FileSystem.from_uri(f"{root}/{query}")
