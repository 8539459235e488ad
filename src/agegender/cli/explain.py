"""`agegender explain`: where in a face a model's age and gender come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from agegender.cli.console import console, messages, progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agegender.data.unlabelled import Pictures
    from agegender.evaluation.explain import Explanation
    from agegender.evaluation.sanity import SanityResult

FIGURE, RECORD = "explanation", "explanation.json"
DEFAULT_FACES, MOST_FACES = 8, 24
"""The panel holds no more."""


def explain_command(
    model: Annotated[Path, typer.Argument(help="A model file (.keras).", show_default=False)],
    *,
    images: Annotated[
        list[Path] | None,
        typer.Option(
            "--images", "-i", help="A folder of images or an image; give it again for more.", show_default=False
        ),
    ] = None,
    drawn: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_FACES, help="Instead of images, this many faces that the package draws.", show_default=False
        ),
    ] = None,
    most: Annotated[
        int, typer.Option(min=1, max=MOST_FACES, help="Of --images, how many: spread evenly over the names in order.")
    ] = DEFAULT_FACES,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the figure and the numbers.")] = Path(
        "explanation"
    ),
    redraws: Annotated[
        int, typer.Option(min=0, help="Networks with random weights that the maps are compared with; 0 for none.")
    ] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of drawn faces and random weights.")] = 0,
    outputs: Annotated[
        str | None,
        typer.Option(
            help="What the outputs are, in the model's own order: age,gender or gender,age. "
            "Only needed where neither names nor a sigmoid tell.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show where in a face a model's age and gender come from, as a picture.

    Without --images it explains faces that the package draws itself.

    Maps that look the same on an untrained network show the image and not what was learnt. So they
    are compared with those of random weights: a rank correlation near 0 is good.

    Example: agegender explain runs/mine/age_gender_A.keras --images faces/train_val --most 6
    """
    from agegender.artifacts import explained_writes, write_json
    from agegender.backend import require_backend
    from agegender.errors import SettingError
    from agegender.optional import require

    require_backend()
    # Everything that can be wrong with the request is found before the long part.
    require("matplotlib", "report")
    from agegender.data.unlabelled import drawn_pictures, read_pictures
    from agegender.evaluation import checked_file, load_model
    from agegender.evaluation.explain import explain_faces
    from agegender.evaluation.sanity import check_sanity

    checked_file(model)
    if images and drawn is not None:
        raise SettingError(f"Give --images or --drawn. Received both: {len(images)} and {drawn}")
    pictures = read_pictures(images, most=most) if images else drawn_pictures(drawn or DEFAULT_FACES, seed=seed)
    if len(pictures.names) < pictures.found:
        messages.print(f"Showing {len(pictures.names)} of {pictures.found:,} images; --most takes more.")
    loaded = load_model(model, outputs=None if outputs is None else [part.strip() for part in outputs.split(",")])
    with explained_writes(out):
        out.mkdir(parents=True, exist_ok=True)
    explanation = explain_faces(loaded, pictures.images, progress=progress)
    sanity: Sequence[SanityResult] = ()
    if redraws:
        sanity = check_sanity(loaded, pictures.images, explanation, redraws=redraws, seed=seed, progress=progress)
        console.print(_table(explanation, sanity))
    write_json(out / RECORD, _record(pictures, explanation, sanity))
    _draw(pictures, explanation, sanity, out)
    messages.print(f"Wrote {RECORD} and the figure {FIGURE} to {escape(str(out))}.")


def _draw(pictures: Pictures, explanation: Explanation, sanity: Sequence[SanityResult], out: Path) -> None:
    from agegender.reporting import save_figure
    from agegender.reporting.explain import explanation_caption, explanation_figure

    figure = explanation_figure(pictures.images, pictures.names, explanation, drawn=pictures.drawn)
    save_figure(figure, out, FIGURE, explanation_caption(explanation, sanity, drawn=pictures.drawn))


def _table(explanation: Explanation, sanity: Sequence[SanityResult]) -> Table:
    title = f"{escape(explanation.model)}: maps against those of untrained networks, rank correlation"
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", caption_justify="left")
    table.caption = (
        f"near 0: the maps show what was learnt; {100 * sanity[0].redrawn_share:.0f} % of the weights were drawn anew"
    )
    table.add_column("output")
    for heading in ("signed", "without sign", "pairs of maps"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for result in sanity:
        said = "" if result.passed else "too alike: do not read these maps"
        table.add_row(
            result.output,
            f"{result.correlation:+.2f}",
            f"{result.correlation_without_sign:+.2f}",
            f"{result.compared:,}",
            said if result.compared else "nothing to compare: the maps are flat",
        )
    return table


def _record(pictures: Pictures, explanation: Explanation, sanity: Sequence[SanityResult]) -> dict[str, Any]:
    """What the figure shows as numbers: names, answers, maps and the sanity check. NaN becomes null."""
    return {
        "model": explanation.model,
        "method": "HiResCAM",
        "drawn_faces": pictures.drawn,
        "images": pictures.names,
        "outputs": {
            maps.output: {
                "unit_a_cell": maps.unit,
                "answers": maps.answers,
                "cells": maps.cells.round(6),
            }
            for maps in explanation.outputs
        },
        "sanity": [
            {
                "output": result.output,
                "correlation": result.correlation if result.compared else None,
                "correlation_without_sign": result.correlation_without_sign if result.compared else None,
                "compared": result.compared,
                "not_compared": result.not_compared,
                "redrawn_share": result.redrawn_share,
                "passed": result.passed,
            }
            for result in sanity
        ],
    }
