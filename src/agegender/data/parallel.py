"""Map over an iterable in threads: results in order, and only a few items in flight, however long the iterable."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

IN_FLIGHT_PER_WORKER = 4


def usable_cores() -> int:
    """The processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ordered_map(work: Callable[[A], B], items: Iterable[A], workers: int) -> Generator[B]:
    """Like `map`, in threads. Unlike `Executor.map` it takes from `items` only as fast as results are taken from it.

    Args:
        work: Called in a thread, once per item; what it raises is raised here, at its place in the order.
        items: Iterated in the calling thread.
        workers: Number of threads, at least 1.
    """
    pending: deque[Future[B]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="agegender-data") as pool:
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) >= workers * IN_FLIGHT_PER_WORKER:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
