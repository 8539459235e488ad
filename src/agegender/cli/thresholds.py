"""`agegender thresholds`: a model as an age check, measured as the standards do."""

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
    from agegender.evaluation.thresholds import LegalAgeResult, ThresholdsResult
    from agegender.metrics.thresholds import Rate, SafeChallenge

RESULT_FILE, TABLE_FILE = "thresholds.json", "thresholds.csv"


def thresholds_command(
    model: Annotated[
        Path | None, typer.Argument(help="Model file (.keras); not needed with --predictions.", show_default=False)
    ] = None,
    *,
    data: Annotated[Path | None, typer.Option("--data", "-d", help=DATA_HELP, show_default=False)] = None,
    split: Annotated[Path | None, typer.Option(help=SPLIT_HELP, show_default=False)] = None,
    predictions: Annotated[Path | None, typer.Option(help=PREDICTIONS_HELP, show_default=False)] = None,
    name: Annotated[str | None, typer.Option("--name", help=NAME_HELP, show_default=False)] = None,
    legal_age: Annotated[
        list[int] | None,
        typer.Option(
            "--legal-age", "-L", min=1, max=100, help="Repeatable; by default 13, 16, 18, 21, 25.", show_default=False
        ),
    ] = None,
    challenge: Annotated[
        float | None,
        typer.Option(
            "--challenge",
            "-C",
            help="Challenge age to compare groups at; by default 7 above each, or at it by the lower end.",
            show_default=False,
        ),
    ] = None,
    bound: Annotated[
        list[float] | None,
        typer.Option(
            "--bound",
            help="False positive rate to stay under; repeatable; by default 0.01, 0.05, 0.1.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="Compare groups of this column; repeatable. By default all.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help=f"Folder for {RESULT_FILE}, {TABLE_FILE} and figures.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of intervals.")] = 0,
    gender_codes: Annotated[
        str | None, typer.Option("--gender-codes", help=GENDER_CODES_HELP, show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=f"Print what {RESULT_FILE} holds instead of tables.")] = False,
) -> None:
    """Measure a model as an age check: who under a legal age passes, who above it is stopped, over challenge ages.

    As NIST's evaluation of age estimation and ISO/IEC 27566 count it, with exact intervals, by group, and with the
    smallest challenge age that is shown to be safe. A calibrated model is measured by the lower end of its age interval
    too. It says what the images cannot show; it certifies nothing.

    Example: agegender thresholds runs/mine/age_gender_A.keras --data faces/test -L 18 --out results/
    """
    import json

    from agegender.artifacts import atomic_path, explained_writes, plain, write_json
    from agegender.evaluation.intervals import calibrated
    from agegender.evaluation.thresholds import BOUNDS, curve_table, measure_thresholds, summary
    from agegender.metrics.thresholds import LEGAL_AGES
    from agegender.optional import require

    if out is not None:
        require("matplotlib", "report")
        with explained_writes(out):
            out.mkdir(parents=True, exist_ok=True)
    calibration = calibration_if_any(model)
    answers = load_answers(
        model, data, split, predictions, name, gender_codes, with_distribution=calibration is not None
    )
    result = measure_thresholds(
        answers.table,
        model=answers.model,
        drawn=answers.drawn,
        lower_ends=None if calibration is None else calibrated(answers, calibration).intervals.low,
        legal_ages=legal_age or LEGAL_AGES,
        bounds=bound or BOUNDS,
        challenge_age=challenge,
        by=by or None,
        seed=seed,
    )
    if out is not None:
        write_json(out / RESULT_FILE, summary(result))
        with atomic_path(out / TABLE_FILE) as temporary:
            curve_table(result).to_csv(temporary, index=False)
        _draw(result, out)
        messages.print(f"Wrote {RESULT_FILE}, {TABLE_FILE} and figures to {escape(str(out))}.", soft_wrap=True)
    if as_json:
        typer.echo(json.dumps(summary(result), indent=2, default=plain, allow_nan=False))
        return
    console.print(_bands(result))
    for part in result.results:
        console.print(_rates(result, part))
        console.print(_groups(result, part))
        console.print("\n".join(_safe(part, safe) for safe in part.safe), soft_wrap=True)
        console.print()
    console.print("What these images cannot show:")
    for sentence in result.limits:
        console.print(f"- {escape(sentence)}", soft_wrap=True)


def _draw(result: ThresholdsResult, out: Path) -> None:
    from agegender.evaluation.thresholds import ESTIMATE
    from agegender.reporting import save_figure
    from agegender.reporting.thresholds import thresholds_caption, thresholds_figure

    for rule in dict.fromkeys(part.rule for part in result.results):
        file = "thresholds" if rule == ESTIMATE else "thresholds_lower_end"
        save_figure(thresholds_figure(result, rule=rule), out, file, thresholds_caption(result, rule=rule))


def _new_table(result: ThresholdsResult, title: str) -> Table:
    return Table(
        title=escape(drawn_title(title, result.drawn)),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
        caption_justify="left",
    )


def _bands(result: ThresholdsResult) -> Table:
    table = _new_table(result, f"{result.model}: {result.n:,} images, error of age by true age, 95 % intervals")
    table.add_column("true age")
    for heading in ("images", "age MAE,\nyears", "bias,\nyears", "standard\ndeviation"):
        table.add_column(heading, justify="right")
    for band in result.bands:
        cells = (
            f"{part.value:{sign}.2f} [dim]({part.low:{sign}.1f} to {part.high:{sign}.1f})[/]"
            for part, sign in ((band.mae, ""), (band.bias, "+"), (band.sd, ""))
        )
        table.add_row(band.name, f"{band.n:,}{'*' if band.few else ' '}", *cells, style="dim" if band.few else None)
    if any(band.few for band in result.bands):
        table.caption = "* too few images for the figures to mean much"
    return table


def _rates(result: ThresholdsResult, part: LegalAgeResult) -> Table:
    table = _new_table(result, f"{result.model}: legal age {part.legal_age}, by the {part.rule}, 95 % intervals")
    table.add_column("challenge\nage", justify="right")
    first = part.shown[0]
    for heading in (
        f"pass, {_near_years(part)} years\n({first.near_false_positive.n:,} images)",
        f"pass, under {part.legal_age}\n({first.false_positive.n:,} images)",
        f"stopped, {part.legal_age} and over\n({first.false_negative.n:,} images)",
    ):
        table.add_column(heading, justify="right")
    for point in part.shown:
        rates = (point.near_false_positive, point.false_positive, point.false_negative)
        table.add_row(f"{point.challenge:g}", *map(_share, rates))
    return table


def _groups(result: ThresholdsResult, part: LegalAgeResult) -> Table:
    table = _new_table(result, f"legal age {part.legal_age}, challenge age {part.group_challenge:g}, by group")
    table.add_column("group")
    for heading in (f"pass, {_near_years(part)} years", f"pass, under {part.legal_age}", f"stopped, {part.legal_age}+"):
        table.add_column(heading, justify="right")
    for group in part.groups:
        point = group.point
        rates = (point.near_false_positive, point.false_positive, point.false_negative)
        table.add_row(escape(group.name), *(f"{_share(share)} of {share.n:,}" for share in rates))
    return table


def _near_years(part: LegalAgeResult) -> str:
    from agegender.metrics.thresholds import NEAR_YEARS

    return f"{max(part.legal_age - NEAR_YEARS, 0)}–{part.legal_age - 1}"


def _share(share: Rate) -> str:
    if share.interval is None:
        return "nobody"
    value, low, high = (100 * end for end in (share.interval.value, share.interval.low, share.interval.high))
    return f"{value:.1f} % [dim]({low:.1f}–{high:.1f})[/]"


def _safe(part: LegalAgeResult, safe: SafeChallenge) -> str:
    whom = f"{_near_years(part)} years" if safe.near else f"under {part.legal_age}"
    start = f"At most {100 * safe.bound:g} % of {whom} pass, with {100 * safe.confidence:g} % confidence:"
    if safe.challenge is None or safe.false_negative is None:
        return f"{start} not to be shown with {safe.n:,} images ({safe.needed:,} without an error would be needed)."
    cost = "" if safe.false_negative.interval is None else f", which stops {_share(safe.false_negative)} of the others"
    return f"{start} from challenge age {safe.challenge:g} on{cost}."
