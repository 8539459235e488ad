"""Aligned faces in, ages and genders out: one exported model in onnxruntime, no Keras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from agegender.errors import ModelError, SettingError
from agegender.inference.align import CROP_SIDE
from agegender.inference.manifest import (
    AGE,
    AGE_DISTRIBUTION,
    AGES,
    ENDINGS,
    FLOAT32,
    GENDER,
    IMAGE,
    SUFFIX,
    Manifest,
    ModelFile,
    manifest_path,
    read_manifest,
    verified_file,
)
from agegender.inference.sessions import open_session
from agegender.shipped import shipped_manifest

BATCH_SIZE = 32
"""Faces a forward pass; what is kept in memory at once, however many are asked for."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """A model's answers, row i for face i.

    Attributes:
        age: Years, float64 of shape (n,).
        female_probability: 0..1, float64 of shape (n,).
        age_distribution: Probabilities of the ages 0 to 116, float32 of shape (n, 117).
    """

    age: Floats
    female_probability: Floats
    age_distribution: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ModelBytes:
    """An exported model as bytes, to be opened here or sent to another machine.

    Attributes:
        content: The ONNX file.
        manifest: What is known of it; without one, its name alone.
        precision: `float32` or `int8`.
        sha256: Of the file; empty where no manifest says it.
    """

    content: bytes
    manifest: Manifest
    precision: str
    sha256: str

    def open(self, *, threads: int | None = None) -> Predictor:
        """Open the model.

        Args:
            threads: Of one forward pass; None: one a core.

        Raises:
            ModelError: It is no ONNX model, or has other inputs or outputs.
        """
        return Predictor(self.content, self.manifest, self.precision, threads=threads, sha256=self.sha256)


class Predictor:
    """An exported model. May be asked from several threads at once.

    Attributes:
        manifest: What is known of it; without one, its name alone.
        precision: `float32` or `int8`.
        sha256: Of the file that answers.
    """

    def __init__(
        self, content: bytes, manifest: Manifest, precision: str, *, threads: int | None = None, sha256: str = ""
    ) -> None:
        """Open a model.

        Args:
            content: The ONNX file.
            manifest: What is known of it.
            precision: `float32` or `int8`.
            threads: Of one forward pass; None: one a core.
            sha256: Of the file.

        Raises:
            ModelError: It is no ONNX model, or has other inputs or outputs.
        """
        self.manifest = manifest
        self.precision = precision
        self.sha256 = sha256
        self._session = open_session(content, manifest.name, threads=threads)
        self._check_ends()

    @property
    def name(self) -> str:
        """What tables and messages call it."""
        return self.manifest.name

    def predict_crops(self, crops: npt.NDArray[np.uint8], *, batch_size: int = BATCH_SIZE) -> Answers:
        """Answer for faces that are cropped as the training images were.

        Args:
            crops: RGB (or BGR) pixels, uint8 (n, 128, 128, 3); n may be 0.
            batch_size: Faces a forward pass, at least 1.

        Raises:
            SettingError: Crops of another type or shape.
            ModelError: An answer is not a finite number.
        """
        if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != (CROP_SIDE, CROP_SIDE, 3) or batch_size < 1:
            raise SettingError(
                f"crops must be uint8 of shape (n, {CROP_SIDE}, {CROP_SIDE}, 3) and the batch size 1 or more. "
                f"Received: {crops.dtype} of shape {crops.shape}, {batch_size}"
            )
        ages, genders, distributions = [], [], []
        for start in range(0, len(crops), batch_size):
            pixels = crops[start : start + batch_size].astype(np.float32) / 255.0
            age, gender, distribution = self._session.run([AGE, GENDER, AGE_DISTRIBUTION], {IMAGE: pixels})
            ages.append(age[:, 0].astype(np.float64))
            genders.append(gender[:, 0].astype(np.float64))
            distributions.append(distribution)
        if not ages:
            return Answers(np.empty(0), np.empty(0), np.empty((0, AGES), np.float32))
        answers = Answers(np.concatenate(ages), np.concatenate(genders), np.concatenate(distributions))
        if not (np.isfinite(answers.age).all() and np.isfinite(answers.female_probability).all()):
            raise ModelError(f"{self.name} answered with a number that is not finite. Export its Keras file again.")
        return answers

    def _check_ends(self) -> None:
        inputs = {value.name: value.shape[1:] for value in self._session.get_inputs()}
        outputs = {value.name: value.shape[1:] for value in self._session.get_outputs()}
        wanted_inputs = {IMAGE: [CROP_SIDE, CROP_SIDE, 3]}
        wanted_outputs = {AGE: [1], GENDER: [1], AGE_DISTRIBUTION: [AGES]}
        if inputs != wanted_inputs or outputs != wanted_outputs:
            raise ModelError(
                f"{self.name}: expected the input {wanted_inputs} and the outputs {wanted_outputs}, each behind a "
                f"batch axis. Received: {inputs} and {outputs}. Make the file with `agegender export`."
            )


def load_predictor(model: str | Path, *, precision: str | None = None, threads: int | None = None) -> Predictor:
    """Open an exported model by its name or its file.

    Args:
        model: `A` or `B` for one that comes with the package, an `.onnx` file, or a `.manifest.json`.
        precision: `float32` (by default) or `int8`; of an `.onnx` file it is what the file is.
        threads: Of one forward pass; None: one a core.

    Raises:
        SettingError: An unknown precision.
        ModelError: No such file, or not the one that its manifest describes, or not a model of age and gender.
    """
    return read_model(model, precision=precision).open(threads=threads)


def read_model(model: str | Path, *, precision: str | None = None) -> ModelBytes:
    """Find an exported model by its name or its file, and read it.

    Args:
        model: As for `load_predictor`.
        precision: Likewise.

    Raises:
        SettingError: An unknown precision.
        ModelError: No such file, or not the one that its manifest describes.
    """
    manifest, found, path = located_model(model, precision=precision)
    return ModelBytes(path.read_bytes(), manifest, found, manifest.files[found].sha256)


def located_model(model: str | Path, *, precision: str | None = None) -> tuple[Manifest, str, Path]:
    """Find an exported model, without opening it: what is known of it, its precision, its file.

    Args:
        model: As for `load_predictor`.
        precision: Likewise.

    Raises:
        SettingError: An unknown precision.
        ModelError: No such file, or not the one that its manifest describes.
    """
    if precision is not None and precision not in ENDINGS:
        raise SettingError(f"precision must be {' or '.join(ENDINGS)}. Received: {precision!r}")
    text = str(model)
    if text in ("A", "B"):
        path = shipped_manifest(text)
    else:
        path = Path(model)
        if not path.is_file():
            raise ModelError(f"No model at {path}. Give A, B, or a file that `agegender export` wrote.")
        if path.suffix == ".keras":
            raise ModelError(
                f"{path} is a Keras file; this runs without Keras. Export it once: agegender export {path}"
            )
    if path.name.endswith(SUFFIX):
        return _of_manifest(path, precision or FLOAT32)
    found = next((name for name, ending in ENDINGS.items() if path.name.endswith(ending)), None)
    if found is None:
        raise ModelError(f"A model is A, B, an .onnx file or a {SUFFIX} file. Received: {path}")
    if precision not in (None, found):
        raise SettingError(f"{path.name} is the file for {found}. Received: precision {precision!r}")
    if manifest_path(path).is_file():
        return _of_manifest(manifest_path(path), found)
    file = ModelFile(path.name, "", path.stat().st_size, 0)
    return Manifest(path.name.removesuffix(ENDINGS[found]), {found: file}), found, path


def _of_manifest(path: Path, precision: str) -> tuple[Manifest, str, Path]:
    manifest = read_manifest(path)
    return manifest, precision, verified_file(manifest, precision, path.parent)
