"""A notebook as it is passed on: no machine's paths, no times of day, no ids of chance."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEPT_OF_NOTEBOOK = ("accelerator", "colab", "kernelspec")
KEPT_OF_CELLS = ("tags",)

_READABLE = ("text/plain", "text/html", "text/markdown")

_PATH = re.compile(r"(?<![\w:/.<~])/(?:[\w.+@-]+/)+([\w.+@-]+)")
"""An absolute path with a folder in it; no address, no closing tag, no `1/50` and no `and/or`."""

_WINDOWS_PATH = re.compile(r"\b[A-Za-z]:\\(?:[^\\\s:\"'<>|]+\\)*([^\\\s:\"'<>|]+)")


def clean(notebook: Any, names: Mapping[str, str] | None = None) -> None:
    """Take out of an executed notebook what belongs to the machine it ran on.

    Args:
        notebook: An nbformat 4 notebook, changed in place.
        names: Folders, as absolute paths, to the short names that stand for them in outputs.
    """
    notebook.metadata = type(notebook.metadata)(
        {key: notebook.metadata[key] for key in KEPT_OF_NOTEBOOK if key in notebook.metadata}
        | {"language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}}
    )
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
        cell.metadata = type(cell.metadata)({key: cell.metadata[key] for key in KEPT_OF_CELLS if key in cell.metadata})
        for output in cell.get("outputs", ()):
            _clean_output(output, names or {})


def without_paths(text: str, names: Mapping[str, str] | None = None) -> str:
    """A text in which known folders have their short names, and of any other absolute path only the last part is left.

    Args:
        text: Of an output.
        names: Folders, as absolute paths, to what they are called.
    """
    known = dict(names or {}) | {sys.prefix: "python", str(Path.home()): "~"}
    for path in sorted(known, key=len, reverse=True):
        if len(path) > 1:  # a home of "/" is no folder to hide
            text = re.sub(rf"(?<![\w/.]){re.escape(path)}(?![\w-])", known[path], text)
    return _WINDOWS_PATH.sub(r"\1", _PATH.sub(r"\1", text))


def _clean_output(output: Any, names: Mapping[str, str]) -> None:
    if "text" in output:
        output["text"] = without_paths(output["text"], names)
    for kind in _READABLE:
        if kind in output.get("data", {}):
            output["data"][kind] = without_paths(output["data"][kind], names)
