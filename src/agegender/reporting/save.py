"""Figures as files: PNG and SVG, each whole or absent, and their captions beside them."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from agegender.artifacts import atomic_path, read_json, write_json
from agegender.errors import InputError
from agegender.reporting.style import styled

PNG_DOTS_PER_INCH = 200
CAPTIONS = "captions.json"

_WITHOUT_DATE_AND_VERSION = {"png": {"Software": "agegender"}, "svg": {"Date": None, "Creator": "agegender"}}
"""What matplotlib would otherwise write by itself: without it the same figure gives the same bytes."""


@styled
def save_figure(figure: Figure, folder: str | Path, name: str, caption: str) -> list[Path]:
    """Write `<name>.png` (200 dpi), `<name>.svg` and the caption in `captions.json`.

    The caption also travels inside both files as their description, for readers that cannot see them.

    Args:
        figure: The figure.
        folder: Where to write; made if absent.
        name: File name without suffix.
        caption: Full sentences.

    Returns:
        The paths of the PNG and the SVG.

    Raises:
        OutputError: The folder cannot be written or the disk is full.
        InputError: `captions.json` stands there and is no JSON object.
    """
    folder = Path(folder)
    captions = read_captions(folder)
    FigureCanvasAgg(figure)
    written = []
    for suffix in ("png", "svg"):
        about = {"Title": name, "Description": caption, **_WITHOUT_DATE_AND_VERSION[suffix]}
        # A PNG has its own pixels to fill; an SVG keeps the photograph's pixels and leaves the rest to the viewer.
        _interpolate(figure, "bicubic" if suffix == "png" else "none")
        path = folder / f"{name}.{suffix}"
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format=suffix, dpi=PNG_DOTS_PER_INCH, metadata=about)
        figure.set_layout_engine("none")  # the SVG keeps what was fitted for the PNG
        written.append(path)
    write_json(folder / CAPTIONS, {**captions, name: caption})
    return written


@styled
def figure_png(figure: Figure, *, dots_per_inch: int = PNG_DOTS_PER_INCH) -> bytes:
    """A figure as the bytes of a PNG, for a page that holds its pictures itself."""
    FigureCanvasAgg(figure)
    _interpolate(figure, "bicubic")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dots_per_inch, metadata=_WITHOUT_DATE_AND_VERSION["png"])
    return content.getvalue()


@styled
def figure_svg(figure: Figure, name: str, caption: str) -> bytes:
    """A figure as an SVG of its own, for a document that holds it; `save_figure` writes files."""
    FigureCanvasAgg(figure)
    _interpolate(figure, "none")
    about = {"Title": name, "Description": caption, **_WITHOUT_DATE_AND_VERSION["svg"]}
    content = io.BytesIO()
    figure.savefig(content, format="svg", dpi=PNG_DOTS_PER_INCH, metadata=about)
    return content.getvalue()


def read_captions(folder: str | Path) -> dict[str, str]:
    """The captions of a folder's figures by name; empty where there are none yet.

    Raises:
        InputError: The file is no JSON object.
    """
    path = Path(folder) / CAPTIONS
    if not path.exists():
        return {}
    try:
        captions = read_json(path)
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}). Delete it and draw the figures again.") from error
    if not isinstance(captions, dict):
        raise InputError(f"{path} must hold one JSON object. Received: {type(captions).__name__}. Delete it.")
    return captions


def _interpolate(figure: Figure, how: str) -> None:
    for axes in figure.axes:
        for image in axes.get_images():
            if isinstance(image, AxesImage) and image.get_gid() == "photograph":
                image.set_interpolation(how)
