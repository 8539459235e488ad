"""An exported file with or without its manifest: opened, checked, asked."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

import agegender
from agegender import shipped
from agegender.artifacts import read_json, write_json
from agegender.errors import ModelError, SettingError
from agegender.inference.manifest import manifest_path, read_manifest
from agegender.inference.predictor import load_predictor


@pytest.fixture
def copied(tiny_onnx: Path, tmp_path: Path) -> Path:
    for path in (tiny_onnx, manifest_path(tiny_onnx)):
        shutil.copy(path, tmp_path)
    return tmp_path / tiny_onnx.name


def test_answers_do_not_depend_on_the_batch(tiny_onnx: Path) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (1, 1, 1, 3)) * np.ones((1, 128, 128, 1))
    crops = (crops + np.arange(37)[:, None, None, None] * 3).clip(0, 255).astype(np.uint8)
    predictor = load_predictor(tiny_onnx, threads=1)
    whole = predictor.predict_crops(crops)
    assert whole.age_distribution.shape == (37, 117)
    assert np.ptp(whole.age) > 5
    single = [predictor.predict_crops(crop[None]).age[0] for crop in crops]
    np.testing.assert_allclose(
        whole.age, single, atol=0.03
    )  # a mean over 16,384 float32 depends on the order of adding
    assert len(predictor.predict_crops(crops[:0]).age) == 0
    with pytest.raises(SettingError, match=r"uint8 of shape \(n, 128, 128, 3\)"):
        predictor.predict_crops(crops.astype(np.float32))  # pyright: ignore[reportArgumentType]


def test_a_file_that_is_not_the_manifests_is_refused(copied: Path) -> None:
    assert load_predictor(copied).sha256 == read_manifest(manifest_path(copied)).files["float32"].sha256
    assert load_predictor(manifest_path(copied)).name == "tiny"
    with copied.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match="not the file that its manifest describes"):
        load_predictor(copied)
    copied.unlink()
    with pytest.raises(ModelError, match="is not there, though"):
        load_predictor(manifest_path(copied))


def test_a_bare_file_works_and_a_foreign_one_says_what_is_wrong(copied: Path, tmp_path: Path) -> None:
    manifest_path(copied).unlink()
    bare = load_predictor(copied)
    assert (bare.name, bare.precision, bare.manifest.calibration) == ("tiny", "float32", None)
    model = onnx.load(copied)
    model.graph.output.pop()
    onnx.save(model, tmp_path / "two.onnx")
    with pytest.raises(ModelError, match=r"age_distribution.*agegender export"):
        load_predictor(tmp_path / "two.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ModelError, match="onnxruntime cannot open text"):
        load_predictor(tmp_path / "text.onnx")


def test_what_is_asked_for_and_is_not_there(copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "_PLACES", (tmp_path / "nowhere",))
    with pytest.raises(ModelError, match=r"agegender export MODEL\.keras"):
        agegender.load("A")
    with pytest.raises(ModelError, match="No model at"):
        load_predictor(tmp_path / "none.onnx")
    with pytest.raises(SettingError, match="int8 or float32"):
        load_predictor(copied, precision="float16")
    with pytest.raises(SettingError, match="is the file for float32"):
        load_predictor(copied, precision="int8")
    with pytest.raises(ModelError, match="exported as float32, not as int8"):
        load_predictor(manifest_path(copied), precision="int8")
    (tmp_path / "model.keras").write_bytes(b"")
    with pytest.raises(ModelError, match="agegender export"):
        load_predictor(tmp_path / "model.keras")
    with pytest.raises(SettingError, match="workers must be 1"):
        agegender.load(copied, workers=0)


def test_a_shipped_model_is_found_by_its_letter(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = read_json(manifest_path(copied))
    write_json(copied.parent / "age_gender_B.manifest.json", content)
    monkeypatch.setattr(shipped, "_PLACES", (copied.parent,))
    assert agegender.load().name == "tiny"


@pytest.mark.parametrize("damage", [{"version": 9}, {"files": {}}, {"files": {"float64": {}}}, {"files": 3}])
def test_a_damaged_manifest_says_so(copied: Path, damage: dict) -> None:
    path = manifest_path(copied)
    write_json(path, read_json(path) | damage)
    with pytest.raises(ModelError, match=r"manifest|version|must name files"):
        read_manifest(path)
    path.write_text("{")
    with pytest.raises(ModelError, match="cannot be read as a manifest"):
        read_manifest(path)
    path.unlink()
    with pytest.raises(ModelError, match="No manifest at"):
        read_manifest(path)


def test_predicting_imports_no_keras(tiny_onnx: Path, photograph: Path) -> None:
    program = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('keras', 'tensorflow', 'matplotlib', 'onnx'):
            raise ImportError(name + ' is blocked')
sys.meta_path.insert(0, Blocked())
sys.argv = ['agegender', 'predict', {str(photograph)!r}, '--model', {str(tiny_onnx)!r}]
from agegender.cli.app import main
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "age" in done.stdout
