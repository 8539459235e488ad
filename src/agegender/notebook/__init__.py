"""The notebook room: its source, generated from the package; its execution; and what its cells call.

Names are looked up when they are first used, so that the source is made without Keras, matplotlib or Jupyter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agegender.optional import lazy_attributes

if TYPE_CHECKING:
    from agegender.notebook.colab import copy_once
    from agegender.notebook.display import show, tell
    from agegender.notebook.execute import execute_notebook
    from agegender.notebook.shown_code import confirm_shown
    from agegender.notebook.source import notebook_source
    from agegender.notebook.work import Work, open_work

__all__ = ["Work", "confirm_shown", "copy_once", "execute_notebook", "notebook_source", "open_work", "show", "tell"]

_HOMES = {
    "Work": "work",
    "confirm_shown": "shown_code",
    "copy_once": "colab",
    "execute_notebook": "execute",
    "notebook_source": "source",
    "open_work": "work",
    "show": "display",
    "tell": "display",
}

__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
