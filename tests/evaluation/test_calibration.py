"""Calibrating a model: what its sidecar gets, and the images that it must not have seen."""

import dataclasses
import json

import numpy as np
import pytest

from agegender.artifacts import read_json, sha256_file, write_json
from agegender.errors import InputError, ModelError, SettingError
from agegender.evaluation.calibration import (
    calibrate,
    check_twin,
    check_unseen,
    files_hash,
    read_sidecar,
    write_calibration,
)
from agegender.evaluation.intervals import measure_intervals
from agegender.uncertainty import coverage_band, read_calibration

DATA, SPLIT = "d" * 64, "s" * 64


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "age_gender_A.keras"
    path.write_bytes(b"weights")
    write_sidecar(path)
    return path


def write_sidecar(path, **more):
    record = {
        "sha256": sha256_file(path),
        "seed": 7,
        "recipe": {"batch_size": 64},
        "data": {"fingerprint": DATA},
        "split": {"sha256": SPLIT},
    }
    write_json(path.with_suffix(".json"), record | more)


@pytest.fixture(scope="module")
def faces(simulated_answers):
    return simulated_answers(700, 0)


def test_the_sidecar_gets_a_calibration_and_keeps_the_rest(model_file, faces):
    calibration, candidates = calibrate(faces, sha256_file(model_file), seed=3)
    write_calibration(model_file, calibration, candidates)
    record = read_json(model_file.with_suffix(".json"))
    assert record["seed"] == 7
    part = record["calibration"]
    assert part["calibrated_on"]["n"] == 700
    assert part["calibrated_on"]["set"] == "all images"
    assert part["calibrated_on"]["data"] == "faces"
    assert part["age"]["level"] == 0.9
    assert len(part["compared"]) == 8
    assert sum(candidate["chosen"] for candidate in part["compared"]) == 1
    assert faces.table["file"].iloc[0] not in json.dumps(record), "no image's name"
    assert read_calibration(model_file) == calibration
    assert calibration.temperature.temperature == pytest.approx(2 * 2.25 / 5, rel=0.25), "log odds are 2 x 2.5 / 1.5^2"


def test_it_replaces_an_earlier_one(model_file, faces):
    for level in (0.8, 0.9):
        calibration, candidates = calibrate(faces, sha256_file(model_file), level=level)
        write_calibration(model_file, calibration, candidates)
    assert read_calibration(model_file).intervals.level == 0.9


def test_a_foreign_file_gets_a_small_sidecar(tmp_path, faces):
    path = tmp_path / "other.keras"
    path.write_bytes(b"foreign")
    calibration, candidates = calibrate(faces, sha256_file(path))
    write_calibration(path, calibration, candidates)
    assert set(read_json(tmp_path / "other.json")) == {"file", "sha256", "calibration"}
    assert read_calibration(path) == calibration


def test_a_calibration_or_sidecar_of_another_file_is_refused(model_file, faces):
    calibration, candidates = calibrate(faces, "0" * 64)
    with pytest.raises(ModelError, match="not of age_gender_A"):
        write_calibration(model_file, calibration, candidates)
    model_file.write_bytes(b"trained anew")
    with pytest.raises(ModelError, match="right sidecar"):
        read_sidecar(model_file)


def test_images_that_it_learnt_from_are_refused(model_file):
    assert check_unseen(model_file, DATA, SPLIT) == ""
    assert check_unseen(model_file, "other data", None) == ""
    with pytest.raises(SettingError, match="--split"):
        check_unseen(model_file, DATA, None)
    with pytest.raises(SettingError, match="another split"):
        check_unseen(model_file, DATA, "another")
    assert "not known" in check_unseen(model_file, None, None)


def test_a_file_without_sidecar_is_warned_of(tmp_path):
    path = tmp_path / "other.keras"
    path.write_bytes(b"foreign")
    assert "not known what other.keras learnt from" in check_unseen(path, DATA, None)


def test_a_twin_must_have_the_same_recipe(model_file, tmp_path, faces):
    shipped = tmp_path / "shipped.keras"
    shipped.write_bytes(b"learnt from all images")
    write_sidecar(shipped)
    answered_by = check_twin(model_file, shipped)
    calibration, candidates = calibrate(faces, sha256_file(shipped))
    write_calibration(shipped, calibration, candidates, answered_by=answered_by)
    on = read_calibration(shipped).calibrated_on
    assert on["answered_by"]["sha256"] == sha256_file(model_file)
    assert "not proven" in on["answered_by"]["note"]
    write_sidecar(shipped, recipe={"batch_size": 32})
    with pytest.raises(SettingError, match="same recipe"):
        check_twin(model_file, shipped)


def test_intervals_hold_on_new_images_where_the_models_own_do_not(model_file, faces, simulated_answers):
    calibration, _ = calibrate(faces, sha256_file(model_file))
    new = simulated_answers(1500, 1)
    result, table = measure_intervals(new, calibration)
    assert result.inside, (result.overall.coverage, result.band)
    raw = next(part for part in result.baselines if part.name == "raw")
    constant = next(part for part in result.baselines if part.name == "constant")
    assert raw.coverage.value < result.band[0]
    assert result.overall.mean_width < constant.mean_width
    held = (table["age_low"] <= table["age"]) & (table["age"] <= table["age_high"])
    assert result.overall.coverage.value == pytest.approx(held.mean())
    assert result.overall.mean_width == pytest.approx((table["age_high"] - table["age_low"]).mean())
    assert "age_distribution" not in table
    for group in result.by("predicted age"):
        if group.n >= 50:
            assert group.coverage.value >= coverage_band([50], [group.n], 0.9)[0], group
    assert sum(group.n for group in result.by("race")) == 1500
    assert {group.name for group in result.by("gender")} == {"male", "female"}
    assert result.by("predicted age")[0].name == "under 3"


def test_gender_answers_are_counted(model_file, faces, simulated_answers):
    calibration, _ = calibrate(faces, sha256_file(model_file), risk=0.04)
    new = simulated_answers(1500, 2)
    result, table = measure_intervals(new, calibration)
    given = table["gender_answer"] != "unsure"
    assert result.gender.answered.value == pytest.approx(given.mean())
    differs = table["gender_answer"].to_numpy(str) != table["gender"].to_numpy(str)
    wrong = float(differs[given.to_numpy(bool)].mean())
    assert result.gender.error_among_answered is not None
    assert result.gender.error_among_answered.value == pytest.approx(wrong)
    assert wrong < 0.045
    assert result.gender.cross_entropy_after < result.gender.cross_entropy_before + 0.01
    assert np.isfinite(table["female_calibrated"]).all()


def test_labels_of_one_gender_are_refused(model_file, faces):
    table = faces.table[faces.table["gender"] == "male"]
    with pytest.raises(InputError, match="both labels"):
        calibrate(dataclasses.replace(faces, table=table.reset_index(drop=True)), sha256_file(model_file))


def test_the_hash_of_files_knows_no_order(faces):
    table = faces.table
    assert files_hash(table) == files_hash(table.iloc[::-1])
    assert files_hash(table) != files_hash(table.iloc[1:])
