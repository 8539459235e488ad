"""The drawn architecture: the trunk from top to bottom, the heads side by side below it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, PathPatch
from matplotlib.path import Path

from agegender.errors import InputError
from agegender.models.describe import ArchitectureBlock
from agegender.reporting import style
from agegender.reporting.words import caption, counted, listed, times

# Inches, from the lower left corner.
_PITCH, _BOX, _STACK = 0.46, 0.35, 0.035
_TITLE, _HEADER, _SPLIT, _DROP, _FOOT = 0.38, 0.26, 0.2, 0.24, 0.4
_CENTRE, _WIDEST, _NARROWEST = 3.02, 3.15, 2.35
_NAMES_END, _SHAPES_START, _PARAMETERS_END = 1.28, 4.95, 6.92
_CHARACTERS_AN_INCH = 16.5  # of the smallest text, about; longer lines are set smaller
_MOST_BEHIND = 2  # boxes drawn behind one; the number stands in its text

_FILLS = {
    "input": "none", "scaling": "grey", "fixed": "grey", "pool": "grey", "average": "grey",
    "conv": "blue", "separable conv": "blue", "residual": "deep blue", "inverted residual": "deep blue",
    "inverted bottleneck": "deep blue",
    "dense": "orange",
}  # fmt: skip


@style.styled
def architecture(blocks: Sequence[ArchitectureBlock], *, model: str) -> Figure:
    """Draw a model: a box a block, wider where its map is larger, with output shape and parameters beside it.

    Args:
        blocks: As `agegender.models.describe.describe` gives them, the trunk first.
        model: Name of the model for the title.

    Raises:
        InputError: There is no block.
    """
    trunk, branches = _parts(blocks)
    deepest = max((len(branch) for branch in branches.values()), default=0)
    below_trunk = _SPLIT + _DROP + _BOX + (deepest - 1) * _PITCH if branches else 0.0
    height = _TITLE + _HEADER + _BOX + (len(trunk) - 1) * _PITCH + below_trunk + _FOOT
    figure = Figure(figsize=(style.PAGE_WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, style.PAGE_WIDTH)
    axes.set_ylim(0, height)
    axes.set_axis_off()
    axes.text(0.08, height - 0.09, f"{model}: architecture", fontsize=style.TITLE, fontweight="bold", va="top")
    y = height - _TITLE - 0.12
    for x, text, align in (
        (_NAMES_END, "block", "right"), (_CENTRE, "what it is", "center"), (_SHAPES_START, "output", "left"),
        (_PARAMETERS_END, "parameters", "right"),
    ):  # fmt: skip
        axes.text(x, y, text, ha=align, va="center", fontsize=style.SMALL, color=style.SOFT, fontstyle="italic")
    y -= 0.14 + _BOX / 2
    largest = max((_side(block) for block in trunk), default=1)
    for index, block in enumerate(trunk):
        _draw_trunk_block(axes, block, y, largest)
        if index:
            _arrow(axes, (_CENTRE, y + _PITCH - _BOX / 2), (_CENTRE, y + _BOX / 2 + _stacked(block)))
        y -= _PITCH
    _draw_branches(axes, branches, top=y + _PITCH - _BOX / 2)
    total = sum(block.parameters for block in blocks)
    axes.text(
        _PARAMETERS_END,
        0.1,
        f"{total:,} parameters in all",
        ha="right",
        va="bottom",
        fontsize=style.SMALL,
        fontweight="bold",
    )
    return figure


def architecture_caption(blocks: Sequence[ArchitectureBlock], *, model: str) -> str:
    """What the figure of `architecture` shows, with its figures, in sentences."""
    trunk, branches = _parts(blocks)
    total = sum(block.parameters for block in blocks)
    maps = [block for block in trunk if len(block.output_shape) == 3]
    heads = [
        f"`{name}` ({counted(sum(block.parameters for block in own), 'parameter')})" for name, own in branches.items()
    ]
    return caption(
        f"{model}: the network from the {times(blocks[0].output_shape)} image down, "
        f"{counted(total, 'parameter')} in all.",
        "The width of a box follows the side of its feature map; boxes behind a box are repeats of it; "
        "an arc means that input and output are added, where they have the same size or a convolution fits one to the "
        "other.",
        f"The last feature maps before the first dense layer measure {times(maps[-1].output_shape)}." if maps else "",
        f"The heads {listed(heads)} share all that stands above them." if heads else "",
        drawn=False,
    )


def _parts(blocks: Sequence[ArchitectureBlock]) -> tuple[list[ArchitectureBlock], dict[str, list[ArchitectureBlock]]]:
    if not blocks:
        raise InputError("There is no block to draw. Pass what `agegender.models.describe.describe` gives for a model.")
    branches: dict[str, list[ArchitectureBlock]] = {}
    for block in blocks:
        if block.branch:
            branches.setdefault(block.branch, []).append(block)
    return [block for block in blocks if not block.branch], branches


def _side(block: ArchitectureBlock) -> int:
    return (block.output_shape[0] or 1) if len(block.output_shape) == 3 else 1


def _stacked(block: ArchitectureBlock) -> float:
    """How far the boxes behind a block reach out beyond it."""
    return _STACK * min(block.repeat - 1, _MOST_BEHIND)


def _draw_trunk_block(axes: Axes, block: ArchitectureBlock, y: float, largest: int) -> None:
    share = math.log2(_side(block)) / max(math.log2(largest), 1)
    width = _NARROWEST + (_WIDEST - _NARROWEST) * share
    head = block.kind if block.repeat == 1 else f"{block.kind} \N{MULTIPLICATION SIGN} {block.repeat}"
    for behind in range(min(block.repeat - 1, _MOST_BEHIND), 0, -1):
        _box(axes, _CENTRE + _STACK * behind, y + _STACK * behind, width, block.kind)
    _box(axes, _CENTRE, y, width, block.kind)
    _two_lines(axes, _CENTRE, y, head, block.detail, width)
    if block.shortcut:
        _shortcut(axes, _CENTRE + width / 2 + _stacked(block), y)
    axes.text(_NAMES_END, y, block.name, ha="right", va="center", fontsize=style.SMALL, fontweight="bold")
    axes.text(_SHAPES_START, y, times(block.output_shape), ha="left", va="center", fontsize=style.SMALL)
    parameters = f"{block.parameters:,}" if block.parameters else "\N{EN DASH}"
    axes.text(_PARAMETERS_END, y, parameters, ha="right", va="center", fontsize=style.SMALL)


def _draw_branches(axes: Axes, branches: dict[str, list[ArchitectureBlock]], top: float) -> None:
    """The heads in columns, joined to the trunk's last box at height `top`."""
    split = top - _SPLIT
    column = (style.PAGE_WIDTH - 0.5) / max(len(branches), 1)
    width = min(2.95, column - 0.2)
    centres = [0.25 + column * (index + 0.5) for index in range(len(branches))]
    if branches:
        axes.plot([_CENTRE, _CENTRE], [top, split], color=style.SOFT, linewidth=0.9)
        axes.plot([min(*centres, _CENTRE), max(*centres, _CENTRE)], [split, split], color=style.SOFT, linewidth=0.9)
    for centre, blocks in zip(centres, branches.values(), strict=True):
        y = split - _DROP - _BOX / 2
        _arrow(axes, (centre, split), (centre, y + _BOX / 2))
        for index, block in enumerate(blocks):
            if index:
                _arrow(axes, (centre, y + _PITCH - _BOX / 2), (centre, y + _BOX / 2))
            is_output = index == len(blocks) - 1
            _box(axes, centre, y, width, block.kind, heavy=is_output)
            units = (
                counted(block.output_shape[0] or 0, "unit")
                if len(block.output_shape) == 1
                else times(block.output_shape)
            )
            what = f"{block.kind}, {block.detail}" if block.detail else block.kind
            _two_lines(
                axes,
                centre,
                y,
                block.name,
                f"{what} \N{RIGHTWARDS ARROW} {units}; {counted(block.parameters, 'parameter')}",
                width,
            )
            y -= _PITCH


def _box(axes: Axes, x: float, y: float, width: float, kind: str, *, heavy: bool = False) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - _BOX / 2), width, _BOX, boxstyle="round,pad=0,rounding_size=0.05",
            facecolor=style.PALE[_FILLS.get(kind, "grey")], edgecolor=style.INK if heavy else style.SOFT,
            linewidth=1.6 if heavy else 0.8,
        )
    )  # fmt: skip


def _two_lines(axes: Axes, x: float, y: float, head: str, detail: str, width: float = math.inf) -> None:
    """A bold line above another one, which is set smaller where it would be wider than the box."""
    fits = min(1.0, width * _CHARACTERS_AN_INCH / max(len(detail), 1))
    lift = 0.075 if detail else 0.0
    axes.text(x, y + lift, head, ha="center", va="center", fontsize=style.SMALL, fontweight="bold")
    if detail:
        axes.text(x, y - 0.082, detail, ha="center", va="center", fontsize=style.TINY * fits)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=6, linewidth=0.9, color=style.SOFT, shrinkA=0, shrinkB=0
        )
    )


def _shortcut(axes: Axes, right: float, y: float) -> None:
    """An arc from the upper to the lower end of a box, beside it."""
    reach, half = right + 0.26, _BOX * 0.32
    curve = Path(
        [(right, y + half), (reach, y + half), (reach, y - half), (right, y - half)], [Path.MOVETO, *[Path.CURVE4] * 3]
    )
    axes.add_patch(PathPatch(curve, facecolor="none", edgecolor=style.SOFT, linewidth=1.1))
    axes.add_patch(
        FancyArrowPatch(
            (right + 0.05, y - half), (right - 0.005, y - half), arrowstyle="-|>", mutation_scale=5, linewidth=0.8,
            color=style.SOFT, shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip
