"""One image file's bytes to one RGB array: the only place where pixels are decoded.

A plain RGB JPEG of the right size gives exactly what `PIL.Image.open(file).convert("RGB")` gives, since whoever
measures a model independently reads images that way. Everything else is brought to the same form: other sizes are
resized (bilinear; the shape is not kept), transparency is laid over white, 16-bit grey is scaled (not clipped) to 8
bits, CMYK, palette and grey become RGB, EXIF orientation is applied, of an animation the first frame is taken.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from agegender.errors import ImageError

MAX_PIXELS = 50_000_000
"""A larger image is refused on its header: decoded it would take over 150 MB, and no picture of a face needs it."""

MAX_FILE_BYTES = 100_000_000
"""A larger file is refused before it is read whole."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
"""The decoders that may run. GIF is there for files with another format's name; `.gif` itself is not read."""

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF")
_EXIF_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_face(content: bytes, *, size: int = 128, strict_size: bool = False) -> tuple[np.ndarray, tuple[int, int]]:
    """Decode one image.

    Args:
        content: The bytes of a JPEG, PNG, WebP or GIF file; the format is recognised by them, not by a name.
        size: Width and height of the result in pixels.
        strict_size: Refuse an image of another size instead of resizing it.

    Returns:
        The pixels, uint8 (size, size, 3) in RGB, and the original (width, height) as one sees the picture, that is
        after EXIF orientation.

    Raises:
        ImageError: `empty`, `unreadable` (no image of these formats), `truncated` (it begins as one but is cut off or
            damaged), `too_large` (over `MAX_PIXELS`, checked before decoding) or `wrong_size` (`strict_size`).
    """
    if not content:
        raise ImageError("empty", "The file has 0 bytes.")
    with _open(content) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ImageError("too_large", f"At most {MAX_PIXELS:,} pixels are decoded. Received: {width} x {height}.")
        if strict_size and (width, height) != (size, size):
            raise ImageError("wrong_size", f"Expected {size} x {size} pixels. Received: {width} x {height}.")
        try:
            image.load()
            seen = upright(image)
            rgb = to_rgb(seen)
        except MemoryError:
            raise
        except Exception as error:  # decoders fed with damaged bytes raise nearly anything; each means: not usable
            raise ImageError("truncated", f"The image is cut off or damaged ({error}).") from error
    original = seen.size
    if original != (size, size):
        rgb = rgb.resize((size, size), Image.Resampling.BILINEAR)
    return np.array(rgb), original


def read_image_file(path: Path) -> bytes:
    """The bytes of one file.

    Raises:
        ImageError: `unreadable` (no permission, gone, an input error) or `too_large` (over `MAX_FILE_BYTES`).
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ImageError("unreadable", f"The file cannot be read: {error.strerror or error}.") from error
    if len(content) > MAX_FILE_BYTES:
        raise ImageError("too_large", f"At most {MAX_FILE_BYTES:,} bytes are read. The file has more.")
    return content


def _open(content: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError("too_large", f"At most {MAX_PIXELS:,} pixels are decoded; the header says more.") from error
    except MemoryError:
        raise
    except Exception as error:  # as above: not only UnidentifiedImageError
        if content.startswith(_SIGNATURES):
            raise ImageError("truncated", "The image begins as one, but its header is cut off or damaged.") from error
        raise ImageError("unreadable", "The file is no JPEG, PNG, WebP or GIF image, whatever its name.") from error


def upright(image: Image.Image) -> Image.Image:
    """The picture as its camera's EXIF orientation says it is seen; the same object where nothing is to be turned."""
    try:
        orientation = image.getexif().get(_EXIF_ORIENTATION)
    except Exception:  # damaged metadata beside sound pixels
        return image
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode as 8-bit RGB: 16-bit grey scaled and not clipped, transparency over white."""
    if image.mode == "I" or image.mode.startswith("I;16"):
        grey = np.clip(np.asarray(image).astype(np.int64), 0, 65_535)
        return Image.fromarray(((grey * 255 + 32_767) // 65_535).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")
