"""Files to answers by the tasks of a Ray cluster; what a lost process or node had in hand is done again.

Tasks, not a pool of actors: a pool that fills every slot of a cluster waits for ever for the slots of a node that is
lost, while a task goes to whatever slot comes free. Ray's own retries are off, since they would run a picture that
kills its process again and again; here such a picture is found and gets its status.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import os
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agegender import __version__
from agegender.cluster.connect import RAY_LOGS
from agegender.cluster.worker import Answered, Job, answer
from agegender.errors import AgegenderError, ClusterError
from agegender.inference.predictor import BATCH_SIZE, ModelBytes
from agegender.inference.results import ImageFailure, ImageResult
from agegender.inference.storage import is_address

UNIT_IMAGES = BATCH_SIZE
"""Pictures a task. With crops the model sees the very batches that one machine would give it."""

NOT_VISIBLE, CRASHED = "not_visible", "crashed"
"""`status` of a picture that is here but not on the node; of one with which process after process was lost."""

MOST_LOSSES = 3
"""So often a unit is tried before its pictures are tried one by one, and then each of these."""

UNITS_A_SLOT = 2
"""Under way at once: one that runs and one that waits, so that no slot idles while answers travel."""

FETCH_SECONDS = 120.0
WAKE_SECONDS = 2.0
PATIENCE_SECONDS = 120.0
"""How long a cluster may be without any processor; one that grows by need takes a minute or two to begin."""


@dataclass(frozen=True, slots=True)
class _Unit:
    files: tuple[str, ...]
    losses: int = 0


class ClusterPredictor:
    """Answers for files as a `FacePredictor` does, on a cluster.

    Attributes:
        predictor: The model, opened here to know that it can be.
        lost: How many units were lost with a process or node so far.
        answered: How many units each machine answered so far.
    """

    def __init__(
        self, ray: Any, model: ModelBytes, *, processes: int | None = None, patience: float = PATIENCE_SECONDS
    ) -> None:
        """Put a model on a cluster.

        Args:
            ray: The module, connected (see `ray_cluster`).
            model: From `read_model`.
            processes: At most so many tasks at once; None: as many as the cluster has processors.
            patience: Seconds that the cluster may be without any processor.

        Raises:
            ModelError: It is no model of age and gender.
        """
        self.predictor = model.open(threads=1)
        self.lost = 0
        self.answered: Counter[str] = Counter()
        self._ray = ray
        self._model = ray.put(model)
        self._key = hashlib.sha256(model.content).hexdigest()
        self._processes = processes
        self._patience = patience
        # What Ray's own words for "the process, node or answer is gone" are.
        failures = ray.exceptions
        self._losses = (
            failures.WorkerCrashedError,
            failures.NodeDiedError,
            failures.OutOfMemoryError,
            failures.ObjectLostError,
            failures.GetTimeoutError,
        )

    def stream(self, images: Iterable[str], *, crops: bool = False) -> Iterator[ImageResult]:
        """One result a file, each once, in the order in which they are done.

        Args:
            images: Paths that mean the same on every node.
            crops: Each picture is one cropped face.

        Raises:
            ClusterError: No node is left, or none can do the work.
            AgegenderError: What a node raised, such as for a version that is not installed there.
        """
        job = Job(f"{self._key}-{crops}", [self._model], crops, __version__)
        task = self._ray.remote(answer).options(num_cpus=1, max_retries=0)
        again: deque[_Unit] = deque()
        waiting = _units(images)
        under_way: dict[Any, _Unit] = {}
        slots = _Slots(self._ray, self._processes, self._patience)
        try:
            while True:
                while len(under_way) < slots.window():
                    unit = again.popleft() if again else next(waiting, None)
                    if unit is None:
                        break
                    under_way[task.remote(job, [_absolute(file) for file in unit.files])] = unit
                if not under_way:
                    return
                ready, _ = self._ray.wait(list(under_way), num_returns=1, timeout=WAKE_SECONDS)
                slots.check()
                for reference in ready:
                    unit = under_way.pop(reference)
                    answered = self._fetched(reference)
                    if answered is not None:
                        self.answered[answered.node] += 1
                        yield from _named(unit, answered)
                        continue
                    self._count_loss(len(under_way))
                    if unit.losses + 1 < MOST_LOSSES:
                        again.append(_Unit(unit.files, unit.losses + 1))
                    elif len(unit.files) > 1:
                        again.extend(_Unit((file,)) for file in unit.files)
                    else:
                        yield from map(_given_up, unit.files)
        finally:
            with contextlib.suppress(Exception):  # whatever ended this is raised, not that Ray is gone too
                for reference in under_way:
                    self._ray.cancel(reference, force=True)

    def _fetched(self, reference: Any) -> Answered | None:
        """The answers of a task that has ended; None: they were lost."""
        failures = self._ray.exceptions
        try:
            return self._ray.get(reference, timeout=FETCH_SECONDS)
        except self._losses:
            return None
        except failures.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, MemoryError):
                return None
            if isinstance(cause, AgegenderError):
                raise cause from error
            reason: Exception = error
        except failures.RayError as error:
            reason = error
        raise ClusterError(
            f"A node could not do its work: {str(reason).strip().splitlines()[-1]}. Every node needs agegender "
            f"{__version__} with the extra ray. What was done so far is kept: give the same "
            "--out to go on."
        ) from reason

    def _count_loss(self, under_way: int) -> None:
        self.lost += 1
        if not self.answered and self.lost > 20 + under_way:
            raise ClusterError(
                f"{self.lost} processes of the cluster ended before any of them answered. Run `agegender predict` on "
                f"one picture on a node to see why; Ray's logs are in {RAY_LOGS} there."
            )


class _Slots:
    """How many units may be under way, by what the cluster has at the moment."""

    def __init__(self, ray: Any, processes: int | None, patience: float) -> None:
        self._ray, self._processes, self._patience = ray, processes, patience
        self._looked = self._seen = time.monotonic()
        self._count = self._now()

    def window(self) -> int:
        """At least 1, so that a cluster that grows by need sees the need."""
        if self._processes is not None:
            return self._processes
        return max(1, self._count * UNITS_A_SLOT)

    def check(self) -> None:
        """Look at the cluster, but not all the time.

        Raises:
            ClusterError: It has been without a processor for too long.
        """
        now = time.monotonic()
        if now - self._looked < WAKE_SECONDS:
            return
        self._looked = now
        self._count = self._now()
        if self._count:
            self._seen = now
        elif now - self._seen > self._patience:
            raise ClusterError(
                f"The cluster has had no processor for {self._patience:.0f} seconds. What was done so far is kept: "
                "add nodes and give the same --out to go on."
            )

    def _now(self) -> int:
        return int(self._ray.cluster_resources().get("CPU", 0))


def _units(files: Iterable[str]) -> Iterator[_Unit]:
    files = iter(files)
    while unit := tuple(itertools.islice(files, UNIT_IMAGES)):
        yield _Unit(unit)


def _absolute(file: str) -> str:
    """A path that means the same in a process with another working folder; `..` behind a link keeps its meaning."""
    return file if is_address(file) else os.path.join(os.getcwd(), file)  # noqa: PTH109, PTH118 - text, as it will stand in the table


def _named(unit: _Unit, answered: Answered) -> Iterator[ImageResult]:
    """Results under the names that the files have where the command runs."""
    for number, (file, result) in enumerate(zip(unit.files, answered.results, strict=True)):
        if number in answered.unseen and os.access(file, os.R_OK):
            yield ImageFailure(
                file,
                NOT_VISIBLE,
                f"{answered.node} cannot open this file, which can be read where the command runs. Put the images "
                "where every node finds them under the same path.",
            )
        else:
            yield dataclasses.replace(result, source=file)


def _given_up(file: str) -> ImageFailure:
    return ImageFailure(
        file, CRASHED, f"The process that read it was lost {MOST_LOSSES} times. Look at it on a machine of its own."
    )
