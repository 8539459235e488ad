"""Concurrent requests' pictures to small batches: a bounded queue, and one thread that decodes, detects and predicts.

The event loop only puts pictures in and is told when each is answered, so it never waits for a model.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agegender.inference.align import CROP_SIDE
from agegender.inference.pipeline import FacePredictor
from agegender.inference.results import ImageResult
from agegender.service.problems import Problem

log = logging.getLogger(__name__)

STUCK_FROM_SECONDS = 120.0
"""A batch that takes longer is taken for one that never ends."""

_RECENT = 0.1
"""Weight of the last batch in the mean time a picture."""


@dataclass(slots=True, eq=False)
class _Job:
    """A picture that waits. Its future belongs to the event loop and is touched there only."""

    content: bytes
    crops: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[ImageResult]
    answered: bool = False

    def answer(self, result: ImageResult | Exception) -> None:
        """Hand a result, or what went wrong, to the event loop."""
        self.answered = True
        try:
            self.loop.call_soon_threadsafe(_settle, self.future, result)
        except RuntimeError:  # the loop was closed: nobody waits any more
            log.debug("An answer came after the event loop had ended.")


def _settle(future: asyncio.Future[ImageResult], result: ImageResult | Exception) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


def _stopping() -> Problem:
    return Problem(503, "stopping", "The service is stopping. Try again elsewhere.")


class Batcher:
    """The one way from the event loop to the model."""

    def __init__(
        self,
        predictor: FacePredictor,
        *,
        batch_images: int,
        wait_seconds: float,
        most_waiting: int,
        observe_batch: Callable[[int], object] = lambda _images: None,
    ) -> None:
        """Nothing runs before `start`.

        Args:
            predictor: Answers.
            batch_images: Pictures looked at together.
            wait_seconds: How long the first of a batch waits for others.
            most_waiting: Pictures that may wait.
            observe_batch: Told the size of every batch.
        """
        self.predictor = predictor
        self.failure: Exception | None = None
        self._batch_images = batch_images
        self._wait_seconds = wait_seconds
        self._most_waiting = most_waiting
        self._observe_batch = observe_batch
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._warm = threading.Event()
        self._busy_since: float | None = None
        self._seconds_an_image = 0.05
        self._thread = threading.Thread(target=self._work, name="agegender-batcher", daemon=True)

    def start(self) -> None:
        """Start the thread; the first thing it does is to warm model and detector up."""
        self._thread.start()

    def stop(self, patience_seconds: float) -> None:
        """Take no more pictures, answer those that wait, end the thread; a batch that never ends is not waited for."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(patience_seconds)

    @property
    def alive(self) -> bool:
        """The thread runs, and its batch has not taken for ever."""
        busy_since = self._busy_since
        stuck = busy_since is not None and time.monotonic() - busy_since > STUCK_FROM_SECONDS
        return self._thread.is_alive() and not stuck

    @property
    def ready(self) -> bool:
        """Model and detector are loaded and have answered once, and more may come."""
        return self._warm.is_set() and self.alive and not self._closed

    @property
    def waiting(self) -> int:
        """Pictures that no batch has taken yet."""
        return len(self._jobs)

    def submit(self, contents: Sequence[bytes], *, crops: bool) -> list[asyncio.Future[ImageResult]]:
        """Put a request's pictures into the queue: all of them or none. To be called on an event loop.

        Args:
            contents: Files' bytes.
            crops: Each is one cropped face.

        Returns:
            A future for each; cancel those that nobody waits for any more, and they are passed over.

        Raises:
            Problem: 503, the queue has no room for them, or the service is stopping.
        """
        loop = asyncio.get_running_loop()
        jobs = [_Job(content, crops, loop, loop.create_future()) for content in contents]
        with self._changed:
            if self._closed:
                raise _stopping()
            if len(self._jobs) + len(jobs) > self._most_waiting:
                raise Problem(
                    503, "overloaded",
                    f"{len(self._jobs)} images wait already, and at most {self._most_waiting} may. Try again later.",
                    headers={"Retry-After": str(max(1, math.ceil(len(self._jobs) * self._seconds_an_image)))},
                )  # fmt: skip
            self._jobs.extend(jobs)
            self._changed.notify_all()
        return [job.future for job in jobs]

    def _work(self) -> None:
        try:
            self._warm_up()
        except Exception as error:  # whatever it is, the service must not stand there unready for ever
            log.exception("The first answers failed.")
            self.failure = error
            self._give_up()
            return
        self._warm.set()
        while (jobs := self._next_batch()) is not None:
            if not jobs:
                continue
            self._observe_batch(len(jobs))
            started = self._busy_since = time.monotonic()
            for crops in (False, True):
                self._answer([job for job in jobs if job.crops is crops], crops=crops)
            self._busy_since = None
            seconds = (time.monotonic() - started) / len(jobs)
            self._seconds_an_image += _RECENT * (seconds - self._seconds_an_image)

    def _give_up(self) -> None:
        """Take no more pictures and answer none of those that wait."""
        with self._changed:
            self._closed = True
            waiting, self._jobs = self._jobs, deque()
        for job in waiting:
            job.answer(_stopping())

    def _warm_up(self) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (2 * CROP_SIDE, 2 * CROP_SIDE, 3), dtype=np.uint8)
        for crops in (True, False):
            self.predictor.predict(noise, crops=crops)

    def _next_batch(self) -> list[_Job] | None:
        """Pictures that somebody still waits for; None once there will be no more."""
        with self._changed:
            while not self._jobs:
                if self._closed:
                    return None
                self._changed.wait()
            end = time.monotonic() + self._wait_seconds
            while len(self._jobs) < self._batch_images and not self._closed:
                left = end - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break
            jobs = [self._jobs.popleft() for _ in range(min(self._batch_images, len(self._jobs)))]
        return [job for job in jobs if not job.future.cancelled()]

    def _answer(self, jobs: list[_Job], *, crops: bool) -> None:
        """Answer each picture; if that fails for all of them together, each by itself, so that one harms no other."""
        if not jobs:
            return
        try:
            results = self.predictor.stream([job.content for job in jobs], crops=crops)
            for job, result in zip(jobs, results, strict=True):
                job.answer(result)
        except Exception as error:  # a fault of ours; the requests that it hit are answered 500
            left = [job for job in jobs if not job.answered]
            if len(jobs) == 1 and left:
                log.exception("An image could not be answered.")
                left[0].answer(error)
                return
            for job in left:
                self._answer([job], crops=crops)
