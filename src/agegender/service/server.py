"""The process: a socket, uvicorn, and an end that loses no accepted request."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from agegender.data.parallel import usable_cores
from agegender.errors import ModelError, SettingError
from agegender.inference.detector import DetectorSettings, FaceDetector
from agegender.inference.pipeline import FacePredictor
from agegender.inference.predictor import load_predictor
from agegender.service.app import Service
from agegender.service.protocol import guarded_protocol
from agegender.service.settings import ServiceSettings

LAST_SECONDS = 0.3
"""After SIGTERM requests are still taken so long, so that those under way on open connections are not cut off."""

KEEP_ALIVE_SECONDS = 15
BACKLOG = 1024


def open_predictor(
    model: str | Path, settings: ServiceSettings, *, precision: str | None = None, workers: int | None = None
) -> FacePredictor:
    """Open a model and the detector, within the limits of the service.

    Args:
        model: `A`, `B`, or a file that `agegender export` wrote.
        settings: Limits.
        precision: `float32` (by default) or `int8`.
        workers: Threads that decode and detect; None: one a core.

    Raises:
        SettingError: An unknown precision.
        ModelError: There is no such model, or it or the detector is damaged.
        MissingExtraError: onnxruntime is not installed.
    """
    workers = workers or usable_cores()
    return FacePredictor(
        load_predictor(model, precision=precision),
        detector=FaceDetector(DetectorSettings(), threads=1 if workers > 1 else None),
        workers=workers,
        max_pixels=settings.pixels,
        most_faces=settings.faces,
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: Name or address, IPv4 or IPv6.
        port: 0: any that is free.

    Raises:
        SettingError: Nothing can listen there.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise SettingError(
            f"Nothing can listen on {host}, port {port}: {error.strerror or error}. Choose another --host or --port."
        ) from error


def address_of(listener: socket.socket) -> str:
    """`http://` and where a socket listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """uvicorn, stopping in two steps: not ready and closing connections first, then no longer listening."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._stop_at = math.inf

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On the first SIGTERM or Ctrl-C begin to stop; a second one is uvicorn's."""
        if self._service.stopping:
            super().handle_exit(sig, frame)
            return
        self._service.stopping = True
        self._stop_at = time.monotonic() + LAST_SECONDS

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to go on."""
        overdue = self._service.stopping and time.monotonic() >= self._stop_at
        if overdue or self._service.batcher.failure is not None:
            self.should_exit = True
        return await super().on_tick(counter)


def make_server(service: Service, *, access_log: bool = False, trusted_proxy: str | None = None) -> Server:
    """A server that waits to be run.

    Args:
        service: What answers.
        access_log: Write a line a request on standard output.
        trusted_proxy: Address whose X-Forwarded-For is believed.
    """
    config = uvicorn.Config(
        service.asgi,
        loop="asyncio",
        http=guarded_protocol(service.settings.idle_seconds),
        ws="none",
        lifespan="on",
        log_level="info" if access_log else "error",
        access_log=access_log,
        proxy_headers=trusted_proxy is not None,
        forwarded_allow_ips=trusted_proxy,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=service.settings.grace_seconds,
    )
    return Server(config, service)


def serve(
    service: Service,
    *,
    host: str,
    port: int,
    access_log: bool = False,
    trusted_proxy: str | None = None,
    announce: Callable[[str], object] = lambda _address: None,
) -> None:
    """Answer requests until SIGTERM or Ctrl-C, then finish those that were accepted.

    Args:
        service: What answers.
        host: Where to listen.
        port: Likewise; 0: any that is free.
        access_log: Write a line a request.
        trusted_proxy: Address whose X-Forwarded-For is believed.
        announce: Told the address once it can be connected to.

    Raises:
        SettingError: Nothing can listen there.
        ModelError: The model's or the detector's first answers failed.
    """
    with listen(host, port) as listener:
        announce(address_of(listener))
        make_server(service, access_log=access_log, trusted_proxy=trusted_proxy).run([listener])
    if service.batcher.failure is not None:
        failure = service.batcher.failure
        raise ModelError(f"The model's first answers failed: {failure}. Export it again.") from failure
