"""What `agegender serve` stands: `python benchmarks/service_load.py --model B` on an idle machine.

Starts the service on a free port of this machine and asks it, from this same machine, in six parts: warm-up, capacity
(a closed loop of good requests), a mix of good, huge, malformed, slow and broken-off requests, an open loop at 70 % of
the capacity, an open loop at twice the capacity, and SIGTERM under load. Then a line says for each demand whether it
was met, with the figures; the exit status is 1 if one was not. Client and service share the cores, so the service alone
would do more. 20,000 requests take about 7 minutes on 2 cores. `--requests 2000 --seconds 100` is a trial.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from agegender.data.drawn import draw_face
from agegender.service.settings import ServiceSettings

MIB = 1024 * 1024
OPEN_LOOP_SHARE, OVERLOAD_SHARE = 0.7, 2.0
CLIENT_SECONDS = 90.0
"""A request that is not answered by then counts as lost."""

MIX = {
    "crop": 45.0,
    "photograph": 8.0,
    "huge": 8.0,
    "endless": 1.5,
    "malformed": 16.0,
    "no image": 13.3,
    "slow": 6.0,
    "stalled": 0.2,
    "broken off": 2.0,
}
"""Weights of the kinds of requests, of a hundred."""
GOOD = ("crop", "photograph")
WANTED = {
    "crop": {"200", "503"},
    "photograph": {"200", "503"},
    "huge": {"413", "503"},
    "endless": {"413", "503"},
    "malformed": {"400", "415", "503"},
    "no image": {"422", "503"},
    "slow": {"200", "503"},
    "stalled": {"408", "503"},
    "broken off": {"(left)"},
}
"""What a request of a kind may be answered."""

MOST_GROWTH_MB, MOST_P99_SECONDS = 100.0, 1.5
WARM_UP, CAPACITY, MIXED, STEADY, OVERLOAD = 0.02, 0.07, 0.68, 0.11, 0.05
"""Shares of --seconds. The mixed part ends once all its requests were sent, and the overload not before the queue of
waiting images had the time to fill."""
UNTIL_SIGTERM, SETTLE_SECONDS = 3.0, 5.0

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        kind: Of `MIX`.
        status: HTTP's, or what happened instead.
        sent: When the whole request was on its way; None if it never was.
        seconds: From the connection to the whole answer.
    """

    kind: str
    status: str
    sent: float | None
    seconds: float


@dataclass
class Tally:
    """The requests of one part."""

    asked: list[Asked] = field(default_factory=list)

    def count(self, *statuses: str) -> int:
        """How often these came back."""
        return sum(one.status in statuses for one in self.asked)

    def seconds(self, *kinds: str) -> list[float]:
        """Of those that were answered 200, ordered."""
        return sorted(one.seconds for one in self.asked if one.status == "200" and one.kind in kinds)

    def unwanted(self) -> Counter[str]:
        """Answers that a request of its kind must not get."""
        return Counter(f"{one.kind}: {one.status}" for one in self.asked if one.status not in WANTED[one.kind])

    def report(self, title: str) -> None:
        """Print a table."""
        print(f"\n## {title}\n\n| request | answers | p50, s | p99, s |\n|---|---|---|---|")
        for kind in MIX:
            statuses = Counter(one.status for one in self.asked if one.kind == kind)
            answers = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
            times = self.seconds(kind)
            if statuses:
                print(f"| {kind} | {answers} | {quantile(times, 0.5)} | {quantile(times, 0.99)} |", flush=True)


def quantile(ordered: Sequence[float], share: float) -> str:
    """As it is printed; nothing of nothing."""
    return f"{ordered[min(int(share * len(ordered)), len(ordered) - 1)]:.3f}" if ordered else ""


class Client:
    """Sends each kind of request on a connection of its own."""

    def __init__(self, address: Address, crop: bytes, photograph: bytes, seed: int) -> None:
        self.address = address
        self.crop, self.photograph = crop, photograph
        self.random = random.Random(seed)

    def good(self, tally: Tally) -> Awaitable[Asked]:
        """Send a crop or a photograph, as often the one as the other."""
        return self.send(self.random.choice(GOOD), tally)

    def any(self, tally: Tally) -> Awaitable[Asked]:
        """Send one of the mix."""
        return self.send(self.random.choices(list(MIX), list(MIX.values()))[0], tally)

    async def send(self, kind: str, tally: Tally) -> Asked:
        """Send one request and note what came back."""
        started = time.monotonic()
        sent: list[float] = []
        try:
            async with asyncio.timeout(CLIENT_SECONDS):
                status = await self._exchange(kind, sent)
        except TimeoutError:
            status = "lost"
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            status = type(error).__name__
        asked = Asked(kind, status, sent[0] if sent else None, time.monotonic() - started)
        tally.asked.append(asked)
        return asked

    async def _exchange(self, kind: str, sent: list[float]) -> str:
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            await self._write(kind, writer)
            sent.append(time.monotonic())
            if kind == "broken off":
                return "(left)"
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            return head.split(b" ", 2)[1].decode()
        finally:
            writer.close()
            with contextlib.suppress(OSError):
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
        elif kind == "stalled":
            body, length = self.crop[:100], len(self.crop)
        framing = "Transfer-Encoding: chunked" if kind == "endless" else f"Content-Length: {length or len(body)}"
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {media_type}\r\n"
            f"{framing}\r\n\r\n".encode()
        )
        if kind == "endless":
            chunk = f"{MIB:x}\r\n".encode() + b"x" * MIB + b"\r\n"
            with contextlib.suppress(ConnectionError):  # it is refused midway
                for _ in range(48):
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


async def closed_loop(clients: int, seconds: float, most: int, one: Callable[[], Awaitable[object]]) -> float:
    """Ask from so many clients, each as soon as it was answered; returns how many seconds it took."""
    started, left = time.monotonic(), most

    async def client() -> None:
        nonlocal left
        while left > 0 and time.monotonic() - started < seconds:
            left -= 1
            await one()

    await asyncio.gather(*(client() for _ in range(clients)))
    return time.monotonic() - started


async def open_loop(rate: float, seconds: float, one: Callable[[], Awaitable[object]], chance: random.Random) -> None:
    """Ask at random times (a Poisson process), whether the last was answered or not."""
    started = due = time.monotonic()
    tasks: list[asyncio.Future[object]] = []
    while due - started < seconds:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        tasks.append(asyncio.ensure_future(one()))
        due += chance.expovariate(rate)
    await asyncio.gather(*tasks)


async def until_stopped(process: subprocess.Popen[str], client: Client, clients: int, tally: Tally) -> float:
    """Good requests without end, SIGTERM among them, until nothing listens any more; returns when it was sent."""

    async def ask() -> None:
        while (await client.good(tally)).sent is not None:
            pass

    asking = [asyncio.create_task(ask()) for _ in range(clients)]
    await asyncio.sleep(UNTIL_SIGTERM)
    signalled = time.monotonic()
    process.send_signal(signal.SIGTERM)
    await asyncio.gather(*asking)
    return signalled


def memory(pid: int, name: str = "VmRSS") -> float:
    """Of a process, in MB (10^6 bytes); Linux."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(found[1]) * 1024 / 1e6 if found else float("nan")


async def watch(pid: int, seconds: float, seen: list[float]) -> None:
    """Note a process's memory until cancelled."""
    while True:
        seen.append(memory(pid))
        await asyncio.sleep(seconds)


def good_files() -> tuple[bytes, bytes]:
    """A drawn crop, and a real photograph that comes with matplotlib (a public domain portrait of 512 x 600)."""
    import matplotlib as mpl

    crop = io.BytesIO()
    Image.fromarray(draw_face(0, 7)[0]).save(crop, "JPEG", quality=90)
    return crop.getvalue(), (Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg").read_bytes()


@dataclass
class Verdict:
    """Demands, each met or not."""

    met: bool = True

    def line(self, met: bool, demand: str, figures: str) -> None:
        """Print one."""
        self.met &= met
        print(f"{'PASS' if met else 'MISS'}  {demand}: {figures}", flush=True)


async def measure(process: subprocess.Popen[str], address: Address, options: argparse.Namespace) -> bool:
    """All parts, one after another; whether every demand was met."""
    client = Client(address, *good_files(), options.seed)
    clients, requests, seconds = options.clients, options.requests, options.seconds

    await closed_loop(clients, WARM_UP * seconds, requests, lambda: client.good(Tally()))
    good = Tally()
    took = await closed_loop(clients, CAPACITY * seconds, requests, lambda: client.good(good))
    capacity = good.count("200") / took
    good.report(f"Capacity: {clients} clients, {len(good.asked):,} good requests, {capacity:.1f} answered a second")

    before, seen, mixed = memory(process.pid), [], Tally()
    watching = asyncio.create_task(watch(process.pid, MIXED * seconds / 100, seen))
    took = await closed_loop(clients, MIXED * seconds, requests, lambda: client.any(mixed))
    watching.cancel()
    mixed.report(f"Mixed: {clients} clients, {len(mixed.asked):,} requests in {took:.0f} s")
    print(f"\nMemory meanwhile, MB: {', '.join(f'{value:.0f}' for value in seen[:: max(1, len(seen) // 12)])}")

    steady, rate = Tally(), OPEN_LOOP_SHARE * capacity
    await open_loop(rate, STEADY * seconds, lambda: client.good(steady), client.random)
    steady.report(f"Open loop at {rate:.1f} a second, 70 % of the capacity")

    over, rate = Tally(), OVERLOAD_SHARE * capacity
    filled = ServiceSettings().waiting_images / (rate - capacity)
    await open_loop(rate, max(OVERLOAD * seconds, 2.5 * filled), lambda: client.good(over), client.random)
    over.report(f"Open loop at {rate:.1f} a second, twice the capacity")

    await asyncio.sleep(SETTLE_SECONDS)
    peak, end, last = memory(process.pid, "VmHWM"), memory(process.pid), Tally()
    signalled = await until_stopped(process, client, clients, last)
    last.report(f"SIGTERM under load of {clients} clients")
    code = process.wait(CLIENT_SECONDS)

    print("\n## Demands\n")
    verdict = Verdict()
    parts = (good, mixed, steady, over, last)
    kinds = Counter(one.kind for one in mixed.asked)
    verdict.line(
        len(mixed.asked) == requests and set(kinds) == set(MIX),
        f"{requests:,} requests of all kinds from {clients} clients",
        f"{len(mixed.asked):,} in {took:.0f} s; {', '.join(f'{kinds[kind]:,} {kind}' for kind in MIX)}",
    )
    faults = sum(tally.count("500") for tally in parts)
    verdict.line(faults == 0, "no answer 500", f"{faults} of {sum(len(tally.asked) for tally in parts):,}")
    odd = sum((tally.unwanted() for tally in parts[:-1]), Counter())
    verdict.line(not odd, "each is answered as its kind is, or 503", f"{odd.total()} others {dict(odd) or ''}".strip())
    growth = end - before
    verdict.line(
        growth <= MOST_GROWTH_MB,
        f"memory grows by {MOST_GROWTH_MB:.0f} MB at most",
        f"{growth:+.0f} MB, from {before:.0f} after the warm-up to {end:.0f} at the end; at most {peak:.0f}",
    )
    times, refused = steady.seconds(*GOOD), len(steady.asked) - steady.count("200")
    verdict.line(
        bool(times) and float(quantile(times, 0.99)) < MOST_P99_SECONDS and not refused,
        f"at 70 % of the capacity good requests' p99 is under {MOST_P99_SECONDS} s, and all are answered",
        f"{quantile(times, 0.99)} s (median {quantile(times, 0.5)} s), {refused} of {len(steady.asked):,} not 200, at "
        f"{OPEN_LOOP_SHARE * capacity:.1f} of {capacity:.1f} a second",
    )
    shed, answered = over.count("503"), over.count("200")
    verdict.line(
        shed > 0 and shed + answered == len(over.asked),
        "overload is shed with 503, and what is not shed is answered",
        f"{shed:,} x 503, {answered:,} x 200, {len(over.asked) - shed - answered} others",
    )
    early = [one for one in last.asked if one.sent is not None and one.sent <= signalled]
    late = [one for one in last.asked if one.sent is not None and one.sent > signalled]
    lost, cut = (sum(one.status not in ("200", "503") for one in ones) for ones in (early, late))
    under_way = sum(one.sent + one.seconds > signalled for one in early if one.sent)
    verdict.line(
        lost == cut == code == 0,
        "SIGTERM loses no accepted request, and the exit code is 0",
        f"{lost} lost of {len(early):,} sent before it ({under_way} still under way), {cut} of {len(late)} sent while "
        f"it stopped; exit code {code}",
    )
    return verdict.met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="B", help="A, B, or an exported file")
    parser.add_argument("--requests", type=int, default=20_000, help="of the mixed part")
    parser.add_argument("--seconds", type=float, default=450.0, help="at most, about, for all parts")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    command = [sys.executable, "-m", "agegender", "serve", "--model", options.model, "--port", "0", "--no-page"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://([\d.]+):(\d+)", process.stdout.readline())
        if found is None:
            sys.exit("The service did not start.")
        try:
            met = asyncio.run(measure(process, (found[1], int(found[2])), options))
        finally:
            process.kill()
    sys.exit(not met)


if __name__ == "__main__":
    main()
