"""`agegender notebook`: the executed notebook of the brief, or its source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agegender.cli.gender_codes import HELP as GENDER_CODES_HELP
from agegender.cli.gender_codes import parse_gender_codes

DEFAULT_NAME = "age_gender_submit"


def notebook_command(
    run: Annotated[
        Path | None,
        typer.Argument(help="A finished run to show. Without it, the notebook trains.", show_default=False),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Labelled faces to show and to train on. Without it, drawn faces.")
    ] = None,
    test: Annotated[Path | None, typer.Option(help="Other labelled faces to measure on; never trained on.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help=f"The file to write [default: {DEFAULT_NAME}.ipynb].")
    ] = None,
    source_only: Annotated[
        bool, typer.Option("--source-only", help="Write the source, a .py script or an .ipynb, and execute nothing.")
    ] = False,
    train_in: Annotated[
        Path, typer.Option(help="Where the run stands that the notebook trains; a stopped one goes on.")
    ] = Path("runs/notebook"),
    seed: Annotated[int, typer.Option(help="Of split, weights, order and augmentation.")] = 1,
    phases: Annotated[
        int | None, typer.Option(help="Do only so many of the recipes' phases, from the first.", min=1)
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of each model's last phase, in place of the recipe's.", min=1)
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="Change a value of a recipe: --set A.batch_size=32")
    ] = None,
    gender_codes: Annotated[str | None, typer.Option(help=GENDER_CODES_HELP)] = None,
) -> None:
    """Execute the notebook of the brief, with every output kept: a finished RUN shown, or both models trained.

    Pictures show the images of --data; without it they show drawn faces, so that the notebook can be passed on with no
    person's face in it.

    Example: agegender notebook runs/mine --data faces/train_val --out age_gender_submit.ipynb
    """
    from agegender.backend import require_backend
    from agegender.cli.console import console, messages, progress
    from agegender.cli.run import parse_changes
    from agegender.errors import SettingError
    from agegender.notebook.execute import execute_notebook, write_source
    from agegender.optional import require
    from agegender.run_folder import MODELS

    out = out or Path(f"{DEFAULT_NAME}.py" if source_only else f"{DEFAULT_NAME}.ipynb")
    if source_only:
        console.print(f"Wrote {write_source(out)}", soft_wrap=True, markup=False)
        return
    if out.suffix != ".ipynb":
        raise SettingError(
            f"An executed notebook is an .ipynb. Received: {out}. Give --out NAME.ipynb or --source-only."
        )
    changes = parse_changes(change or [], MODELS, None, None)
    for model in MODELS if epochs is not None else ():
        changes.setdefault(model, []).append(("phases.-1.epochs", str(epochs)))
    if run is not None and (changes or phases is not None):
        raise SettingError("A finished run has its recipes: --set, --phases, --epochs are for a notebook that trains.")
    require_backend()
    require("matplotlib", "report")

    def absolute(path: Path | None) -> str:
        return str(path.absolute()) if path is not None else ""

    parameters = {
        "data": absolute(data),
        "test": absolute(test),
        "run": absolute(run),
        "train_in": absolute(train_in),
        "seed": seed,
        "changes": changes,
        "phases": phases,
        "gender_codes": parse_gender_codes(gender_codes),
    }
    written = execute_notebook(
        out, parameters, announce=lambda line: messages.print(line, soft_wrap=True, markup=False), progress=progress
    )
    console.print(f"Wrote {written} ({written.stat().st_size / 1e6:.1f} MB)", soft_wrap=True, markup=False)
