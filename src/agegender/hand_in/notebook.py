"""A notebook as plain cells, read from its JSON: nbformat 4, https://nbformat.readthedocs.io/en/latest/format_description.html."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agegender.brief import NOTEBOOK_STEPS, NotebookStep
from agegender.errors import InputError

_IMAGE = re.compile(r"<(img|svg)\b", re.IGNORECASE)
_SHOWING_NAMES, _SHOWING_METHODS = {"print", "display"}, {"show", "summary"}


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        number: In the notebook, from 1, cells of text counted too.
        kind: `code`, `markdown` or `raw`.
        source: Its text.
        count: The number that running it gave it; None if it was not run, or cleared.
        outputs: As the file has them.
        metadata: As the file has it.
    """

    number: int
    kind: str
    source: str
    count: int | None
    outputs: tuple[dict[str, Any], ...]
    metadata: dict[str, Any]

    @property
    def is_code(self) -> bool:
        """Whether there is anything in it to run."""
        lines = (line.strip() for line in self.source.splitlines())
        return self.kind == "code" and any(line and not line.startswith("#") for line in lines)

    @property
    def must_show(self) -> bool:
        """Whether running it is sure to show something: it prints, displays or summarises outside any function."""
        if self.source.lstrip().startswith("%%"):
            return False  # a cell magic may swallow what is printed
        try:
            tree = ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", self.source, flags=re.MULTILINE))
        except SyntaxError:
            return False
        return any(map(_shows, _sure_statements(tree.body)))

    @property
    def pictures(self) -> int:
        """Pictures among its outputs."""
        return sum(map(_is_picture, self.outputs))

    @property
    def output_text(self) -> str:
        """The text among its outputs."""
        return "\n".join(_output_text(output) for output in self.outputs)


@dataclass(frozen=True)
class Notebook:
    """A notebook.

    Attributes:
        cells: In order.
        metadata: Of the whole.
    """

    cells: tuple[Cell, ...]
    metadata: dict[str, Any]

    @property
    def code(self) -> tuple[Cell, ...]:
        """The cells that there is something to run in."""
        return tuple(cell for cell in self.cells if cell.is_code)

    def steps(self) -> dict[str, tuple[Cell, ...]]:
        """By key of the brief's steps, the code cells from its heading to the next step's; absent ones left out."""
        starts = {step.key: number for step in NOTEBOOK_STEPS if (number := self._heading(step)) is not None}
        ends = [*sorted(starts.values()), len(self.cells) + 1]
        return {
            key: tuple(cell for cell in self.code if start <= cell.number < min(end for end in ends if end > start))
            for key, start in starts.items()
        }

    def _heading(self, step: NotebookStep) -> int | None:
        """The number of the first cell with a heading that names a step."""
        for cell in self.cells:
            if any(re.search(step.pattern, line, re.IGNORECASE) for line in _headings(cell)):
                return cell.number
        return None


def read_notebook(path: Path) -> Notebook:
    """Read a notebook file.

    Raises:
        InputError: It is no notebook of format 4.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["nbformat"] != 4:
            raise InputError(f"{path.name} is of notebook format {content['nbformat']}. Save it with a newer Jupyter.")
        cells = tuple(_cell(number, cell) for number, cell in enumerate(content["cells"], start=1))
        return Notebook(cells, content.get("metadata", {}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path.name} is no notebook that can be read ({type(error).__name__}: {error}).") from error


def _cell(number: int, cell: dict[str, Any]) -> Cell:
    return Cell(
        number=number,
        kind=cell["cell_type"],
        source=_joined(cell["source"]),
        count=count if isinstance(count := cell.get("execution_count"), int) else None,
        outputs=tuple(output for output in cell.get("outputs", ()) if isinstance(output, dict)),
        metadata=cell.get("metadata") or {},
    )


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _headings(cell: Cell) -> Iterator[str]:
    """Headings of a text cell, and `# Step ...` and `#@title ...` of a code cell."""
    pattern = r"^\s*#{1,6}\s*(\S.*)$" if cell.kind == "markdown" else r"^\s*#+\s*(@title\s.*|step\s*\d.*)$"
    if cell.kind in ("markdown", "code"):
        for match in re.finditer(pattern, cell.source, re.MULTILINE | re.IGNORECASE):
            yield match.group(1)


def _sure_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, ast.For | ast.With):
            yield from _sure_statements(statement.body)


def _shows(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    called = statement.value.func
    if isinstance(called, ast.Name):
        return called.id in _SHOWING_NAMES
    return isinstance(called, ast.Attribute) and called.attr in _SHOWING_METHODS


def _is_picture(output: dict[str, Any]) -> bool:
    data = output.get("data", {})
    return any(kind.startswith("image/") for kind in data) or bool(_IMAGE.search(_joined(data.get("text/html", ""))))


def _output_text(output: dict[str, Any]) -> str:
    data = output.get("data", {})
    parts = [output.get("text", ""), *(value for kind, value in data.items() if not kind.startswith("image/"))]
    parts += output.get("traceback", ())
    return "\n".join(_joined(part) if isinstance(part, str | list) else json.dumps(part) for part in parts)
