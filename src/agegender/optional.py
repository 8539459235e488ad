"""Imports that need an extra: one clear error instead of a bare ImportError."""

from __future__ import annotations

import importlib
from types import ModuleType

from agegender.errors import MissingExtraError


def require(module: str, extra: str) -> ModuleType:
    """Import a module of an optional extra.

    Args:
        module: What to import, such as `matplotlib.pyplot`.
        extra: The extra of this package that brings it.

    Raises:
        MissingExtraError: It is not installed; the message holds the command to run.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{module} is not installed, and this needs it. Run: pip install 'agegender[{extra}]' ({error})"
        ) from error
