"""`agegender fairness`: for whom a model fails, by every group and crossing of groups, against everybody else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from agegender.cli.answers import (
    DATA_HELP,
    NAME_HELP,
    PREDICTIONS_HELP,
    SPLIT_HELP,
    calibration_if_any,
    drawn_title,
    load_answers,
)
from agegender.cli.console import console, messages
from agegender.cli.gender_codes import HELP as GENDER_CODES_HELP

if TYPE_CHECKING:
    from agegender.evaluation.answers import Answers
    from agegender.evaluation.fairness import FairnessResult, GroupReport
    from agegender.metrics.fairness import GroupMean
    from agegender.uncertainty import Calibration

RESULT_FILE, TABLE_FILE = "fairness.json", "fairness.csv"
_SHOWN = ("age error", "age bias", "gender right")
_SHARES = ("age within 5 years", "gender right", "interval holds", "gender answered")


def fairness_command(
    model: Annotated[
        Path | None, typer.Argument(help="Model file (.keras); not needed with --predictions.", show_default=False)
    ] = None,
    *,
    data: Annotated[Path | None, typer.Option("--data", "-d", help=DATA_HELP, show_default=False)] = None,
    split: Annotated[Path | None, typer.Option(help=SPLIT_HELP, show_default=False)] = None,
    predictions: Annotated[Path | None, typer.Option(help=PREDICTIONS_HELP, show_default=False)] = None,
    name: Annotated[str | None, typer.Option("--name", help=NAME_HELP, show_default=False)] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="A group column, such as race; repeatable. By default all.", show_default=False),
    ] = None,
    depth: Annotated[int, typer.Option(min=1, max=3, help="How many columns are crossed: 1 is none.")] = 2,
    least: Annotated[int, typer.Option("--least", min=20, help="Images that a group needs; below: too few.")] = 30,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help=f"Folder for {RESULT_FILE} and {TABLE_FILE}.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of intervals and tests.")] = 0,
    gender_codes: Annotated[
        str | None, typer.Option("--gender-codes", help=GENDER_CODES_HELP, show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=f"Print what {RESULT_FILE} holds instead of tables.")] = False,
) -> None:
    """Measure every metric by every group column and crossing, each group against all other images.

    95 % bootstrap intervals; a permutation test for each group and metric, adjusted for their number (Holm). Groups are
    used to measure only. With a calibrated model its intervals and "unsure" answers are measured too.

    Example: agegender fairness runs/mine/age_gender_A.keras --data faces/test --by race --by gender
    """
    import json

    from agegender.artifacts import atomic_path, explained_writes, plain, write_json
    from agegender.evaluation.fairness import fairness_table, measure_fairness

    if out is not None:
        with explained_writes(out):
            out.mkdir(parents=True, exist_ok=True)
    calibration = calibration_if_any(model)
    answers = load_answers(
        model, data, split, predictions, name, gender_codes, with_distribution=calibration is not None
    )
    result = measure_fairness(
        answers.table,
        model=answers.model,
        drawn=answers.drawn,
        by=by,
        depth=depth,
        least=least,
        extra=None if calibration is None else _calibrated_measures(answers, calibration),
        seed=seed,
    )
    if out is not None:
        write_json(out / RESULT_FILE, result)
        with atomic_path(out / TABLE_FILE) as temporary:
            fairness_table(result).to_csv(temporary, index=False)
        messages.print(f"Wrote {RESULT_FILE} and {TABLE_FILE} to {escape(str(out))}.", soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(result, indent=2, default=plain, allow_nan=False))
        return
    for columns in dict.fromkeys(group.columns for group in result.groups):
        console.print(_table(result, result.by(*columns), " x ".join(columns)))
    console.print(_found(result))
    console.print(
        f"{result.comparisons:,} comparisons, adjusted together by Holm's procedure: if there were no difference at "
        "all, even one * would come up with at most 5 %. No * does not mean no difference: small groups hide large "
        "ones, as their intervals show.",
        soft_wrap=True,
    )


def _calibrated_measures(answers: Answers, calibration: Calibration) -> dict:
    from agegender.evaluation.intervals import calibrated
    from agegender.uncertainty import UNSURE

    found = calibrated(answers, calibration)
    return {
        "interval holds": found.intervals.holds(answers.table["age"]),
        "interval width": found.intervals.width,
        "gender answered": found.gender != UNSURE,
    }


def _table(result: FairnessResult, groups: tuple[GroupReport, ...], what: str) -> Table:
    table = Table(
        title=escape(drawn_title(f"{result.model}: by {what}", result.drawn)),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
    )
    table.add_column(what)
    table.add_column("images", justify="right")
    for heading in (
        "age error, years\n(against the rest)",
        "age bias, years\n(against the rest)",
        "gender right\n(ratio)",
    ):
        table.add_column(heading, justify="right")
    for group in groups:
        if group.few:
            table.add_row(escape(group.label), f"{group.n:,}", *["too few"] * len(_SHOWN), style="dim")
            continue
        table.add_row(escape(group.label), f"{group.n:,}", *(_cell(name, group.measures[name]) for name in _SHOWN))
    return table


def _cell(name: str, mean: GroupMean) -> str:
    star = "*" if mean.differs else " "
    if name in _SHARES:
        ratio = "" if mean.ratio is None else f"({mean.ratio.value:.2f})"
        return f"{100 * mean.value.value:.1f} %{star}[dim]{ratio}[/]"
    sign = "+" if name == "age bias" else ""
    return f"{mean.value.value:{sign}.2f}{star}[dim]({mean.difference.value:+.2f})[/]"


def _found(result: FairnessResult) -> Table:
    """Every difference that is more than chance, the surest first."""
    table = Table(
        title=escape(drawn_title(f"{result.model}: differences from the rest that are more than chance", result.drawn)),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
    )
    table.add_column("group")
    table.add_column("measure")
    for heading in ("here", "the rest", "difference (95 %)", "p, adjusted"):
        table.add_column(heading, justify="right")
    for group, name in sorted(result.found, key=lambda found: found[0].measures[found[1]].p_adjusted):
        mean = group.measures[name]
        scale, unit = (100, " %") if name in _SHARES else (1, "")
        difference = mean.difference
        table.add_row(
            escape(group.label),
            name,
            f"{scale * mean.value.value:.2f}{unit}",
            f"{scale * mean.rest:.2f}{unit}",
            f"{scale * difference.value:+.2f} ({scale * difference.low:+.2f} to {scale * difference.high:+.2f})",
            f"{mean.p_adjusted:.4f}",
        )
    if not result.found:
        table.add_row("none", *[""] * 5)
    return table
