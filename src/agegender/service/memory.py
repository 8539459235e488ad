"""Freed memory back to the system.

glibc keeps what bodies of megabytes took: they come in pieces, small things that live on lie between, and only the end
of the heap is given back by itself. A service that lives for months would stand at its highest mark for ever.
"""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable

MIB = 1024 * 1024

LOOK_SECONDS = 2.0
WORTH_BYTES = 32 * MIB
"""How often is looked, and how much must have been let go since: to give back and to take again costs a little."""


def give_back() -> bool:
    """Ask the C library to return what is free to the system; whether it could be asked (glibc alone can)."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return False
    trim(0)
    return True


async def keep_giving_back(released: Callable[[], int]) -> None:
    """Give back whenever enough was let go; runs until it is cancelled.

    Args:
        released: Bytes that were let go since the start.
    """
    before = 0
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now = released()
        if now - before >= WORTH_BYTES:
            before = now
            if not await asyncio.to_thread(give_back):
                return
