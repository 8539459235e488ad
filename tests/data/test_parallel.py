"""Threads keep the order, take only what they need, and pass errors on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from agegender.data.parallel import IN_FLIGHT_PER_WORKER, ordered_map, usable_cores


def test_results_stand_in_the_order_of_the_items() -> None:
    def slow_first(x: int) -> int:
        time.sleep(0.02 if x % 3 == 0 else 0)
        return x * x

    assert list(ordered_map(slow_first, range(50), workers=4)) == [x * x for x in range(50)]


def test_items_are_taken_only_as_fast_as_results_are() -> None:
    taken: list[int] = []

    def source() -> Iterator[int]:
        for x in range(1000):
            taken.append(x)
            yield x

    results = ordered_map(lambda x: x, source(), workers=2)
    next(results)
    assert len(taken) <= 2 * IN_FLIGHT_PER_WORKER
    results.close()


def test_work_runs_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=10)  # passes only if three threads wait at once
    assert len(list(ordered_map(lambda _: together.wait(), range(3), workers=3))) == 3


def test_an_error_arrives_at_its_place() -> None:
    results = ordered_map(lambda x: 1 // (3 - x), range(10), workers=2)
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_there_is_at_least_one_core() -> None:
    assert usable_cores() >= 1
