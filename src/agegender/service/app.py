"""The application: its addresses, and what a request goes through on its way to an answer."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from agegender import __version__
from agegender.inference.pipeline import FacePredictor
from agegender.inference.results import ImageResult
from agegender.service.admission import Admission, ApiKeys, RateLimit, fingerprint
from agegender.service.answers import faces_response
from agegender.service.batcher import Batcher
from agegender.service.body import read_body
from agegender.service.memory import keep_giving_back
from agegender.service.metrics import MEDIA_TYPE as METRICS_TYPE
from agegender.service.metrics import Metrics
from agegender.service.middleware import PAGE_POLICY, REVALIDATE, Headers, Lingering, Observed
from agegender.service.openapi import DESCRIPTION, FACES, describe, problem_responses, request_body
from agegender.service.problems import ClientGoneError, Problem, handle_problems
from agegender.service.schemas import FacesAnswer, FacesQuery, StateAnswer
from agegender.service.settings import ServiceSettings
from agegender.service.uploads import Upload, images_of

PAGE_TYPES = {
    ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json",
    ".svg": "image/svg+xml", ".txt": "text/plain", ".onnx": "application/octet-stream", ".gz": "application/gzip",
}  # fmt: skip
"""What files of a page are, whatever this system thinks: a browser runs no script that is called plain text."""

HEALTH, READY, METRICS, DESCRIBED = "/healthz", "/readyz", "/metrics", "/openapi.json"


class Service:
    """One model behind HTTP.

    Attributes:
        asgi: The whole application, for any ASGI server.
        api: The FastAPI application within.
        batcher: Between the event loop and the model.
        stopping: Set when no more requests should be sent here: it is no longer ready, and connections are closed.
    """

    def __init__(
        self,
        predictor: FacePredictor,
        settings: ServiceSettings,
        *,
        api_keys: ApiKeys | None = None,
        page: Path | None = None,
    ) -> None:
        """Put the application together; nothing runs before its lifespan starts.

        Args:
            predictor: Answers.
            settings: Limits.
            api_keys: Without one of them nobody sees anything but the two states and the description.
            page: A folder of static files for `/`.
        """
        self.predictor = predictor
        self.settings = settings
        self.stopping = False
        self.metrics = Metrics((FACES, HEALTH, READY, METRICS, DESCRIBED))
        self.batcher = Batcher(
            predictor,
            batch_images=settings.batch_images,
            wait_seconds=settings.batch_wait_seconds,
            most_waiting=settings.waiting_images,
            observe_batch=self.metrics.batch,
        )
        self._admission = Admission(most_requests=settings.requests, most_bytes=settings.held_bytes)
        self._keys = api_keys
        self._rate = None if settings.requests_a_minute is None else RateLimit(settings.requests_a_minute)
        self.metrics.gauge("queue_images", "Images that wait for the model.", lambda: self.batcher.waiting)
        self.metrics.gauge("requests_in_work", "Requests in work.", lambda: self._admission.requests)
        self.metrics.gauge("held_bytes", "Bytes of bodies that are held.", lambda: self._admission.bytes)
        self.metrics.gauge("ready", "1: ready.", lambda: float(self.ready))
        # Its warnings quote bytes of what was sent.
        logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
        self.api = self._build(page)
        within = Observed(Headers(self.api, closing=lambda: self.stopping), self.metrics.request)
        self.asgi: ASGIApp = Lingering(within)

    @property
    def ready(self) -> bool:
        """Requests may be sent here."""
        return self.batcher.ready and not self.stopping

    def _build(self, page: Path | None) -> FastAPI:
        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            self.batcher.start()
            tidying = asyncio.create_task(keep_giving_back(lambda: self._admission.released))
            yield
            tidying.cancel()
            await asyncio.to_thread(self.batcher.stop, self.settings.grace_seconds)

        api = FastAPI(
            title="agegender", version=__version__, description=DESCRIPTION, lifespan=lifespan,
            openapi_url=DESCRIBED, docs_url=None, redoc_url=None, redirect_slashes=False,
        )  # fmt: skip
        handle_problems(api)
        describe(api)
        api.include_router(self._routes())
        if page is not None:  # last: it takes every address that is left
            for suffix, kind in PAGE_TYPES.items():
                mimetypes.add_type(kind, suffix)
            api.mount("/", Headers(StaticFiles(directory=page, html=True), policy=PAGE_POLICY, caching=REVALIDATE))
        return api

    def _routes(self) -> APIRouter:
        router = APIRouter()
        guarded = [Depends(self._guard())]
        keyed = () if self._keys is None else (401,)
        router.add_api_route(
            FACES, self._faces, methods=["POST"], dependencies=guarded, tags=["faces"], operation_id="answer_faces",
            summary="Find the faces of photographs and answer ages and genders",
            responses={
                200: {"model": FacesAnswer, "description": "Faces, or why not, for each image in order"},
                **problem_responses(400, *keyed, 408, 413, 415, 422, 429, 500, 503, 504),
            },
            openapi_extra={"requestBody": request_body(self.settings.images)},
        )  # fmt: skip
        router.add_api_route(
            METRICS, self._metrics, methods=["GET"], dependencies=guarded, tags=["operation"],
            operation_id="read_metrics", summary="Counts for Prometheus",
            responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problem_responses(*keyed)},
            response_class=Response,
        )  # fmt: skip
        for path, name, endpoint, summary in (
            (HEALTH, "read_health", self._health, "Whether the process is well; if not, start it anew"),
            (READY, "read_readiness", self._readiness, "Whether model and detector are warm and requests may come"),
        ):
            router.add_api_route(
                path, endpoint, methods=["GET"], tags=["operation"], operation_id=name, summary=summary,
                responses={200: {"model": StateAnswer}, **problem_responses(503)},
            )  # fmt: skip
        return router

    def _guard(self) -> Callable[..., Awaitable[None]]:
        """Lets in whoever has a key, where keys are asked for, and not more often than allowed."""
        rate = self._rate

        async def by_address(request: Request) -> None:
            if rate is not None and request.url.path == FACES:
                rate.take(request.client.host if request.client else "")

        keys = self._keys
        if keys is None:
            return by_address

        async def by_key(
            request: Request,
            header: Annotated[str | None, Security(APIKeyHeader(name="X-API-Key", auto_error=False))],
            bearer: Annotated[HTTPAuthorizationCredentials | None, Security(HTTPBearer(auto_error=False))],
        ) -> None:
            key = header or (bearer.credentials if bearer else "")
            if not key or not keys.known(key):
                raise Problem(
                    401, "unauthorized", "Give an API key in the header X-API-Key, or as Authorization: Bearer KEY.",
                    headers={"WWW-Authenticate": "Bearer"},
                )  # fmt: skip
            if rate is not None and request.url.path == FACES:
                rate.take(fingerprint(key))

        return by_key

    async def _faces(
        self,
        request: Request,
        query: Annotated[FacesQuery, Query()],
    ) -> Response:
        settings = self.settings
        with self._admission.request() as hold:
            body = await read_body(request, settings, hold)
            content_type = request.headers.get("content-type")
            uploads = await asyncio.to_thread(images_of, body, content_type, most_images=settings.images)
            del body
            results = await self._answered(request, uploads, crops=query.crops)
            self.metrics.results(results)
            return faces_response(
                self.predictor.predictor, uploads, results,
                distribution=query.distribution, most_faces=settings.faces,
            )  # fmt: skip

    async def _answered(self, request: Request, uploads: list[Upload], *, crops: bool) -> list[ImageResult]:
        """Results of the pictures, unless they take too long or nobody waits for them any more."""
        futures = self.batcher.submit([upload.content for upload in uploads], crops=crops)
        together = asyncio.gather(*futures)
        together.add_done_callback(_heard)
        gone = asyncio.ensure_future(_disconnected(request))
        try:
            await asyncio.wait(  # a cancellation in here is the end of the grace that a stopping server gives
                (together, gone), timeout=self.settings.answer_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if together.done():
                return together.result()
            if gone.done():
                raise ClientGoneError
            seconds = self.settings.answer_seconds
            raise Problem(
                504, "timed_out", f"The images were not answered within {seconds:g} s. Try again later, or send fewer."
            )
        except asyncio.CancelledError:
            raise Problem(503, "stopping", "The service stopped before the images were answered. Ask again.") from None
        finally:
            gone.cancel()
            together.cancel()

    async def _metrics(self) -> Response:
        return Response(self.metrics.page(), media_type=METRICS_TYPE)

    async def _health(self) -> Response:
        if not self.batcher.alive:
            raise Problem(503, "unwell", "The thread that answers has ended or does not come back. Start anew.")
        return JSONResponse({"status": "ok"})

    async def _readiness(self) -> Response:
        if not self.ready:
            why = "The service is stopping." if self.stopping else "Model and detector have not answered yet."
            raise Problem(503, "not_ready", why, headers={"Retry-After": "1"})
        return JSONResponse({"status": "ready"})


def _heard(together: asyncio.Future[list[ImageResult]]) -> None:
    """Take note of how it ended, though nobody waits any more; asyncio would log that nobody did."""
    if not together.cancelled():
        together.exception()


async def _disconnected(request: Request) -> None:
    """Comes back when the client has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
