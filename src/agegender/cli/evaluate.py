"""`agegender evaluate`: what the brief's marker does, with intervals, groups and a paired test."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from agegender.cli.gender_codes import HELP as GENDER_CODES_HELP
from agegender.cli.gender_codes import parse_gender_codes


class OrderChoice(enum.StrEnum):
    """Which channel orders to feed."""

    RGB = "rgb"
    BGR = "bgr"
    BOTH = "both"


def evaluate_command(
    models: Annotated[list[Path], typer.Argument(help="Model files (.keras), one or more.", show_default=False)],
    *,
    data: Annotated[
        Path, typer.Option("--data", "-d", help="Folder, archive or table of labelled faces.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder for metrics.json and predictions.parquet (one row an image).",
            show_default=False,
        ),
    ] = None,
    order: Annotated[OrderChoice, typer.Option("--order", help="Channel order that the models are fed.")] = (
        OrderChoice.BOTH
    ),
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="Print figures by this column too, such as race; repeatable.", show_default=False),
    ] = None,
    outputs: Annotated[
        str | None,
        typer.Option(
            "--outputs",
            help="What the outputs are, in the models' own order: age,gender or gender,age. "
            "Only needed where neither names nor a sigmoid tell.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Images a forward pass.")] = 32,
    distribution: Annotated[
        bool, typer.Option("--distribution", help="Write each image's distribution over ages too.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the intervals and the paired test.")] = 0,
    strict_size: Annotated[
        bool, typer.Option("--strict-size", help="Reject images that are not 128 x 128 instead of resizing them.")
    ] = False,
    allow_rejected: Annotated[
        bool, typer.Option("--allow-rejected", help="Go on when more than 10 % of the images cannot be used.")
    ] = False,
    gender_codes: Annotated[
        str | None, typer.Option("--gender-codes", help=GENDER_CODES_HELP, show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what metrics.json holds instead of tables.")] = False,
) -> None:
    """Measure models on labelled faces: age error and gender accuracy with 95 % intervals, and a paired test.

    Loads each file with plain Keras, feeds pixels over 255 in red-green-blue and blue-green-red, and compares the
    answers with the labels. Reads any .keras file that takes 128 x 128 x 3 and gives an age and a gender.

    Example: agegender evaluate age_gender_A.keras age_gender_B.keras --data faces/ --out results/
    """
    import json

    from agegender.artifacts import explained_writes, plain
    from agegender.backend import require_backend
    from agegender.cli.console import console, messages, progress
    from agegender.cli.evaluation_tables import print_evaluation

    require_backend()
    from agegender.data.dataset import load_dataset, write_rejected
    from agegender.evaluation import checked_file, evaluate_models, save_evaluation, save_predictions
    from agegender.evaluation.evaluate import group_columns
    from agegender.evaluation.predict import ORDERS, Order
    from agegender.evaluation.suite import METRICS_FILE, PREDICTIONS_FILE

    # Everything that can be wrong with the request is found before the long part.
    for path in models:
        checked_file(path)
    if out is not None:
        with explained_writes(out):
            out.mkdir(parents=True, exist_ok=True)

    dataset = load_dataset(
        data,
        strict_size=strict_size,
        allow_rejected=allow_rejected,
        gender_codes=parse_gender_codes(gender_codes),
        progress=progress,
    )
    for note in dataset.notes:
        messages.print(escape(note))
    orders: tuple[Order, ...] = ORDERS if order is OrderChoice.BOTH else (order.value,)
    evaluation, predictions = evaluate_models(
        models,
        dataset,
        outputs=None if outputs is None else [part.strip().lower() for part in outputs.split(",")],
        orders=orders,
        batch_size=batch_size,
        by=list(dict.fromkeys([*group_columns(dataset.table), *by])) if by else None,
        with_distribution=distribution,
        seed=seed,
        progress=progress,
    )
    if out is not None:
        save_predictions(predictions, out / PREDICTIONS_FILE)
        save_evaluation(evaluation, out / METRICS_FILE)
        write_rejected(dataset, out / "rejected.csv")
        messages.print(f"Wrote {METRICS_FILE}, {PREDICTIONS_FILE} and rejected.csv to {escape(str(out))}.")
    if as_json:
        typer.echo(json.dumps(evaluation, indent=2, default=plain, allow_nan=False))
    else:
        print_evaluation(evaluation, console, by=by or ())
