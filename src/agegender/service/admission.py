"""Who may come in: API keys, a rate for each client, and how much is in work at once."""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agegender.errors import InputError, SettingError
from agegender.service.problems import Problem

SHORTEST_KEY = 16
"""Characters; a shorter key could be guessed."""

MOST_CLIENTS = 10_000
"""Whose rates are remembered; of more, those that have been silent longest are forgotten."""


class ApiKeys:
    """The keys that open the service. Only their hashes are kept, and the time to compare says nothing of them."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = tuple(fingerprint(key) for key in keys)

    def known(self, key: str) -> bool:
        """Whether a key is one of them; all are compared, each in constant time."""
        digest = fingerprint(key)
        found = False
        for other in self._digests:
            found |= hmac.compare_digest(digest, other)
        return found


def read_api_keys(path: Path) -> ApiKeys:
    """Read a file of keys, one a line; empty lines and those that begin with # are passed over.

    Raises:
        InputError: The file cannot be read.
        SettingError: It holds no key, or one that is too short or is not plain printable ASCII.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The file of API keys {path} cannot be read ({error}).") from error
    keys = []
    for number, line in enumerate(lines, 1):
        key = line.strip()
        if not key or key.startswith("#"):
            continue
        if len(key) < SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
            raise SettingError(
                f"{path}, line {number}: a key has {SHORTEST_KEY} or more printable ASCII characters without spaces. "
                f"Received: {len(key)} characters. One can be made with: openssl rand -hex 24"
            )
        keys.append(key)
    if not keys:
        raise SettingError(f"{path} holds no API key. Write one a line.")
    return ApiKeys(keys)


def fingerprint(key: str) -> bytes:
    """What stands for a key here, so that none is kept."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


class RateLimit:
    """A bucket of tokens for each client: a minute's requests at once, then as many as a minute brings back."""

    def __init__(self, requests_a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with full buckets.

        Args:
            requests_a_minute: Of one client.
            clock: Seconds.
        """
        self._most = float(requests_a_minute)
        self._clock = clock
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, client: Hashable) -> None:
        """Count one request.

        Args:
            client: What tells it from others.

        Raises:
            Problem: 429, with when to try again.
        """
        now = self._clock()
        tokens, then = self._buckets.pop(client, (self._most, now))
        tokens = min(self._most, tokens + (now - then) * self._most / 60)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - allowed, now)
        if len(self._buckets) > MOST_CLIENTS:
            self._buckets.popitem(last=False)
        if not allowed:
            seconds = max(1, math.ceil((1 - tokens) * 60 / self._most))
            raise Problem(
                429, "too_many_requests",
                f"At most {self._most:.0f} requests a minute are answered a client. Try again in {seconds} s.",
                headers={"Retry-After": str(seconds)},
            )  # fmt: skip


class Admission:
    """How many requests are in work, and how many bytes of their bodies are held. For one event loop.

    Attributes:
        requests: In work.
        bytes: Held.
        released: Bytes that were held and are not any more, since the start.
    """

    def __init__(self, *, most_requests: int, most_bytes: int) -> None:
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self.requests = 0
        self.bytes = 0
        self.released = 0

    @contextmanager
    def request(self) -> Iterator[Callable[[int], None]]:
        """Room for one request while it is in work.

        Yields:
            A function to be told how many more bytes the request holds; raises 503 where there is no room for them.

        Raises:
            Problem: 503, there is no room.
        """
        if self.requests >= self._most_requests:
            raise _overloaded(f"{self.requests} requests are in work already.")
        held = 0

        def hold(count: int) -> None:
            nonlocal held
            if self.bytes + count > self._most_bytes:
                raise _overloaded("Too many bytes of other requests are in work.")
            held += count
            self.bytes += count

        self.requests += 1
        try:
            yield hold
        finally:
            self.requests -= 1
            self.bytes -= held
            self.released += held


def _overloaded(reason: str) -> Problem:
    return Problem(503, "overloaded", f"{reason} Try again later.", headers={"Retry-After": "1"})
