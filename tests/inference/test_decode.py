"""Everything that people have as a photograph becomes upright RGB, or one typed error that says what to do."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from agegender.data.drawn import draw_face
from agegender.errors import ImageError
from agegender.inference.decode import read_picture


def encoded(image: Image.Image, kind: str, **settings: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **settings)
    return content.getvalue()


def reason(content: Any, **settings: Any) -> str:
    with pytest.raises(ImageError) as caught:
        read_picture(content, **settings)
    assert caught.value.detail
    return caught.value.reason


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_formats_are_told_by_their_bytes(kind: str, face_pixels: np.ndarray, tmp_path: Path) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    settings = {} if kind in ("PNG", "GIF") else {"quality": 95}
    path = tmp_path / "photo.dat"
    path.write_bytes(encoded(Image.fromarray(face_pixels), kind, **settings))
    picture = read_picture(path)
    assert picture.pixels.dtype == np.uint8
    assert (picture.width, picture.height, picture.source) == (128, 128, str(path))
    difference = np.abs(picture.pixels.astype(int) - face_pixels)
    assert difference.mean() < {"PNG": 1e-9, "GIF": 12}.get(kind, 6)


def test_unusual_pixels_become_rgb(face_pixels: np.ndarray) -> None:
    image = Image.fromarray(face_pixels)
    cmyk = read_picture(encoded(image.convert("CMYK"), "JPEG", quality=98)).pixels
    assert np.abs(cmyk.astype(int) - face_pixels).mean() < 6
    grey16 = (face_pixels[..., 1].astype(np.uint16) * 257).astype(np.uint16)
    deep = read_picture(encoded(Image.fromarray(grey16), "PNG")).pixels
    np.testing.assert_array_equal(deep, np.repeat(face_pixels[..., 1:2], 3, axis=2))
    clear = np.dstack([face_pixels, np.zeros((128, 128), np.uint8)])
    assert (read_picture(encoded(Image.fromarray(clear), "PNG")).pixels == 255).all()
    palette = read_picture(encoded(image.quantize(256), "PNG")).pixels
    assert np.abs(palette.astype(int) - face_pixels).mean() < 8
    np.testing.assert_array_equal(read_picture(face_pixels[..., 0]).pixels[..., 2], face_pixels[..., 0])
    np.testing.assert_array_equal(read_picture(image).pixels, face_pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int, face_pixels: np.ndarray) -> None:
    image = Image.fromarray(face_pixels[:, :100])
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(image, "PNG", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    np.testing.assert_array_equal(read_picture(content).pixels, upright)
    assert (upright.shape[:2] == (100, 128)) == (orientation >= 5)


def test_heic_is_read_upright() -> None:
    """`drawn_turned.heic`: the upper 100 rows of drawn face 3 of seed 949, turned by its orientation tag."""
    pixels = read_picture(Path(__file__).with_name("drawn_turned.heic")).pixels
    expected = np.rot90(draw_face(3, 949)[0][:100], -1)
    assert pixels.shape == expected.shape == (128, 100, 3)
    assert np.abs(pixels.astype(int) - expected).mean() < 4.0


def test_a_damaged_heic_is_told() -> None:
    assert reason(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64)) == "truncated"


def test_what_cannot_be_used_is_told_apart(face_pixels: np.ndarray, tmp_path: Path) -> None:
    jpeg = encoded(Image.fromarray(face_pixels), "JPEG")
    assert reason(tmp_path / "none.jpg") == "unreadable"
    assert reason(b"") == "empty"
    assert reason(b"a text, whatever its name") == "unreadable"
    assert reason(jpeg[: len(jpeg) // 2]) == "truncated"
    assert reason(jpeg[:12]) == "truncated"
    assert reason(np.zeros((15, 200, 3), np.uint8)) == "too_small"
    assert reason(np.zeros((20, 20, 3), np.float32)) == "unsupported"
    assert reason(np.zeros((20, 20, 4), np.uint8)) == "unsupported"
    assert reason(12) == "unsupported"
    assert reason(jpeg, max_pixels=128 * 127) == "too_large"


@pytest.mark.parametrize("side", [9_000, 30_000, 500_000])
def test_a_bomb_is_refused_on_its_header(side: int) -> None:
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    body = zlib.compress(bytes(100))
    png += struct.pack(">I", len(body)) + b"IDAT" + body + struct.pack(">I", zlib.crc32(b"IDAT" + body))
    assert reason(png) == "too_large"


def test_damage_at_any_place_raises_the_typed_error_or_gives_a_picture(face_pixels: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    reasons = set()
    for kind in ("JPEG", "PNG", "WEBP"):
        content = encoded(Image.fromarray(face_pixels), kind)
        for _ in range(30):
            damaged = bytearray(content)
            for place in rng.integers(0, len(content), 8):
                damaged[place] = rng.integers(256)
            reasons.add(outcome(bytes(damaged)))
    assert "ok" in reasons
    assert reasons <= {"ok", "truncated", "unreadable", "too_large", "too_small"}


def outcome(content: bytes) -> str:
    try:
        read_picture(content)
    except ImageError as error:
        return error.reason
    return "ok"
