"""`agegender run`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agegender.cli.console import console, messages, progress
from agegender.cli.gender_codes import HELP as GENDER_CODES_HELP
from agegender.cli.gender_codes import parse_gender_codes
from agegender.errors import SettingError


def run_command(
    data: Annotated[
        str | None,
        typer.Option(help="Labelled faces: a folder, .zip, .tar(.gz), .csv or .parquet. Without it, drawn faces."),
    ] = None,
    test: Annotated[
        str | None, typer.Option(help="Other labelled faces to measure on; never trained on, never chosen by.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The run's folder: models, curves, figures, metrics.")] = Path("runs/run"),
    models: Annotated[str, typer.Option(help="A, B or AB.")] = "AB",
    seed: Annotated[int, typer.Option(help="Of split, weights, order and augmentation.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run in --out.")] = False,
    distribute: Annotated[
        bool,
        typer.Option(
            "--distribute",
            help="Split each batch over all GPUs of this machine (KERAS_BACKEND=jax; the batch size must divide).",
        ),
    ] = False,
    validation_fraction: Annotated[float, typer.Option(help="Share of the images held out for validation.")] = 0.2,
    folds: Annotated[
        int | None, typer.Option(help="Train once a fold of this many, each in a folder of its own in --out.")
    ] = None,
    train_on: Annotated[
        str, typer.Option(help="`split` holds validation images out; `all` trains a final model on every image.")
    ] = "split",
    split: Annotated[Path | None, typer.Option(help="A saved split.json to use.")] = None,
    backbone: Annotated[
        str | None,
        typer.Option(help="B's: EfficientNetLite0 (default), EfficientNetLite2 or a name of keras.applications."),
    ] = None,
    backbone_weights: Annotated[
        str | None, typer.Option(help="`imagenet` (packaged or downloaded), `random`, or an offline file.")
    ] = None,
    taught_by: Annotated[
        list[Path] | None,
        typer.Option(
            help="A model of `agegender run` whose answers to each augmented image are half of its targets; "
            "repeatable. It must have learnt on the same split."
        ),
    ] = None,
    start_from: Annotated[
        list[Path] | None,
        typer.Option(
            help="A run whose models did the recipe's first phases: go on from them, on the same split or, with "
            "--train-on all, on every image. Repeatable: the mean of the weights of several seeds' models is the "
            "start, which suits Model B, whose seeds share their ImageNet start. A whole training is saved anew where "
            "a value of the saved file alone differs (network.soften_noise)."
        ),
    ] = None,
    again: Annotated[
        int,
        typer.Option(
            help="With --start-from: do so many of the last phases that it did once more; --set may give them other "
            "values.",
            min=0,
        ),
    ] = 0,
    phases: Annotated[
        int | None, typer.Option(help="Do only so many of the recipe's phases, from the first.", min=1)
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of each model's last phase, in place of the recipe's.", min=1)
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a value of a recipe: --set A.batch_size=32 --set B.network.dropout=0.4"),
    ] = None,
    corrections: Annotated[
        Path | None,
        typer.Option(
            help="A corrections.csv, as `agegender audit` writes one: files of --data to drop, labels to change. What "
            "was done is recorded; --test is never corrected."
        ),
    ] = None,
    gender_codes: Annotated[str | None, typer.Option(help=GENDER_CODES_HELP)] = None,
    strict_size: Annotated[
        bool, typer.Option("--strict-size", help="Reject images that are not 128 x 128 instead of resizing.")
    ] = False,
    allow_rejected: Annotated[
        bool, typer.Option("--allow-rejected", help="Go on even if over 10 % of the files cannot be used.")
    ] = False,
) -> None:
    """Train Model A from scratch and Model B from ImageNet, measure both, and draw what happened.

    With no --data it draws 1,200 labelled faces itself and trains on those, in a few minutes on two CPU cores.
    Stop it at any time; the same command with --resume goes on after the last finished epoch.
    """
    import dataclasses

    from agegender.backend import require_backend

    require_backend()
    from agegender.pipeline import RunSettings

    letters = _models(models)
    if train_on not in ("split", "all"):
        raise SettingError(f"--train-on is `split` or `all`. Received: {train_on}")
    changes = parse_changes(change or [], letters, backbone, backbone_weights)
    if epochs is not None:
        for letter in letters:
            changes.setdefault(letter, []).append(("phases.-1.epochs", str(epochs)))
    settings = RunSettings(
        out=out,
        data=data,
        test=test,
        models=letters,
        seed=seed,
        validation_fraction=validation_fraction,
        train_on_all=train_on == "all",
        split_file=split,
        taught_by=tuple(taught_by or ()),
        start_from=tuple(start_from or ()),
        again=again,
        phases=phases,
        changes={letter: tuple(pairs) for letter, pairs in changes.items()},
        resume=resume,
        distribute=distribute,
        corrections=corrections,
        gender_codes=parse_gender_codes(gender_codes),
        strict_size=strict_size,
        allow_rejected=allow_rejected,
    )
    if folds is None:
        _run_and_tell(settings)
        return
    if folds < 2 or settings.train_on_all or split is not None:
        raise SettingError("--folds takes 2 or more, and neither --train-on all nor --split.")
    for number in range(1, folds + 1):
        messages.print(f"Fold {number} of {folds}")
        _run_and_tell(dataclasses.replace(settings, out=out / f"fold-{number}-of-{folds}", fold=(number, folds)))


def _models(text: str) -> tuple[str, ...]:
    from agegender.run_folder import MODELS

    letters = tuple(letter for letter in MODELS if letter in text.upper())
    if not letters or set(text.upper()) - set(MODELS) - set(", "):
        raise SettingError(f"--models is A, B or AB. Received: {text}")
    return letters


def parse_changes(
    change: list[str], letters: tuple[str, ...], backbone: str | None, backbone_weights: str | None
) -> dict[str, list[tuple[str, str]]]:
    """What `--set` and the options of the backbone change in each model's recipe: path and text.

    Raises:
        SettingError: A change is not MODEL.NAME=VALUE of a model that is trained.
    """
    changes: dict[str, list[tuple[str, str]]] = {}
    for text in change:
        path, equals, value = text.partition("=")
        letter, dot, rest = path.partition(".")
        if not (equals and dot and rest and letter in letters):
            raise SettingError(
                f"--set takes MODEL.NAME=VALUE such as A.batch_size=32, with a model that is trained "
                f"({', '.join(letters)}). Received: {text}"
            )
        changes.setdefault(letter, []).append((rest, value))
    for name, value in (("backbone", backbone), ("weights", backbone_weights)):
        if value is not None:
            if "B" not in letters:
                raise SettingError(f"--{'backbone' if name == 'backbone' else 'backbone-weights'} is about Model B.")
            changes.setdefault("B", []).append((f"network.{name}", value))
    return changes


def _run_and_tell(settings: object) -> None:
    """Run and print what came out, and where it stands."""
    from agegender.cli.evaluation_tables import print_evaluation
    from agegender.pipeline import RunSettings, run

    assert isinstance(settings, RunSettings)
    result = run(settings, announce=lambda line: messages.print(line, soft_wrap=True, markup=False), progress=progress)
    if result.evaluation is not None:
        print_evaluation(result.evaluation, console)
        console.print(f"Measured on the {result.measured_on} images.")
    if (constant := result.constant) is not None:
        console.print(
            f"For comparison, one answer to all of them ({constant.age:.0f} years, "
            f"{'female' if constant.female else 'male'}): {constant.mae:.2f} years, {constant.gender_accuracy:.1%}.",
            soft_wrap=True,
        )
    folder = result.folder
    console.print("Wrote", style="bold")
    for model in settings.models:
        console.print(f"  {folder.model(model)}", soft_wrap=True)
    for path in (folder.metrics, folder.predictions, folder.split, folder.rejected):
        if path.exists():
            console.print(f"  {path}", soft_wrap=True)
    console.print(f"  {folder.figures}: {len(result.figures)} pictures", soft_wrap=True)
    if result.drawn:
        console.print("Drawn faces: these figures show that the software works; they say nothing about people.")
