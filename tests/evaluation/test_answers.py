"""The distribution that belongs to a file's age, the mirror-averaged one; and answers that are read from a file."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from agegender.errors import InputError, ModelError
from agegender.evaluation.answers import distributions, read_answers
from agegender.evaluation.load import checked_model, load_model
from agegender.evaluation.predict import predict_faces

keras = pytest.importorskip("keras")


@pytest.mark.parametrize("readout", ["mean", "median"])
def test_the_distribution_is_what_the_files_own_age_is_computed_from(readout, tmp_path, images):
    from agegender.models.age_targets import BIN_AGES
    from agegender.models.custom_cnn import CustomCnn, build_custom_cnn
    from agegender.models.network import MEDIAN_STEEPNESS

    keras.utils.set_random_seed(3)
    network = build_custom_cnn(
        CustomCnn(stem_channels=(8, 8), stage_channels=(8, 16), stage_blocks=(1, 1), age_readout=readout)
    )
    head = network.contract.get_layer("age_distribution")
    weights = head.get_weights()
    # A head at its start says nearly the same of every image; this one tells an image from its mirror image.
    head.set_weights([np.random.default_rng(0).normal(0, 6, weights[0].shape), weights[1]])
    network.contract.save(tmp_path / "age_gender_A.keras")
    some = images[:12]
    in_memory = predict_faces(checked_model(network.contract), some, with_distribution=True)["rgb"]
    loaded = predict_faces(load_model(tmp_path / "age_gender_A.keras"), some, with_distribution=True)["rgb"]
    assert in_memory.age_distribution is not None
    assert loaded.age_distribution is not None
    np.testing.assert_allclose(loaded.age_distribution, in_memory.age_distribution, atol=1e-5)
    np.testing.assert_allclose(loaded.age_distribution.sum(axis=1), 1, atol=1e-4)
    if readout == "mean":
        np.testing.assert_allclose(loaded.age_distribution @ BIN_AGES, loaded.age, atol=0.01)
    else:
        # What the two fixed layers compute: each year counts by how surely the median lies above it.
        above = MEDIAN_STEEPNESS * (0.5 - np.cumsum(loaded.age_distribution.astype(float), axis=1))
        np.testing.assert_allclose((1 / (1 + np.exp(-above))).sum(axis=1), loaded.age, atol=0.01)
    one_sided = np.asarray(network.training.predict(some / 255.0, verbose=0)["age_distribution"])
    assert np.abs(one_sided - loaded.age_distribution).max() > 0.01, "the image alone, without its mirror image"


def test_a_model_without_distribution_says_so(images):
    image = keras.Input((128, 128, 3))
    features = keras.layers.GlobalAveragePooling2D()(image)
    outputs = [
        keras.layers.Dense(1, name="age")(features),
        keras.layers.Dense(1, "sigmoid", name="gender")(features),
    ]
    with pytest.raises(ModelError, match="age_distribution"):
        predict_faces(checked_model(keras.Model(image, outputs)), images[:2], with_distribution=True)


def test_answers_are_read_from_a_file(tmp_path, simulated_answers):
    table = simulated_answers(40, 0).table
    first, second = table.assign(model="A", order="rgb"), table.assign(model="A", order="bgr", predicted_age=1.0)
    pd.concat([first, second]).to_parquet(tmp_path / "predictions.parquet")
    (tmp_path / "metrics.json").write_text(json.dumps({"fingerprint": "abc", "drawn": True}), encoding="utf-8")
    answers = read_answers(tmp_path / "predictions.parquet", with_distribution=True)
    assert len(answers.table) == 40
    assert answers.table["predicted_age"].tolist() == table["predicted_age"].tolist(), "RGB, not BGR"
    assert (answers.model, answers.fingerprint, answers.drawn) == ("A", "abc", True)
    np.testing.assert_allclose(distributions(answers.table), np.stack(table["age_distribution"]), rtol=1e-6)


def test_of_several_models_one_must_be_named(tmp_path, simulated_answers):
    table = simulated_answers(30, 0).table
    path = tmp_path / "predictions.parquet"
    pd.concat([table.assign(model="A"), table.assign(model="B", predicted_age=3.0)]).to_parquet(path)
    with pytest.raises(InputError, match="A, B"):
        read_answers(path)
    with pytest.raises(InputError, match="Received: C"):
        read_answers(path, model="C")
    assert set(read_answers(path, model="B").table["predicted_age"]) == {3.0}


def test_files_that_are_no_predictions_are_refused(tmp_path, simulated_answers):
    table = simulated_answers(30, 0).table
    (tmp_path / "no.parquet").write_bytes(b"no")
    with pytest.raises(InputError, match="Parquet"):
        read_answers(tmp_path / "no.parquet")
    table.drop(columns="age_distribution").to_parquet(tmp_path / "without.parquet")
    assert read_answers(tmp_path / "without.parquet").fingerprint is None
    with pytest.raises(InputError, match="--distribution"):
        read_answers(tmp_path / "without.parquet", with_distribution=True)
    table.drop(columns="predicted_age").to_parquet(tmp_path / "labels.parquet")
    with pytest.raises(InputError, match="predicted_age"):
        read_answers(tmp_path / "labels.parquet")
    table.iloc[:0].to_parquet(tmp_path / "empty.parquet")
    with pytest.raises(InputError, match="no rows"):
        read_answers(tmp_path / "empty.parquet")
