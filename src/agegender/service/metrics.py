"""What a monitor wants to know, as Prometheus reads it; in a registry of its own, so that nothing foreign is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from agegender.inference.results import ImageFaces, ImageResult

MEDIA_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0)
_IMAGES = (1, 2, 3, 4, 6, 8, 12, 16, 32)


class Metrics:
    """Counts of one service."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Start at 0.

        Args:
            paths: That are told apart; every other is `other`, so that a scan does not make a thousand series.
        """
        self._paths = frozenset(paths)
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "agegender_requests", "Answered requests; 499: the client went away.", ["path", "status"],
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "agegender_request_seconds", "From a request's head to the last byte of its answer.", ["path"],
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self._images = Counter("agegender_images", "Images by status.", ["status"], registry=self.registry)
        self._faces = Counter("agegender_faces", "Faces answered.", registry=self.registry)
        self._batch = Histogram("agegender_batch_images", "Images a batch.", buckets=_IMAGES, registry=self.registry)

    def gauge(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Add a value that is asked for when the metrics are read."""
        Gauge(f"agegender_{name}", meaning, registry=self.registry).set_function(value)

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        path = path if path in self._paths else "other"
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def batch(self, images: int) -> None:
        """Count a batch."""
        self._batch.observe(images)

    def results(self, results: Iterable[ImageResult]) -> None:
        """Count what was answered."""
        for result in results:
            self._images.labels(result.status).inc()
            if isinstance(result, ImageFaces):
                self._faces.inc(len(result.faces))

    def page(self) -> bytes:
        """All of them, of the type `MEDIA_TYPE`."""
        return generate_latest(self.registry)
