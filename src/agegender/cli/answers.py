"""Labelled answers for the commands that measure trust: from a model and data, or from a file of predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from agegender.cli.console import messages, progress
from agegender.cli.gender_codes import parse_gender_codes
from agegender.errors import SettingError

if TYPE_CHECKING:
    from agegender.evaluation.answers import Answers
    from agegender.uncertainty import Calibration

DATA_HELP = "Folder, archive or table of labelled faces."
SPLIT_HELP = "A run's split.json: take its validation images only."
PREDICTIONS_HELP = "A predictions.parquet of `agegender evaluate`, in place of --data."
NAME_HELP = "Which model's answers of --predictions, where it holds several."


def load_answers(
    model: Path | None,
    data: Path | None,
    split: Path | None,
    predictions: Path | None,
    name: str | None,
    gender_codes: str | None,
    *,
    with_distribution: bool,
) -> Answers:
    """Ask the model, or read what it answered earlier.

    Raises:
        SettingError: Neither or both of data and predictions are given, or an option that does not go with them.
        AgegenderError: The model, the data or the file cannot be used.
    """
    if (data is None) == (predictions is None):
        given = "neither" if data is None else "both"
        raise SettingError(f"Give a model with --data, or --predictions. Received: {given}.")
    if predictions is not None:
        if split is not None:
            raise SettingError("--split goes with --data: a file of predictions holds the images it holds.")
        from agegender.artifacts import sha256_file
        from agegender.evaluation import checked_file
        from agegender.evaluation.answers import read_answers

        answers = read_answers(predictions, model=name, with_distribution=with_distribution)
        if model is not None and answers.model_sha256 not in (None, sha256_file(checked_file(model))):
            raise SettingError(f"{predictions} holds answers of another file than {model}. Predict with this one.")
        return answers
    if model is None or data is None:
        raise SettingError("--data needs a model file to ask. Give one, or --predictions.")
    from agegender.backend import require_backend

    require_backend()
    from agegender.data.dataset import load_dataset
    from agegender.data.splits import load_split
    from agegender.evaluation import checked_file
    from agegender.evaluation.answers import ask_model

    checked_file(model)
    dataset = load_dataset(data, gender_codes=parse_gender_codes(gender_codes), progress=progress)
    for note in dataset.notes:
        messages.print(escape(note))
    chosen = None if split is None else load_split(split, dataset.table)
    return ask_model(model, dataset, chosen, with_distribution=with_distribution, progress=progress)


def calibration_if_any(model: Path | None) -> Calibration | None:
    """The calibration of a model, where there is one; a line for the user where there is none.

    Raises:
        InputError: The sidecar is damaged.
    """
    from agegender.errors import NotCalibratedError
    from agegender.uncertainty import read_calibration

    if model is None:
        return None
    try:
        return read_calibration(model)
    except NotCalibratedError as error:
        messages.print(f"Without calibrated intervals: {escape(str(error))}", soft_wrap=True)
        return None


def drawn_title(title: str, drawn: bool) -> str:
    """A table's title that names drawn faces as such."""
    from agegender.cli.evaluation_tables import DRAWN_MARK

    return f"{title} ({DRAWN_MARK})" if drawn else title
