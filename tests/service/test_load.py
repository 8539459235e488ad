"""Many at once: batched, bounded, shed where there are too many, and none answered for another."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agegender.errors import ModelError, SettingError
from agegender.inference.pipeline import FacePredictor
from agegender.service.app import Service
from agegender.service.server import serve
from agegender.service.settings import ServiceSettings

PNG = {"Content-Type": "image/png"}


def age(answer: Any) -> float:
    assert answer.status == 200, answer.body
    return answer.json["images"][0]["faces"][0]["age"]


def test_requests_at_once_are_batched_and_each_gets_its_own_answer(
    run: Callable, held: Any, predictor: FacePredictor, crops: list[bytes]
) -> None:
    running = run(held, batch_images=4)
    running.wait_ready()
    with ThreadPoolExecutor(13) as pool:
        first = pool.submit(running.ask, body=crops[0], headers=PNG)
        assert held.asked.wait(60)
        others = [pool.submit(running.ask, body=crops[i % 3], headers=PNG) for i in range(12)]
        running.wait_until(lambda: running.service.batcher.waiting == 12)
        held.let.set()
        wanted = [round(predictor.predict(crop, crops=True).faces[0].age, 2) for crop in crops]
        assert age(first.result()) == pytest.approx(wanted[0], abs=0.02)
        for i, other in enumerate(others):
            assert age(other.result()) == pytest.approx(wanted[i % 3], abs=0.02)
    assert running.counted("agegender_batch_images_count") == 4
    assert running.counted("agegender_batch_images_sum") == 13
    assert running.counted('agegender_batch_images_bucket{le="4.0"}') == 4
    assert running.counted("agegender_faces_total") == 13
    assert running.counted('agegender_requests_total{path="/v1/faces",status="200"}') == 13


def test_photographs_and_crops_share_a_batch(run: Callable, held: Any, crops: list[bytes]) -> None:
    running = run(held)
    running.wait_ready()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(running.ask, body=crops[0], headers=PNG)
        assert held.asked.wait(60)
        crop = pool.submit(running.ask, body=crops[1], headers=PNG)
        photo = pool.submit(running.ask, path="/v1/faces", body=crops[1], headers=PNG)
        running.wait_until(lambda: running.service.batcher.waiting == 2)
        held.let.set()
        age(first.result())
        age(crop.result())
        assert photo.result().json["images"][0]["status"] == "no_face"
    assert running.counted("agegender_batch_images_count") == 2


def test_what_does_not_fit_into_the_queue_is_turned_away(
    run: Callable, held: Any, crops: list[bytes], multipart: Callable
) -> None:
    running = run(held, waiting_images=3, images=3)
    running.wait_ready()
    body, headers = multipart([("a.png", crops[0]), ("b.png", crops[1])])
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(running.ask, body=crops[0], headers=PNG)
        assert held.asked.wait(60)
        second = pool.submit(running.ask, body=body, headers=headers)
        running.wait_until(lambda: running.service.batcher.waiting == 2)
        refused = running.ask(body=body, headers=headers)
        assert (refused.status, refused.json["code"]) == (503, "overloaded")
        assert int(refused.headers["retry-after"]) >= 1
        assert running.service.batcher.waiting == 2  # all of a request's images or none
        held.let.set()
        assert first.result().status == second.result().status == 200
    assert running.ask(body=body, headers=headers).status == 200


def test_requests_and_bytes_in_work_are_bounded(run: Callable, held: Any, crops: list[bytes]) -> None:
    running = run(held, requests=2, body_bytes=50_000, held_bytes=60_000)
    running.wait_ready()
    head = b"POST /v1/faces HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 50000\r\n\r\n"
    with running.raw(head + b"x" * 40_000):
        running.wait_until(lambda: running.counted("agegender_held_bytes") == 40_000)
        refused = running.ask(body=b"x" * 30_000, headers=PNG)
        assert (refused.status, refused.json["code"]) == (503, "overloaded")
        with running.raw(head):
            running.wait_until(lambda: running.counted("agegender_requests_in_work") == 2)
            assert running.ask(body=crops[0], headers=PNG).status == 503
            assert running.ask("GET", "/healthz").status == 200
    running.wait_until(lambda: running.counted("agegender_requests_in_work") == 0)
    assert running.counted("agegender_held_bytes") == 0


def test_an_answer_that_does_not_come_in_time_is_a_504_and_its_image_is_passed_over(
    run: Callable, held: Any, crops: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    running = run(held, answer_seconds=0.4)
    running.wait_ready()
    for _ in range(2):  # the first is in work, the second only waits
        refused = running.ask(body=crops[0], headers=PNG)
        assert (refused.status, refused.json["code"]) == (504, "timed_out")
    gc.collect()
    assert "never retrieved" not in caplog.text
    held.let.set()
    running.wait_until(lambda: running.service.batcher.waiting == 0)
    assert running.ask(body=crops[0], headers=PNG).status == 200
    assert held.taken == 2


def test_nobody_computes_for_a_client_that_has_gone(run: Callable, held: Any, crops: list[bytes]) -> None:
    running = run(held)
    running.wait_ready()
    head = "POST /v1/faces HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: {}\r\n\r\n"
    request = head.format(len(crops[0])).encode() + crops[0]
    with running.raw(request):
        assert held.asked.wait(60)
        with running.raw(request):
            running.wait_until(lambda: running.service.batcher.waiting == 1)
    running.wait_until(lambda: running.counted("agegender_requests_in_work") == 0)
    held.let.set()
    assert running.ask(body=crops[0], headers=PNG).status == 200
    assert held.taken == 2


class Faulty(FacePredictor):
    """Falls over one image, as a fault in a decoder would make it."""

    def stream(self, images: Any, *, crops: bool = False) -> Iterator[Any]:
        if any(b"poison" in image for image in images):
            raise RuntimeError("secret of the inside")
        yield from super().stream(images, crops=crops)


def test_a_fault_of_ours_hits_its_own_request_only(run: Callable, model: Any, crops: list[bytes]) -> None:
    running = run(Faulty(model, workers=1), batch_wait_seconds=0.3)
    running.wait_ready()
    with ThreadPoolExecutor(3) as pool:
        answers = [
            pool.submit(running.ask, body=body, headers=PNG) for body in (crops[0], crops[1] + b"poison", crops[2])
        ]
        statuses = [answer.result().status for answer in answers]
        fault = answers[1].result()
    assert statuses == [200, 500, 200]
    assert (fault.json["code"], fault.headers["content-type"]) == ("internal", "application/problem+json")
    assert b"secret" not in fault.body
    assert fault.headers["x-content-type-options"] == "nosniff"
    assert running.ask(body=crops[0], headers=PNG).status == 200


class Cold(FacePredictor):
    """Its first answer waits, or fails."""

    def __init__(self, model: Any, wait: Callable[[], object]) -> None:
        super().__init__(model, workers=1)
        self._wait = wait

    def predict(self, images: Any, *, crops: bool = False) -> Any:
        self._wait()
        return super().predict(images, crops=crops)


def test_it_is_ready_only_after_the_first_answers(run: Callable, model: Any, held: Any, crops: list[bytes]) -> None:
    running = run(Cold(model, lambda: held.let.wait(60)))
    assert running.ask("GET", "/healthz").json == {"status": "ok"}
    refused = running.ask("GET", "/readyz")
    assert (refused.status, refused.json["code"], refused.headers["retry-after"]) == (503, "not_ready", "1")
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(running.ask, body=crops[0], headers=PNG)
        running.wait_until(lambda: running.service.batcher.waiting == 1)
        held.let.set()
        age(early.result())
    assert running.ask("GET", "/readyz").json == {"status": "ready"}
    running.service.stopping = True
    refused = running.ask("GET", "/readyz")
    assert (refused.status, refused.headers["connection"]) == (503, "close")
    age(running.ask(body=crops[0], headers=PNG))


def test_a_model_whose_first_answer_fails_ends_the_server(model: Any) -> None:
    def fail() -> None:
        raise RuntimeError("broken inside")

    service = Service(Cold(model, fail), ServiceSettings())
    with pytest.raises(ModelError, match="first answers failed: broken inside"):
        serve(service, host="127.0.0.1", port=0)
    assert not service.ready


def test_a_batch_that_never_ends_makes_it_unwell(
    run: Callable, held: Any, crops: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = run(held)
    running.wait_ready()
    with running.raw(b"POST /v1/faces HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 1\r\n\r\nx"):
        assert held.asked.wait(60)
        assert running.ask("GET", "/healthz").status == 200
        monkeypatch.setattr("agegender.service.batcher.STUCK_FROM_SECONDS", 0.05)
        time.sleep(0.1)
        assert running.ask("GET", "/healthz").json["code"] == "unwell"
        assert running.ask("GET", "/readyz").status == 503
        held.let.set()


def test_what_is_not_answered_within_the_grace_is_told_so(run: Callable, held: Any, crops: list[bytes]) -> None:
    running = run(held, grace_seconds=1)
    running.wait_ready()
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(running.ask, body=crops[0], headers=PNG)
        assert held.asked.wait(60)
        running.server.should_exit = True
        assert (late.result().status, late.result().json["code"]) == (503, "stopping")


def test_requests_that_wait_for_a_model_that_fails_are_turned_away(
    run: Callable, model: Any, held: Any, crops: list[bytes]
) -> None:
    def fail() -> None:
        held.let.wait(60)
        raise RuntimeError("broken inside")

    running = run(Cold(model, fail))
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(running.ask, body=crops[0], headers=PNG)
        running.wait_until(lambda: running.service.batcher.waiting == 1)
        held.let.set()
        assert (early.result().status, early.result().json["code"]) == (503, "stopping")


@pytest.mark.parametrize(
    "settings", [{"images": 0}, {"idle_seconds": 0}, {"images": 65}, {"body_bytes": 2**40}, {"requests_a_minute": 0}]
)
def test_limits_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=r"must be|would never fit"):
        ServiceSettings(**settings)
