"""Whether guarantees hold: many small simulated worlds with a known truth, seeded, compared with exact bounds."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def too_many() -> Callable[[int, int, float], bool]:
    """Whether so many failures in so many worlds contradict a failure rate; wrong once in 10,000 tests."""

    def contradicts(failures: int, worlds: int, rate: float) -> bool:
        tail = sum(math.comb(worlds, k) * rate**k * (1 - rate) ** (worlds - k) for k in range(failures, worlds + 1))
        return tail < 1e-4

    return contradicts
