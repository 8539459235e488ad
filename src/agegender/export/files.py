"""The whole export: one Keras file in; ONNX files that passed the parity gate and their manifest out, or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from agegender.artifacts import read_json, sha256_file, write_bytes
from agegender.data.drawn import draw_face
from agegender.errors import ModelError, SettingError
from agegender.evaluation.load import LoadedModel, load_model
from agegender.evaluation.predict import predict_faces
from agegender.export.onnx import OPSETS, require_tensorflow, three_outputs, to_onnx
from agegender.export.parity import Parity, check_parity, measure_parity
from agegender.export.quantize import CALIBRATION_IMAGES, quantize
from agegender.inference.manifest import ENDINGS, FLOAT32, INT8, Manifest, ModelFile, write_manifest
from agegender.inference.predictor import Predictor
from agegender.labels import Gender
from agegender.optional import require
from agegender.types import Announce, nobody

if TYPE_CHECKING:
    import pandas as pd

PARITY_IMAGES = 949
DRAWN_SEED = 949
_KEPT = ("model", "parameters", "started_from", "seed", "data", "test", "versions")
"""What a manifest repeats of the sidecar."""


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Labelled faces to calibrate and compare on.

    Attributes:
        pixels: RGB, uint8 (n, 128, 128, 3).
        ages: Years, shape (n,).
        are_female: Shape (n,).
        kind: What they are, for the record.
    """

    pixels: npt.NDArray[np.uint8]
    ages: npt.NDArray[np.float64]
    are_female: npt.NDArray[np.bool_]
    kind: str

    def __len__(self) -> int:
        return len(self.pixels)

    def part(self, rows: npt.NDArray[np.int64]) -> Images:
        """Some of them, by number."""
        return Images(self.pixels[rows], self.ages[rows], self.are_female[rows], self.kind)


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        manifest: Path of the manifest.
        files: Path of each precision's file.
        parity: What the gate measured of each.
    """

    manifest: Path
    files: Mapping[str, Path]
    parity: Mapping[str, Parity]


def labelled_images(pixels: npt.NDArray[np.uint8], table: pd.DataFrame, *, drawn: bool) -> Images:
    """The images of a data set, for `export_model`."""
    return Images(
        pixels,
        table["age"].to_numpy(np.float64),
        (table["gender"] == Gender.FEMALE).to_numpy(bool),
        "drawn faces" if drawn else "labelled images given by the user",
    )


def drawn_images(count: int, seed: int = DRAWN_SEED) -> Images:
    """Faces that the package draws itself, where no others are at hand."""
    faces = [draw_face(index, seed) for index in range(count)]
    labels = [label for _, label in faces]
    return Images(
        np.stack([pixels for pixels, _ in faces]),
        np.array([label.age for label in labels], dtype=np.float64),
        np.array([label.gender is Gender.FEMALE for label in labels]),
        "drawn faces",
    )


def export_model(
    path: str | Path,
    out: str | Path,
    *,
    images: Images | None = None,
    int8: bool = True,
    opset: int = OPSETS[0],
    seed: int = 0,
    announce: Announce = nobody,
) -> Exported:
    """Write `NAME.onnx`, `NAME.int8.onnx` and `NAME.manifest.json`.

    The images are shuffled by the seed: the first ones give int8 its ranges, of the others up to 949 are compared.

    Args:
        path: A `.keras` file under the contract with an inner `age_distribution`.
        out: Folder to write to; files of these names are replaced.
        images: Labelled faces like those the model will meet, at least 32; None draws faces.
        int8: Also write the 8-bit file.
        opset: ONNX operator set, 17 or 18.
        seed: Of the shuffling.
        announce: Told what is done.

    Raises:
        SettingError: Another backend than TensorFlow, an unknown operator set, or too few images.
        ModelError: The model cannot be exported, or a file does not pass the parity gate; nothing is written then.
        MissingExtraError: An extra is missing.
        OutputError: The folder cannot be written.
    """
    path, out = Path(path), Path(out)
    require("onnx", "export")
    model = load_model(path)
    require_tensorflow()
    if images is None:
        announce(f"Drawing {CALIBRATION_IMAGES + PARITY_IMAGES:,} faces to compare on; give real ones with --data.")
        images = drawn_images(CALIBRATION_IMAGES + PARITY_IMAGES)
    calibration, compared = _shared_out(images, seed)
    source, calibration_record = _source(path)
    announce(f"Converting {path.name} (ONNX operator set {opset})")
    contents = {FLOAT32: (plain := to_onnx(three_outputs(model), opset=opset)).SerializeToString()}
    if int8:
        announce(f"Quantising to int8 on {len(calibration):,} {calibration.kind}")
        contents[INT8] = quantize(plain, calibration.pixels).SerializeToString()
    announce(f"Comparing on {len(compared):,} {compared.kind}")
    parity = _checked(model, contents, compared, opset)
    return _write(path.stem, out, contents, parity, opset, (source, calibration_record))


def _shared_out(images: Images, seed: int) -> tuple[Images, Images]:
    if len(images) < 32:
        raise SettingError(f"Export compares on at least 32 images. Received: {len(images)}. Give more with --data.")
    rows = np.random.default_rng(seed).permutation(len(images))
    calibration = min(CALIBRATION_IMAGES, len(images) // 2)
    return images.part(rows[:calibration]), images.part(rows[calibration:][:PARITY_IMAGES])


def _checked(model: LoadedModel, contents: dict[str, bytes], images: Images, opset: int) -> dict[str, Parity]:
    """The parity of every file; the first that fails raises."""
    keras_answers = predict_faces(model, images.pixels)["rgb"]
    parities = {}
    for precision, content in contents.items():
        bare = Manifest(model.name, {precision: ModelFile("", "", len(content), opset)})
        answers = Predictor(content, bare, precision).predict_crops(images.pixels)
        parity = measure_parity(keras_answers, answers, images.ages, images.are_female, data=images.kind)
        check_parity(parity, precision)
        parities[precision] = parity
    return parities


def _write(
    name: str,
    out: Path,
    contents: dict[str, bytes],
    parity: dict[str, Parity],
    opset: int,
    known: tuple[dict[str, Any], dict[str, Any] | None],
) -> Exported:
    files = {
        precision: ModelFile(
            file=name + ENDINGS[precision],
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
            opset=opset,
            parity=asdict(parity[precision]),
        )
        for precision, content in contents.items()
    }
    for precision, content in contents.items():
        write_bytes(out / files[precision].file, content)
    manifest = write_manifest(Manifest(name, files, *known), out)
    return Exported(manifest, {precision: out / file.file for precision, file in files.items()}, parity)


def _source(path: Path) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What the sidecar says of this very file, and its calibration."""
    source: dict[str, Any] = {"file": path.name, "sha256": sha256_file(path)}
    sidecar = path.with_suffix(".json")
    record = read_json(sidecar) if sidecar.is_file() else {}
    if record.get("sha256") != source["sha256"]:
        return source, None
    calibration = record.get("calibration")
    if calibration is not None and calibration.get("model_sha256", source["sha256"]) != source["sha256"]:
        raise ModelError(
            f"{sidecar.name} holds the calibration of another file than {path.name}. Run `agegender calibrate` again."
        )
    return source | {key: record[key] for key in _KEPT if key in record}, calibration
