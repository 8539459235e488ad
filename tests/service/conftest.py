"""A real server on a free port of this machine, asked through real sockets."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from agegender.inference.pipeline import FacePredictor
from agegender.inference.predictor import Predictor, load_predictor
from agegender.service.admission import ApiKeys
from agegender.service.app import Service
from agegender.service.server import Server, address_of, listen, make_server
from agegender.service.settings import ServiceSettings

PATIENCE = 60.0
"""Seconds; a busy machine must not fail a test."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Running:
    """A server in a thread."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.listener = listen("127.0.0.1", 0)
        self.address: tuple[str, int] = self.listener.getsockname()[:2]
        self.url = address_of(self.listener)
        self.server: Server = make_server(service)
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],), daemon=True)
        self.thread.start()

    def ask(
        self, method: str = "POST", path: str = "/v1/faces?crops=true", body: Any = None,
        headers: Mapping[str, str] | None = None, **named: Any,
    ) -> Answer:  # fmt: skip
        connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        try:
            connection.request(method, path, body, dict(headers or {}), **named)
            return read_answer(connection.getresponse())
        finally:
            connection.close()

    def raw(self, content: bytes = b"") -> socket.socket:
        """A connection on which something was sent already."""
        connection = socket.create_connection(self.address, timeout=PATIENCE)
        connection.sendall(content)
        return connection

    @staticmethod
    def answer_on(connection: socket.socket) -> Answer:
        """What comes on a raw connection."""
        response = http.client.HTTPResponse(connection)
        response.begin()
        return read_answer(response)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, "it never came to that"
            time.sleep(0.01)

    def wait_ready(self) -> None:
        self.wait_until(lambda: self.service.ready)

    def counted(self, line: str) -> float:
        """A value of /metrics, 0 where there is no such line."""
        page = self.service.metrics.page().decode()
        values = [text.rsplit(" ", 1)[1] for text in page.splitlines() if text.rsplit(" ", 1)[0] == line]
        return float(values[0]) if values else 0.0

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


def read_answer(response: http.client.HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


class HeldPredictor(FacePredictor):
    """Answers as ever, but not before it is let."""

    def __init__(self, predictor: Predictor) -> None:
        super().__init__(predictor, workers=2)
        self.let = threading.Event()
        self.asked = threading.Event()
        self.taken = 0

    def stream(self, images: Any, *, crops: bool = False) -> Iterator[Any]:
        self.taken += len(images)
        self.asked.set()
        assert self.let.wait(PATIENCE)
        yield from super().stream(images, crops=crops)


@pytest.fixture(scope="session")
def model(tiny_onnx: Path) -> Predictor:
    return load_predictor(tiny_onnx, threads=1)


@pytest.fixture(scope="session")
def predictor(model: Predictor) -> FacePredictor:
    return FacePredictor(model, workers=2, max_pixels=1_000_000)


@pytest.fixture
def held(model: Predictor) -> Iterator[HeldPredictor]:
    predictor = HeldPredictor(model)
    yield predictor
    predictor.let.set()


Run = Callable[..., Running]


@pytest.fixture
def run(predictor: FacePredictor, held: HeldPredictor) -> Iterator[Run]:
    """Starts servers with settings of their own; they are stopped at the end."""
    started: list[Running] = []

    def start(
        asked: FacePredictor | None = None,
        *,
        api_keys: ApiKeys | None = None,
        page: Path | None = None,
        **settings: Any,
    ) -> Running:
        service = Service(asked or predictor, ServiceSettings(**settings), api_keys=api_keys, page=page)
        started.append(Running(service))
        return started[-1]

    yield start
    held.let.set()
    for running in started:
        running.stop()


@pytest.fixture(scope="session")
def shared(predictor: FacePredictor) -> Iterator[Running]:
    """One server for all that leave no trace: 4 images and 300 kB a request."""
    running = Running(Service(predictor, ServiceSettings(images=4, body_bytes=300_000)))
    running.wait_ready()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def crops() -> list[bytes]:
    """Three plain crops of different colours as PNG files; the tiny model answers them differently."""
    files = []
    for colour in ((200, 90, 40), (60, 160, 90), (40, 70, 220)):
        file = io.BytesIO()
        Image.fromarray(np.full((128, 128, 3), colour, np.uint8)).save(file, "PNG")
        files.append(file.getvalue())
    return files


@pytest.fixture(scope="session")
def multipart() -> Callable[..., tuple[bytes, dict[str, str]]]:
    """Makes a body of files (or, without a name, fields), and its headers."""

    def make(files: list[tuple[str | None, bytes]], boundary: str = "edge") -> tuple[bytes, dict[str, str]]:
        parts = []
        for name, content in files:
            named = "" if name is None else f'; filename="{name}"'
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"{named}\r\n\r\n'
            parts.append(head.encode() + content + b"\r\n")
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}

    return make
