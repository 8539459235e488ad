"""The notebook: run from top to bottom, no output cleared, no error, every step there with what it must show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from agegender.brief import NOTEBOOK_STEPS
from agegender.errors import InputError
from agegender.hand_in.criteria import NOTEBOOK_FILE, failed, passed
from agegender.hand_in.folder import HandInFolder
from agegender.hand_in.notebook import Cell, Notebook, read_notebook
from agegender.hand_in.result import Finding

STEPS_WITH_PICTURES = ("samples", "1", "2A", "4A", "2B", "4B")
"""Sample images, augmented images, drawn architectures, learning curves."""

SHOWN = 10
"""Cells that are named before the rest is counted."""

_TRACEBACK = "Traceback (most recent call last)"


def check_notebook(folder: HandInFolder) -> Iterator[Finding]:
    """Look at the notebook."""
    path = folder.notebook
    if path is None:
        others = ", ".join(other.name for other in folder.of_kind(".ipynb"))
        yield failed(
            "notebook_file", f"It is not there. {f'There is {others}.' if others else 'No notebook is there.'}"
        )
        return
    try:
        notebook = read_notebook(path)
    except InputError as error:
        yield failed("notebook_file", str(error))
        return
    if not notebook.code:
        yield failed("notebook_file", f"{NOTEBOOK_FILE} holds no code.")
        return
    yield passed("notebook_file", f"{len(notebook.cells)} cells, {len(notebook.code)} of code")
    yield _outputs(notebook)
    yield _order(notebook)
    yield _errors(notebook)
    yield from _steps(notebook)


def _outputs(notebook: Notebook) -> Finding:
    not_run = [cell for cell in notebook.code if cell.count is None]
    cleared = [cell for cell in notebook.code if cell.count is not None and cell.must_show and not cell.outputs]
    if not not_run and not cleared:
        return passed("notebook_outputs", f"all {len(notebook.code)} cells were run and show what they print")
    parts = [f"not run or cleared: {_numbers(not_run)}"] if not_run else []
    parts += [f"run, but what it shows was cleared: {_numbers(cleared)}"] if cleared else []
    return failed("notebook_outputs", f"{'; '.join(parts)}. Each costs a mark, five at most.")


def _order(notebook: Notebook) -> Finding:
    run = [cell for cell in notebook.code if cell.count is not None]
    counts = [cell.count or 0 for cell in run]
    backwards = [
        f"cell {second.number} [{second.count}] after cell {first.number} [{first.count}]"
        for first, second in pairwise(run)
        if (second.count or 0) <= (first.count or 0)
    ]
    if backwards:
        return failed("notebook_order", f"{'; '.join(backwards[:4])}{' and more' if len(backwards) > 4 else ''}.")
    if not run:
        return failed("notebook_order", "No cell was run.")
    again = " (some were run more than once)" if counts[-1] - counts[0] >= len(notebook.code) else ""
    return passed("notebook_order", f"[{counts[0]}] to [{counts[-1]}], rising{again}")


def _errors(notebook: Notebook) -> Finding:
    wrong = [cell for cell in notebook.code if any(one.get("output_type") == "error" for one in cell.outputs)]
    traced = [cell for cell in notebook.code if cell not in wrong and _TRACEBACK in cell.output_text]
    if not wrong and not traced:
        return passed("notebook_errors", "none")
    names = [one.get("ename", "error") for cell in wrong for one in cell.outputs if one.get("output_type") == "error"]
    named = f" ({', '.join(dict.fromkeys(names))})" if names else ""
    return failed("notebook_errors", f"{_numbers([*wrong, *traced])}{named}")


def _steps(notebook: Notebook) -> Iterator[Finding]:
    steps = notebook.steps()
    for step in NOTEBOOK_STEPS:
        name, cells = f"step_{step.key}", steps.get(step.key)
        if cells is None:
            yield failed(name, "No heading names it.")
            continue
        pictures = sum(cell.pictures for cell in cells)
        if not cells:
            yield failed(name, "There is its heading, and no code before the next step's.")
        elif step.key in STEPS_WITH_PICTURES and not pictures:
            found = f"{_counted(len(cells), 'code cell')}, and no picture among the outputs."
            yield failed(name, found, "Show the step's picture with the code that makes it, and keep the output.")
        else:
            yield passed(name, f"{_counted(len(cells), 'code cell')}, {_counted(pictures, 'picture')}")


def _numbers(cells: Iterable[Cell]) -> str:
    numbers = [str(cell.number) for cell in cells]
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    return f"{'cell' if len(numbers) == 1 else 'cells'} {', '.join(numbers[:SHOWN])}{more}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
