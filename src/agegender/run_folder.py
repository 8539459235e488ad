"""Where everything of a run stands: one folder, the same names every time."""

from __future__ import annotations

import errno
import hashlib
import importlib.metadata
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agegender import __version__
from agegender.artifacts import explained_writes, read_json, write_json
from agegender.errors import InputError, SettingError

MODELS = ("A", "B")
"""A is trained from scratch, B starts from ImageNet."""

_VERSIONED = ("keras", "tensorflow-cpu", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless", "pillow")


@dataclass(frozen=True)
class RunFolder:
    """The paths of a run.

    Attributes:
        root: The folder.
    """

    root: Path

    @property
    def record(self) -> Path:
        """`run.json`: versions, seed, source, times."""
        return self.root / "run.json"

    @property
    def rejected(self) -> Path:
        """`rejected.csv`: every file that could not be used."""
        return self.root / "rejected.csv"

    @property
    def split(self) -> Path:
        """`split.json`: which files train and which validate."""
        return self.root / "split.json"

    @property
    def metrics(self) -> Path:
        """`metrics.json`: the evaluation of both models."""
        return self.root / "metrics.json"

    @property
    def predictions(self) -> Path:
        """`predictions.parquet`: one row an image, model and channel order."""
        return self.root / "predictions.parquet"

    @property
    def figures(self) -> Path:
        """The folder of pictures."""
        return self.root / "figures"

    def training(self, model: str) -> Path:
        """The folder of one model's recipe, history and checkpoint."""
        return self.root / model

    def model(self, model: str) -> Path:
        """`age_gender_A.keras` or `age_gender_B.keras`."""
        return self.root / f"age_gender_{model}.keras"

    def sidecar(self, model: str) -> Path:
        """What is known of the model file: hash, recipe, data, figures."""
        return self.model(model).with_suffix(".json")

    def claim(self, settings: dict[str, Any], *, resume: bool) -> None:
        """Make the folder, or check that the run in it may go on.

        Args:
            settings: What must be the same for a run to go on.
            resume: Whether the user asked to.

        Raises:
            SettingError: There is a run already and it was not asked to go on, or it is another one.
            OutputError: The folder cannot be written.
        """
        if self.record.is_file():
            former = read_json(self.record).get("settings", {})
            if not resume:
                raise SettingError(
                    f"{self.root} holds a run already. Give --resume to go on with it, or another --out folder."
                )
            unlike = [key for key, value in settings.items() if former.get(key) != value]
            if unlike:
                changes = "; ".join(f"{key} was {former.get(key)}, is {settings[key]}" for key in unlike)
                raise SettingError(
                    f"{self.root} holds a run with other settings ({changes}). Give the same to --resume it, or "
                    "another --out folder."
                )
            return
        with explained_writes(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            if not os.access(self.root, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self.root))

    def begin(self, settings: dict[str, Any]) -> None:
        """Write the record of a new run; one that goes on keeps its own."""
        if not self.record.is_file():
            write_json(self.record, {"settings": settings, "versions": versions(), "started": now(), "finished": None})

    def finish(self, facts: dict[str, Any]) -> None:
        """Add what came out to the record."""
        write_json(self.record, read_json(self.record) | facts | {"finished": now()})


def open_run(root: Path) -> tuple[RunFolder, dict[str, Any]]:
    """A finished or unfinished run and its record.

    Raises:
        InputError: There is no run in that folder.
    """
    folder = RunFolder(root)
    if not folder.record.is_file():
        raise InputError(f"{root} is no run folder: it has no run.json. Give the --out folder of `agegender run`.")
    return folder, read_json(folder.record)


def hashed_name(name: str) -> str:
    """The first 16 digits of the SHA-256 of an image's file name: in a shipped run the same image, no name."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def now() -> str:
    """This moment in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Versions of this package and of what it computes with, and the kind of machine."""
    found = {"agegender": __version__, "python": platform.python_version(), "platform": platform.platform()}
    for name in _VERSIONED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    found["backend"] = os.environ.get("KERAS_BACKEND", "")
    found["cpus"] = str(os.cpu_count())
    return found
