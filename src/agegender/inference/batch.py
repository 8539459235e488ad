"""Many pictures to one table: resumable, with a row of status for every picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from agegender import __version__
from agegender.errors import ImageError
from agegender.inference.drawing import write_drawn
from agegender.inference.journal import Journal
from agegender.inference.predictor import Predictor
from agegender.inference.results import NO_FACE, OK, ImageFaces, ImageResult
from agegender.inference.rows import checked_format, rows_of, shown
from agegender.types import Progress, silent

SYNC_EVERY = 32
"""Pictures between two syncs to the disk; a kill of the process alone loses at most those since the last write."""


class Engine(Protocol):
    """What answers for files: a `FacePredictor` on this machine, a `cluster.ClusterPredictor` on many."""

    @property
    def predictor(self) -> Predictor:
        """The model that answers."""
        ...

    def stream(self, images: Iterable[str], *, crops: bool = False) -> Iterator[ImageResult]:
        """One result a file, each once, in any order."""
        ...


@dataclass(frozen=True, slots=True)
class Summary:
    """What a prediction came to.

    Attributes:
        table: What was written.
        rows: In it.
        statuses: How many pictures have each status.
        faces: How many faces were answered.
        resumed: How many pictures an earlier, unfinished run had done.
    """

    table: Path
    rows: int
    statuses: dict[str, int]
    faces: int
    resumed: int

    @property
    def failed(self) -> int:
        """Pictures that could not be used; one without a face is not among them."""
        return sum(count for status, count in self.statuses.items() if status not in (OK, NO_FACE))


def predict_to_table(
    predictor: Engine,
    files: Sequence[str],
    out: Path,
    *,
    crops: bool = False,
    draw: Path | None = None,
    progress: Progress = silent,
) -> Summary:
    """Predict image files and write one table, going on where an earlier run was stopped.

    Args:
        predictor: From `load`, or a cluster's. A prediction that one began the other may finish.
        files: Paths, each once, in the order of the table.
        out: The table; ends in `.parquet`, `.csv` or `.jsonl`.
        crops: Each picture is one cropped face.
        draw: Folder for pictures with their answers drawn over.
        progress: Shows how far it is.

    Raises:
        SettingError: Another ending, or an unfinished prediction with other settings stands there.
        OutputError: The table is there already, or something cannot be written.
    """
    checked_format(out)
    with Journal(out, _settings(predictor, crops=crops)) as journal:
        waiting = [file for file in files if shown(file) not in journal.done]
        resumed = len(files) - len(waiting)
        results = predictor.stream(waiting, crops=crops)
        for number, result in enumerate(progress(results, total=len(waiting), title="Predicting"), 1):
            if draw is not None and isinstance(result, ImageFaces):
                _draw(result, draw)
            journal.add(rows_of(result))
            if number % SYNC_EVERY == 0:
                journal.sync()
        names = [shown(file) for file in files]
        statuses: Counter[str] = Counter()
        faces = 0
        for row in journal.rows(names):
            statuses[row["status"]] += row.get("face", 0) == 0
            faces += "face" in row
        rows = journal.finish(names)
    return Summary(out, rows, dict(statuses), faces, resumed)


def _settings(predictor: Engine, *, crops: bool) -> dict[str, Any]:
    """What must be the same for a prediction to go on."""
    model = predictor.predictor
    return {
        "model": model.name,
        "precision": model.precision,
        "sha256": model.sha256,
        "crops": crops,
        "calibration": model.manifest.calibration,
        "agegender": __version__,
    }


def _draw(result: ImageFaces, folder: Path) -> None:
    try:
        write_drawn(result, result.source, folder)
    except ImageError:
        return  # it could be read a moment ago and its answers stand; the file itself is gone since
