"""A calibration as a sidecar holds it: fit, write, read, apply, in this order and of this very file."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from agegender.artifacts import sha256_file, write_json
from agegender.errors import InputError, NotCalibratedError
from agegender.uncertainty import KEY, UNSURE, Calibration, fit_intervals, fit_temperature, fit_unsure, read_calibration


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "age_gender_A.keras"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def calibration(calibration_faces, model_file) -> Calibration:
    faces = calibration_faces
    given = (faces.predicted, faces.distribution, faces.ages)
    return Calibration(
        intervals=fit_intervals("shortest", *given),
        temperature=fit_temperature(faces.female_probability, faces.female),
        unsure=fit_unsure(faces.female_probability, faces.female, risk=0.1),
        baselines=(fit_intervals("constant", *given, by_band=False),),
        model_sha256=sha256_file(model_file),
        calibrated_on={"set": "validation images", "n": 800},
    )


def test_there_is_nothing_to_apply_before_calibration(model_file):
    with pytest.raises(NotCalibratedError, match="agegender calibrate"):
        read_calibration(model_file)
    write_json(model_file.with_suffix(".json"), {"sha256": sha256_file(model_file), "seed": 1})
    with pytest.raises(NotCalibratedError, match="not calibrated") as refusal:
        read_calibration(model_file)
    assert refusal.value.exit_code == 5


def test_what_was_written_is_read_and_gives_the_same_answers(model_file, calibration, new_faces):
    write_json(model_file.with_suffix(".json"), {"seed": 1, KEY: calibration.as_record() | {"compared": []}})
    again = read_calibration(model_file)
    assert again == calibration
    faces = new_faces
    first, second = (
        c.apply(faces.predicted, faces.distribution, faces.female_probability) for c in (calibration, again)
    )
    np.testing.assert_array_equal(first.intervals.low, second.intervals.low)
    np.testing.assert_array_equal(first.gender, second.gender)
    np.testing.assert_array_equal(first.female_probability, second.female_probability)


def test_answers_of_gender_are_the_models_or_unsure(calibration, new_faces):
    faces = new_faces
    answers = calibration.apply(faces.predicted, faces.distribution, faces.female_probability)
    assert set(answers.gender) == {"male", "female", UNSURE}
    given = answers.gender != UNSURE
    np.testing.assert_array_equal(answers.gender[given] == "female", faces.female_probability[given] >= 0.5)
    surest = np.abs(answers.female_probability - 0.5)
    assert surest[given].min() >= surest[~given].max()


def test_a_file_that_changed_since_is_refused(model_file, calibration):
    write_json(model_file.with_suffix(".json"), {KEY: calibration.as_record()})
    model_file.write_bytes(b"other weights")
    with pytest.raises(NotCalibratedError, match="has changed since"):
        read_calibration(model_file)


@pytest.mark.parametrize("record", [None, {"version": 2}, {"version": 1}, {"version": 1, "age": {}}])
def test_a_damaged_calibration_is_refused(model_file, record):
    write_json(model_file.with_suffix(".json"), {KEY: record})
    with pytest.raises(InputError, match="alibrat"):
        read_calibration(model_file)


def test_a_sidecar_that_is_no_json_is_refused(model_file):
    model_file.with_suffix(".json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        read_calibration(model_file)


def test_parameters_cannot_be_changed(calibration):
    with pytest.raises(dataclasses.FrozenInstanceError):
        calibration.intervals.level = 0.5  # type: ignore[misc]


def test_applying_needs_numpy_alone(calibration, tmp_path):
    """In a process where everything else is blocked, as an ONNX path without Keras or pandas would be."""
    record = tmp_path / "calibration.json"
    record.write_text(json.dumps(calibration.as_record()), encoding="utf-8")
    program = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {{'keras', 'tensorflow', 'sklearn', 'scipy', 'crepes', 'pandas', 'matplotlib'}}:
            raise ImportError(name)
sys.meta_path.insert(0, Blocked())
import json
import numpy as np
from agegender.uncertainty import Calibration
calibration = Calibration.from_record(json.load(open({str(record)!r})))
row = np.zeros((1, 117)); row[0, 30] = 1
answers = calibration.apply([30.0], row, [0.999])
print(int(answers.intervals.low[0]) <= 30 <= int(answers.intervals.high[0]), answers.gender[0])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "female"], done.stderr
