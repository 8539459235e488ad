"""uvicorn's HTTP/1.1 with what it lacks: a time limit for a request's head and for reading an answer, and problems."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from agegender.service.middleware import API_POLICY, HEADERS, NO_STORE
from agegender.service.problems import MEDIA_TYPE, problem_content


class GuardedProtocol(H11Protocol):
    """One connection.

    Attributes:
        head_seconds: From the first byte of a request, or from the connection, to the end of its head; three times as
            long a client may read nothing of its answer.
    """

    head_seconds = 10.0

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for a head."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            # The kernel ends a connection whose client takes nothing; asyncio would keep its answer for ever.
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(3000 * self.head_seconds))
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Wait on until the head is whole; the application then watches over the body."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._end_waiting()
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._end_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, as a problem."""
        del msg
        self._refuse(400, "bad_request", "This is no HTTP/1.1 request that can be understood.")

    def _wait_for_head(self) -> None:
        if self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(self.head_seconds, self._head_overdue)

    def _end_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_overdue(self) -> None:
        self._head_timer = None
        if self.transport.is_closing() or (self.cycle is not None and not self.cycle.response_complete):
            return
        self._refuse(408, "head_too_slow", f"A request's head must come within {self.head_seconds:g} s.")

    def _refuse(self, status: int, code: str, detail: str) -> None:
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # an answer is under way; it cannot be called back
            self.transport.abort()
            return
        content = problem_content(status, code, detail)
        headers = [
            *HEADERS,
            (b"cache-control", NO_STORE),
            (b"content-security-policy", API_POLICY.encode()),
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(content)).encode()),
            (b"connection", b"close"),
        ]
        events = (
            h11.Response(status_code=status, headers=headers, reason=STATUS_PHRASES[status]),
            h11.Data(data=content),
            h11.EndOfMessage(),
        )
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def guarded_protocol(head_seconds: float) -> type[asyncio.Protocol]:
    """The protocol's class for uvicorn, with its time limit."""
    return type("TimedProtocol", (GuardedProtocol,), {"head_seconds": head_seconds})
