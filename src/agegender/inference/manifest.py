"""The manifest beside exported model files: what they are, what goes in, what comes out. The seam to all that predicts.

One `NAME.manifest.json` describes `NAME.onnx` (float32) and `NAME.int8.onnx`. Readers in other languages, such as the
browser page, need nothing else.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agegender.artifacts import read_json, sha256_file, write_json
from agegender.errors import ModelError
from agegender.inference.align import CROP_SIDE, TEMPLATE
from agegender.labels import AGE_MAX_YEARS, AGE_MIN_YEARS, FEMALE_THRESHOLD, Gender

FORMAT, VERSION = "agegender-onnx", 1
SUFFIX = ".manifest.json"

FLOAT32, INT8 = "float32", "int8"
ENDINGS = {INT8: ".int8.onnx", FLOAT32: ".onnx"}
"""How the file of each precision ends; the longer ending comes first, since it ends like the other."""

IMAGE, AGE, GENDER, AGE_DISTRIBUTION = "image", "age", "gender", "age_distribution"
AGES = AGE_MAX_YEARS - AGE_MIN_YEARS + 1


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One exported file.

    Attributes:
        file: Name beside the manifest.
        sha256: Of its bytes.
        bytes: Their number.
        opset: ONNX operator set.
        parity: How far its answers are from the Keras model's (see `export.parity`).
    """

    file: str
    sha256: str
    bytes: int
    opset: int
    parity: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What is known of an exported model.

    Attributes:
        name: The Keras file's name without suffix.
        files: By precision, `float32` and `int8`.
        source: Name and SHA-256 of the Keras file and what its sidecar says of its making.
        calibration: Parameters of intervals and probabilities as fitted; None: not calibrated.
    """

    name: str
    files: Mapping[str, ModelFile]
    source: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything, with the fixed facts of input, outputs, labels and preprocessing."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "files": {precision: dataclasses.asdict(file) for precision, file in self.files.items()},
            "input": {"name": IMAGE, "shape": ["batch", CROP_SIDE, CROP_SIDE, 3], "type": "float32", "range": [0, 1]},
            "outputs": {
                AGE: {"shape": ["batch", 1], "unit": "years"},
                GENDER: {"shape": ["batch", 1], "meaning": f"probability of {Gender.FEMALE}"},
                AGE_DISTRIBUTION: {"shape": ["batch", AGES], "first_age": AGE_MIN_YEARS, "last_age": AGE_MAX_YEARS},
            },
            "labels": {"gender": [str(gender) for gender in Gender], "female_from": FEMALE_THRESHOLD},
            "preprocessing": {
                "colour": "RGB or BGR",
                "scale": "pixel / 255",
                "crop": "similarity transform of five landmarks to the template, black outside the picture",
                "interpolation": "cubic convolution, a = -0.75 (OpenCV's INTER_CUBIC); a large face is averaged down",
                "template": TEMPLATE.tolist(),
                "template_order": ["left eye", "right eye", "nose", "left mouth corner", "right mouth corner"],
            },
            "calibration": self.calibration,
            "source": self.source,
        }


def manifest_path(model: str | Path) -> Path:
    """The manifest that belongs to an exported file, by its name."""
    path = Path(model)
    for ending in ENDINGS.values():
        if path.name.endswith(ending):
            return path.with_name(path.name[: -len(ending)] + SUFFIX)
    return path.with_suffix(SUFFIX)


def write_manifest(manifest: Manifest, folder: str | Path) -> Path:
    """Write `NAME.manifest.json`, whole or not at all."""
    return write_json(Path(folder) / f"{manifest.name}{SUFFIX}", manifest.as_json())


def read_manifest(path: str | Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        ModelError: It is not there, no JSON, of another format, or lacks something.
    """
    path = Path(path)
    try:
        content = read_json(path)
        if (content["format"], content["version"]) != (FORMAT, VERSION):
            raise ModelError(
                f"{path} is of format {content['format']} version {content['version']}, expected {FORMAT} version "
                f"{VERSION}. Export the model again with `agegender export`."
            )
        files = {precision: ModelFile(**facts) for precision, facts in content["files"].items()}
        if not files or not set(files) <= set(ENDINGS):
            raise ModelError(
                f"{path} must name files of {' or '.join(ENDINGS)}. Received: {', '.join(files) or 'none'}"
            )
        return Manifest(content["name"], files, content.get("source") or {}, content.get("calibration"))
    except FileNotFoundError as error:
        raise ModelError(
            f"No manifest at {path}. `agegender export MODEL.keras` writes one beside its files."
        ) from error
    except (OSError, json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} cannot be read as a manifest ({type(error).__name__}: {error}). Export the model again."
        ) from error


def verified_file(manifest: Manifest, precision: str, folder: Path) -> Path:
    """The file of a precision, known to be the one that the manifest describes.

    Raises:
        ModelError: There is none, or it has other bytes.
    """
    if precision not in manifest.files:
        raise ModelError(
            f"{manifest.name} was exported as {' and '.join(manifest.files)}, not as {precision}. Ask for what is "
            "there, or export it again."
        )
    facts = manifest.files[precision]
    path = folder / Path(facts.file).name
    if not path.is_file():
        raise ModelError(f"{path} is not there, though its manifest names it. Export the model again.")
    if sha256_file(path) != facts.sha256:
        raise ModelError(
            f"{path} is not the file that its manifest describes (sha256 {facts.sha256[:12]}...). Export it again."
        )
    return path
