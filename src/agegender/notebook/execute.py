"""Execute the notebook cell by cell in a kernel of the running interpreter, and write it with all outputs."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agegender.artifacts import explained_writes, write_text
from agegender.errors import AgegenderError, Interrupted
from agegender.notebook.clean import clean, without_paths
from agegender.notebook.source import notebook_source
from agegender.optional import require
from agegender.types import Announce, Progress, nobody, silent

if TYPE_CHECKING:
    from nbformat import NotebookNode

EXTRA = "notebook"
PARAMETERS = "AGEGENDER_NOTEBOOK"
"""The environment variable in which the first cell finds what the command was given, as JSON: no path enters a cell."""

TOLD_TAG = "told"
"""Marks the cells whose lines are announced while they run: those that take minutes."""

START_SECONDS = 120
SOURCE_LINES_TOLD = 12


class NotebookError(AgegenderError):
    """A cell of the notebook ended in an error."""


def source_notebook() -> NotebookNode:
    """The notebook without outputs, from its source.

    Raises:
        MissingExtraError: jupytext is not installed.
    """
    return require("jupytext", EXTRA).reads(notebook_source(), fmt="py:percent")


def write_source(out: Path) -> Path:
    """Write the source alone: a percent script, or cells without outputs where the name ends in `.ipynb`.

    Raises:
        MissingExtraError: A notebook is asked for and jupytext is not installed.
        OutputError: The file cannot be written.
    """
    if out.suffix != ".ipynb":
        return write_text(out, notebook_source())
    notebook = source_notebook()
    clean(notebook)
    return write_text(out, _as_text(notebook))


def execute_notebook(
    out: Path,
    parameters: Mapping[str, Any],
    *,
    skip_tags: Collection[str] = (),
    announce: Announce = nobody,
    progress: Progress = silent,
) -> Path:
    """Execute the notebook and write it with its outputs, whole or not at all.

    Args:
        out: The `.ipynb` to write.
        parameters: For the first cell: `data`, `test`, `run`, `train_in`, `seed`, `changes`, `phases`, `gender_codes`.
        skip_tags: Cells with one of these tags are left out of the notebook.
        announce: Takes the lines that long cells print, while they print them.
        progress: Shows how many cells are done.

    Raises:
        NotebookError: A cell failed; the message holds its number, its text and its error.
        Interrupted: The user pressed Ctrl-C; a training goes on from its checkpoint.
        OutputError: The file cannot be written.
        MissingExtraError: The extra `notebook` is not installed.
    """
    for module in ("nbclient", "nbformat", "ipykernel"):
        require(module, EXTRA)
    notebook = source_notebook()
    notebook.cells = [cell for cell in notebook.cells if not set(skip_tags) & set(cell.metadata.get("tags", ()))]
    with explained_writes(out):  # before the long part
        out.parent.mkdir(parents=True, exist_ok=True)
    names = _short_names(parameters)
    try:
        _run_cells(notebook, parameters, names, announce, progress)
    except KeyboardInterrupt:
        raise Interrupted(
            "No notebook was written. A training that had begun goes on after its last finished epoch with the same "
            "command."
        ) from None
    clean(notebook, names)
    return write_text(out, _as_text(notebook))


def _run_cells(
    notebook: NotebookNode,
    parameters: Mapping[str, Any],
    names: Mapping[str, str],
    announce: Announce,
    progress: Progress,
) -> None:
    """Execute every code cell in order; outputs are put into the notebook."""
    from nbclient.exceptions import CellExecutionError, DeadKernelError  # noqa: PLC0415 - of an extra

    client = _client(notebook, announce)
    numbered = [(index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    environment = os.environ | {PARAMETERS: json.dumps(parameters), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    with client.setup_kernel(env=environment, cwd=str(Path.cwd())):
        for number, (index, cell) in enumerate(progress(numbered, total=len(numbered), title="Executing cells"), 1):
            try:
                client.execute_cell(cell, index, execution_count=number)
            except CellExecutionError as error:
                told = without_paths(f"{error.ename}: {error.evalue}", names)
                raise NotebookError(_failed(number, len(numbered), cell.source, told)) from None
            except DeadKernelError:
                told = "its process died, perhaps for want of memory"
                raise NotebookError(_failed(number, len(numbered), cell.source, told)) from None


def _client(notebook: NotebookNode, announce: Announce) -> Any:
    """An nbclient whose kernel is this interpreter and which tells what cells print while they print it."""
    import nbclient  # noqa: PLC0415
    import zmq  # noqa: PLC0415
    from ipykernel.kernelspec import get_kernel_dict  # noqa: PLC0415
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager  # noqa: PLC0415
    from jupyter_client.manager import AsyncKernelManager  # noqa: PLC0415

    class ThisInterpreter(KernelSpecManager):
        """Knows one kernel, whatever is installed for the user."""

        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            del kernel_name
            return KernelSpec(**get_kernel_dict())

    class TellingClient(nbclient.NotebookClient):
        def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
            if msg["msg_type"] == "stream" and TOLD_TAG in notebook.cells[cell_index].metadata.get("tags", ()):
                for line in msg["content"]["text"].splitlines():
                    announce(line)
            return super().output(outs, msg, display_id, cell_index)

    logging.getLogger("traitlets").setLevel(logging.ERROR)
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=ThisInterpreter())
    if "transport_encryption" in manager.trait_names() and zmq.has("curve"):  # else the kernel warns of plain TCP
        manager.transport_encryption = "auto"
    client = TellingClient(
        notebook,
        km=manager,
        timeout=None,  # a training takes as long as it takes
        startup_timeout=START_SECONDS,
        record_timing=False,
        coalesce_streams=True,
    )
    client.owns_km = True  # so that leaving the context ends the kernel
    return client


def _short_names(parameters: Mapping[str, Any]) -> dict[str, str]:
    called = {"data": "DATA", "test": "TEST", "run": "RUN", "train_in": "RUN"}
    given = {str(Path(parameters[key]).absolute()): name for key, name in called.items() if parameters.get(key)}
    return given | {str(Path.cwd()): "."}


def _failed(number: int, of: int, source: str, error: str) -> str:
    lines = source.strip().splitlines()
    shown: Iterable[str] = lines[:SOURCE_LINES_TOLD]
    more = f"\n    ... ({len(lines) - SOURCE_LINES_TOLD} more lines)" if len(lines) > SOURCE_LINES_TOLD else ""
    text = "\n".join(f"    {line}" for line in shown)
    return f"Code cell {number} of {of} failed, and no notebook was written.\n{text}{more}\n{error}"


def _as_text(notebook: NotebookNode) -> str:
    nbformat = require("nbformat", EXTRA)
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4) + "\n"
