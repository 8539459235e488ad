"""What belongs to a machine is taken out of a notebook's outputs; what does not stays."""

from __future__ import annotations

import nbformat.v4
import pytest

from agegender.notebook.clean import clean, without_paths


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Wrote /data/of/me/runs/one/age_gender_A.keras now", "Wrote RUN/age_gender_A.keras now"),
        ("/data/of/me/runs/one", "RUN"),
        ("/data/of/me/runs/one-more/x.json", "x.json"),
        ('File "/usr/lib/python3.11/os.py", line 3', 'File "os.py", line 3'),
        (r"C:\Users\someone\faces\1.jpg is no image", "1.jpg is no image"),
        ("A 3/50 | 1/2 and/or 12 / 4", "A 3/50 | 1/2 and/or 12 / 4"),
        ("https://example.org/a/b.html", "https://example.org/a/b.html"),
        ("<td>1</td></tr></table>", "<td>1</td></tr></table>"),
        ("runs/notebook/A/history.csv", "runs/notebook/A/history.csv"),
    ],
)
def test_paths_in_texts(text: str, left: str) -> None:
    assert without_paths(text, {"/data/of/me/runs/one": "RUN"}) == left


def test_a_notebook_keeps_text_pictures_and_tags_and_nothing_else() -> None:
    cell = nbformat.v4.new_code_cell("1", metadata={"tags": ["keras"], "execution": {"iopub": "12:00"}})
    cell.outputs = [
        nbformat.v4.new_output("stream", text="read /home/someone/faces/a.jpg\n"),
        nbformat.v4.new_output("display_data", data={"image/png": "AA/home/x/y", "text/plain": "</home/x/y>"}),
    ]
    notebook = nbformat.v4.new_notebook(
        cells=[cell],
        metadata={
            "accelerator": "GPU",
            "authors": [{"name": "someone"}],
            "language_info": {"name": "python", "version": "3"},
        },
    )
    clean(notebook)
    nbformat.validate(notebook)
    assert notebook.metadata == {
        "accelerator": "GPU",
        "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
    }
    assert notebook.cells[0].metadata == {"tags": ["keras"]}
    assert notebook.cells[0].outputs[0].text == "read a.jpg\n"
    assert notebook.cells[0].outputs[1].data["image/png"] == "AA/home/x/y"
