"""`agegender audit`: what is wrong with a folder of labelled faces."""

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
    from agegender.audit import AuditResult, Estimates, Faces


def audit_command(
    data: Annotated[str, typer.Argument(help="Labelled faces: a folder, archive or table.", show_default=False)],
    against: Annotated[
        str | None,
        typer.Option(
            "--against", help="Other labelled faces, such as test images, that must not share pictures with DATA."
        ),
    ] = None,
    predictions: Annotated[
        list[Path] | None,
        typer.Option(
            "--predictions",
            help="Answers of models to images of DATA that they did not learn from: a predictions.parquet, or the "
            "folder of `agegender run --folds`; repeatable. Labels are then doubted by these.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            help="A model file (.keras) to doubt labels with. Images that its run's split.json says it learnt from "
            "are left to plain features.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder for audit.html, findings.csv and .parquet, corrections.csv, audit.json."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the folds in which labels are estimated.")] = 0,
    gender_codes: Annotated[str | None, typer.Option(help=GENDER_CODES_HELP)] = None,
) -> None:
    """Find what is wrong with labelled faces: copies, contradicting and doubtful labels, leakage, poor pictures, gaps.

    Needs no model and no Keras. Every finding comes with its evidence and a suggestion; with --out there is a page to
    look at, with the pictures side by side, and a corrections.csv to edit, which `agegender run --corrections` applies.

    Example: agegender audit faces/train_val --against faces/test --out audit
    """
    from agegender.artifacts import explained_writes
    from agegender.optional import require

    require("faiss", "audit")  # that extra brings pandas too, which the rooms below would ask for first
    from agegender.audit import Faces, audit, estimates_from_predictions, save_audit
    from agegender.data.dataset import Dataset, load_dataset
    from agegender.data.readers import is_table

    # Everything that can be wrong with the request is found before the long part.
    for module in ("imagehash", "sklearn", "cleanlab", "jinja2"):
        require(module, "audit")
    if out is not None:
        with explained_writes(out):
            out.mkdir(parents=True, exist_ok=True)
    codes = parse_gender_codes(gender_codes)
    tables = any(is_table(source) for source in (data, against) if source is not None)

    def load(source: str) -> Dataset:
        # Codes are for tables; where there is none, the reader says so.
        dataset = load_dataset(
            source, gender_codes=codes if is_table(source) or not tables else None, progress=progress
        )
        for note in dataset.notes:
            messages.print(escape(note))
        return dataset

    faces = Faces(load(data), load(against) if against is not None else None)
    answers = [estimates_from_predictions(predictions, faces)] if predictions else []
    if model is not None:
        answers.append(_ask(model, faces))
    result = audit(faces, answers=answers, seed=seed, progress=progress)
    _print(result)
    if out is not None:
        written = save_audit(result, out)
        messages.print(f"Wrote {', '.join(path.name for path in written)} to {escape(str(out))}.")


def _ask(path: Path, faces: Faces) -> Estimates:
    """A model's answers to the images that it has not learnt from, as far as the files beside it tell."""
    import numpy as np

    from agegender.artifacts import read_json
    from agegender.audit import Estimates
    from agegender.backend import require_backend
    from agegender.errors import SettingError
    from agegender.evaluation import checked_file, load_model, predict_faces

    require_backend()
    checked_file(path)
    split = path.parent / "split.json"
    learnt = set(read_json(split)["train"]) if split.is_file() else set()
    if not learnt:
        messages.print(
            f"No split.json beside {escape(str(path))}: it is taken to have learnt from none of these images. If it "
            "has, it agrees with their labels, and wrong ones are missed."
        )
    files = faces.data.table["file"]
    rows = np.flatnonzero(~files.isin(list(learnt)).to_numpy())
    if not len(rows):
        raise SettingError(
            f"{path} has learnt from every image of {faces.data.source}, so that it cannot doubt their labels. Give "
            "--predictions of `agegender run --folds`, in which each image is answered by a model that has not."
        )
    answered = predict_faces(load_model(path), faces.data.images[rows], progress=progress)["rgb"]
    return Estimates(
        rows,
        np.asarray(answered.age, np.float64),
        np.asarray(answered.female_probability, np.float64),
        f"the answers of {path.name}",
        trusted=True,
    )


def _print(result: AuditResult) -> None:
    from agegender.cli.evaluation_tables import DRAWN_MARK

    drawn = f" ({DRAWN_MARK})" if result.faces.data.drawn else ""
    table = Table(
        title=f"Audit of {escape(result.faces.data.source)}: {result.faces.own:,} images{drawn}",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
    )
    table.add_column("problem")
    table.add_column("found", justify="right")
    table.add_column("the strongest", overflow="fold")
    for kind in result.kinds:
        findings = result.of_kind(kind.name)
        first = findings[0] if findings else None
        strongest = "" if first is None else f"{first.file}: {first.evidence}" if first.file else first.evidence
        table.add_row(kind.title, f"{len(findings):,}", escape(strongest))
    console.print(table)
    for note in result.notes:
        console.print(escape(note), soft_wrap=True)
