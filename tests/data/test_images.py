"""Bytes in, an RGB array or a reason out. Every picture here is made by the test."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from agegender.data import images
from agegender.data.images import read_face, read_image_file
from agegender.errors import ImageError

NOISE = np.random.default_rng(8).integers(0, 256, (128, 128, 3), dtype=np.uint8)


def encoded(image: Image.Image | np.ndarray, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(stream, kind, **options)
    return stream.getvalue()


def reason_of(content: bytes, **options: Any) -> str:
    with pytest.raises(ImageError) as caught:
        read_face(content, **options)
    assert caught.value.detail
    return caught.value.reason


def bomb(side: int = 30_000) -> bytes:
    """A complete 1-bit PNG of side x side pixels in a few hundred kilobytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packer = zlib.compressobj(1)
    row = bytes(1 + (side + 7) // 8)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("options", [{"quality": 75}, {"quality": 95, "subsampling": 0}, {"progressive": True}])
def test_a_plain_jpeg_of_the_right_size_is_exactly_what_pillow_decodes(options: dict[str, Any]) -> None:
    content = encoded(NOISE, "JPEG", **options)
    face, original = read_face(content, strict_size=True)
    assert face.dtype == np.uint8
    assert original == (128, 128)
    np.testing.assert_array_equal(face, np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_lossless_pixels_come_back_in_rgb_order(kind: str) -> None:
    face, _ = read_face(encoded(NOISE, kind, lossless=True))
    np.testing.assert_array_equal(face, NOISE)


def test_another_size_is_resized_bilinearly_and_the_original_size_is_told() -> None:
    picture = Image.fromarray(NOISE).resize((200, 160))
    face, original = read_face(encoded(picture, "PNG"))
    assert original == (200, 160)
    np.testing.assert_array_equal(face, np.asarray(picture.resize((128, 128), Image.Resampling.BILINEAR)))


def test_strict_size_refuses_another_size() -> None:
    assert reason_of(encoded(NOISE[:, :127], "PNG"), strict_size=True) == "wrong_size"
    assert read_face(encoded(NOISE[:64, :64], "PNG"), size=64, strict_size=True)[0].shape == (64, 64, 3)


def test_a_cmyk_jpeg_has_its_colours() -> None:
    red = Image.new("RGB", (128, 128), (220, 30, 40))
    face, _ = read_face(encoded(red.convert("CMYK"), "JPEG", quality=95))
    assert np.abs(face.astype(int) - (220, 30, 40)).max() <= 6


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    ramp = np.tile(np.linspace(0, 65_535, 128).round().astype(np.uint16), (128, 1))
    face, _ = read_face(encoded(ramp, "PNG"))
    expected = np.round(ramp / 257).astype(int)
    assert np.abs(face.astype(int) - expected[..., None]).max() == 0


def test_32_bit_integers_as_older_decoders_give_them_are_scaled_alike() -> None:
    ramp = Image.fromarray(np.tile(np.linspace(0, 65_535, 128).astype(np.int32), (128, 1)))
    assert ramp.mode == "I"
    rgb = np.asarray(images.to_rgb(ramp))
    assert (rgb[0, 0, 0], rgb[0, -1, 0]) == (0, 255)


def test_16_bit_colour_keeps_its_high_byte() -> None:
    deep = (NOISE[..., ::-1].astype(np.uint16)) * 257
    ok, content = cv2.imencode(".png", deep)
    assert ok
    np.testing.assert_array_equal(read_face(content.tobytes())[0], NOISE)


def test_transparency_is_laid_over_white() -> None:
    alpha = np.zeros((128, 128, 1), np.uint8)
    alpha[:64] = 255
    alpha[100:] = 128
    face, _ = read_face(encoded(np.concatenate([np.full_like(NOISE, 40), alpha], axis=2), "PNG"))
    assert (face[:64] == 40).all()
    assert (face[64:100] == 255).all()
    assert np.abs(face[100:].astype(int) - round(40 * 128 / 255 + 127)).max() <= 1


def test_opaque_rgba_is_its_rgb() -> None:
    rgba = np.concatenate([NOISE, np.full((128, 128, 1), 255, np.uint8)], axis=2)
    np.testing.assert_array_equal(read_face(encoded(rgba, "PNG"))[0], NOISE)


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA"])
def test_grey_palette_and_one_bit_images_become_rgb(mode: str) -> None:
    picture = Image.fromarray(NOISE).convert(mode)
    face, _ = read_face(encoded(picture, "PNG"))
    np.testing.assert_array_equal(face, np.asarray(picture.convert("RGB")))


def test_a_transparent_palette_shows_white() -> None:
    picture = Image.new("P", (128, 128), 1)
    picture.putpalette([10, 20, 30, 200, 100, 0])
    assert (read_face(encoded(picture, "PNG", transparency=1))[0] == 255).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (128, 128), colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    extra = {} if kind == "GIF" else {"lossless": True}
    face, _ = read_face(encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **extra))
    assert (face == (255, 0, 0)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(NOISE[:96], "PNG", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert upright is not None
    face, original = read_face(content)
    assert original == upright.size == ((96, 128) if orientation >= 5 else (128, 96))
    np.testing.assert_array_equal(face, np.asarray(upright.resize((128, 128), Image.Resampling.BILINEAR)))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_beside_sound_pixels_does_not_matter() -> None:
    content = encoded(NOISE, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40)
    np.testing.assert_array_equal(read_face(content)[0], np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))


def test_no_bytes_are_empty() -> None:
    assert reason_of(b"") == "empty"


@pytest.mark.parametrize("content", [b"hello, I am a text file", b"\0" * 500, b"BM" + b"\0" * 100, b"%PDF-1.7 ..."])
def test_what_is_no_image_is_unreadable(content: bytes) -> None:
    assert reason_of(content) == "unreadable"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_cut_off_image_is_truncated(kind: str, share: float) -> None:
    content = encoded(NOISE, kind)
    assert reason_of(content[: max(12, int(len(content) * share))]) == "truncated"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_damaged_bytes_give_pixels_or_a_reason_and_never_another_error(kind: str) -> None:
    rng = np.random.default_rng(3)
    content = np.frombuffer(encoded(NOISE[:32, :32], kind), np.uint8)
    for _ in range(150):
        damaged = content.copy()
        damaged[rng.integers(0, len(damaged), 4)] = rng.integers(0, 256, 4)
        try:
            outcome = read_face(damaged.tobytes())[0].shape
        except ImageError as error:
            outcome = error.reason
        assert outcome in {(128, 128, 3), "truncated", "unreadable", "too_large"}


def test_a_bomb_of_30_000_pixels_a_side_is_refused_on_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    content = bomb()
    assert len(content) < 1_000_000
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("it was decoded"))
    assert reason_of(content) == "too_large"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [7_100, 10_000])
def test_a_smaller_bomb_that_pillow_would_decode_is_refused_too(side: int) -> None:
    assert reason_of(bomb(side)) == "too_large"


def test_a_large_photograph_is_no_bomb() -> None:
    assert read_face(bomb(3_000))[0].shape == (128, 128, 3)


def test_truncated_images_stay_refused_at_the_default_of_pillow() -> None:
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImageError, match="cannot be read") as caught:
        read_image_file(tmp_path / "gone.jpg")
    assert caught.value.reason == "unreadable"
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(11))
    monkeypatch.setattr(images, "MAX_FILE_BYTES", 10)
    with pytest.raises(ImageError) as caught:
        read_image_file(large)
    assert caught.value.reason == "too_large"
