"""The text of a file in which a name could stand, whatever kind of file it is."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agegender.errors import InputError
from agegender.hand_in.pdf import read_pdf

PLAIN = frozenset(
    (
        *(".bib", ".cfg", ".css", ".csv", ".htm", ".html", ".ini", ".js", ".json", ".md", ".py", ".rst", ".svg"),
        *(".tex", ".toml", ".tsv", ".txt", ".typ", ".xml", ".yaml", ".yml"),
    )
)
ZIPPED = frozenset((".docx", ".keras", ".odt", ".pptx", ".xlsx", ".zip"))
_ZIPPED_TEXT = (".xml", ".json", ".rels", ".txt", ".py", ".md")
LARGEST_BYTES = 50_000_000
"""A text file above this is not searched."""

_EMBEDDED = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]+")


def text_of(path: Path) -> str:
    """What can be read in a file; empty for kinds that hold no text, and for files that cannot be read."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".pdf":
            return read_pdf(path).text
        if suffix == ".ipynb":
            return "\n".join(_strings(json.loads(path.read_text(encoding="utf-8"))))
        if suffix in ZIPPED:
            return _zipped(path)
        if suffix in PLAIN and path.stat().st_size <= LARGEST_BYTES:
            return _EMBEDDED.sub(" ", path.read_text(encoding="utf-8", errors="replace"))
    except (InputError, OSError, ValueError, zipfile.BadZipFile):
        pass
    return ""


def _strings(value: Any) -> Iterator[str]:
    """Every text of a notebook, pictures left out: chance letters of base64 are nobody's name."""
    if isinstance(value, str):
        yield _EMBEDDED.sub(" ", value)
    elif isinstance(value, list):
        if all(isinstance(item, str) for item in value):
            yield _EMBEDDED.sub(" ", "".join(value))
        else:
            for item in value:
                yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not key.startswith("image/"):
                yield from _strings(item)


def _zipped(path: Path) -> str:
    """The readable members of an archive."""
    parts = []
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            parts.append(member.filename)
            if member.filename.lower().endswith(_ZIPPED_TEXT) and member.file_size <= LARGEST_BYTES:
                text = archive.read(member).decode("utf-8", "replace")
                parts.append(_without_tags(text) if member.filename.endswith((".xml", ".rels")) else text)
    return "\n".join(parts)


def _without_tags(xml: str) -> str:
    """The text of an office file's XML: a name that is set in two runs of one paragraph is in one piece."""
    lines = re.sub(r"</[wa]:p>", "\n", xml)
    return re.sub(r"<[^>]*>", "\n", re.sub(r"</?[wa]:[^>]*>", "", lines))
