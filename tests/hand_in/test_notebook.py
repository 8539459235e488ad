"""What a notebook's cells must show, and which cells belong to which step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agegender.artifacts import write_json
from agegender.errors import InputError
from agegender.hand_in.notebook import Cell, read_notebook


def cell(source: str, **values: Any) -> Cell:
    return Cell(**{"number": 1, "kind": "code", "count": 1, "outputs": (), "metadata": {}} | values, source=source)


@pytest.mark.parametrize(
    "source",
    [
        "print(1)",
        "x = 2\nmodel.summary()",
        "for i in x:\n    print(i)",
        "!pip install keras\nplt.show()",
        "display(x)",
    ],
)
def test_cells_that_must_show_something(source: str) -> None:
    assert cell(source).must_show


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "model.save('a.keras')",
        "def f():\n    print(1)",
        "if x:\n    print(1)",
        "%%capture\nprint(1)",
        "not python at all (",
        "x",
    ],
)
def test_cells_that_may_show_nothing(source: str) -> None:
    assert not cell(source).must_show


def test_comments_and_empty_cells_are_no_code() -> None:
    assert not cell("# nothing\n\n").is_code
    assert not cell("print(1)", kind="markdown").is_code
    assert cell("# why\nx = 1").is_code


def test_pictures_come_as_images_and_in_html() -> None:
    outputs = (
        {"data": {"image/svg+xml": "<svg/>"}},
        {"data": {"text/html": ["<p>", "<img src='data:'>"]}},
        {"data": {"text/html": "<table>"}},
        {"output_type": "stream", "text": "x"},
    )
    assert cell("x", outputs=outputs).pictures == 2


def notebook_file(folder: Path, *cells: tuple[str, str]) -> Path:
    content = [
        {"cell_type": kind, "source": source, "metadata": {}} | ({"outputs": []} if kind == "code" else {})
        for kind, source in cells
    ]
    return write_json(folder / "n.ipynb", {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": content})


def test_a_step_reaches_to_the_next_steps_heading(tmp_path: Path) -> None:
    path = notebook_file(
        tmp_path,
        ("markdown", "# Set-up"),
        ("code", "a = 1"),
        ("markdown", "## Step 2 (A): my CNN"),
        ("markdown", "### Details"),
        ("code", "b = 2"),
        ("code", "# Step 3A: train\nc = 3"),
        ("markdown", "Step 5 is mentioned in a sentence only."),
    )
    steps = {key: [one.source for one in cells] for key, cells in read_notebook(path).steps().items()}
    assert steps == {"set-up": ["a = 1"], "2A": ["b = 2"], "3A": ["# Step 3A: train\nc = 3"]}


@pytest.mark.parametrize(
    "content", ["", "[]", '{"nbformat": 4}', '{"nbformat": 3, "cells": []}', '{"nbformat":4,"cells":[1]}']
)
def test_what_is_no_notebook_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(content)
    with pytest.raises(InputError, match=r"n\.ipynb is"):
        read_notebook(path)
