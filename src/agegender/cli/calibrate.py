"""`agegender calibrate`: age intervals that hold, an honest probability of gender, and when to say "unsure"."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from agegender.cli.answers import DATA_HELP, NAME_HELP, PREDICTIONS_HELP, drawn_title, load_answers
from agegender.cli.console import console, messages
from agegender.cli.gender_codes import HELP as GENDER_CODES_HELP

if TYPE_CHECKING:
    from agegender.uncertainty import Calibration, Candidate


def calibrate_command(
    model: Annotated[Path, typer.Argument(help="Model file (.keras).", show_default=False)],
    *,
    data: Annotated[Path | None, typer.Option("--data", "-d", help=DATA_HELP, show_default=False)] = None,
    split: Annotated[
        Path | None,
        typer.Option(help="The split.json of the model's run: calibrate on its validation images.", show_default=False),
    ] = None,
    predictions: Annotated[Path | None, typer.Option(help=PREDICTIONS_HELP, show_default=False)] = None,
    name: Annotated[str | None, typer.Option("--name", help=NAME_HELP, show_default=False)] = None,
    target: Annotated[
        Path | None,
        typer.Option(
            "--for",
            help="Write the result for this file: same recipe, trained on the calibration images too.",
            show_default=False,
        ),
    ] = None,
    level: Annotated[float, typer.Option(help="Share of age intervals that should hold the age.")] = 0.9,
    group_min: Annotated[
        int, typer.Option("--group-min", min=10, help="Images that a band of predicted age needs for its own width.")
    ] = 50,
    risk: Annotated[float, typer.Option(help="Largest share of errors among the genders that are answered.")] = 0.05,
    confidence: Annotated[float, typer.Option(help="That this risk is kept.")] = 0.95,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the comparison of methods.")] = 0,
    gender_codes: Annotated[
        str | None, typer.Option("--gender-codes", help=GENDER_CODES_HELP, show_default=False)
    ] = None,
) -> None:
    """Calibrate a model on images that it did not learn from, and write the result into its sidecar.

    Measures three kinds of age interval by cross-fitting and takes the narrowest that holds; finds the temperature that
    makes its probability of gender honest, and below which probability to answer "unsure".

    Example: agegender calibrate runs/mine/age_gender_A.keras --data faces/train_val --split runs/mine/split.json
    """
    from agegender.artifacts import sha256_file
    from agegender.errors import SettingError
    from agegender.evaluation import checked_file
    from agegender.evaluation.calibration import calibrate, check_twin, check_unseen, read_sidecar, write_calibration

    # Everything that can be wrong with the request is found before the long part.
    for share, what in ((level, "--level"), (risk, "--risk"), (confidence, "--confidence")):
        if not 0 < share < 1:
            raise SettingError(f"{what} lies between 0 and 1. Received: {share}")
    checked_file(model)
    read_sidecar(model)
    answered_by = None
    if target is not None:
        answered_by = check_twin(model, checked_file(target))
    answers = load_answers(model, data, split, predictions, name, gender_codes, with_distribution=True)
    note = check_unseen(model, answers.fingerprint, answers.split_sha256)
    if note:
        messages.print(escape(note), soft_wrap=True)
    file = target or model
    calibration, candidates = calibrate(
        answers,
        sha256_file(file),
        level=level,
        group_min=group_min,
        risk=risk,
        confidence=confidence,
        seed=seed,
    )
    sidecar = write_calibration(file, calibration, candidates, answered_by=answered_by)
    console.print(_methods(candidates, calibration, answers.drawn))
    console.print(_groups(calibration))
    console.print(escape(_gender(calibration)), soft_wrap=True)
    if answered_by is not None:
        console.print(escape(answered_by["note"]), soft_wrap=True)
    messages.print(f"Wrote the calibration into {escape(str(sidecar))}.", soft_wrap=True)


def _methods(candidates: tuple[Candidate, ...], calibration: Calibration, drawn: bool) -> Table:
    on = calibration.calibrated_on
    title = f"Age intervals at {100 * calibration.intervals.level:g} %, cross-fitted on {on['n']:,} images: {on['set']}"
    table = Table(
        title=escape(drawn_title(title, drawn)),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
        caption_justify="left",
    )
    table.caption = "* chosen: the narrowest that holds overall and in each band of predicted age with enough images"
    for heading in ("method", "thresholds"):
        table.add_column(heading)
    for heading in ("holds\nthe age", "mean width,\nyears", "worst band of\npredicted age"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for candidate in candidates:
        verdict = "baseline" if candidate.baseline else "holds" if candidate.holds else "too often wrong"
        table.add_row(
            candidate.method,
            "by band" if candidate.by_band else "one",
            f"{100 * candidate.coverage:.1f} %",
            f"{candidate.mean_width:.1f}",
            f"{100 * candidate.worst_coverage:.1f} % ({candidate.worst_band})",
            f"{verdict}{' *' if candidate.chosen else ''}",
            style="dim" if candidate.baseline else None,
        )
    return table


def _groups(calibration: Calibration) -> Table:
    fitted = calibration.intervals
    table = Table(
        title=f"Fitted: {fitted.method}, by predicted age", box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left"
    )
    table.add_column("predicted age, years")
    table.add_column("images", justify="right")
    table.add_column("threshold", justify="right")
    for group, count, threshold in zip(fitted.groups, fitted.counts, fitted.thresholds, strict=True):
        table.add_row(group, f"{count:,}", f"{threshold:.4f}")
    return table


def _gender(calibration: Calibration) -> str:
    temperature, unsure = calibration.temperature, calibration.unsure
    sentence = (
        f"Gender: temperature {temperature.temperature:.2f} (cross-entropy {temperature.loss_before:.4f} to "
        f"{temperature.loss_after:.4f}). "
    )
    if unsure.distance is None:
        return sentence + (
            f'No probability is high enough to show a risk under {100 * unsure.risk:g} %: every answer is "unsure". '
            "Give more images, or a larger --risk."
        )
    return sentence + (
        f"Answered from a probability of {unsure.least_probability:.3f} on, which is {unsure.answered:,} of "
        f'{unsure.n:,}, the others are "unsure"; {unsure.errors:,} of the answered are wrong, and at most '
        f"{100 * (unsure.bound or 0):.1f} % with {100 * unsure.confidence:g} % confidence."
    )
