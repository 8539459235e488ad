"""`agegender export`: a Keras file to ONNX files that answer the same without Keras."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from agegender.cli.console import console, messages, progress
from agegender.cli.gender_codes import HELP as GENDER_CODES_HELP
from agegender.cli.gender_codes import parse_gender_codes

if TYPE_CHECKING:
    from agegender.export.files import Exported


def export_command(
    model: Annotated[Path, typer.Argument(help="Model file (.keras).", show_default=False)],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write to; by default the model's.", show_default=False)
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            "-d",
            help="Labelled faces to calibrate int8 and to compare on: folder, archive or table. Without it faces are "
            "drawn, which suits models of drawn faces only.",
            show_default=False,
        ),
    ] = None,
    int8: Annotated[bool, typer.Option("--int8/--no-int8", help="Also write the 8-bit file.")] = True,
    opset: Annotated[int, typer.Option(help="ONNX operator set, 17 or 18.")] = 17,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which images calibrate and which compare.")] = 0,
    gender_codes: Annotated[
        str | None, typer.Option("--gender-codes", help=GENDER_CODES_HELP, show_default=False)
    ] = None,
) -> None:
    """Export a model to ONNX: float32 and int8, any batch size, outputs age, gender, age_distribution.

    Each file is compared with the Keras model on up to 949 images. If an age differs by over 0.02
    years (float32) or the age error changes by over 0.1 years (int8), nothing is written. The
    manifest beside the files holds hashes, preprocessing, labels and the model's calibration.

    Example: agegender export runs/mine/age_gender_B.keras --data faces/train_val
    """
    from agegender.backend import require_backend

    require_backend()
    from agegender.data.dataset import load_dataset
    from agegender.evaluation.load import checked_file

    checked_file(model)
    from agegender.export.files import export_model, labelled_images
    from agegender.export.onnx import require_tensorflow

    require_tensorflow()
    images = None
    if data is not None:
        dataset = load_dataset(data, gender_codes=parse_gender_codes(gender_codes), progress=progress)
        for note in dataset.notes:
            messages.print(escape(note))
        images = labelled_images(dataset.images, dataset.table, drawn=dataset.drawn)
    exported = export_model(
        model,
        out or model.parent,
        images=images,
        int8=int8,
        opset=opset,
        seed=seed,
        announce=lambda line: messages.print(escape(line)),
    )
    console.print(_table(exported))
    messages.print(f"Its manifest: {escape(str(exported.manifest))}")


def _table(exported: Exported) -> Table:
    parities = list(exported.parity.values())
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.title = f"Against Keras, on {parities[0].images:,} {parities[0].data}"
    table.add_column("file", overflow="fold")
    for heading in ("MB", "age differs by, years\nmean (largest)", "age MAE\nchanges by", "other gender\nnamed for"):
        table.add_column(heading, justify="right")
    for precision, parity in exported.parity.items():
        path = exported.files[precision]
        table.add_row(
            escape(path.name),
            f"{path.stat().st_size / 1e6:.1f}",
            f"{parity.age_mean:.4f} ({parity.age_largest:.4f})",
            f"{parity.mae_change:+.4f}",
            f"{100 * parity.genders_changed:.2f} %",
        )
    return table
