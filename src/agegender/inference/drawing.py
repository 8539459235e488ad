"""Answers drawn over a photograph: boxes, age and gender, with what is unsure dashed and said."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from agegender.artifacts import write_bytes
from agegender.inference.decode import Source, read_picture
from agegender.inference.results import Face, ImageFaces
from agegender.inference.rows import shown

LONGEST_SIDE = 1600
"""A larger picture is drawn this large, in pixels."""

SURE, UNSURE = (64, 220, 150), (255, 176, 32)
"""Colours of boxes, which differ in lightness too."""


def caption(face: Face) -> str:
    """One line on a face, such as `34 (27-42), female 93 %`."""
    age = f"{face.age:.0f}"
    if face.age_interval is not None:
        age += f" ({face.age_interval.low:.0f}-{face.age_interval.high:.0f})"
    unsure = " unsure" if face.unsure else ""
    return f"{age}, {face.gender} {100 * face.gender_probability:.0f} %{unsure}"


def drawn_over(pixels: npt.NDArray[np.uint8], result: ImageFaces) -> Image.Image:
    """The picture with its answers.

    Args:
        pixels: RGB, uint8 (height, width, 3): the picture that was answered for.
        result: Its answers; a picture taken as a crop gets its line at the top.
    """
    image = Image.fromarray(pixels)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    scale = image.width / result.width
    # A small crop is enlarged, so that its line can be read.
    if max(image.size) < 256:
        scale *= 256 / max(image.size)
        image = image.resize((round(result.width * scale), round(result.height * scale)))
    pen = ImageDraw.Draw(image)
    stroke = max(2, round(max(image.size) / 400))
    for face in result.faces:
        colour = UNSURE if face.unsure else SURE
        side = face.box.side * scale if face.box is not None else image.width
        font = ImageFont.load_default(max(12.0, min(side / 9, image.width / 14)))
        left, top = 2.0, 2.0
        if face.box is not None:
            left, top, right, bottom = (edge * scale for edge in face.box)
            _rectangle(pen, (left, top, right, bottom), colour, stroke, dashed=face.unsure)
        _label(pen, caption(face), (left, top), font, colour, image.size)
    return image


def write_drawn(result: ImageFaces, source: Source, folder: Path) -> Path:
    """Write the picture with its answers as a JPEG that carries none of the original's metadata.

    Args:
        result: The answers.
        source: The picture again; it is decoded anew, so that no more than one is in memory.
        folder: Where to; the name is the source's, with a hash of its path, so that none overwrites another.

    Raises:
        ImageError: The picture can no longer be read.
        OutputError: The folder cannot be written.
    """
    image = drawn_over(read_picture(source).pixels, result)
    content = io.BytesIO()
    image.save(content, "JPEG", quality=90)
    digest = hashlib.sha256(os.fsencode(result.source)).hexdigest()[:8]
    return write_bytes(folder / f"{shown(Path(result.source).stem)}_{digest}.jpg", content.getvalue())


def _rectangle(
    pen: ImageDraw.ImageDraw,
    edges: tuple[float, float, float, float],
    colour: tuple[int, int, int],
    stroke: int,
    *,
    dashed: bool,
) -> None:
    left, top, right, bottom = edges
    if not dashed:
        pen.rectangle((left, top, right, bottom), outline=colour, width=stroke)
        return
    corners = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        length = max(abs(x1 - x0), abs(y1 - y0), 1e-6)
        dash = 4 * stroke
        for start in np.arange(0, length, 2 * dash):
            end = min(start + dash, length)
            along = [(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share) for share in (start / length, end / length)]
            pen.line([*along[0], *along[1]], fill=colour, width=stroke)


def _label(
    pen: ImageDraw.ImageDraw,
    text: str,
    corner: tuple[float, float],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    colour: tuple[int, int, int],
    size: tuple[int, int],
) -> None:
    """A line of dark text on colour, above a corner where there is room, and never outside the picture."""
    x0, y0, x1, y1 = pen.textbbox((0, 0), text, font=font)
    width, height = x1 - x0 + 8, y1 - y0 + 6
    left = min(max(corner[0], 0), max(size[0] - width, 0))
    top = corner[1] - height if corner[1] >= height else max(corner[1], 0)
    pen.rectangle((left, top, left + width, top + height), fill=colour)
    pen.text((left + 4 - x0, top + 3 - y0), text, fill=(0, 0, 0), font=font)
