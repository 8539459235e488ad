"""Around every answer: headers, counting, and a refusal that its client can read though its body was not.

Plain ASGI, so that bodies stream and nothing is buffered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agegender.service.problems import CLIENT_GONE

LINGER_SECONDS = 5.0
LINGER_BYTES = 64 * 1024 * 1024
"""How long, and for how many bytes, a body that was refused is still read and thrown away."""

API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""What a browser may load: for answers nothing, for the page what lies beside it."""

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
NO_STORE, REVALIDATE = b"no-store", b"no-cache"
"""Answers about people's pictures are kept nowhere; the page's files are, but asked for each time."""


class Headers:
    """Adds security headers, where an answer has none of that name, and `Connection: close` while the service stops."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        policy: str = API_POLICY,
        caching: bytes = NO_STORE,
        closing: Callable[[], bool] = lambda: False,
    ) -> None:
        self._app = app
        self._closing = closing
        self._headers = (*HEADERS, (b"cache-control", caching), (b"content-security-policy", policy.encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                closing = ((b"connection", b"close"),) if self._closing() else ()
                added = [pair for pair in (*self._headers, *closing) if pair[0] not in names]
                message = {**message, "headers": given + added}
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class Observed:
    """Tells path, status and seconds of every request."""

    def __init__(self, app: ASGIApp, observe: Callable[[str, int, float], None]) -> None:
        self._app = app
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), CLIENT_GONE

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            self._observe(scope["path"], status, time.monotonic() - started)


class Lingering:
    """Ends a request whose body was not read so that the client still gets its answer.

    A server that closes while a client sends makes the client's system throw the answer away (RFC 9112, 9.6). So the
    answer is sent whole, what still comes is thrown away for a moment, and then the connection is closed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        ended = asked = False

        async def noted() -> Message:
            nonlocal ended, asked
            asked = True
            message = await receive()
            ended = ended or message["type"] == "http.disconnect" or not message.get("more_body", False)
            return message

        async def lingering(message: Message) -> None:
            if not ended and message["type"] == "http.response.start":
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"connection"]
                message = {**message, "headers": [*headers, (b"connection", b"close")]}
            last = message["type"] == "http.response.body" and not message.get("more_body", False)
            # A client that waits for `100 Continue` and is refused sends no body.
            if last and not ended and (asked or not _waits(scope)):
                await send({**message, "more_body": True})
                await _throw_away(noted)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(scope, noted, lingering)


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


def _waits(scope: Scope) -> bool:
    return any(name == b"expect" for name, _ in scope["headers"])


async def _throw_away(receive: Receive) -> None:
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
