"""The source of the notebook: a template of text and calls, with the package's own code put where it names it."""

from __future__ import annotations

import re
from importlib import resources

from agegender.notebook.shown_code import shown_cell

TEMPLATE = "template.txt"

KERAS_TAG = "keras"
"""Marks the cells that need Keras; without them the rest can be tried in seconds."""

_SHOWN = re.compile(r"^# %% \[shown ([\w.]+)( keras)?\](?: (.*))?$", re.MULTILINE)
"""A line of the template that stands for a cell of code: a module, then the names to show, none for all of them."""


def notebook_source() -> str:
    """The notebook as a jupytext script in the percent format; the same package gives the same text.

    Raises:
        SettingError: The template names code that is not there.
    """
    template = resources.files("agegender.notebook").joinpath(TEMPLATE).read_text(encoding="utf-8")
    return _SHOWN.sub(_code_cell, template)


def _code_cell(found: re.Match[str]) -> str:
    module, needs_keras, names = found.groups()
    head = f'# %% tags=["{KERAS_TAG}"]' if needs_keras else "# %%"
    return f"{head}\n{shown_cell(module, [name.strip() for name in names.split(',')] if names else ())}"
