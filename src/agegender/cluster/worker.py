"""What runs on a node: a few files to their answers, by a model that each process opens once."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agegender import __version__
from agegender.errors import ClusterError
from agegender.inference.detector import DetectorSettings, FaceDetector
from agegender.inference.pipeline import FacePredictor
from agegender.inference.predictor import ModelBytes
from agegender.inference.results import ImageFailure, ImageResult
from agegender.optional import require


@dataclass(frozen=True, slots=True)
class Job:
    """What is the same for all units of work.

    Attributes:
        key: Tells models apart within a process.
        model: A list of one reference to `ModelBytes` in Ray's object store; inside a list, Ray fetches it only when
            it is asked for.
        crops: Each picture is one cropped face.
        version: Of this package where the command runs.
    """

    key: str
    model: list[Any]
    crops: bool
    version: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers of one unit of work.

    Attributes:
        node: The name of the machine.
        results: One a file, in the unit's order.
        unseen: Numbers of the files that this machine cannot open.
    """

    node: str
    results: list[ImageResult]
    unseen: frozenset[int]


_opened: dict[str, FacePredictor] = {}


def answer(job: Job, paths: Sequence[str]) -> Answered:
    """Answer for some files. Runs as a Ray task on one core.

    Args:
        job: See `Job`.
        paths: Absolute.

    Raises:
        ClusterError: This node has another version of the package.
        ModelError: The model cannot be opened here, or answers with what is no number.
    """
    if job.version != __version__:
        raise ClusterError(
            f"agegender is {job.version} where the command runs and {__version__} on {socket.gethostname()}. "
            "Install the same version on every node."
        )
    results = list(_predictor(job).stream(paths, crops=job.crops))
    unseen = {
        number
        for number, (path, result) in enumerate(zip(paths, results, strict=True))
        if isinstance(result, ImageFailure) and not os.access(path, os.R_OK)
    }
    return Answered(socket.gethostname(), results, frozenset(unseen))


def _predictor(job: Job) -> FacePredictor:
    if job.key not in _opened:
        model: ModelBytes = require("ray", "ray").get(job.model[0])
        # Ray gives a task one core: more threads would take those of the tasks beside it.
        detector = None if job.crops else FaceDetector(DetectorSettings(), threads=1)
        _opened.clear()
        _opened[job.key] = FacePredictor(model.open(threads=1), detector=detector, workers=1)
    return _opened[job.key]
