"""`agegender predict`: photographs in, faces with ages out."""

from __future__ import annotations

import contextlib
import enum
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from agegender.cli.console import console, messages, progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agegender.inference.batch import Engine, Summary
    from agegender.inference.pipeline import FacePredictor
    from agegender.inference.results import ImageResult

MOST_ON_SCREEN = 200
"""Of more images a table is asked for."""


class EngineChoice(enum.StrEnum):
    """Who does the work."""

    LOCAL = "local"
    RAY = "ray"


def predict_command(
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Images, folders, addresses such as s3://bucket/folder (these need the extra 'data'), a list.txt of "
            "one of these files a line, or - for such lines on standard input.",
            show_default=False,
        ),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Table to write: .csv, .jsonl or .parquet (needs the extra 'data').", show_default=False
        ),
    ] = None,
    draw: Annotated[
        Path | None,
        typer.Option(help="Folder for copies of the images with the answers drawn over.", show_default=False),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A, B, or a file that `agegender export` wrote (.onnx).")
    ] = "B",
    crops: Annotated[
        bool, typer.Option("--crops", help="Each image is one face, cropped as UTKFace crops: look for none.")
    ] = False,
    precision: Annotated[
        str | None, typer.Option(help="float32 or int8; by default float32.", show_default=False)
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Threads that decode and detect, or processes of a cluster; by default one a core.",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        EngineChoice, typer.Option(help="local: this process; ray: a Ray cluster, whose nodes see the same files.")
    ] = EngineChoice.LOCAL,
    address: Annotated[
        str | None,
        typer.Option(
            help="Of a running cluster that this machine is a node of, for --engine ray: HOST:PORT or auto; by default "
            "RAY_ADDRESS, and without it one is started on this machine.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Find faces in photographs and answer ages and genders; needs no Keras.

    The table has one row a face, and one for each image that shows none or could not be read, so
    every image has its status. A run that was stopped goes on when it is started again with the
    same --out: nothing is done twice. The exit code is 3 if any image could not be used.

    With --engine ray a cluster does the same; what a lost node had in hand is done again, and a run that was stopped
    may go on with either engine. Its nodes need the extra 'ray' and the images under the same paths.

    Example: agegender predict photos --out faces.csv --draw seen
    """
    from agegender.errors import InputError, SettingError
    from agegender.inference.listing import STANDARD_INPUT, list_images
    from agegender.inference.pipeline import load
    from agegender.inference.rows import checked_format

    if out is not None:
        checked_format(out)
    if engine is EngineChoice.RAY and out is None:
        raise SettingError("--engine ray writes a table. Give one, such as --out faces.parquet.")
    if engine is not EngineChoice.RAY and address is not None:
        raise SettingError(f"--address is for --engine ray. Received: --address {address} with --engine {engine}")
    found = list_images(places, sys.stdin if STANDARD_INPUT in places else ())
    if out is None and len(found.files) > MOST_ON_SCREEN:
        raise SettingError(
            f"{len(found.files):,} images are too many to print. Give a table to write, such as --out faces.csv."
        )
    if found.ignored:
        messages.print(f"{found.ignored:,} files that are no images were passed over.")
    if out is None:
        failed = _on_screen(load(model, precision=precision, workers=workers), found.files, draw, crops=crops)
    else:
        from agegender.inference.batch import predict_to_table

        with _engine(engine, address, model, precision, workers) as predictor:
            summary = predict_to_table(predictor, found.files, out, crops=crops, draw=draw, progress=progress)
        _report(summary)
        failed = summary.failed
    if failed:
        raise InputError(
            f"{failed:,} of {len(found.files):,} images could not be used; their status says why. "
            "The others are answered."
        )


@contextlib.contextmanager
def _engine(
    engine: EngineChoice, address: str | None, model: str, precision: str | None, workers: int | None
) -> Iterator[Engine]:
    """What answers, for as long as it is needed."""
    if engine is EngineChoice.LOCAL:
        from agegender.inference.pipeline import load

        yield load(model, precision=precision, workers=workers)
        return
    from agegender.cluster.connect import ray_cluster
    from agegender.cluster.predictor import ClusterPredictor
    from agegender.inference.predictor import read_model

    read = read_model(model, precision=precision)
    with ray_cluster(address, processes=workers) as ray:
        cluster = ClusterPredictor(ray, read, processes=workers)
        yield cluster
    machines = len(cluster.answered)
    messages.print(f"{machines} machine{'' if machines == 1 else 's'} answered.")
    if cluster.lost:
        messages.print(f"{cluster.lost:,} units of work were lost with their process or node and were done again.")


def _on_screen(predictor: FacePredictor, files: tuple[str, ...], draw: Path | None, *, crops: bool) -> int:
    """Print a row a face; returns how many images failed."""
    from agegender.inference.results import ImageFaces, ImageFailure

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("image", overflow="fold")
    for heading in ("age", "interval"):
        table.add_column(heading, justify="right")
    table.add_column("gender")
    table.add_column("place")
    table.add_column("notes")
    kinds: Counter[bool] = Counter()
    for result in progress(predictor.stream(files, crops=crops), total=len(files), title="Predicting"):
        _add_rows(table, result)
        kinds[isinstance(result, ImageFailure)] += 1
        if draw is not None and isinstance(result, ImageFaces):
            from agegender.inference.drawing import write_drawn

            write_drawn(result, result.source, draw)
    console.print(table)
    messages.print(f"Guessed from looks by {escape(predictor.name)}: for measurement and research only.")
    return kinds[True]


def _add_rows(table: Table, result: ImageResult) -> None:
    from agegender.inference.results import ImageFailure

    name = escape(result.source)
    if isinstance(result, ImageFailure):
        table.add_row(name, "", "", "", f"[red]{escape(result.status)}[/]", escape(result.detail))
        return
    if not result.faces:
        table.add_row(name, "", "", "", "no face found", "")
    for face in result.faces:
        interval = face.age_interval
        edges = "" if face.box is None else " ".join(f"{edge:.0f}" for edge in face.box)
        notes = ", ".join([*(["[yellow]unsure[/]"] if face.unsure else []), *face.notes])
        table.add_row(
            name,
            f"{face.age:.1f}",
            "" if interval is None else f"{interval.low:.0f} to {interval.high:.0f}",
            f"{face.gender} {100 * face.gender_probability:.0f} %",
            edges,
            notes,
        )
        name = ""


def _report(summary: Summary) -> None:
    if summary.resumed:
        messages.print(f"Went on with a run that had been stopped: {summary.resumed:,} images were done already.")
    statuses = ", ".join(f"{escape(status)} {count:,}" for status, count in sorted(summary.statuses.items()))
    console.print(
        f"{summary.faces:,} faces in {sum(summary.statuses.values()):,} images ({statuses}): "
        f"{summary.rows:,} rows in {escape(str(summary.table))}"
    )
