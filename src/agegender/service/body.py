"""A request's body, read as it arrives: bounded in bytes and in time, in memory only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.requests import Request

from agegender.service.problems import ClientGoneError, Problem
from agegender.service.settings import ServiceSettings


async def read_body(request: Request, settings: ServiceSettings, hold: Callable[[int], None]) -> bytes:
    """Read a whole body.

    Args:
        request: Its body was not read yet.
        settings: Limits of bytes and seconds.
        hold: Told of every byte that is kept.

    Raises:
        Problem: 413 too many bytes, announced or come; 408 too slow; 503 no room; 415 compressed.
        ClientGoneError: The client went away before the end.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise Problem(
            415, "unsupported_media_type",
            f"Bodies are taken as they are. Received Content-Encoding: {encoding[:40]}. Images are compressed already.",
            headers={"Accept-Encoding": "identity"},
        )  # fmt: skip
    if int(request.headers.get("content-length", "0")) > settings.body_bytes:  # h11 lets digits through only
        raise _too_large(settings)
    chunks: list[bytes] = []
    count = 0
    end = time.monotonic() + settings.upload_seconds
    while True:
        try:
            async with asyncio.timeout(min(settings.idle_seconds, end - time.monotonic())):
                message = await request.receive()
        except TimeoutError:
            raise Problem(
                408, "upload_too_slow",
                f"A body must come within {settings.upload_seconds:g} s and without a pause of "
                f"{settings.idle_seconds:g} s. {count:,} bytes came.",
            ) from None  # fmt: skip
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk = message.get("body", b"")
        count += len(chunk)
        if count > settings.body_bytes:
            raise _too_large(settings)
        hold(len(chunk))
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _too_large(settings: ServiceSettings) -> Problem:
    return Problem(
        413, "body_too_large",
        f"At most {settings.body_bytes:,} bytes a request are read. Send fewer or smaller images.",
    )  # fmt: skip
