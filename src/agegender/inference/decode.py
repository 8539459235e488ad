"""Anything that people have as a photograph to one RGB array, upright, within limits, or one typed error.

JPEG (CMYK too), PNG (16-bit too), WebP, AVIF, HEIC and GIF (its first frame).
"""

from __future__ import annotations

import importlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, features

from agegender.data.images import MAX_FILE_BYTES, read_image_file, to_rgb, upright
from agegender.errors import ImageError
from agegender.inference.storage import is_address, read_address

MAX_PIXELS = 80_000_000
"""A larger picture is refused on its header; decoded and turned it would take half a gigabyte."""

MIN_SIDE = 16
"""A picture that is smaller on one side shows no face that anybody could tell an age from."""

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".heic", ".heif", ".gif")
"""What is looked for in folders. What a file is, its bytes say."""

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF", "MPO")
_COMMON = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF8": "GIF"}
_SIGNATURES = (*_COMMON, b"RIFF")
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")

Source = str | Path | bytes | bytearray | memoryview | npt.NDArray[np.uint8] | Image.Image
"""A path, an address (`storage`), a file's bytes, RGB (height, width, 3) or grey (height, width) pixels, an image."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded photograph.

    Attributes:
        pixels: RGB, uint8 (height, width, 3), as the picture is seen.
        source: Its path, or what it was given as.
    """

    pixels: npt.NDArray[np.uint8]
    source: str

    @property
    def width(self) -> int:
        """In pixels."""
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        """In pixels."""
        return self.pixels.shape[0]


def name_of(source: object) -> str:
    """What results call a source: its path, or what kind of thing it is."""
    if isinstance(source, str | Path):
        return str(source)
    if isinstance(source, bytes | bytearray | memoryview):
        return "<bytes>"
    return f"<{type(source).__name__}>"


def read_picture(source: Source, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode a photograph.

    Args:
        source: See `Source`.
        max_pixels: A larger one is refused before it is decoded.

    Raises:
        ImageError: `unreadable`, `empty`, `truncated`, `too_large` (bytes or pixels), `too_small`, or `unsupported`
            (a format that is not installed, or pixels of another kind).
    """
    name = name_of(source)
    if isinstance(source, np.ndarray):
        return Picture(_checked(_from_array(source), max_pixels), name)
    if isinstance(source, Image.Image):
        return Picture(_decoded(source, max_pixels), name)
    if isinstance(source, str) and is_address(source):
        content = read_address(source)
    elif isinstance(source, str | Path):
        content = read_image_file(Path(source))
    elif isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
    else:
        raise ImageError(
            "unsupported",
            f"An image is a path, a file's bytes, a NumPy array or a Pillow image. Received: {type(source).__name__}.",
        )
    if not content:
        raise ImageError("empty", "The file has 0 bytes.")
    if len(content) > MAX_FILE_BYTES:
        raise ImageError("too_large", f"At most {MAX_FILE_BYTES:,} bytes are read. Received: {len(content):,}.")
    with _open(content) as image:
        return Picture(_decoded(image, max_pixels), name)


def _open(content: bytes) -> Image.Image:
    brand = content[8:12] if content[4:8] == b"ftyp" else b""
    if brand in _HEIC_BRANDS:
        _install_heif()
    if brand in _AVIF_BRANDS and not features.check("avif"):
        raise ImageError(
            "unsupported", "This is an AVIF image, and this Pillow has no AVIF. Run: pip install -U pillow"
        )
    try:
        return Image.open(io.BytesIO(content), formats=_candidates(content))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError("too_large", f"At most {MAX_PIXELS:,} pixels are decoded; the header says more.") from error
    except MemoryError:
        raise
    except Exception as error:  # decoders fed with damaged bytes raise nearly anything
        if content.startswith(_SIGNATURES) or brand:
            raise ImageError("truncated", "The image begins as one, but its header is cut off or damaged.") from error
        raise ImageError(
            "unreadable", "The file is no JPEG, PNG, WebP, AVIF, HEIC or GIF image, whatever its name."
        ) from error


def _candidates(content: bytes) -> list[str]:
    """The decoders that may read a file. To ask Pillow which it has, it must load them all: for most files needless."""
    common = [name for signature, name in _COMMON.items() if content.startswith(signature)]
    return common or [name for name in _FORMATS if _registered(name)]


def _registered(name: str) -> bool:
    if name not in Image.OPEN:
        Image.init()
    return name in Image.OPEN


def _install_heif() -> None:
    """Let Pillow read HEIC. Loaded only when such a file comes, since most people have none."""
    importlib.import_module("pi_heif").register_heif_opener()


def _decoded(image: Image.Image, max_pixels: int) -> npt.NDArray[np.uint8]:
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError("too_large", f"At most {max_pixels:,} pixels are decoded. Received: {width} x {height}.")
    try:
        image.load()
        pixels = np.array(to_rgb(upright(image)))
    except MemoryError:
        raise
    except Exception as error:  # as above
        raise ImageError("truncated", f"The image is cut off or damaged ({error}).") from error
    return _checked(pixels, max_pixels)


def _from_array(pixels: npt.NDArray) -> npt.NDArray[np.uint8]:
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)):
        raise ImageError(
            "unsupported",
            "Pixels must be uint8 (height, width, 3) in RGB, or (height, width) in grey. "
            f"Received: {pixels.dtype} of shape {pixels.shape}.",
        )
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else np.ascontiguousarray(pixels)


def _checked(pixels: npt.NDArray[np.uint8], max_pixels: int) -> npt.NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    if width * height > max_pixels:
        raise ImageError("too_large", f"At most {max_pixels:,} pixels are taken. Received: {width} x {height}.")
    if min(width, height) < MIN_SIDE:
        raise ImageError("too_small", f"At least {MIN_SIDE} pixels a side are needed. Received: {width} x {height}.")
    return pixels
