"""Planted runs, their facts and their reports, each made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from agegender.reporting.report import Document, RunFacts, gather_facts


@pytest.fixture(scope="session")
def planted_run(planted: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the folder of a planted run by its name in `planted.RUNS`."""
    return cache(lambda name: planted.plant(tmp_path_factory.mktemp("planted") / "run", **planted.RUNS[name]))


@pytest.fixture(scope="session")
def planted_facts(planted_run: Callable[[str], Path]) -> Callable[[str], RunFacts]:
    """Gives the facts of a planted run."""
    return cache(lambda name: gather_facts(planted_run(name)))


@pytest.fixture(scope="session")
def composer(planted: ModuleType) -> Callable[[RunFacts], Document]:
    """Composes a report of any facts."""
    return planted.compose


@pytest.fixture(scope="session")
def planted_document(
    composer: Callable[[RunFacts], Document], planted_facts: Callable[[str], RunFacts]
) -> Callable[[str], Document]:
    """Gives the report of a planted run."""
    return cache(lambda name: composer(planted_facts(name)))


@pytest.fixture(scope="session")
def planter(planted: ModuleType) -> Callable[..., Path]:
    """Writes a run folder: `planted.plant`."""
    return planted.plant
