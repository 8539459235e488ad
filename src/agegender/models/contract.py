"""The model contract: what a delivered file must be and do, checked the way the marker would meet it.

Sources of the lines: the brief's contract, from plain loading (1) to augmentation in training alone (6).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from agegender.errors import MissingExtraError, ModelError, SettingError
from agegender.models.contract_file import Finding, check_file
from agegender.models.probe_images import face_like_images

PROBE = Path(__file__).with_name("contract_probe.py")
NO_KERAS_EXIT = 6
"""What the probe exits with where its interpreter has no Keras."""


@dataclass(frozen=True, slots=True)
class Term:
    """One line of the contract.

    Attributes:
        expected: What a file must be or do.
        advice: What to do where it does not.
        own: Asked of this package's own files; of a foreign file it is only noted.
    """

    expected: str
    advice: str
    own: bool = False


TERMS = {
    "whole_file": Term("a .keras file with configuration and weights", "Save with model.save('name.keras')."),
    "built_in_parts": Term(
        "built-in layers, losses and metrics; no Lambda, no custom object, no keras.ops node",
        "Build the graph of built-in layers, such as Rescaling, Multiply or a fixed 1x1 Conv2D.",
    ),
    "older_keras": Term(
        "readable by Keras 3.8 and 3.10",
        "Save with agegender.models.saving.save_model, which leaves out inert newer keys.",
    ),
    "training_only": Term("augmentation and dropout in training alone", "Call the layer without training=True."),
    "loads": Term(
        "a plain keras.models.load_model in safe mode, without this package", "See built_in_parts and older_keras."
    ),
    "input": Term("one input (None, 128, 128, 3)", "Take 128 x 128 x 3 and scale or resize inside the model."),
    "output_names": Term("two outputs, age then gender", "Name the last layers and order keras.Model's outputs so."),
    "output_units": Term("1 unit each", "End age in Dense(1) and gender in Dense(1, activation='sigmoid')."),
    "float32": Term("computes in float32", "Build the model to be saved under the float32 policy.", own=True),
    "gender_sigmoid": Term("a sigmoid: probability of female, 0..1", "End in Dense(1, activation='sigmoid')."),
    "age_years": Term("age in years, about 0..116", "Put the scaling back to years inside the model."),
    "age_distribution": Term(
        "an inner softmax named age_distribution whose mean or median is the age",
        "Name the softmax so and compute age from it by fixed dense layers.",
        own=True,
    ),
    "feature_maps": Term("maps below 10 x 10 before a fully connected layer", "Stride or pool further down."),
    "batches": Term("the same answer alone and in a batch of 333", "Use no statistics of the batch at inference."),
    "repeatable": Term("the same answer when asked twice", "Keep augmentation and noise to training."),
    "channel_order": Term(
        "BGR and RGB within 0.2 years on average, the same gender on 99.5 %",
        "Order the channels inside the model (agegender.models.input_layers.red_first).",
    ),
    "compiled": Term(
        "compiled, model.evaluate works", "Compile with built-in losses and metrics before saving."
    ),
    "overfitting": Term("a technique against overfitting", "Use dropout, normalisation or a regulariser.", own=True),
}  # fmt: skip
"""Every check by name, in the order of a report: those of the file at rest, then those of the file at work."""


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    BROKEN = "broken"
    NOTED = "noted"
    """Not kept, and not asked of a foreign file."""
    NOT_MADE = "not made"
    """What it needs was already broken."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the contract, held against one file."""

    name: str
    outcome: Outcome
    found: str
    expected: str
    advice: str


@dataclass(frozen=True, slots=True)
class ContractReport:
    """What `check_model` found.

    Attributes:
        file: The model file.
        versions: Of `python`, `keras`, `backend` and `numpy` in the process that loaded it.
        checks: One a line of the contract, in the order of `TERMS`.
        answers: `age` in years and `gender` as probability of female, float64 (n,), to the images; empty if the
            model could not answer.
    """

    file: Path
    versions: dict[str, str]
    checks: tuple[Check, ...]
    answers: dict[str, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    @property
    def passed(self) -> bool:
        """Whether nothing is broken."""
        return not self.broken

    @property
    def broken(self) -> tuple[Check, ...]:
        """The lines that the file breaks; checks that could not be made follow from these."""
        return tuple(check for check in self.checks if check.outcome is Outcome.BROKEN)

    def as_json(self) -> dict[str, Any]:
        """The report without the answers, for a file or a pipe."""
        checks = [
            {"name": c.name, "outcome": c.outcome.value, "found": c.found, "expected": c.expected, "advice": c.advice}
            for c in self.checks
        ]
        return {"file": str(self.file), "passed": self.passed, "versions": self.versions, "checks": checks}


def check_model(path: str | Path, **options: Any) -> ContractReport:
    """Check one model file; the options are those of `check_models`."""
    return check_models([path], **options)[0]


def check_models(
    paths: Sequence[str | Path],
    *,
    python: str | Path | None = None,
    backend: str | None = None,
    images: np.ndarray | None = None,
    foreign: bool = False,
    timeout_seconds: float = 600,
) -> list[ContractReport]:
    """Check model files in one separate clean process, so that the backend starts only once.

    Args:
        paths: The files.
        python: Interpreter of another environment with Keras, one backend and NumPy; by default this one.
        backend: `tensorflow`, `jax` or `torch`; by default what that environment chooses.
        images: uint8 (n, 128, 128, 3) in RGB to answer; by default 333 face-like ones.
        foreign: The files were not made by this package: what is asked of own files alone is noted.
        timeout_seconds: Patience with each file.

    Returns:
        One report a file, in their order. A broken file is a finding, not an error.

    Raises:
        ModelError: A file is missing, or the process crashed or took too long.
        MissingExtraError: The interpreter has no Keras with a backend.
        SettingError: The images have another shape or type.
    """
    files = [Path(path) for path in paths]
    for file in files:
        if not file.is_file():
            raise ModelError(f"There is no model file {file}. Give the path of a .keras file.")
    images = face_like_images() if images is None else images
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (128, 128, 3) or not len(images):
        raise SettingError(
            f"Images must be uint8 (n, 128, 128, 3), at least one. Received: {images.dtype} {images.shape}."
        )
    interpreter = shutil.which(python or sys.executable)
    if interpreter is None:
        raise SettingError(f"Cannot run {python}: it is no program. Give a Python interpreter.")
    # Made absolute, since the probe runs in another folder; links stay, since a virtual environment's Python is one.
    found = _run_probe(files, str(Path(interpreter).absolute()), backend, images, timeout_seconds)
    return [
        _report(file, found["versions"], model, foreign) for file, model in zip(files, found["models"], strict=True)
    ]


def _run_probe(
    files: list[Path], python: str, backend: str | None, images: np.ndarray, timeout_seconds: float
) -> dict[str, Any]:
    # TensorFlow leaves oneDNN off on processors without VNNI, where it halves the time; see `backend.py`.
    environment = {"TF_ENABLE_ONEDNN_OPTS": "1"} | dict(os.environ)
    if backend:
        environment["KERAS_BACKEND"] = backend
    elif python != sys.executable:
        environment.pop("KERAS_BACKEND", None)  # chosen for this environment, perhaps not there in the other
    with tempfile.TemporaryDirectory(prefix="agegender-check-") as folder:
        images_file = Path(folder, "images.npz")
        np.savez(images_file, images=images)
        # Isolated mode: no PYTHONPATH, no user packages, and the working folder cannot shadow a module.
        command = [python, "-I", str(PROBE), "--images", str(images_file), *(str(file.absolute()) for file in files)]
        settings: dict[str, Any] = {"cwd": folder, "env": environment, "timeout": timeout_seconds * len(files)}
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, **settings)
        except subprocess.TimeoutExpired as error:
            raise ModelError(
                f"Checking took longer than {timeout_seconds:g} s a file and was stopped. Does one never answer?"
            ) from error
        except OSError as error:
            raise SettingError(f"Cannot run {python}: {error.strerror}. Give a Python interpreter.") from error
    said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    if done.returncode == NO_KERAS_EXIT:
        raise MissingExtraError(f"{said}. Run: pip install 'agegender[tensorflow]', or choose another Python.")
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise ModelError(
            f"The process that loads the model ended with code {done.returncode} and no report: {said}"
        ) from error


def _report(file: Path, versions: dict[str, str], model: dict[str, Any], foreign: bool) -> ContractReport:
    findings = [*check_file(file), *(Finding(*finding) for finding in model["findings"])]
    by_name = {finding.name: finding for finding in findings}
    checks = []
    for name, term in TERMS.items():
        _, passed, found = by_name[name]
        outcome = {True: Outcome.PASSED, False: Outcome.BROKEN, None: Outcome.NOT_MADE}[passed]
        if outcome is Outcome.BROKEN and foreign and term.own:
            outcome = Outcome.NOTED
        checks.append(Check(name, outcome, found, term.expected, term.advice))
    answers = {name: np.asarray(values) for name, values in model["answers"].items()}
    return ContractReport(file, versions, tuple(checks), answers)
