"""What large bodies took goes back to the system."""

from __future__ import annotations

import asyncio
import platform
import subprocess
import sys
from collections.abc import Callable

import pytest

from agegender.service import memory
from agegender.service.memory import MIB, keep_giving_back

PNG = {"Content-Type": "image/png"}


ALONE = """
import re
from pathlib import Path
from agegender.service.memory import give_back

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))[1]) * 1024

bodies, small = [], []
for _ in range(1600):  # 100 MiB in pieces as they come from a connection
    bodies.append(bytes(64 * 1024))
    small.append(bytes(1000))
bodies.clear()
kept = resident()
assert give_back()
print(kept - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked to give memory back")
def test_what_lies_between_living_things_is_given_back() -> None:
    # A process of its own: what other tests left in the heap of this one would take or give back some of it.
    run = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert int(run.stdout) > 50 * MIB


def test_it_is_asked_once_for_as_much_as_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    amounts = iter([0, 31 * MIB, 33 * MIB, 40 * MIB, 64 * MIB, 66 * MIB, 66 * MIB])
    now = 0

    def released() -> int:
        nonlocal now
        now = next(amounts)
        return now

    async def watch() -> None:
        with pytest.raises(RuntimeError, match="StopIteration"):
            await keep_giving_back(released)

    monkeypatch.setattr(memory, "LOOK_SECONDS", 0)
    monkeypatch.setattr(memory, "give_back", lambda: asked.append(now // MIB) or True)
    asyncio.run(watch())
    assert asked == [33, 66]


def test_the_service_counts_what_it_let_go(run: Callable, crops: list[bytes]) -> None:
    running = run(body_bytes=50_000, held_bytes=60_000)
    running.wait_ready()
    released = []
    monitored = running.service._admission
    for body in (crops[0], b"x" * 40_000):
        running.ask(body=body, headers=PNG)
        running.wait_until(lambda: monitored.requests == 0)
        released.append(monitored.released)
    assert released == [len(crops[0]), len(crops[0]) + 40_000]
