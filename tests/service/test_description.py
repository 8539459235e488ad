"""What the service says of itself: OpenAPI, metrics, and the place for a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agegender.service.schemas import FacesAnswer, ProblemAnswer

PNG = {"Content-Type": "image/png"}


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_description_is_whole_and_its_examples_are_true(shared: Any) -> None:
    answer = shared.ask("GET", "/openapi.json")
    content = answer.json
    assert content["openapi"].startswith("3.")
    assert set(content["paths"]) == {"/v1/faces", "/healthz", "/readyz", "/metrics"}
    faces = content["paths"]["/v1/faces"]["post"]
    assert set(faces["responses"]) == {
        "200", "400", "408", "413", "415", "422", "429", "500", "503", "504",
    }  # fmt: skip
    assert set(faces["requestBody"]["content"]) == {
        "multipart/form-data", "image/*", "application/octet-stream", "application/json",
    }  # fmt: skip
    FacesAnswer.model_validate(faces["responses"]["200"]["content"]["application/json"]["example"])
    for operation in (operation for path in content["paths"].values() for operation in path.values()):
        for status, response in operation["responses"].items():
            problem = response["content"].get("application/problem+json")
            assert (problem is None) == (status == "200")
            if problem:
                assert ProblemAnswer.model_validate(problem["example"]).status == int(status)
    for reference in references(content):
        assert reference.removeprefix("#/components/schemas/") in content["components"]["schemas"]


def test_the_described_bodies_are_those_that_are_taken(shared: Any, crops: list[bytes], multipart: Callable) -> None:
    content = shared.ask("GET", "/openapi.json").json["paths"]["/v1/faces"]["post"]["requestBody"]["content"]
    given = content["application/json"]["example"]
    answer = shared.ask(body=json.dumps(given), headers={"Content-Type": "application/json"})
    assert (answer.status, answer.json["images"][0]["status"]) == (200, "ok")
    for kind in ("application/json", "multipart/form-data"):
        images = content[kind]["schema"]["properties"]["images"]
        assert (images["minItems"], images["maxItems"]) == (1, 4)
    for count, status in ((4, 200), (5, 422)):
        body, headers = multipart([("a.png", crops[0])] * count)
        assert shared.ask(body=body, headers=headers).status == status
    assert content["multipart/form-data"]["schema"]["additionalProperties"] is False
    body, headers = multipart([("a.png", crops[0]), (None, crops[1])])
    assert shared.ask(body=body, headers=headers).json["code"] == "unexpected_field"


def test_metrics_are_prometheus_text(shared: Any, crops: list[bytes]) -> None:
    shared.ask("GET", "/wp-admin/x")
    shared.ask(body=crops[0], headers=PNG)
    answer = shared.ask("GET", "/metrics")
    page = answer.body.decode()
    assert answer.headers["content-type"].startswith("text/plain")
    for name in (
        'agegender_requests_total{path="/v1/faces",status="200"}',
        'agegender_requests_total{path="other",status="404"}',
        'agegender_images_total{status="ok"}',
        'agegender_request_seconds_bucket{le="0.5",path="/v1/faces"}',
        "agegender_queue_images 0",
        "agegender_ready 1",
        "agegender_batch_images_count",
        "process_resident_memory_bytes",
    ):
        assert f"\n{name}" in page
    assert "wp-admin" not in page


def test_a_folder_of_files_may_stand_at_the_root(run: Callable, tmp_path: Path, crops: list[bytes]) -> None:
    (tmp_path / "index.html").write_text("<h1>page</h1>")
    (tmp_path / "a.js").write_text("1")
    (tmp_path / "a.onnx").write_text("1")
    (tmp_path / "a.wasm.gz").write_bytes(b"\x1f\x8b")
    running = run(page=tmp_path)
    running.wait_ready()
    page = running.ask("GET", "/")
    assert (page.status, page.body) == (200, b"<h1>page</h1>")
    assert "script-src 'self' 'wasm-unsafe-eval'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert running.ask("GET", "/a.js").headers["content-type"].startswith("text/javascript")
    assert running.ask("GET", "/a.onnx").headers["content-type"] == "application/octet-stream"
    packed = running.ask("GET", "/a.wasm.gz")
    assert packed.body == b"\x1f\x8b"
    assert "content-encoding" not in packed.headers
    missing = running.ask("GET", "/../../etc/passwd")
    assert (missing.status, missing.headers["content-type"]) == (404, "application/problem+json")
    assert running.ask(body=crops[0], headers=PNG).status == 200
    assert running.ask("GET", "/healthz").json == {"status": "ok"}
