"""Photographs sent in every way give what the predictor itself answers, each with its own status."""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agegender.inference.pipeline import FacePredictor
from agegender.service.schemas import FacesAnswer, ProblemAnswer

PNG = {"Content-Type": "image/png"}


def ages(content: dict[str, Any]) -> list[float | None]:
    FacesAnswer.model_validate(content)
    return [image["faces"][0]["age"] if image["faces"] else None for image in content["images"]]


def wanted(predictor: FacePredictor, crops: list[bytes]) -> list[float]:
    return [round(predictor.predict(crop, crops=True).faces[0].age, 2) for crop in crops]


def test_files_keep_their_order_and_names(
    shared: Any, predictor: FacePredictor, crops: list[bytes], multipart: Callable
) -> None:
    names = ["first.png", "sub/folder/second.png", "C:\\\\images\\\\dritte\x01ß.png"]
    body, headers = multipart(list(zip(names, crops, strict=True)))
    answer = shared.ask(body=body, headers=headers)
    assert answer.status == 200
    assert ages(answer.json) == pytest.approx(wanted(predictor, crops), abs=0.02)
    assert len(set(ages(answer.json))) == 3
    assert [image["name"] for image in answer.json["images"]] == ["first.png", "second.png", "dritteß.png"]
    model = predictor.predictor
    assert answer.json["model"] == {"name": "tiny", "precision": "float32", "sha256": model.sha256}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "server" not in answer.headers


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg; charset=x", "application/octet-stream"])
def test_one_image_may_come_as_it_is(shared: Any, predictor: FacePredictor, crops: list[bytes], kind: str) -> None:
    answer = shared.ask(body=crops[0], headers={"Content-Type": kind})
    assert ages(answer.json) == pytest.approx(wanted(predictor, crops[:1]), abs=0.02)
    assert answer.json["images"][0]["name"] is None


def test_base64_may_be_wrapped_or_a_data_url(shared: Any, predictor: FacePredictor, crops: list[bytes]) -> None:
    images = [
        base64.b64encode(crops[0]).decode(),
        base64.encodebytes(crops[1]).decode(),
        "data:image/png;base64," + base64.b64encode(crops[2]).decode(),
    ]
    body = json.dumps({"images": images})
    answer = shared.ask(body=body, headers={"Content-Type": "application/json; charset=utf-8"})
    assert ages(answer.json) == pytest.approx(wanted(predictor, crops), abs=0.02)


def test_faces_of_a_photograph_are_found(shared: Any, predictor: FacePredictor, photograph: Path) -> None:
    answer = shared.ask(path="/v1/faces", body=photograph.read_bytes(), headers={"Content-Type": "image/jpeg"})
    (image,) = answer.json["images"]
    FacesAnswer.model_validate(answer.json)
    assert (image["status"], image["width"], image["height"], image["more_faces"]) == ("ok", 512, 600, False)
    (face,) = predictor.predict(photograph).faces
    expected = face.as_json()
    del expected["age_distribution"]
    assert image["faces"] == [expected]


def test_a_distribution_comes_where_it_is_asked_for(shared: Any, crops: list[bytes]) -> None:
    answer = shared.ask(path="/v1/faces?crops=1&distribution=true", body=crops[0], headers=PNG)
    (face,) = answer.json["images"][0]["faces"]
    assert len(face["age_distribution"]) == 117
    assert sum(face["age_distribution"]) == pytest.approx(1, abs=1e-3)
    assert "age_distribution" not in shared.ask(body=crops[0], headers=PNG).json["images"][0]["faces"][0]


def test_a_bad_image_harms_no_other(shared: Any, crops: list[bytes], multipart: Callable) -> None:
    large = io.BytesIO()
    Image.new("RGB", (1500, 1000)).save(large, "PNG")
    body, headers = multipart(
        [("text.png", b"no image"), ("a.png", crops[0]), ("large.png", large.getvalue()), ("cut.png", crops[1][:60])]
    )
    answer = shared.ask(body=body, headers=headers)
    assert answer.status == 200
    ages(answer.json)
    images = answer.json["images"]
    assert [image["status"] for image in images] == ["unreadable", "ok", "too_large", "truncated"]
    assert "1500 x 1000" in images[2]["detail"]
    assert images[1]["detail"] is None
    assert images[2]["faces"] == []


def test_where_no_image_can_be_used_it_is_a_problem(shared: Any, crops: list[bytes], multipart: Callable) -> None:
    large = io.BytesIO()
    Image.new("RGB", (1500, 1000)).save(large, "PNG")
    one = shared.ask(body=large.getvalue(), headers=PNG)
    body, headers = multipart([("a.png", b""), ("b.png", crops[0][:60])])
    two = shared.ask(body=body, headers=headers)
    for answer, statuses in ((one, ["too_large"]), (two, ["empty", "truncated"])):
        assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
        problem = ProblemAnswer.model_validate(answer.json)
        assert problem.code == "no_usable_image"
        assert [image.status for image in problem.images] == statuses
        assert statuses[0] in problem.detail


def test_of_more_faces_than_are_answered_it_is_said(run: Callable, model: Any, photograph: Path) -> None:
    running = run(FacePredictor(model, workers=2, most_faces=1), faces=1)
    answer = running.ask(path="/v1/faces", body=photograph.read_bytes(), headers={"Content-Type": "image/jpeg"})
    assert answer.json["images"][0]["more_faces"] is True


_written: list[str] = []
_watching = False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        _written.append(str(arguments[0]))


def test_no_image_is_written_or_logged(
    shared: Any, crops: list[bytes], multipart: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    global _watching  # noqa: PLW0603 - a hook cannot be taken out again
    sys.addaudithook(_watch)
    caplog.set_level(logging.DEBUG)
    body, headers = multipart([("mine.png", crops[0]), ("broken.png", crops[1][:90] + b"secret" * 40_000)])
    _watching = True
    try:
        assert shared.ask(body=body, headers=headers).status == 200
        assert shared.ask(body=body[:-9], headers=headers).status == 400
        with (Path(os.devnull)).open("w"):
            pass
    finally:
        _watching = False
    assert _written == [os.devnull]  # the last line alone: the hook sees what is written
    assert "secret" not in caplog.text
    assert "mine" not in caplog.text
