"""`agegender serve` as a process: it answers without Keras and pandas, and SIGTERM loses nothing that was accepted."""

from __future__ import annotations

import http.client
import io
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from agegender.cli.serve import serve_command
from agegender.errors import InputError, MissingExtraError, ModelError, SettingError

PROGRAM = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {'keras', 'tensorflow', 'jax', 'torch', 'matplotlib', 'onnx', 'sklearn', 'httpx',
                                  'pandas', 'pyarrow'}:
            raise ImportError(name + ' is blocked')
sys.meta_path.insert(0, Blocked())
from agegender.cli.app import main
main()
"""
PATIENCE = 90


class Process:
    """The command, and where it says that it answers."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "serve", "--port", "0", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found, (line, self.process.stderr and self.process.stderr.read())
        self.address = ("127.0.0.1", int(found[1]))
        while self.get("/readyz") != 200:
            time.sleep(0.05)

    def get(self, path: str) -> int:
        connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def refused(self) -> bool:
        try:
            socket.create_connection(self.address, timeout=PATIENCE).close()
        except ConnectionRefusedError:
            return True
        return False


@pytest.fixture
def process(tiny_onnx: Path) -> Iterator[Process]:
    running = Process("--model", str(tiny_onnx), "--workers", "1")
    yield running
    running.process.kill()
    running.process.communicate()


def test_sigterm_lets_accepted_requests_finish_and_says_0(process: Process) -> None:
    file = io.BytesIO()
    Image.new("RGB", (128, 128), (10, 200, 90)).save(file, "PNG")
    content = file.getvalue()
    head = "POST /v1/faces?crops=true HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n"
    head += f"Content-Length: {len(content)}\r\n"
    with (
        socket.create_connection(process.address, timeout=PATIENCE) as under_way,
        socket.create_connection(process.address, timeout=PATIENCE) as idle,
    ):
        under_way.sendall(head.encode() + b"\r\n" + content[:100])
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        kept = http.client.HTTPResponse(idle)
        kept.begin()
        assert (kept.status, kept.read()) == (200, b'{"status":"ok"}')
        process.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + PATIENCE
        while not process.refused():
            assert time.monotonic() < end
            time.sleep(0.02)
        assert idle.recv(4096) == b""
        assert process.process.poll() is None
        under_way.sendall(content[100:])
        response = http.client.HTTPResponse(under_way)
        response.begin()
        answer: Any = json.loads(response.read())
        assert response.status == 200
        assert response.getheader("connection") == "close"
        assert answer["images"][0]["status"] == "ok"
    out, err = process.process.communicate(timeout=PATIENCE)
    assert process.process.returncode == 0, err
    assert out == ""
    assert err.strip() == "Stopped."


def test_the_page_stands_at_the_root_unless_keys_guard_the_models(tiny_onnx: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("a-key-of-sixteen-characters\n")
    guarded = ("--api-key-file", str(keys))
    for options, page in (((), 200), (("--no-page",), 404), (guarded, 404), ((*guarded, "--page"), 200)):
        running = Process("--model", str(tiny_onnx), "--workers", "1", *options)
        try:
            assert running.get("/") == page, options
            assert running.get("/models/tiny.onnx") == page, options
        finally:
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(PATIENCE) == 0
            running.process.communicate()


def invoke(*arguments: object) -> Any:
    app = typer.Typer()
    app.command()(serve_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments]).exception


def test_what_cannot_be_served_says_so_before_it_listens(tiny_onnx: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        error = invoke("--model", tiny_onnx, "--port", taken.getsockname()[1])
    assert isinstance(error, SettingError)
    assert "Choose another --host or --port" in str(error)
    assert isinstance(invoke("--model", tiny_onnx, "--host", "256.1.1.1"), SettingError)
    assert isinstance(invoke("--model", tmp_path / "none.onnx"), ModelError)
    assert isinstance(invoke("--model", tiny_onnx, "--max-images", 100), SettingError)
    assert isinstance(invoke("--model", tiny_onnx, "--api-key-file", tmp_path / "none"), InputError)


@pytest.mark.parametrize("module", ["fastapi", "uvicorn", "python_multipart", "prometheus_client"])
def test_without_its_extra_it_says_what_to_install(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    error = invoke()
    assert isinstance(error, MissingExtraError)
    assert f"{module} is not installed" in str(error)
    assert "agegender[serve]" in str(error)
