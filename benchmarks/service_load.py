"""What `agegender serve` stands: `python benchmarks/service_load.py --model B` on an idle machine.

Starts the service on a free port of this machine and asks it, from this same machine, in five parts: capacity (a
closed loop of good requests), a mix of good, huge, malformed, slow and broken-off requests, an open loop at 70 % of the
capacity, an open loop at twice the capacity, and SIGTERM with requests under way. Client and service share the cores,
so the service alone would do more. Bounded by --requests and --seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from agegender.data.drawn import draw_face

MIB = 1024 * 1024
OPEN_LOOP_SHARE, OVERLOAD_SHARE = 0.7, 2.0
CLIENT_SECONDS = 90.0
"""A request that is not answered by then counts as lost."""

MIX = {
    "crop": 30,
    "photograph": 30,
    "huge": 8,
    "endless": 4,
    "malformed": 10,
    "no image": 8,
    "slow": 6,
    "broken off": 4,
}
"""Weights of the kinds of requests; the first two are good."""
GOOD = ("crop", "photograph")

Address = tuple[str, int]


@dataclass
class Tally:
    """What came back, by kind of request."""

    statuses: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, status: str, seconds: float) -> None:
        """Note one answer."""
        self.statuses[kind][status] += 1
        if status == "200":
            self.seconds[kind].append(seconds)

    def count(self, *statuses: str) -> int:
        """How often these came back."""
        return sum(counter[status] for counter in self.statuses.values() for status in statuses)

    def report(self, title: str) -> None:
        """Print a table."""
        print(f"\n## {title}\n")
        print("| request | answers | p50, s | p99, s |\n|---|---|---|---|")
        for kind in [name for name in MIX if name in self.statuses]:
            answers = ", ".join(f"{status}: {count:,}" for status, count in sorted(self.statuses[kind].items()))
            times = sorted(self.seconds[kind])
            figures = [f"{quantile(times, q):.3f}" if times else "" for q in (0.5, 0.99)]
            print(f"| {kind} | {answers} | {' | '.join(figures)} |")


def quantile(ordered: list[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class Client:
    """Sends each kind of request on a connection of its own."""

    def __init__(self, address: Address, crop: bytes, photograph: bytes, seed: int) -> None:
        self.address = address
        self.crop, self.photograph = crop, photograph
        self.random = random.Random(seed)

    async def send(self, kind: str, tally: Tally) -> None:
        """Send one request and note what came back."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(CLIENT_SECONDS):
                status = await self._exchange(kind)
        except TimeoutError:
            status = "lost"
        except (ConnectionError, asyncio.IncompleteReadError, ValueError) as error:
            status = type(error).__name__
        tally.add(kind, status, time.monotonic() - started)

    async def _exchange(self, kind: str) -> str:
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            await self._write(kind, writer)
            if kind == "broken off":
                return "(left)"
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            return head.split(b" ", 2)[1].decode()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _write(self, kind: str, writer: asyncio.StreamWriter) -> None:
        path, media_type, body = "/v1/faces?crops=true", "image/jpeg", self.crop
        length: int | None = None
        if kind == "photograph":
            path, body = "/v1/faces", self.photograph
        elif kind == "huge":
            body, length = b"x" * MIB, 200 * MIB
        elif kind == "malformed":
            media_type, body = self.random.choice(
                [
                    ("multipart/form-data; boundary=b", b"--b\r\nnothing"),
                    ("application/json", b"[" * 9999),
                    ("a/b", b""),
                ]
            )
        elif kind == "no image":
            body = self.random.choice([b"", b"no image at all", self.crop[:300], self.photograph[: 40 * 1024]])
        framing = "Transfer-Encoding: chunked" if kind == "endless" else f"Content-Length: {length or len(body)}"
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {media_type}\r\n"
            f"{framing}\r\n\r\n".encode()
        )
        if kind == "endless":
            chunk = f"{MIB:x}\r\n".encode() + b"x" * MIB + b"\r\n"
            with contextlib.suppress(ConnectionError):  # it is refused midway
                for _ in range(64):
                    writer.write(chunk)
                    await writer.drain()
            return
        if kind in ("slow", "broken off"):
            for start in range(0, len(body), len(body) // 8 + 1):
                writer.write(body[start : start + len(body) // 8 + 1])
                await writer.drain()
                if kind == "broken off" and start:
                    return
                await asyncio.sleep(0.25)
            return
        writer.write(body)
        await writer.drain()


async def closed_loop(
    clients: int, seconds: float, most: int, one: Callable[[], Coroutine[Any, Any, None]]
) -> tuple[int, float]:
    """Ask from so many clients, each as soon as it was answered; returns how many requests and seconds it took."""
    started, left = time.monotonic(), most

    async def client() -> None:
        nonlocal left
        while left > 0 and time.monotonic() - started < seconds:
            left -= 1
            await one()

    await asyncio.gather(*(client() for _ in range(clients)))
    return most - left, time.monotonic() - started


async def open_loop(
    rate: float, seconds: float, one: Callable[[], Coroutine[Any, Any, None]], chance: random.Random
) -> None:
    """Ask at random times (a Poisson process), whether the last was answered or not."""
    started = due = time.monotonic()
    async with asyncio.TaskGroup() as group:
        while due - started < seconds:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            group.create_task(one())
            due += chance.expovariate(rate)


def memory(pid: int, name: str = "VmRSS") -> float:
    """Of a process, in MiB; Linux."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else float("nan")


def good_files() -> tuple[bytes, bytes]:
    """A drawn crop, and a real photograph that comes with matplotlib (a public domain portrait of 512 x 600)."""
    import matplotlib as mpl

    crop = io.BytesIO()
    Image.fromarray(draw_face(0, 7)[0]).save(crop, "JPEG", quality=90)
    return crop.getvalue(), (Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg").read_bytes()


async def measure(process: subprocess.Popen[str], address: Address, asked: argparse.Namespace) -> dict[str, object]:
    """All parts, one after another."""
    client = Client(address, *good_files(), asked.seed)
    part = asked.seconds / 6
    kinds, weights = list(MIX), list(MIX.values())

    def asking(tally: Tally, names: list[str], shares: list[int]) -> Callable[[], Coroutine[Any, Any, None]]:
        return lambda: client.send(client.random.choices(names, shares)[0], tally)

    await closed_loop(4, part / 4, asked.requests, asking(Tally(), list(GOOD), [1, 1]))
    good = Tally()
    count, seconds = await closed_loop(asked.clients, part, asked.requests, asking(good, list(GOOD), [1, 1]))
    capacity = good.count("200") / seconds
    good.report(f"Capacity: {asked.clients} clients, {count:,} good requests, {capacity:.1f} answered a second")

    before = memory(process.pid)
    mixed = Tally()
    count, seconds = await closed_loop(asked.clients, 3 * part, asked.requests, asking(mixed, kinds, weights))
    growth = memory(process.pid) - before
    mixed.report(
        f"Mixed: {asked.clients} clients, {count:,} requests in {seconds:.0f} s, memory grew by {growth:.0f} MiB"
    )

    steady = Tally()
    rate = OPEN_LOOP_SHARE * capacity
    await open_loop(rate, part, asking(steady, list(GOOD), [1, 1]), client.random)
    steady.report(f"Open loop at {rate:.1f} a second, 70 % of the capacity")

    over = Tally()
    await open_loop(OVERLOAD_SHARE * capacity, part / 2, asking(over, list(GOOD), [1, 1]), client.random)
    over.report(f"Open loop at {OVERLOAD_SHARE * capacity:.1f} a second, twice the capacity")

    last = Tally()
    under_way = [asyncio.create_task(client.send("photograph", last)) for _ in range(asked.clients)]
    await asyncio.sleep(0.2)
    peak, end = memory(process.pid, "VmHWM"), memory(process.pid)
    process.send_signal(signal.SIGTERM)
    await asyncio.gather(*under_way)
    last.report(f"SIGTERM with {asked.clients} requests under way")
    times = sorted(time for kind in GOOD for time in steady.seconds[kind])
    return {
        "capacity_a_second": round(capacity, 1),
        "mixed_requests": count,
        "answers_500": sum(tally.count("500") for tally in (good, mixed, steady, over, last)),
        "memory_growth_mixed_mib": round(growth, 1),
        "memory_end_mib": round(end, 1),
        "memory_peak_mib": round(peak, 1),
        "open_loop_p99_s": round(quantile(times, 0.99), 3) if times else None,
        "open_loop_not_200": sum(sum(counter.values()) for counter in steady.statuses.values()) - steady.count("200"),
        "overload_503": over.count("503"),
        "overload_200": over.count("200"),
        "sigterm_200": last.count("200"),
        "sigterm_lost": asked.clients - last.count("200", "503", "504"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="B", help="A, B, or an exported file")
    parser.add_argument("--requests", type=int, default=20_000, help="at most, in the mixed part")
    parser.add_argument("--seconds", type=float, default=1800.0, help="about, for all parts")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    command = [sys.executable, "-m", "agegender", "serve", "--model", asked.model, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://([\d.]+):(\d+)", process.stdout.readline())
        if found is None:
            sys.exit("The service did not start.")
        try:
            figures = asyncio.run(measure(process, (found[1], int(found[2])), asked))
            figures["exit_code"] = process.wait(CLIENT_SECONDS)
        finally:
            process.kill()
    print("\n" + json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
