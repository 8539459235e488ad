"""What FastAPI cannot see of the service by itself: bodies, problems, examples."""

from __future__ import annotations

import http
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from agegender.service.problems import MEDIA_TYPE
from agegender.service.schemas import FaultAnswer, ProblemAnswer

DESCRIPTION = """Photographs in, faces with ages and genders out.

An age guessed from looks and a binary gender are limits of a data set, not facts about a person. The answers are for
measurement and research, not for decisions about people. Images are kept in memory while they are answered; none is
written or logged, and no address is fetched.

Every fault is answered as problem details (RFC 9457). A request whose images can all not be used is answered 422; if
any can be, 200, and each image says its own status.
"""

FACES = "/v1/faces"

_PROBLEMS = {
    400: ("malformed_body", "The body does not end with its multipart boundary: it was cut off."),
    401: ("unauthorized", "Give an API key in the header X-API-Key, or as Authorization: Bearer KEY."),
    404: ("not_found", "Nothing is at /v2. Photographs go to /v1/faces; /openapi.json describes all."),
    405: ("method_not_allowed", "GET is not for /v1/faces; see the header Allow."),
    408: ("upload_too_slow", "A body must come within 30 s and without a pause of 10 s. 1,024 bytes came."),
    413: ("body_too_large", "At most 33,554,432 bytes a request are read. Send fewer or smaller images."),
    415: ("unsupported_media_type", "A body is multipart/form-data with files, ... Received Content-Type: text/plain."),
    422: ("no_usable_image", "The image cannot be used. truncated: The image is cut off or damaged."),
    429: ("too_many_requests", "At most 60 requests a minute are answered a client. Try again in 1 s."),
    500: ("internal", "A fault of the service; its log says more."),
    503: ("overloaded", "64 images wait already, and at most 64 may. Try again later."),
    504: ("timed_out", "The images were not answered within 30 s. Try again later, or send fewer."),
}
_MEANINGS = {
    400: "Not what its type says", 401: "No API key", 404: "No such address", 405: "Another method",
    408: "Sent too slowly", 413: "Too many bytes", 415: "Another type of body",
    422: "No image that can be used, too many images, or a query that cannot be used", 429: "Too many requests",
    500: "A fault of the service", 503: "Overloaded, not ready, or stopping", 504: "Not answered in time",
}  # fmt: skip
_RETRIED = (429, 503)

_FACE = {
    "box": [172.4, 95.1, 337.9, 318.0],
    "landmarks": {
        "left_eye": [217.3, 182.0], "right_eye": [291.6, 180.2], "nose": [257.1, 227.8],
        "left_mouth": [225.0, 266.9], "right_mouth": [289.8, 265.3],
    },
    "detection_score": 0.9998,
    "age": 41.37,
    "age_interval": {"low": 29, "high": 55, "level": 0.9},
    "gender": "female",
    "gender_probability": 0.9712,
    "female_probability": 0.9712,
    "unsure": False,
    "notes": [],
}  # fmt: skip
FACES_EXAMPLE = {
    "model": {"name": "age_gender_B", "precision": "float32", "sha256": "0" * 64},
    "images": [
        {
            "name": "portrait.jpg", "status": "ok", "detail": None, "width": 512, "height": 600, "faces": [_FACE],
            "more_faces": False,
        },
        {
            "name": "broken.jpg", "status": "truncated", "detail": "The image is cut off or damaged.", "width": None,
            "height": None, "faces": [], "more_faces": False,
        },
    ],
}  # fmt: skip

_FILE = {"type": "string", "format": "binary"}
_TINY_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQMAAAAlPW0iAAAAA1BMVEXIWihNJ+cGAAAADElEQVR42mNgIA0AAAAwAAEodEl9AAAAAElFTkSuQmCC"
)
"""A whole PNG file of 16 x 16 pixels, so that the example can be sent as it stands."""


def request_body(most_images: int) -> dict[str, Any]:
    """What the body of a request for faces may be.

    Args:
        most_images: A request may hold.
    """
    files = {"type": "array", "items": _FILE, "minItems": 1, "maxItems": most_images}
    texts = {
        "type": "array", "minItems": 1, "maxItems": most_images,
        "items": {
            "type": "string", "contentEncoding": "base64", "contentMediaType": "image/*",
            "description": "Base64, or a data: URL of base64.",
        },
    }  # fmt: skip
    return {
        "required": True,
        "description": "Files as multipart/form-data (under any other names too, as long as each part has a file "
        f"name), one image as it is, or JSON with base64. At most {most_images} images.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object", "required": ["images"], "additionalProperties": False,
                    "properties": {"images": files},
                }
            },
            "image/*": {"schema": _FILE},
            "application/octet-stream": {"schema": _FILE},
            "application/json": {
                "schema": {
                    "type": "object", "required": ["images"], "additionalProperties": False,
                    "properties": {"images": texts},
                },
                "example": {"images": [_TINY_PNG]},
            },
        },
    }  # fmt: skip


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """FastAPI's `responses` for problems, each with an example."""
    return {status: _problem_response(status) for status in statuses}


def _problem_response(status: int) -> dict[str, Any]:
    code, detail = _PROBLEMS[status]
    title = http.HTTPStatus(status).phrase
    example = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    response: dict[str, Any] = {
        "description": _MEANINGS[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}, "example": example}},
    }
    if status in _RETRIED:
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return response


def describe(app: FastAPI) -> None:
    """Let an application's description hold the schema of problems, which no endpoint returns by itself."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            content = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            schemas = content.setdefault("components", {}).setdefault("schemas", {})
            for model in (FaultAnswer, ProblemAnswer):
                schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schema.pop("$defs", None)
                schemas[model.__name__] = schema
            # FastAPI drops what is null of an example, and then it lacks members that are required.
            answer = content["paths"][FACES]["post"]["responses"]["200"]["content"]["application/json"]
            answer["example"] = FACES_EXAMPLE
            app.openapi_schema = content
        return app.openapi_schema

    app.openapi = openapi
