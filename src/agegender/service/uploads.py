"""The pictures in a body: multipart files, one picture as it is, or JSON with base64. Nothing is fetched, ever."""

from __future__ import annotations

import base64
import binascii
import json
import unicodedata
from dataclasses import dataclass
from typing import Any

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from agegender.service.problems import Problem

LONGEST_NAME = 200
"""Characters of a file's name that are answered."""

TAKEN = "multipart/form-data with files, one image as image/* or application/octet-stream, or application/json"


@dataclass(frozen=True, slots=True)
class Upload:
    """One picture as it was sent.

    Attributes:
        content: The file's bytes.
        name: Its name, without folders; None where none was given.
    """

    content: bytes
    name: str | None = None


def images_of(body: bytes, content_type: str | None, *, most_images: int) -> list[Upload]:
    """The pictures of a body, in order.

    Args:
        body: Whole.
        content_type: The header.
        most_images: A request may hold.

    Raises:
        Problem: 415 another type of body; 400 not what its type says; 422 no image, too many, or a field that is none.
    """
    media_type, options = parse_options_header(content_type)
    kind = media_type.decode("latin-1")
    if kind == "multipart/form-data":
        uploads = _of_multipart(body, options.get(b"boundary", b""), most_images)
    elif kind.startswith("image/") or kind == "application/octet-stream":
        uploads = [Upload(body)] if body else []
    elif kind == "application/json":
        uploads = _of_json(body, most_images)
    else:
        received = kind[:80] or "none"
        raise Problem(
            415, "unsupported_media_type",
            f"A body is {TAKEN}. Received Content-Type: {received}.",
            headers={"Accept": "multipart/form-data, image/*, application/octet-stream, application/json"},
        )  # fmt: skip
    if not uploads:
        raise Problem(422, "no_images", f"The request holds no image. Send {TAKEN}.")
    return uploads


def _of_multipart(body: bytes, boundary: bytes, most_images: int) -> list[Upload]:
    parts = _Parts(most_images)
    if not boundary:
        raise Problem(400, "malformed_body", "The Content-Type multipart/form-data names no boundary.")
    try:
        MultipartParser(boundary, parts.callbacks()).write(body)  # type: ignore[arg-type]
    except (FormParserError, UnicodeError) as error:
        raise Problem(400, "malformed_body", f"The body is no multipart/form-data ({type(error).__name__}).") from error
    if not parts.ended:
        raise Problem(400, "malformed_body", "The body does not end with its multipart boundary: it was cut off.")
    return parts.uploads


class _Parts:
    """Collects the files that the parser meets."""

    def __init__(self, most_images: int) -> None:
        self.uploads: list[Upload] = []
        self.ended = False
        self._most_images = most_images
        self._pieces: list[bytes] = []
        self._field = self._value = b""
        self._disposition = b""

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        if len(self.uploads) >= self._most_images:
            raise too_many(self._most_images)
        self._pieces, self._disposition = [], b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = self._value
        self._field = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._pieces.append(data[start:end])

    def _end(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"filename" not in options:
            name = _shown(options.get(b"name", b"")) or "without a name"
            raise Problem(
                422, "unexpected_field",
                f"Each part is an image with a file name; the part {name} has none. Options such as crops go into the "
                "query: /v1/faces?crops=true",
            )  # fmt: skip
        self.uploads.append(Upload(b"".join(self._pieces), _shown(options[b"filename"])))

    def _finish(self) -> None:
        self.ended = True


def _of_json(body: bytes, most_images: int) -> list[Upload]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Problem(400, "malformed_body", f"The body is no JSON{where}.") from error
    images = content.get("images") if isinstance(content, dict) else None
    if not isinstance(images, list) or len(content) > 1:
        raise Problem(
            422, "invalid_request", 'JSON must be {"images": ["<base64>", ...]}, with nothing else in it.',
            errors=[{"pointer": "#/images", "detail": "must be a list of base64 strings"}],
        )  # fmt: skip
    if len(images) > most_images:
        raise too_many(most_images)
    uploads, errors = [], []
    for index, image in enumerate(images):
        try:
            uploads.append(Upload(_from_base64(image)))
        except ValueError as error:
            errors.append({"pointer": f"#/images/{index}", "detail": str(error)})
    if errors:
        raise Problem(
            422, "invalid_request", f"{len(errors)} of {len(images)} images are no base64. See errors.", errors=errors
        )
    return uploads


def _from_base64(image: object) -> bytes:
    """Raises: ValueError: It is no text, or no base64."""
    if not isinstance(image, str):
        raise ValueError("must be a string")
    if image.startswith("data:"):
        head, comma, image = image.partition(",")
        if not comma or not head.endswith(";base64"):
            raise ValueError("a data: URL must be base64")
    elif "://" in image[:20]:
        raise ValueError("addresses are not fetched; send the image itself as base64")
    try:
        return base64.b64decode("".join(image.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("is no base64") from error


def too_many(most_images: int) -> Problem:
    """422 for more pictures than a request may hold."""
    return Problem(
        422, "too_many_images", f"A request may hold at most {most_images} images. Send the others in further ones."
    )


def _shown(name: bytes) -> str:
    """A file's name to be answered: no folders, no control characters, not longer than `LONGEST_NAME`."""
    text = name.decode("utf-8", "replace").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in text if unicodedata.category(letter)[0] != "C")[:LONGEST_NAME]
