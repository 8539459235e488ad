"""The notebook is executed: its cells without Keras here, all of it in the long test; faults leave nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

from agegender.notebook.execute import NotebookError, execute_notebook, write_source
from agegender.notebook.source import KERAS_TAG

SMALL = {
    "A": [
        ["phases.0.epochs", "1"], ["curve_images", "16"], ["batch_size", "16"], ["network.side", "64"],
        ["network.stem_channels", "[8, 8]"], ["network.stage_channels", "[8, 16, 16]"],
        ["network.stage_blocks", "[1, 1, 1]"],
    ],
    "B": [["curve_images", "16"], ["batch_size", "16"], ["network.side", "128"]],
}  # fmt: skip
"""One phase of one epoch and, for A, the smallest network; B's weights are of one size."""


def read(path: Path) -> tuple[nbformat.NotebookNode, str]:
    """A notebook, and the text of all its outputs."""
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return notebook, "\n".join(
        output.get("text", "")
        + "".join(output.get("data", {}).get(kind, "") for kind in ("text/plain", "text/markdown"))
        for output in outputs
    )


def test_the_cells_without_keras(drawn_folder: Path, tmp_path: Path) -> None:
    said: list[str] = []
    parameters = {"data": str(drawn_folder), "train_in": str(tmp_path / "run"), "changes": SMALL, "phases": 1}
    out = execute_notebook(tmp_path / "light.ipynb", parameters, skip_tags=(KERAS_TAG,), announce=said.append)
    notebook, text = read(out)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) >= 8
    assert all(cell.outputs for cell in code)
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert "48 faces that the package draws" in text
    assert "validate." in text
    assert "As in agegender.training.augment" in text
    assert str(tmp_path) not in out.read_text(encoding="utf-8")
    assert str(drawn_folder) not in out.read_text(encoding="utf-8")
    assert "DATA: 48 faces, 0 files rejected" in said
    assert (tmp_path / "run" / "run.json").is_file()


def test_a_cell_that_fails_is_told_with_its_number_and_source_and_leaves_no_notebook(tmp_path: Path) -> None:
    parameters = {"run": str(tmp_path / "no_run")}
    with pytest.raises(NotebookError) as failure:
        execute_notebook(tmp_path / "out" / "failed.ipynb", parameters, skip_tags=(KERAS_TAG,))
    said = str(failure.value)
    assert said.startswith("Code cell 5 of ")
    assert "    import logging" in said
    assert "InputError: RUN is no run folder" in said
    assert str(tmp_path) not in said
    assert not list((tmp_path / "out").iterdir())


def test_the_source_is_written_as_a_script_or_as_cells(tmp_path: Path) -> None:
    script = write_source(tmp_path / "notebook.py")
    assert "# %% [markdown]" in script.read_text(encoding="utf-8")
    cells = nbformat.read(write_source(tmp_path / "notebook.ipynb"), as_version=4).cells
    assert not any(cell.get("outputs") for cell in cells)
    assert write_source(tmp_path / "again.ipynb").read_bytes() == (tmp_path / "notebook.ipynb").read_bytes()


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_it_trains_both_models_and_then_shows_that_run_as_it_is_shipped(
    drawn_folder: Path, tmp_path: Path, script: Callable[[str], ModuleType]
) -> None:
    run = tmp_path / "run"
    parameters = {"data": str(drawn_folder), "train_in": str(run), "changes": SMALL, "phases": 1}
    said: list[str] = []
    trained, text = read(execute_notebook(tmp_path / "trained.ipynb", parameters, announce=said.append))
    assert [line for line in said if line.startswith("A   1/1")]
    assert all(cell.outputs for cell in trained.cells if cell.cell_type == "code")
    assert text.count("is the network of step 2A: True") == text.count("is the network of step 2B: True") == 1
    assert text.count("keeps the contract") == 2
    assert "differ from" not in text
    assert json.loads((run / "run.json").read_text())["finished"]
    before = {path: path.read_bytes() for path in run.rglob("*.keras")}

    shipped = tmp_path / "models"
    script("ship").ship(dict.fromkeys("AB", (run, run)), run, shipped)
    _, shown = read(execute_notebook(tmp_path / "shown.ipynb", {"run": str(shipped)}))
    assert "Nothing is trained here" in shown
    assert "drawn by the package stand for them" in shown
    assert "none of them is shown" in shown
    metrics = json.loads((run / "metrics.json").read_text())
    for result in metrics["results"]:
        assert f"{result['figures']['mae']['value']:.2f} (" in shown
    assert before == {path: path.read_bytes() for path in run.rglob("*.keras")}
    for name in ("trained", "shown"):
        assert str(tmp_path) not in (tmp_path / f"{name}.ipynb").read_text(encoding="utf-8")
