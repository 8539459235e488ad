"""Several models on one data set: results, files, names, and what is refused."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from agegender.artifacts import sha256_file
from agegender.data.dataset import Dataset
from agegender.errors import InputError, SettingError
from agegender.evaluation.suite import (
    evaluate_models,
    load_evaluation,
    save_evaluation,
    save_predictions,
    short_names,
)


@pytest.fixture(scope="session")
def dataset(face_table, images):
    return Dataset(
        table=face_table,
        images=images,
        rejected=pd.DataFrame(columns=["file", "reason", "detail"]),
        source="noise",
        fingerprint="f" * 64,
        drawn=True,
        resized=0,
    )


@pytest.fixture(scope="session")
def paths(model_file):
    return [model_file("age_gender_A"), model_file("age_gender_B", seed=1, swapped=True)]


@pytest.fixture(scope="session")
def evaluated(paths, dataset):
    return evaluate_models(paths, dataset, with_distribution=True, resamples=200)


def test_results_are_there_for_each_model_and_order(evaluated, paths):
    evaluation, _ = evaluated
    assert [(result.model, result.order) for result in evaluation.results] == [
        ("A", "rgb"),
        ("A", "bgr"),
        ("B", "rgb"),
        ("B", "bgr"),
    ]
    assert evaluation.n == 57
    assert evaluation.drawn
    assert [(model.name, model.file) for model in evaluation.models] == [
        ("A", "age_gender_A.keras"),
        ("B", "age_gender_B.keras"),
    ]
    assert evaluation.models[1].sha256 == sha256_file(paths[1])
    assert evaluation.result("B", "bgr") is evaluation.results[3]
    with pytest.raises(KeyError, match="C in rgb"):
        evaluation.result("C")


def test_figures_are_those_of_the_prediction_table(evaluated):
    evaluation, predictions = evaluated
    assert list(predictions.columns[:3]) == ["model", "order", "file"]
    assert len(predictions) == 4 * 57
    for result in evaluation.results:
        rows = predictions[(predictions["model"] == result.model) & (predictions["order"] == result.order)]
        error = rows["predicted_age"].to_numpy() - rows["age"].to_numpy()
        assert result.figures.mae.value == np.abs(error).mean()
        right = (rows["female_probability"] >= 0.5) == (rows["gender"] == "female")
        assert result.figures.gender_accuracy.value == right.mean()


def test_orders_and_pairs_are_compared(evaluated):
    evaluation, predictions = evaluated
    age = predictions.pivot_table(index="file", columns=["model", "order"], values="predicted_age", observed=True)
    for agreement in evaluation.order_agreement:
        difference = (age[agreement.model]["rgb"] - age[agreement.model]["bgr"]).abs()
        assert agreement.mean_age_difference == pytest.approx(difference.mean())
        assert agreement.largest_age_difference == pytest.approx(difference.max())
    (comparison,) = evaluation.comparisons
    assert (comparison.first, comparison.second, comparison.order, comparison.n) == ("A", "B", "rgb", 57)
    difference = evaluation.result("A").figures.mae.value - evaluation.result("B").figures.mae.value
    assert comparison.mae_difference.value == pytest.approx(difference)


def test_metrics_json_is_read_back_whole(evaluated, tmp_path):
    evaluation, _ = evaluated
    assert load_evaluation(save_evaluation(evaluation, tmp_path / "metrics.json")) == evaluation


@pytest.mark.parametrize("content", [None, "{}", "[]", "not json", '{"source": 1}'])
def test_another_file_in_its_place_is_refused(tmp_path, content):
    path = tmp_path / "metrics.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=r"not the metrics\.json"):
        load_evaluation(path)


def test_predictions_are_read_back_whole(evaluated, tmp_path):
    _, predictions = evaluated
    again = pd.read_parquet(save_predictions(predictions, tmp_path / "predictions.parquet"))
    assert list(again.columns) == list(predictions.columns)
    for column in ("file", "age", "predicted_age", "female_probability"):
        assert again[column].tolist() == predictions[column].tolist()
    for column in ("model", "order", "gender", "race"):
        assert again[column].astype(object).fillna("none").tolist() == (
            predictions[column].astype(object).fillna("none").tolist()
        )
    assert np.array_equal(np.stack(list(again["age_distribution"])), np.stack(list(predictions["age_distribution"])))
    assert again["age_distribution"][0].dtype == np.float32


def test_one_order_and_some_files(paths, dataset):
    files = ["005.jpg", "001.jpg", "030.jpg"]
    evaluation, predictions = evaluate_models(paths[:1], dataset, files=files, orders=["bgr"], by=[], resamples=100)
    assert predictions["file"].tolist() == files
    assert evaluation.n == 3
    assert [result.order for result in evaluation.results] == ["bgr"]
    assert evaluation.order_agreement == ()
    assert evaluation.comparisons == ()
    _, whole = evaluate_models(paths[:1], dataset, orders=["bgr"], by=[], resamples=100)
    assert predictions["predicted_age"].tolist() == pytest.approx(
        whole.set_index("file").loc[files, "predicted_age"].tolist(), abs=1e-4
    )


def test_what_makes_no_sense_is_refused_before_anything_is_loaded(paths, dataset):
    with pytest.raises(SettingError, match="at least one model"):
        evaluate_models([], dataset)
    with pytest.raises(SettingError, match="name of its own"):
        evaluate_models(paths, dataset, names=["A", "A"])
    with pytest.raises(InputError, match="no column camera"):
        evaluate_models(paths, dataset, by=["camera"])
    with pytest.raises(InputError, match=r"nobody\.jpg"):
        evaluate_models(paths, dataset, files=["nobody.jpg"])


def test_results_are_frozen(evaluated):
    evaluation, _ = evaluated
    with pytest.raises(dataclasses.FrozenInstanceError):
        evaluation.results[0].figures.n = 3


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["runs/x/age_gender_A.keras", "age_gender_B.keras"], ["A", "B"]),
        (["mine.keras"], ["mine"]),
        (["age_gender_A.keras", "A.keras"], ["age_gender_A", "A"]),
        (["old/age_gender_A.keras", "new/age_gender_A.keras"], ["old/age_gender_A", "new/age_gender_A"]),
        (["x/old/m.keras", "y/old/m.keras"], ["x/old/m", "y/old/m"]),
    ],
)
def test_models_get_short_names_that_differ(given, expected):
    assert short_names(given) == expected
