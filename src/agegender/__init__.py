"""agegender: from a folder of labelled face images to two trained, measured, contract-tested Keras models.

The base install holds data, metrics and the command line; training needs the extras `train` and one backend.
Heavy modules are imported where they are used, so that `import agegender` stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agegender.inference.pipeline import load
    from agegender.shipped import load_keras

__version__ = "0.1.0"

__all__ = ["__version__", "load", "load_keras"]


def __getattr__(name: str) -> Any:
    if name == "load_keras":
        return importlib.import_module("agegender.shipped").load_keras
    if name == "load":
        return importlib.import_module("agegender.inference.pipeline").load
    raise AttributeError(f"module 'agegender' has no attribute {name!r}")
