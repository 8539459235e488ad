"""Explanations as a panel: each face beside the maps of its age and its gender, all on one colour scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from agegender.errors import InputError
from agegender.evaluation.explain import Explanation, OutputMaps
from agegender.evaluation.sanity import SanityResult
from agegender.labels import FEMALE_THRESHOLD, Gender
from agegender.reporting import style
from agegender.reporting.words import caption, counted

MOST_FACES = 24
"""Faces on one page: two beside each other."""

DIVERGING = LinearSegmentedColormap.from_list(
    "agegender_signed", [style.BLUE, "#7fa3d1", "#ffffff", "#efb878", style.ORANGE]
)
"""Below 0, 0, above 0; apart under all common colour blindness. In grey the contours tell the ends apart."""

_FACES_A_LINE, _PICTURES_A_FACE = 2, 3
_MARGIN, _GUTTER, _BETWEEN = 0.08, 0.08, 0.3  # inches: around, between pictures of a face, between faces
_TOP, _BELOW, _SCALE = 0.52, 0.21, 0.55  # inches: title and heads, text below a picture, colour scale
_CONTOUR = 0.5
_LONGEST_NAME = 22


@style.styled
def explanation_figure(
    images: np.ndarray, names: Sequence[str], explanation: Explanation, *, drawn: bool = False
) -> Figure:
    """Each face, the map of its age and the map of its gender, with the answers below.

    A map is coloured against the strongest evidence for that output among all faces shown, so faces can be compared.

    Args:
        images: uint8 RGB, shape (n, side, side, 3).
        names: What to call each, length n.
        explanation: The maps of these images.
        drawn: The images are drawn faces.

    Raises:
        InputError: No image, more than `MOST_FACES`, or names, maps and images that differ in number.
    """
    count = len(images)
    if not 1 <= count <= MOST_FACES or len(names) != count or len(explanation.age.cells) != count:
        raise InputError(
            f"The panel takes 1 to {MOST_FACES} images with a name and maps each. Received: {count} images, "
            f"{len(names)} names, maps of {len(explanation.age.cells)}."
        )
    lines = -(-count // _FACES_A_LINE)
    gutters = _FACES_A_LINE * (_PICTURES_A_FACE - 1) * _GUTTER + (_FACES_A_LINE - 1) * _BETWEEN
    side = (style.PAGE_WIDTH - 2 * _MARGIN - gutters) / (_FACES_A_LINE * _PICTURES_A_FACE)
    height = _TOP + lines * (side + _BELOW) + _SCALE
    figure = Figure(figsize=(style.PAGE_WIDTH, height))
    title = f"{explanation.model}: where its answers come from"
    figure.text(_MARGIN / style.PAGE_WIDTH, 1 - 0.08 / height, title, va="top", fontsize=style.TITLE, weight="bold")
    if drawn:
        style.mark_drawn(figure)
    age, gender = (_scaled(maps, images.shape[1]) for maps in explanation.outputs)
    for index, image in enumerate(images):
        line, place = divmod(index, _FACES_A_LINE)
        bottom = height - _TOP - line * (side + _BELOW) - side
        left = _MARGIN + place * (_PICTURES_A_FACE * side + (_PICTURES_A_FACE - 1) * _GUTTER + _BETWEEN)
        grey = image.astype(np.float64) @ (0.299, 0.587, 0.114) / 255.0
        pictures = (
            ("image", image, None, _short(names[index])),
            ("age", _tinted(grey, age[index]), age[index], f"{explanation.age.answers[index]:.1f} years"),
            ("gender", _tinted(grey, gender[index]), gender[index], _gender(explanation.gender.answers[index])),
        )
        for column, (head, picture, contours, text) in enumerate(pictures):
            x = left + column * (side + _GUTTER)
            axes = figure.add_axes((x / style.PAGE_WIDTH, bottom / height, side / style.PAGE_WIDTH, side / height))
            _picture(axes, picture, contours)
            axes.text(0.5, -0.05, text, transform=axes.transAxes, ha="center", va="top", fontsize=style.TINY)
            if line == 0:
                axes.text(0.5, 1.04, head, transform=axes.transAxes, ha="center", va="bottom", fontsize=style.SMALL)
    _colour_scale(figure, height)
    return figure


def explanation_caption(explanation: Explanation, sanity: Sequence[SanityResult] = (), *, drawn: bool = False) -> str:
    """The caption of `explanation_figure`: method, unit, coarseness, and whether the maps passed the sanity check."""
    age, gender = explanation.outputs
    sentences = [
        f"{explanation.model}: where the age and the gender of {counted(len(age.cells), 'face')} come from, by "
        "HiResCAM (Draelos and Carin, 2020).",
        f"Orange is evidence for an older age or for {Gender.FEMALE}, blue for a younger age or for {Gender.MALE}; "
        "the lines stand at half the strongest evidence shown, solid above and dashed below zero.",
        f"Full colour is {_strongest(age):.2g} {age.unit} a cell for age and {_strongest(gender):.2g} {gender.unit} a "
        "cell for gender.",
        f"Cells are coarse ({_cells(age)} for age, {_cells(gender)} for gender over the whole image, smoothed here), "
        "and each has seen more of the image than it covers.",
    ]
    for result in sanity:
        if not result.compared:
            sentences.append(f"The maps of {result.output} could not be compared with those of untrained networks.")
            continue
        sentences.append(
            f"Rank correlation of the maps of {result.output} with those of the same network with random weights: "
            f"{result.correlation:+.2f}, without the sign {result.correlation_without_sign:+.2f}"
            f"{'' if result.passed else ': the maps owe much to the image alone, so do not read them'}."
        )
    return caption(*sentences, drawn=drawn)


def _strongest(maps: OutputMaps) -> float:
    return float(np.abs(maps.cells).max())


def _cells(maps: OutputMaps) -> str:
    return "\N{MULTIPLICATION SIGN}".join(map(str, maps.cells.shape[1:]))


def _scaled(maps: OutputMaps, side: int) -> np.ndarray:
    """Maps of the image's size, -1..1 of the strongest evidence shown; all zero where there is none."""
    strongest = _strongest(maps)
    return maps.at(side) / strongest if strongest else maps.at(side)


def _tinted(grey: np.ndarray, evidence: np.ndarray) -> np.ndarray:
    """The map's colours, shaded by a pale grey face, so that colours can be read off and places recognised."""
    colours = DIVERGING((evidence + 1) / 2)[..., :3]
    return np.clip(colours * (0.5 + 0.5 * grey[..., None]), 0.0, 1.0)


def _picture(axes: Axes, picture: np.ndarray, evidence: np.ndarray | None) -> None:
    axes.imshow(picture, aspect="auto").set_gid("photograph")
    if evidence is not None:
        for level, dashes in ((-_CONTOUR, "dashed"), (_CONTOUR, "solid")):
            if evidence.min() < level < evidence.max():
                axes.contour(evidence, levels=[level], colors=style.INK, linewidths=0.6, linestyles=dashes)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _colour_scale(figure: Figure, height: float) -> None:
    width = 2.4
    left = (style.PAGE_WIDTH - width) / 2
    axes = figure.add_axes((left / style.PAGE_WIDTH, 0.3 / height, width / style.PAGE_WIDTH, 0.11 / height))
    axes.imshow(np.linspace(-1, 1, 256)[None], cmap=DIVERGING, aspect="auto", extent=(-1, 1, 0, 1), vmin=-1, vmax=1)
    axes.set_yticks([])
    axes.set_xticks([-1, -_CONTOUR, 0, _CONTOUR, 1], ["-1", "-0.5", "0", "+0.5", "+1"])
    axes.spines[:].set_visible(False)
    for x, side, text in ((-1.06, "right", f"younger, or {Gender.MALE}"), (1.06, "left", f"older, or {Gender.FEMALE}")):
        axes.text(x, 0.5, text, ha=side, va="center", fontsize=style.SMALL)


def _gender(female: float) -> str:
    answered = Gender.FEMALE if female >= FEMALE_THRESHOLD else Gender.MALE
    # Floored, so that an answer that is not certain never reads 100 %.
    return f"{answered}, {int(100 * max(female, 1 - female))} %"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}\N{HORIZONTAL ELLIPSIS}"
