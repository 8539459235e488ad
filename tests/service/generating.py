"""Loaded by schemathesis as its hooks: what an image is, which no schema can say."""

from __future__ import annotations

import base64
import io
from typing import Any

import schemathesis
from hypothesis import strategies as st
from PIL import Image

COLOURS = ((200, 90, 40), (60, 160, 90), (40, 70, 220))
FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP", "gif": "GIF"}
BASE64 = "image-as-base64"


def drawn(name: str, side: int, colour: tuple[int, int, int]) -> bytes:
    """A whole image of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (side, side + 7), colour).save(file, name)
    return file.getvalue()


def images(*names: str) -> st.SearchStrategy[bytes]:
    """Images that can be used."""
    return st.sampled_from([drawn(name, side, colour) for name in names for side in (16, 60) for colour in COLOURS])


def texts() -> st.SearchStrategy[str]:
    """The same as JSON takes them."""
    whole = images(*FORMATS.values()).map(lambda content: base64.b64encode(content).decode())
    return st.one_of(whole, whole.map(lambda text: f"data:image/png;base64,{text}"))


for subtype, name in FORMATS.items():
    schemathesis.openapi.media_type(f"image/{subtype}", images(name))
schemathesis.openapi.media_type("application/octet-stream", images(*FORMATS.values()))
schemathesis.openapi.format("binary", images(*FORMATS.values()))
schemathesis.openapi.format(BASE64, texts())


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Where the description says base64 of an image, such are made."""
    body = raw_schema["paths"]["/v1/faces"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body["properties"]["images"]["items"]["format"] = BASE64
