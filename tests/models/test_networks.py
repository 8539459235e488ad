"""Both networks at their start: shapes, shared weights, precision, origins, errors."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import keras
import numpy as np
import pytest

from agegender.errors import ModelError, SettingError
from agegender.models.age_targets import BIN_AGES
from agegender.models.custom_cnn import CustomCnn, build_custom_cnn
from agegender.models.efficientnet_lite import build_efficientnet_lite, packaged_weights, weights_by_layer
from agegender.models.network import AGE, AGE_DISTRIBUTION, GENDER, AgeGenderNetwork
from agegender.models.pretrained_cnn import PretrainedCnn, WeightsOrigin, build_pretrained_cnn

SMALL = CustomCnn(stem_channels=(8, 8), stage_channels=(8, 16), stage_blocks=(1, 1))
MOST_PARAMETERS_OF_A = 6_000_000


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((3, 128, 128, 3), dtype=np.float32)


def check_answers(network: AgeGenderNetwork, images: np.ndarray) -> None:
    learnt = network.training.predict(images, verbose="0")
    age, gender = network.contract.predict(images, verbose="0")
    assert age.shape == gender.shape == (3, 1)
    np.testing.assert_allclose(learnt[AGE_DISTRIBUTION].sum(axis=1), 1.0, rtol=1e-4)
    np.testing.assert_allclose(learnt[AGE][:, 0], learnt[AGE_DISTRIBUTION] @ BIN_AGES, rtol=1e-4)
    assert ((learnt[GENDER] >= 0) & (learnt[GENDER] <= 1)).all()
    assert list(network.contract.output_names) == [AGE, GENDER]
    assert max(network.trunk.output_shape[1:3]) < 10


def test_a_is_within_its_size_and_answers(images: np.ndarray) -> None:
    network = build_custom_cnn()
    assert network.contract.count_params() <= MOST_PARAMETERS_OF_A
    check_answers(network, images)


def test_the_saved_answer_is_the_same_for_the_mirror_image(images: np.ndarray) -> None:
    network = build_custom_cnn(SMALL)
    first, second = (network.contract.predict(values, verbose="0") for values in (images, images[:, :, ::-1]))
    np.testing.assert_allclose(first[0], second[0], atol=1e-3)
    np.testing.assert_allclose(first[1], second[1], atol=1e-5)


def test_without_the_mirror_both_graphs_answer_alike(images: np.ndarray) -> None:
    network = build_custom_cnn(CustomCnn((8, 8), (8, 16), (1, 1), mirror_average=False))
    learnt = network.training.predict(images, verbose="0")
    age, gender = network.contract.predict(images, verbose="0")
    np.testing.assert_allclose(age, learnt[AGE], rtol=1e-5)
    np.testing.assert_allclose(gender, learnt[GENDER], rtol=1e-5)


def test_bfloat16_is_for_the_trunk_alone_and_leaves_no_trace() -> None:
    network = build_custom_cnn(SMALL, precision="mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"
    assert network.trunk.get_layer("stem1_conv").compute_dtype == "bfloat16"
    for name in (AGE_DISTRIBUTION, AGE, GENDER, "pooled_features"):
        assert network.training.get_layer(name).compute_dtype == "float32"


def test_fixed_weights_do_not_train() -> None:
    network = build_custom_cnn(SMALL)
    trained = {variable.path for variable in network.training.trainable_variables}
    assert not [path for path in trained if path.startswith(("order_", "mirror_", "age/"))]


def test_b_starts_from_the_packaged_imagenet_weights(images: np.ndarray) -> None:
    network, origin = build_pretrained_cnn()
    assert origin.start == "imagenet"
    assert len(origin.sha256) == 64
    weights = packaged_weights()
    np.testing.assert_array_equal(network.trunk.get_layer("stem_conv").get_weights()[0], weights["stem_conv/0"])
    check_answers(network, images)


def test_lite2_needs_a_file_and_takes_it(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="--backbone-weights FILE"):
        build_pretrained_cnn(PretrainedCnn("EfficientNetLite2"))
    source = build_efficientnet_lite("EfficientNetLite2")
    file = tmp_path / "lite2.keras"
    source.save(file)
    network, origin = build_pretrained_cnn(PretrainedCnn("EfficientNetLite2", weights=str(file)))
    assert (origin.start, origin.source) == ("file", "lite2.keras")
    wanted = weights_by_layer(source)
    found = weights_by_layer(network.trunk)
    assert all(np.array_equal(found[key], value) for key, value in wanted.items())


@pytest.mark.parametrize("backbone", ["EfficientNetLite0", "MobileNetV2"])
def test_a_backbone_may_see_an_enlarged_image(backbone: str, images: np.ndarray) -> None:
    weights = "imagenet" if backbone == "EfficientNetLite0" else "random"
    network, _ = build_pretrained_cnn(PretrainedCnn(backbone, weights=weights, side=160))
    assert network.trunk.output_shape[1:3] == (5, 5)
    check_answers(network, images)


@pytest.mark.parametrize("side", [96, 140, 320])
def test_a_side_that_does_not_fit_is_refused(side: int) -> None:
    with pytest.raises(SettingError, match="multiple of 32"):
        build_pretrained_cnn(PretrainedCnn(side=side))


@pytest.mark.parametrize("pixels", [-0.5, 3.5])
def test_a_blur_that_leaves_no_face_is_refused(pixels: float) -> None:
    with pytest.raises(SettingError, match="soften_noise must be from 0 to 3"):
        build_pretrained_cnn(PretrainedCnn(soften_noise=pixels))


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "lite2.keras"
    build_efficientnet_lite("EfficientNetLite2").save(file)
    with pytest.raises(ModelError, match="does not fit"):
        build_pretrained_cnn(PretrainedCnn("EfficientNetLite0", weights=str(file)))
    with pytest.raises(ModelError, match="No such file"):
        build_pretrained_cnn(PretrainedCnn("EfficientNetLite0", weights=str(tmp_path / "none.keras")))


def test_an_unknown_backbone_says_what_is_known() -> None:
    with pytest.raises(SettingError, match="MobileNetV2"):
        build_pretrained_cnn(PretrainedCnn("MobileNetV9"))


@pytest.mark.parametrize(
    ("backbone", "matrix_of_white"),
    [
        ("MobileNetV2", (1.0, 1.0, 1.0)),
        ("ResNet50V2", (1.0, 1.0, 1.0)),
        ("EfficientNetV2B0", (255.0, 255.0, 255.0)),
        ("ConvNeXtTiny", (255.0, 255.0, 255.0)),
    ],
)
def test_applications_get_the_colours_they_were_made_for(
    backbone: str, matrix_of_white: tuple[float, ...], images: np.ndarray, tmp_path: Path
) -> None:
    network, origin = build_pretrained_cnn(PretrainedCnn(backbone, weights="random", mirror_average=False))
    assert origin == WeightsOrigin("random", "random start")
    kernel, offset = network.trunk.get_layer("imagenet_scale").get_weights()
    np.testing.assert_allclose(np.ones(3) @ kernel[0, 0] + offset, matrix_of_white, atol=1e-3)
    check_answers(network, images)
    network.contract.save(tmp_path / "b.keras")
    loaded = cast(keras.Model, keras.models.load_model(tmp_path / "b.keras"))
    np.testing.assert_allclose(loaded.predict(images, verbose="0")[0], network.contract.predict(images, verbose="0")[0])


def test_applications_take_an_offline_file(tmp_path: Path) -> None:
    settings = {"include_top": False, "weights": None, "input_shape": (128, 128, 3)}
    source = keras.applications.MobileNetV2(**settings)
    file = tmp_path / "mobilenet.weights.h5"
    source.save_weights(file)
    network, origin = build_pretrained_cnn(PretrainedCnn("MobileNetV2", weights=str(file)))
    assert origin.start == "file"
    backbone = next(layer for layer in network.trunk.layers if isinstance(layer, keras.Model))
    np.testing.assert_array_equal(backbone.get_weights()[0], source.get_weights()[0])


def test_a_download_that_fails_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(**settings: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(keras.applications, "MobileNetV2", no_network)
    monkeypatch.setattr(keras.applications.mobilenet_v2, "MobileNetV2", no_network)
    with pytest.raises(ModelError, match=r"(?s)--backbone-weights FILE.*EfficientNetLite0"):
        build_pretrained_cnn(PretrainedCnn("MobileNetV2"))
