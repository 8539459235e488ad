"""Every fault of a request is a problem of its own that says what to do; none harms the next request."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agegender.service.schemas import ProblemAnswer

PNG = {"Content-Type": "image/png"}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=edge"}
PART = b'--edge\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'


def checked(answer: Any, status: int, code: str) -> ProblemAnswer:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer.body
    problem = ProblemAnswer.model_validate(answer.json)
    assert (problem.status, problem.code, problem.type) == (status, code, "about:blank")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    return problem


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/faces", 405, "method_not_allowed"),
        ("DELETE", "/healthz", 405, "method_not_allowed"),
        ("GET", "/v2/%ff<script>", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("POST", "/v1/faces/", 404, "not_found"),
        ("POST", "/v1/faces?crops=perhaps", 422, "invalid_request"),
    ],
)
def test_addresses_and_queries(shared: Any, method: str, path: str, status: int, code: str) -> None:
    answer = shared.ask(method, path, b"x" if method == "POST" else None, PNG)
    problem = checked(answer, status, code)
    if status == 405:
        assert answer.headers["allow"] in ("POST", "GET")
    if status == 422:
        assert [fault.parameter for fault in problem.errors] == ["crops"]


def test_a_misspelt_parameter_is_refused_and_thousands_of_them_are_not_echoed(shared: Any, crops: list[bytes]) -> None:
    problem = checked(shared.ask(path="/v1/faces?crop=true", body=crops[0], headers=PNG), 422, "invalid_request")
    assert [(fault.parameter, fault.detail) for fault in problem.errors] == [("crop", "There is no such parameter.")]
    many = shared.ask(path=f"/v1/faces?{'x' * 500}&" + "&".join(map(str, range(5000))), body=crops[0], headers=PNG)
    assert len(checked(many, 422, "invalid_request").errors) == 20
    assert len(many.body) < 5000


@pytest.mark.parametrize(
    ("body", "headers", "status", "code", "says"),
    [
        (b"x", {}, 415, "unsupported_media_type", "multipart/form-data"),
        (b"x", {"Content-Type": "text/plain"}, 415, "unsupported_media_type", "text/plain"),
        (b"x", PNG | {"Content-Encoding": "gzip"}, 415, "unsupported_media_type", "gzip"),
        (b"", PNG, 422, "no_images", "no image"),
        (None, {}, 415, "unsupported_media_type", "none"),
        (b"x", {"Content-Type": "multipart/form-data"}, 400, "malformed_body", "boundary"),
        (b"x", {"Content-Type": "multipart/form-data; boundary=" + "b" * 300}, 400, "malformed_body", "no multipart"),
        (b"", FORM, 400, "malformed_body", "cut off"),
        (b"garbage", FORM, 400, "malformed_body", "no multipart"),
        (PART + b"content", FORM, 400, "malformed_body", "cut off"),
        (PART + b"content\r\n--edge", FORM, 400, "malformed_body", "cut off"),
        (b"--edge\r\nno header\r\n\r\nx\r\n--edge--\r\n", FORM, 400, "malformed_body", "no multipart"),
        (b"--edge\r\n" + b"a" * 100_000 + b": b\r\n\r\nx\r\n--edge--\r\n", FORM, 400, "malformed_body", "no multipart"),
        (b"--edge--\r\n", FORM, 422, "no_images", "no image"),
        (b'--edge\r\nContent-Disposition: form-data; name="crops"\r\n\r\n1\r\n--edge--\r\n', FORM, 422,
         "unexpected_field", "crops has none"),
        (b"--edge\r\n\r\nx\r\n--edge--\r\n", FORM, 422, "unexpected_field", "without a name"),
        (5 * (PART + b"x\r\n") + b"--edge--\r\n", FORM, 422, "too_many_images", "at most 4"),
        (b"{", JSON, 400, "malformed_body", "line 1, column 2"),
        (b"\xff\xfe{", JSON, 400, "malformed_body", "no JSON"),
        (b"[" * 100_000, JSON, 400, "malformed_body", "no JSON"),
        (b"[]", JSON, 422, "invalid_request", '"images"'),
        (b'{"images": "x"}', JSON, 422, "invalid_request", '"images"'),
        (b'{"images": [], "url": "x"}', JSON, 422, "invalid_request", "nothing else"),
        (b'{"images": []}', JSON, 422, "no_images", "no image"),
        (json.dumps({"images": ["eA=="] * 5}).encode(), JSON, 422, "too_many_images", "at most 4"),
    ],
)  # fmt: skip
def test_bodies(shared: Any, body: bytes | None, headers: dict[str, str], status: int, code: str, says: str) -> None:
    assert says in checked(shared.ask(body=body, headers=headers), status, code).detail


def test_each_bad_base64_is_pointed_at_and_no_address_is_fetched(shared: Any, run: Callable) -> None:
    other = run()
    other.wait_ready()
    good = base64.b64encode(b"x").decode()
    body = json.dumps({"images": [good, f"{other.url}/healthz", 7, "a\u00e4b"]})
    problem = checked(shared.ask(body=body, headers=JSON), 422, "invalid_request")
    assert [fault.pointer for fault in problem.errors] == ["#/images/1", "#/images/2", "#/images/3"]
    assert "not fetched" in problem.errors[0].detail
    assert other.counted('agegender_requests_total{path="/healthz",status="200"}') == 0


def test_a_body_that_is_announced_too_large_is_not_waited_for(shared: Any) -> None:
    head = "POST /v1/faces HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 999999999999\r\n"
    with shared.raw(f"{head}Expect: 100-continue\r\n\r\n".encode()) as connection:
        assert "300,000 bytes" in checked(shared.answer_on(connection), 413, "body_too_large").detail
        assert connection.recv(1) == b""
    with shared.raw(f"{head}\r\nbegun".encode()) as connection:
        answer = shared.answer_on(connection)
        checked(answer, 413, "body_too_large")
        assert answer.headers["connection"] == "close"


def test_a_body_without_a_length_is_counted_as_it_comes(shared: Any, crops: list[bytes]) -> None:
    pieces = (b"x" * 50_000 for _ in range(200))
    answer = shared.ask(body=pieces, headers=PNG, encode_chunked=True)
    checked(answer, 413, "body_too_large")
    fits = shared.ask(body=iter([crops[0][:100], crops[0][100:]]), headers=PNG, encode_chunked=True)
    assert fits.status == 200


def test_a_client_that_sends_all_before_it_reads_still_gets_its_refusal(shared: Any) -> None:
    answer = shared.ask(body=b"x" * 20_000_000, headers=PNG)
    checked(answer, 413, "body_too_large")
    checked(shared.ask("POST", "/nowhere", b"x" * 5_000_000), 404, "not_found")


def test_what_is_no_http_is_a_problem_too(shared: Any) -> None:
    for sent in (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET /healthz\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n"):
        with shared.raw(sent) as connection:
            checked(shared.answer_on(connection), 400, "bad_request")
    with shared.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20_000) as connection:
        checked(shared.answer_on(connection), 400, "bad_request")
    head = b"POST /v1/faces HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
    with shared.raw(head + b"zz\r\n") as connection:
        checked(shared.answer_on(connection), 400, "bad_request")


def test_a_body_that_stalls_or_trickles_is_given_up(run: Callable) -> None:
    running = run(idle_seconds=0.5, upload_seconds=1.2)
    head = b"POST /v1/faces HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\n"
    running.wait_ready()
    with running.raw(head + b"begun") as stalled:
        assert "5 bytes came" in checked(running.answer_on(stalled), 408, "upload_too_slow").detail
    with running.raw(head) as trickling:
        started = time.monotonic()
        while time.monotonic() - started < 0.9:
            trickling.sendall(b"x")
            time.sleep(0.1)
        checked(running.answer_on(trickling), 408, "upload_too_slow")


def test_a_head_that_does_not_end_is_given_up(run: Callable, crops: list[bytes]) -> None:
    running = run(idle_seconds=0.5)
    with running.raw() as silent, running.raw(b"GET /healthz HTTP/1.1\r\nHost:") as stalled:
        for connection in (silent, stalled):
            checked(running.answer_on(connection), 408, "head_too_slow")
            assert connection.recv(1) == b""
    with running.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n") as kept:
        running.answer_on(kept)
        kept.sendall(b"GET /healthz HTT")
        checked(running.answer_on(kept), 408, "head_too_slow")


def test_a_client_that_goes_away_leaves_nothing_behind(run: Callable, crops: list[bytes]) -> None:
    running = run()
    running.wait_ready()
    head = b"POST /v1/faces HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\n"
    running.raw(head + b"x" * 70_000).close()
    gone = 'agegender_requests_total{path="/v1/faces",status="499"}'
    running.wait_until(lambda: running.counted(gone) == 1)
    assert running.counted("agegender_held_bytes") == 0
    assert running.counted("agegender_requests_in_work") == 0
    assert running.ask(body=crops[0], headers=PNG).status == 200


def test_connections_are_kept_and_pipelined(shared: Any, crops: list[bytes]) -> None:
    connection = http.client.HTTPConnection(*shared.address, timeout=60)
    for _ in range(3):
        connection.request("POST", "/v1/faces?crops=true", crops[0], PNG)
        response = connection.getresponse()
        assert response.status == 200
        response.read()
        assert response.getheader("connection") is None
    connection.close()
    request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with shared.raw(request * 3) as raw:
        received = b""
        while received.count(b'{"status":"ok"}') < 3:
            received += raw.recv(65536)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux's kernel does it")
def test_a_client_that_reads_nothing_of_its_answer_is_given_up(run: Callable, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 30_000_000)
    running = run(page=tmp_path, idle_seconds=0.3)
    running.wait_ready()
    with running.raw(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n"):
        running.wait_until(lambda: len(running.server.server_state.connections) == 1)
        running.wait_until(lambda: not running.server.server_state.connections)
    assert running.ask("GET", "/healthz").status == 200
