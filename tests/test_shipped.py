"""The shipped models: found, whole, and as their sidecars say."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import agegender
from agegender import shipped
from agegender.artifacts import read_json, sha256_file, write_json
from agegender.data.drawn import draw_face
from agegender.errors import ModelError, SettingError
from agegender.inference.manifest import read_manifest

ROOT = Path(__file__).resolve().parents[1]
MOST_EXPORTED_BYTES = 40_000_000


@pytest.fixture
def place(trained_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped models that holds Model A of the tiny run."""
    for suffix in (".keras", ".json"):
        shutil.copy(trained_run / f"age_gender_A{suffix}", tmp_path)
    monkeypatch.setattr(shipped, "_PLACES", (tmp_path / "nowhere", tmp_path))
    return tmp_path


def test_a_shipped_model_is_plain_keras(place: Path, trained_run: Path) -> None:
    pixels = np.random.default_rng(0).random((3, 128, 128, 3), dtype=np.float32)
    model = agegender.load_keras("A")
    assert isinstance(model, keras.Model)
    direct: Any = keras.models.load_model(trained_run / "age_gender_A.keras")
    for ours, theirs in zip(model.predict(pixels, verbose="0"), direct.predict(pixels, verbose="0"), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_file_that_is_not_its_sidecars_is_refused(place: Path) -> None:
    record = shipped.shipped_record("A")
    write_json(place / "age_gender_A.json", record | {"sha256": "0" * 64})
    with pytest.raises(ModelError, match="not the file that its sidecar describes"):
        agegender.load_keras("A")


def test_a_model_that_is_not_there_says_what_to_do(place: Path) -> None:
    with pytest.raises(ModelError, match="agegender run --data"):
        agegender.load_keras("B")
    with pytest.raises(ModelError, match="No sidecar"):
        shipped.shipped_record("B")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SettingError, match="A and B"):
        agegender.load_keras("C")
    with pytest.raises(AttributeError, match="load_torch"):
        agegender.load_torch  # noqa: B018


@pytest.mark.parametrize("model", ["A", "B"])
def test_the_exported_files_are_those_of_the_shipped_model(model: str) -> None:
    manifest = read_json(shipped.shipped_manifest(model))
    assert (
        manifest["source"]["sha256"]
        == shipped.shipped_record(model)["sha256"]
        == sha256_file(shipped.shipped_file(model))
    )
    assert manifest["calibration"] == shipped.shipped_record(model)["calibration"]
    assert manifest == read_manifest(shipped.shipped_manifest(model)).as_json(), (
        "written by another version: write it anew"
    )
    assert set(manifest["files"]) == {"float32", "int8"}
    for file in manifest["files"].values():
        assert sha256_file(shipped.shipped_manifest(model).with_name(file["file"])) == file["sha256"]


def test_a_wheel_carries_every_file_of_the_shipped_models() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    carried = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    shipped_files = {f"models/{file.name}" for file in (ROOT / "models").glob("age_gender_*")}
    assert set(carried) == shipped_files
    assert all(Path(place).parent.name == "shipped_models" for place in carried.values())
    exported = [*(ROOT / "models").glob("*.onnx"), *(ROOT / "src/agegender/inference/weights").glob("*.onnx")]
    assert len(exported) == 7
    assert sum(file.stat().st_size for file in exported) < MOST_EXPORTED_BYTES


@pytest.mark.parametrize("model", ["A", "B"])
def test_they_answer_by_their_letters_without_keras(model: str) -> None:
    pixels = draw_face(3, 949)[0]
    by_keras = agegender.load_keras(model)(pixels[None] / np.float32(255), training=False)
    age = float(np.ravel(by_keras[0])[0])
    for precision, most_years in (("float32", 0.02), ("int8", 5.0)):
        (face,) = agegender.load(model, precision=precision).predict(pixels, crops=True).faces
        assert face.age == pytest.approx(age, abs=most_years)
        assert face.age_interval is not None
        low, high, level = face.age_interval
        assert low <= face.age <= high
        assert level == 0.9
