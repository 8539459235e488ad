"""The source in the repository is what the package generates, and the executed copy is that source with its outputs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

from agegender.notebook.source import notebook_source

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SOURCE, EXECUTED = NOTEBOOKS / "age_gender_submit.py", NOTEBOOKS / "age_gender_submit.ipynb"
STEPS = tuple(f"## Step {step}." for step in ("1", "2A", "3A", "4A", "2B", "3B", "4B", "5"))


def cells_of(notebook: nbformat.NotebookNode) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(cell.cell_type, cell.source, tuple(cell.metadata.get("tags", ()))) for cell in notebook.cells]


@pytest.fixture(scope="module")
def executed() -> nbformat.NotebookNode:
    return nbformat.read(EXECUTED, as_version=4)


def test_the_source_is_generated_byte_for_byte() -> None:
    assert SOURCE.read_text(encoding="utf-8") == notebook_source(), (
        "run: agegender notebook --source-only --out notebooks/age_gender_submit.py"
    )


def test_the_source_needs_neither_keras_nor_jupyter() -> None:
    program = (
        "import sys; from agegender.notebook import notebook_source; notebook_source(); "
        "print([m for m in ('keras', 'matplotlib', 'jupytext', 'nbformat', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_pass_through_jupytext_changes_nothing() -> None:
    text = notebook_source()
    assert jupytext.writes(jupytext.reads(text, fmt="py:percent"), fmt="py:percent") == text


def test_the_steps_stand_in_order_with_code_in_each() -> None:
    cells = cells_of(jupytext.reads(notebook_source(), fmt="py:percent"))
    heads = [index for step in STEPS for index, (_, text, _) in enumerate(cells) if text.startswith(step)]
    assert len(heads) == len(STEPS)
    assert heads == sorted(heads)
    for start, end in zip(heads, [*heads[1:], len(cells)], strict=True):
        assert any(kind == "code" for kind, _, _ in cells[start:end])
    for kind, text, _ in cells:
        if kind == "code":
            compile(text, "cell", "exec")


def test_a_gpu_runtime_is_asked_for() -> None:
    metadata = jupytext.reads(notebook_source(), fmt="py:percent").metadata
    assert metadata["accelerator"] == "GPU"


def test_source_and_executed_notebook_agree(executed: nbformat.NotebookNode) -> None:
    assert cells_of(executed) == cells_of(jupytext.reads(SOURCE.read_text(encoding="utf-8"), fmt="py:percent"))


def test_the_executed_notebook_is_whole_and_in_order(executed: nbformat.NotebookNode) -> None:
    nbformat.validate(executed)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        assert cell.outputs, cell.source
        assert not [output for output in cell.outputs if output.output_type == "error"]
    pictures = [output for cell in code for output in cell.outputs if "image/png" in output.get("data", {})]
    assert len(pictures) >= 2 + 2 + 8 + 6  # samples and augmentation, drawings, curves, evaluation
    assert all(output.metadata["image/png"]["alt"] for output in pictures)
    assert EXECUTED.stat().st_size < 6_000_000


def test_the_executed_notebook_names_no_machine_and_no_person(executed: nbformat.NotebookNode) -> None:
    assert set(executed.metadata) <= {"accelerator", "colab", "kernelspec", "language_info"}
    for cell in executed.cells:
        assert set(cell.metadata) <= {"tags"}
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop("image/png", None)
    text = json.dumps(executed, ensure_ascii=False)
    assert not re.findall(r"(?<![\w./])/(?:home|Users|root|tmp|work|opt|var|mnt|usr|private)/[\w.]+", text)
    assert "Traceback" not in text
    assert "Warning" not in text
