"""What is answered instead of faces: problem details as RFC 9457 has them, for every fault, ours and the client's."""

from __future__ import annotations

import http
import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

CLIENT_GONE = 499
"""What a request counts as whose client went away; nobody is there to read it."""

MOST_FAULTS, LONGEST_NAME = 20, 80
"""Of a query that are answered, and the characters of a parameter's name; a head has room for thousands."""

_SAID = {"extra_forbidden": "There is no such parameter."}
"""What pydantic says less plainly, by the type of its fault."""

_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}


class Problem(Exception):  # noqa: N818 - RFC 9457's name for it
    """Ends a request with an answer that says what was received, what was expected, what to do.

    Attributes:
        status: HTTP's.
        code: A short stable word for programs, such as `overloaded`.
        detail: For people.
        headers: To go with it.
        extra: Further members.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.extra = extra


class ClientGoneError(Exception):
    """The client closed its connection before its answer was there."""


def problem_content(status: int, code: str, detail: str, **extra: Any) -> bytes:
    """The JSON of a problem. Its type is `about:blank`: the status says what kind it is, `code` which."""
    title = http.HTTPStatus(status).phrase
    content = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    return json.dumps(content | extra, ensure_ascii=False).encode("utf-8", "replace")


def problem_response(problem: Problem) -> Response:
    """A problem as an answer."""
    content = problem_content(problem.status, problem.code, problem.detail, **problem.extra)
    return Response(content, problem.status, problem.headers, MEDIA_TYPE)


def handle_problems(app: FastAPI) -> None:
    """Let every fault within an application be answered as a problem."""

    @app.exception_handler(Problem)
    async def _(_request: Request, problem: Problem) -> Response:
        return problem_response(problem)

    @app.exception_handler(ClientGoneError)
    async def _(_request: Request, _error: ClientGoneError) -> Response:
        return Response(status_code=CLIENT_GONE)

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> Response:
        detail = {
            404: f"Nothing is at {request.url.path}. Photographs go to /v1/faces; /openapi.json describes all.",
            405: f"{request.method} is not for {request.url.path}; see the header Allow.",
        }.get(error.status_code, str(error.detail))
        code = _CODES.get(error.status_code, "refused")
        return problem_response(Problem(error.status_code, code, detail, headers=dict(error.headers or {})))

    @app.exception_handler(RequestValidationError)
    async def _(_request: Request, error: RequestValidationError) -> Response:
        errors = [
            {"parameter": str(fault["loc"][-1])[:LONGEST_NAME], "detail": _SAID.get(fault["type"], str(fault["msg"]))}
            for fault in error.errors()[:MOST_FAULTS]
        ]
        names = ", ".join(fault["parameter"] for fault in errors)
        detail = f"The query cannot be used: {names}. See errors, and /openapi.json."
        return problem_response(Problem(422, "invalid_request", detail, errors=errors))

    @app.exception_handler(Exception)
    async def _(_request: Request, _error: Exception) -> Response:
        return problem_response(Problem(500, "internal", "A fault of the service; its log says more."))
