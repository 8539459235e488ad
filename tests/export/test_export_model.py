"""A tiny contract model to ONNX and back: the same answers, one manifest, and nothing written when the gate refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest

from agegender.artifacts import read_json, sha256_file, write_json
from agegender.errors import ModelError, SettingError
from agegender.export import files as export_files
from agegender.export.files import Exported, Images, drawn_images, export_model
from agegender.export.onnx import three_outputs, to_onnx
from agegender.inference.manifest import FLOAT32, INT8, read_manifest
from agegender.inference.predictor import load_predictor
from agegender.models.network import MEDIAN_STEEPNESS

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="export runs on TensorFlow")


@pytest.fixture(scope="module")
def images() -> Images:
    return drawn_images(72, seed=4)


@pytest.fixture(scope="module")
def exported(small_model: Path, images: Images, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    record = {"sha256": sha256_file(small_model), "seed": 3, "recipe": "not repeated", "calibration": {"level": 0.9}}
    write_json(small_model.with_suffix(".json"), record)
    return export_model(small_model, tmp_path_factory.mktemp("exported"), images=images)


def test_float32_gives_kerass_answers_in_any_batch_size_and_either_channel_order(
    exported: Exported, small_model: Path, images: Images
) -> None:
    model: Any = keras.models.load_model(small_model)
    age, female = (np.asarray(answer)[:, 0] for answer in model.predict(images.pixels / 255.0, verbose=0))
    assert np.ptp(age) > 5
    predictor = load_predictor(exported.files[FLOAT32])
    for pixels in (images.pixels, images.pixels[..., ::-1]):
        for size in (1, 7, 72):
            answers = predictor.predict_crops(np.ascontiguousarray(pixels), batch_size=size)
            np.testing.assert_allclose(answers.age, age, atol=1e-3)
            np.testing.assert_allclose(answers.female_probability, female, atol=1e-4)


def test_the_distribution_is_the_one_behind_the_answered_age(exported: Exported, images: Images) -> None:
    answers = load_predictor(exported.files[FLOAT32]).predict_crops(images.pixels)
    np.testing.assert_allclose(answers.age_distribution.sum(axis=1), 1, atol=1e-5)
    below = 0.5 - np.cumsum(answers.age_distribution.astype(np.float64), axis=1)
    read_off = (1 / (1 + np.exp(-MEDIAN_STEEPNESS * below))).sum(axis=1)
    np.testing.assert_allclose(answers.age, read_off, atol=5e-3)
    mirrored = load_predictor(exported.files[FLOAT32]).predict_crops(np.ascontiguousarray(images.pixels[:, :, ::-1]))
    np.testing.assert_allclose(answers.age_distribution, mirrored.age_distribution, atol=1e-5)


def test_int8_is_smaller_in_convolutions_and_close_in_answers(exported: Exported, images: Images) -> None:
    model = onnx.load(exported.files[INT8])
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("QuantizeLinear") > 10
    stored = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    kernels = [stored[node.input[0]] for node in model.graph.node
               if node.op_type == "DequantizeLinear" and node.input[0] in stored]  # fmt: skip
    assert onnx.TensorProto.INT8 in kernels
    producers = {output: node for node in model.graph.node for output in node.output}
    for node in model.graph.node:
        if node.op_type == "Conv" and "order_" in node.name:
            assert producers.get(node.input[1]) is None, f"{node.name} must keep its kernel in float32"
    plain, small = (load_predictor(exported.files[kind]).predict_crops(images.pixels) for kind in (FLOAT32, INT8))
    assert 0 < np.abs(plain.age - small.age).mean() < 1.5
    assert abs(exported.parity[INT8].mae_change) <= 0.1


def test_the_manifest_says_what_the_files_are(exported: Exported, small_model: Path) -> None:
    manifest = read_manifest(exported.manifest)
    assert manifest.calibration == {"level": 0.9}
    assert manifest.source["sha256"] == sha256_file(small_model)
    assert "recipe" not in manifest.source
    for precision, path in exported.files.items():
        assert manifest.files[precision].sha256 == sha256_file(path)
        assert manifest.files[precision].parity["images"] == 36
    content = read_json(exported.manifest)
    assert content["outputs"]["age_distribution"]["shape"] == ["batch", 117]
    assert content["labels"]["gender"] == ["male", "female"]
    graph = onnx.load(exported.files[FLOAT32]).graph
    assert [value.name for value in (*graph.input, *graph.output)] == ["image", "age", "gender", "age_distribution"]
    assert all(value.type.tensor_type.shape.dim[0].dim_param == "batch" for value in (*graph.input, *graph.output))


def test_a_sidecar_of_another_file_is_not_believed(small_model: Path, tmp_path: Path) -> None:
    copy = tmp_path / small_model.name
    copy.write_bytes(small_model.read_bytes())
    write_json(copy.with_suffix(".json"), {"sha256": "0" * 64, "calibration": {"level": 0.5}})
    assert export_files._source(copy) == ({"file": copy.name, "sha256": sha256_file(copy)}, None)
    stale = {"sha256": sha256_file(copy), "calibration": {"model_sha256": "0" * 64}}
    write_json(copy.with_suffix(".json"), stale)
    with pytest.raises(ModelError, match="calibration of another file"):
        export_files._source(copy)


def test_a_file_that_answers_otherwise_is_refused_and_nothing_is_written(
    small_model: Path, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(model: keras.Model, *, opset: int) -> onnx.ModelProto:
        exported = to_onnx(model, opset=opset)
        kernel = next(value for value in exported.graph.initializer if list(value.dims)[-1:] == [117])
        weights = onnx.numpy_helper.to_array(kernel) * 1.5
        kernel.CopyFrom(onnx.numpy_helper.from_array(weights.astype(np.float32), kernel.name))
        return exported

    monkeypatch.setattr(export_files, "to_onnx", changed)
    with pytest.raises(ModelError, match=r"float32 file does not answer .* Nothing was written"):
        export_model(small_model, tmp_path / "out", images=images, int8=False)
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_exported_says_why(small_model: Path, tmp_path: Path, images: Images) -> None:
    with pytest.raises(SettingError, match="17 or 18"):
        export_model(small_model, tmp_path, images=images, opset=12)
    with pytest.raises(SettingError, match="at least 32"):
        export_model(small_model, tmp_path, images=images.part(np.arange(8)))
    image = keras.Input((128, 128, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    age = keras.layers.Dense(1, name="age")(pooled)
    gender = keras.layers.Dense(1, "sigmoid", name="gender")(pooled)
    from agegender.evaluation.load import checked_model

    with pytest.raises(ModelError, match="age_distribution of 117 units"):
        three_outputs(checked_model(keras.Model(image, [age, gender])))


def test_the_newer_operator_set_works_too(small_model: Path, images: Images) -> None:
    from agegender.evaluation.load import load_model
    from agegender.inference.manifest import Manifest, ModelFile
    from agegender.inference.predictor import Predictor

    network = three_outputs(load_model(small_model))
    content = to_onnx(network, opset=18).SerializeToString()
    assert onnx.load_from_string(content).opset_import[0].version == 18
    bare = Manifest("small", {FLOAT32: ModelFile("", "", len(content), 18)})
    answers = Predictor(content, bare, FLOAT32).predict_crops(images.pixels[:5])
    age, female, _ = (np.asarray(answer) for answer in network(images.pixels[:5] / np.float32(255)))
    np.testing.assert_allclose(answers.age, age[:, 0], atol=1e-3)
    np.testing.assert_allclose(answers.female_probability, female[:, 0], atol=1e-4)


def test_another_backend_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from agegender.export.onnx import require_tensorflow

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(SettingError, match="KERAS_BACKEND=tensorflow"):
        require_tensorflow()
