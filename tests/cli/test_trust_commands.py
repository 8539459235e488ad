"""`calibrate`, `intervals`, `fairness`, `thresholds`: on predictions without Keras, and on a small real model."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from agegender.artifacts import read_json
from agegender.cli.app import app
from agegender.errors import InputError, MissingExtraError, ModelError, NotCalibratedError, SettingError


def run(*words):
    return CliRunner(env={"COLUMNS": "110"}).invoke(app, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, simulated_answers):
    """A file that passes for a model (nothing here opens it), and predictions to calibrate and to measure on."""
    folder = tmp_path_factory.mktemp("trust")
    with zipfile.ZipFile(folder / "age_gender_A.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    for name, n, seed in (("calibration", 700, 0), ("new", 900, 1)):
        simulated_answers(n, seed).table.assign(model="A", order="rgb").to_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module")
def calibrated(folder):
    answer = run("calibrate", folder / "age_gender_A.keras", "--predictions", folder / "calibration.parquet")
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_calibrate_prints_what_it_compared_and_writes_the_sidecar(calibrated, folder):
    for words in ("shortest", "quantiles", "scaled", "constant", "raw", "holds *", "temperature", "unsure"):
        assert words in calibrated
    record = read_json(folder / "age_gender_A.json")["calibration"]
    assert record["calibrated_on"]["n"] == 700
    assert record["calibrated_on"]["data"] == "calibration.parquet", "a name, not a path of this machine"
    assert str(folder) not in json.dumps(record)


def test_intervals_before_calibration_are_refused(tmp_path, folder):
    other = tmp_path / "other.keras"
    other.write_bytes((folder / "age_gender_A.keras").read_bytes())
    with pytest.raises(NotCalibratedError, match="agegender calibrate"):
        run("intervals", other, "--predictions", folder / "new.parquet")


def test_intervals_reports_and_writes(calibrated, folder, tmp_path):
    model, new = folder / "age_gender_A.keras", folder / "new.parquet"
    answer = run("intervals", model, "--predictions", new, "--out", tmp_path)
    assert answer.exit_code == 0, answer.output
    for words in ("by predicted age", "by true age", "by gender", "by race", "probability 99 %", "one width for all"):
        assert words in answer.output
    result = read_json(tmp_path / "intervals.json")
    rows = pd.read_parquet(tmp_path / "intervals.parquet")
    held = ((rows["age_low"] <= rows["age"]) & (rows["age"] <= rows["age_high"])).mean()
    assert result["overall"]["coverage"]["value"] == pytest.approx(held)
    as_json = run("intervals", model, "--predictions", new, "--json")
    assert json.loads(as_json.stdout)["overall"] == result["overall"]


def test_intervals_on_the_calibration_images_are_named_so(calibrated, folder):
    answer = run("intervals", folder / "age_gender_A.keras", "--predictions", folder / "calibration.parquet")
    assert "coverage on them proves nothing" in " ".join(answer.output.split())


def test_fairness_from_predictions_alone(folder, tmp_path):
    answer = run(
        "fairness", "--predictions", folder / "new.parquet", "--by", "race", "--by", "gender", "--out", tmp_path
    )
    assert answer.exit_code == 0, answer.output
    assert "by race x gender" in answer.output
    assert "Holm" in answer.output
    rows = pd.read_csv(tmp_path / "fairness.csv")
    assert {"race", "gender", "race x gender"} == set(rows["columns"])
    assert "interval holds" not in set(rows["measure"])
    assert read_json(tmp_path / "fairness.json")["comparisons"] == len(rows)


def test_fairness_of_a_calibrated_model_measures_its_intervals_too(calibrated, folder):
    model, new = folder / "age_gender_A.keras", folder / "new.parquet"
    answer = run("fairness", model, "--predictions", new, "--by", "race", "--depth", "1", "--json")
    result = json.loads(answer.stdout)
    assert {"interval holds", "interval width", "gender answered"} <= set(result["measures"])


def test_thresholds_prints_draws_and_says_what_it_cannot_show(calibrated, folder, tmp_path):
    model, new = folder / "age_gender_A.keras", folder / "new.parquet"
    answer = run("thresholds", model, "--predictions", new, "-L", 18, "--out", tmp_path)
    assert answer.exit_code == 0, answer.output
    output = " ".join(answer.output.split())
    for words in ("by the estimate", "by the lower end", "What these images cannot show", "estimated from looks"):
        assert words in output
    assert {path.name for path in tmp_path.iterdir()} == {
        *("thresholds.json", "thresholds.csv", "captions.json"),
        *("thresholds.png", "thresholds.svg", "thresholds_lower_end.png", "thresholds_lower_end.svg"),
    }
    assert set(pd.read_csv(tmp_path / "thresholds.csv")["rule"]) == {"estimate", "lower end"}


def test_thresholds_without_calibration_uses_the_estimate_alone(folder):
    answer = run("thresholds", "--predictions", folder / "new.parquet", "-L", 18, "-C", 25, "--json")
    assert [part["rule"] for part in json.loads(answer.stdout)["results"]] == ["estimate"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fairness",), "neither"),
        (("fairness", "--data", "x", "--predictions", "y"), "both"),
        (("fairness", "--predictions", "y", "--split", "z"), "goes with --data"),
        (("thresholds", "--data", "x"), "needs a model"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words, message):
    with pytest.raises(SettingError, match=message):
        run(*words)


def test_calibrate_refuses_what_it_cannot_use(folder, tmp_path):
    model, predictions = folder / "age_gender_A.keras", folder / "calibration.parquet"
    with pytest.raises(SettingError, match="--level"):
        run("calibrate", model, "--predictions", predictions, "--level", "90")
    with pytest.raises(ModelError, match="No model file"):
        run("calibrate", tmp_path / "none.keras", "--predictions", predictions)
    with pytest.raises(InputError, match="Parquet"):
        run("calibrate", model, "--predictions", tmp_path / "none.parquet")
    with pytest.raises(SettingError, match="same recipe"):
        run("calibrate", model, "--predictions", predictions, "--for", model)


def test_predictions_of_another_file_are_refused(folder, tmp_path):
    predictions = tmp_path / "predictions.parquet"
    predictions.write_bytes((folder / "new.parquet").read_bytes())
    facts = {"models": [{"name": "A", "sha256": "0" * 64}], "fingerprint": "x"}
    (tmp_path / "metrics.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(SettingError, match="another file"):
        run("calibrate", folder / "age_gender_A.keras", "--predictions", predictions)


def test_a_real_model_from_faces_to_intervals(tmp_path):
    """The whole way on drawn faces: a real file with a distribution, calibrated, measured, its intervals applied."""
    keras = pytest.importorskip("keras")
    from agegender.data.drawn import draw_faces

    image = keras.Input((128, 128, 3))
    features = keras.layers.Flatten()(keras.layers.AveragePooling2D(32)(image))
    softmax = keras.layers.Dense(117, "softmax", name="age_distribution")(features)
    expectation = keras.layers.Dense(1, use_bias=False, name="age")
    outputs = [expectation(softmax), keras.layers.Dense(1, "sigmoid", name="gender")(features)]
    expectation.set_weights([np.arange(117, dtype=np.float32)[:, None]])
    keras.Model(image, outputs).save(tmp_path / "age_gender_A.keras")
    faces = draw_faces(tmp_path / "faces", count=60, seed=3)
    answer = run("calibrate", tmp_path / "age_gender_A.keras", "--data", faces)
    assert answer.exit_code == 0, answer.output
    assert "drawn faces" in answer.output
    assert "not known what age_gender_A.keras learnt" in " ".join(answer.output.split())
    answer = run("intervals", tmp_path / "age_gender_A.keras", "--data", faces, "--out", tmp_path / "out")
    assert answer.exit_code == 0, answer.output
    result = read_json(tmp_path / "out" / "intervals.json")
    assert result["drawn"]
    assert result["overall"]["coverage"]["value"] >= 0.9, "these are the calibration images"


def test_without_the_report_extra_thresholds_says_what_to_install(folder, tmp_path, monkeypatch):
    import agegender.optional

    def missing(module: str, extra: str) -> None:
        raise MissingExtraError(f"{module} is not installed: pip install 'agegender[{extra}]'")

    monkeypatch.setattr(agegender.optional, "require", missing)
    with pytest.raises(MissingExtraError, match=r"agegender\[report\]"):
        run("thresholds", "--predictions", folder / "new.parquet", "--out", tmp_path)
