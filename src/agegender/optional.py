"""Imports that need an extra, with one clear error, and imports that wait until a name is asked for."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from agegender.errors import MissingExtraError

DATA = "data"
"""The extra of all that reads labelled data."""

_DATA_MODULES = ("pandas", "pyarrow")


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
        raise _missing(module, extra, error) from error


@contextlib.contextmanager
def explained_imports() -> Iterator[None]:
    """Around what imports modules of labelled data: thirty of them say `import pandas`, and none explains its absence.

    Raises:
        MissingExtraError: pandas or pyarrow is not installed; the message holds the command to run.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in _DATA_MODULES:
            raise
        raise _missing(module, DATA, error) from error


def _missing(module: str, extra: str, error: ImportError) -> MissingExtraError:
    return MissingExtraError(
        f"{module} is not installed, and this needs it. Run: pip install 'agegender[{extra}]' ({error})"
    )


def lazy_attributes(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's `__getattr__` and `__dir__` (PEP 562) that import a name's module when it is first asked for.

    Args:
        package: Its `__name__`.
        homes: By public name, the module inside the package that holds it.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with explained_imports():
            home = importlib.import_module(f"{package}.{homes[name]}")
        return getattr(home, name)

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, names
