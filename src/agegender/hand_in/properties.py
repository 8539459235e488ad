"""Author names in the properties of files: PDF, notebooks (Colab writes who ran a cell), office files, pictures."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image, UnidentifiedImageError

from agegender.errors import InputError
from agegender.hand_in.names import Author
from agegender.hand_in.pdf import read_pdf

OFFICE = (".docx", ".pptx", ".xlsx")
PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")

_CORE = "docProps/core.xml"
_CORE_NAMES = ("creator", "lastModifiedBy")
_EXIF_ARTIST, _EXIF_XP_AUTHOR = 0x013B, 0x9C9D
_PICTURE_TEXTS = ("Author", "Artist", "Creator")


def authors_in(path: Path) -> tuple[Author, ...]:
    """Whom a file's properties name as its author. A file that cannot be read names nobody."""
    suffix = path.suffix.lower()
    reader = {".pdf": _of_pdf, ".ipynb": _of_notebook}.get(suffix)
    reader = _of_office if suffix in OFFICE else _of_picture if suffix in PICTURES else reader
    if reader is None:
        return ()
    found = dict.fromkeys(
        (name, where) for name, where in reader(path) if isinstance(name, str) and not _is_no_name(name)
    )
    return tuple(Author(name.strip(), f"{path.name}, {where}") for name, where in found)


def _is_no_name(text: str) -> bool:
    """Whether a property is empty, an ID (digits, no space) as the form asks for, or a program's own name."""
    text = text.strip()
    is_id = any(map(str.isdigit, text)) and not any(map(str.isspace, text))
    return (
        not any(map(str.isalpha, text)) or is_id or text.casefold() in {"agegender", "typst", "python-docx", "un-named"}
    )


def _of_pdf(path: Path) -> Iterator[tuple[str, str]]:
    try:
        for name in read_pdf(path).authors:
            yield name, "author"
    except InputError:
        return


def _of_notebook(path: Path) -> Iterator[tuple[Any, str]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        metadata, cells = content.get("metadata", {}), content.get("cells", [])
        authors = metadata.get("authors", [])
        for author in [*(authors if isinstance(authors, list) else [authors]), metadata.get("author")]:
            yield (author.get("name") if isinstance(author, dict) else author), "metadata.authors"
        for cell in cells:
            user = cell.get("metadata", {}).get("executionInfo", {}).get("user", {})
            yield user.get("displayName"), "who ran a cell (metadata.executionInfo.user)"
    except (ValueError, AttributeError, OSError):
        return


def _of_office(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            root = ElementTree.fromstring(archive.read(_CORE))
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, OSError):
        return
    for element in root.iter():
        tag = re.sub(r"^\{.*\}", "", element.tag)
        if tag in _CORE_NAMES:
            yield element.text or "", tag


def _of_picture(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with Image.open(path) as image:
            exif, texts = image.getexif(), dict(image.info)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return
    yield str(exif.get(_EXIF_ARTIST, "")), "EXIF artist"
    written = exif.get(_EXIF_XP_AUTHOR, b"")
    yield (written.decode("utf-16-le", "replace").rstrip("\0") if isinstance(written, bytes) else ""), "EXIF author"
    for key in _PICTURE_TEXTS:
        yield str(texts.get(key, "")), key
