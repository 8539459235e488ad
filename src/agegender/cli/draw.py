"""`agegender draw`: a folder of drawn faces, the data set that needs no download."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape


def draw_command(
    folder: Annotated[Path, typer.Argument(help="Where to write them: a new or an empty folder.", show_default=False)],
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many faces.")] = 1200,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Which faces. Take another seed for faces to test on.")
    ] = 1,
    age_noise: Annotated[
        float, typer.Option("--age-noise", min=0.0, help="Standard deviation of the written age's error, in years.")
    ] = 1.0,
    gender_noise: Annotated[
        float, typer.Option("--gender-noise", min=0.0, max=1.0, help="Share of faces with the other gender written.")
    ] = 0.01,
) -> None:
    """Draw a labelled data set of faces: 128 x 128 JPEGs named like UTKFace, with known truth.

    The same seed gives the same faces. Nothing is downloaded and no person is shown, so a figure measured on them
    says that the pipeline works and nothing about accuracy on people.
    The labels in the file names are wrong as often as stated; drawn_faces.json holds the truth.

    A folder that holds exactly these faces already is left as it is.
    """
    # heavy imports stay out of --help
    from agegender.cli.console import console, progress
    from agegender.data.drawn import DRAWN_MARKER, LabelNoise, draw_faces

    noise = LabelNoise(age_sd_years=age_noise, gender_flip_probability=gender_noise)
    written = draw_faces(folder, count=count, seed=seed, label_noise=noise, progress=progress)
    console.print(f"{count:,} drawn faces of seed {seed} stand in {escape(str(written))} (truth: {DRAWN_MARKER}).")
