"""`agegender intervals`: do a calibrated model's age intervals hold on other images, how wide are they, for whom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from agegender.cli.answers import DATA_HELP, NAME_HELP, PREDICTIONS_HELP, SPLIT_HELP, drawn_title, load_answers
from agegender.cli.console import console, messages
from agegender.cli.gender_codes import HELP as GENDER_CODES_HELP

if TYPE_CHECKING:
    from agegender.evaluation.intervals import CoverageGroup, IntervalsResult

RESULT_FILE, TABLE_FILE = "intervals.json", "intervals.parquet"


def intervals_command(
    model: Annotated[Path, typer.Argument(help="Calibrated model file (.keras).", show_default=False)],
    *,
    data: Annotated[Path | None, typer.Option("--data", "-d", help=DATA_HELP, show_default=False)] = None,
    split: Annotated[Path | None, typer.Option(help=SPLIT_HELP, show_default=False)] = None,
    predictions: Annotated[Path | None, typer.Option(help=PREDICTIONS_HELP, show_default=False)] = None,
    name: Annotated[str | None, typer.Option("--name", help=NAME_HELP, show_default=False)] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help=f"Folder for {RESULT_FILE} and {TABLE_FILE}.", show_default=False),
    ] = None,
    gender_codes: Annotated[
        str | None, typer.Option("--gender-codes", help=GENDER_CODES_HELP, show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=f"Print what {RESULT_FILE} holds instead of tables.")] = False,
) -> None:
    """Measure a calibrated model's intervals: coverage and width overall, by predicted age, true age, gender, race.

    Use images that neither the model nor its calibration saw. The calibration is read, never changed.

    Example: agegender intervals runs/mine/age_gender_A.keras --data faces/test
    """
    import json

    from agegender.artifacts import atomic_path, explained_writes, plain, write_json
    from agegender.evaluation.calibration import files_hash
    from agegender.evaluation.intervals import measure_intervals
    from agegender.uncertainty import read_calibration

    calibration = read_calibration(model)  # first: there is nothing to measure before calibration
    if out is not None:
        with explained_writes(out):
            out.mkdir(parents=True, exist_ok=True)
    answers = load_answers(model, data, split, predictions, name, gender_codes, with_distribution=True)
    result, table = measure_intervals(answers, calibration)
    if files_hash(answers.table) == calibration.calibrated_on.get("files_sha256"):
        messages.print(
            "[yellow]These are the images that it was calibrated on: coverage on them proves nothing.[/]",
            soft_wrap=True,
        )
    if out is not None:
        write_json(out / RESULT_FILE, result)
        with atomic_path(out / TABLE_FILE) as temporary:
            table.to_parquet(temporary, index=False)
        messages.print(f"Wrote {RESULT_FILE} and {TABLE_FILE} to {escape(str(out))}.", soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(result, indent=2, default=plain, allow_nan=False))
        return
    for column in dict.fromkeys(["", *(group.column for group in result.groups)]):
        console.print(_table(result, column))
    console.print(escape(_sentences(result)), soft_wrap=True)


def _table(result: IntervalsResult, column: str) -> Table:
    """All images and the simpler intervals, or the groups of one column."""
    if column:
        heading, groups = ("true age" if column == "age" else column), result.by(column)
        title = f"{result.model}: by {heading}"
    else:
        heading, groups = "intervals", (result.overall, *result.baselines)
        title = f"{result.model}: {result.overall.n:,} images, age intervals at {100 * result.level:g} %"
    table = Table(
        title=escape(drawn_title(title, result.drawn)),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column(heading)
    for words in ("images", "holds the age", "mean width,\nyears", "median"):
        table.add_column(words, justify="right")
    for group in groups:
        table.add_row(*_cells(group, result), style="dim" if group.few else None)
    if any(group.few for group in groups):
        table.caption = "* too few images for the figures to mean much"
    return table


def _cells(group: CoverageGroup, result: IntervalsResult) -> tuple[str, ...]:
    name = group.name
    if group.column == "baseline":
        name = {"constant": "one width for all", "raw": "its distribution as it is"}[group.name]
    elif not group.column:
        name = f"{result.method}, calibrated"
    coverage = group.coverage
    return (
        escape(name),
        f"{group.n:,}{'*' if group.few else ' '}",
        f"{100 * coverage.value:.1f} % [dim]({100 * coverage.low:.1f}–{100 * coverage.high:.1f})[/]",
        f"{group.mean_width:.1f}",
        f"{group.median_width:.0f}",
    )


def _sentences(result: IntervalsResult) -> str:
    gender = result.gender
    low, high = (100 * share for share in result.band)
    coverage = 100 * result.overall.coverage.value
    verdict = (
        "inside" if result.inside else "below" if coverage < low else "above (intervals of whole years may hold more)"
    )
    lines = [
        f"With so many images, {low:.1f} to {high:.1f} % should hold with probability 99 %; {coverage:.1f} % is "
        f"{verdict}.",
        f"Gender: cross-entropy {gender.cross_entropy_before:.4f} as it answers, {gender.cross_entropy_after:.4f} "
        f"calibrated; {100 * gender.answered.value:.1f} % are answered.",
    ]
    if gender.error_among_answered is not None:
        wrong = gender.error_among_answered
        lines.append(
            f"Of the answered {100 * wrong.value:.1f} % ({100 * wrong.low:.1f} to {100 * wrong.high:.1f}) are wrong, "
            f"{100 * gender.risk:g} % were allowed; of all images {100 * gender.error_without_unsure.value:.1f} % are."
        )
    return "\n".join(lines)
