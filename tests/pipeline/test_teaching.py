"""Teachers: which are refused, and a student that learns from their answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agegender.artifacts import read_json, sha256_file, write_json
from agegender.data.splits import Split
from agegender.errors import InputError, SettingError
from agegender.main_job.teaching import checked_teachers, loaded_teachers
from agegender.pipeline import RunSettings, run

HOLDOUT = Split("holdout", 1, ("a.jpg",), ("b.jpg",))
ALL = Split("all", 1, ("a.jpg", "b.jpg"), ())


def teacher(folder: Path, **changes: Any) -> Path:
    """A file with a sidecar that names it; the checks read nothing else."""
    path = folder / "age_gender_A.keras"
    path.write_bytes(b"weights")
    record = {
        "sha256": sha256_file(path),
        "started_from": {"start": "random"},
        "seed": 3,
        "data": {"fingerprint": "faces"},
        "split": {"sha256": "split"},
    }
    write_json(path.with_suffix(".json"), record | changes)
    return path


def test_a_teacher_of_the_same_split_is_taken(tmp_path: Path) -> None:
    path = teacher(tmp_path)
    (found,) = checked_teachers([path], "A", "faces", HOLDOUT, "split")
    assert (found.file, found.sha256, found.started_from, found.seed) == (path.name, sha256_file(path), "random", 3)


@pytest.mark.parametrize(
    ("changes", "model", "message"),
    [
        ({"split": {"sha256": "other"}}, "A", "may have seen this run's validation images"),
        ({"data": {"fingerprint": "others"}}, "A", "learnt from other images"),
        ({"started_from": {"start": "imagenet"}}, "A", "Model A learns from the given images alone"),
        ({"teachers": [{"started_from": "imagenet"}]}, "A", "Model A learns from the given images alone"),
        ({"went_on_from": {"started_from": "imagenet"}}, "A", "Model A learns from the given images alone"),
    ],
)
def test_what_would_spoil_the_figures_is_refused(
    tmp_path: Path, changes: dict[str, Any], model: str, message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        checked_teachers([teacher(tmp_path, **changes)], model, "faces", HOLDOUT, "split")


def test_model_b_may_learn_from_any_start_and_a_final_model_from_any_split(tmp_path: Path) -> None:
    path = teacher(tmp_path, started_from={"start": "imagenet"}, split={"sha256": "other"})
    assert len(checked_teachers([path], "B", "faces", ALL, "all")) == 1


def test_a_teacher_without_its_sidecar_or_with_anothers_is_refused(tmp_path: Path) -> None:
    path = teacher(tmp_path, sha256="0" * 64)
    with pytest.raises(InputError, match="is not the file that"):
        checked_teachers([path], "A", "faces", HOLDOUT, "split")
    path.with_suffix(".json").unlink()
    with pytest.raises(InputError, match="with its sidecar beside it"):
        checked_teachers([path], "A", "faces", HOLDOUT, "split")


def test_targets_take_a_share_of_the_mean_answer_to_the_very_images(trained_run: Path) -> None:
    paths = [trained_run / "age_gender_A.keras", trained_run / "age_gender_B.keras"]
    images = np.random.default_rng(5).random((3, 128, 128, 3), dtype=np.float32)
    labels = {
        "age_distribution": np.eye(117, dtype=np.float32)[[20, 40, 60]],
        "age": np.array([[20.0], [40.0], [60.0]], np.float32),
        "gender": np.array([[0.0], [1.0], [0.5]], np.float32),
    }
    first, second, both = (loaded_teachers(some).blend(labels, images, 1.0) for some in (paths[:1], paths[1:], paths))
    quarter = loaded_teachers(paths).blend(labels, images, 0.25)
    for name, label in labels.items():
        np.testing.assert_allclose(both[name], (first[name] + second[name]) / 2, atol=1e-4)
        np.testing.assert_allclose(quarter[name], 0.75 * label + 0.25 * both[name], atol=1e-4)
    np.testing.assert_allclose(both["age_distribution"].sum(axis=1), 1.0, atol=1e-4)
    distribution = first["age_distribution"]
    np.testing.assert_allclose(first["age"][:, 0], distribution @ np.arange(117), atol=1e-2)


@pytest.mark.usefixtures("no_figures")
def test_a_taught_student_and_its_record(trained_run: Path, drawn_folder: Path, tmp_path: Path) -> None:
    small = (("phases.0.epochs", "1"), ("phases.0.side", "0"), ("curve_images", "16"), ("batch_size", "16"),
             ("network.stem_channels", "[8, 8]"), ("network.stage_channels", "[8, 16]"),
             ("network.stage_blocks", "[1, 1]"))  # fmt: skip
    wanted = trained_run / "age_gender_A.keras"
    settings = RunSettings(
        out=tmp_path / "student",
        data=str(drawn_folder),
        models=("A",),
        changes={"A": small},
        taught_by=(wanted,),
        phases=1,
    )
    run(settings)
    record = read_json(tmp_path / "student" / "age_gender_A.json")
    assert record["recipe"]["teacher_share"] == 0.5
    assert [item["sha256"] for item in record["teachers"]] == [sha256_file(wanted)]


def test_a_share_without_teachers_is_refused(drawn_folder: Path, tmp_path: Path) -> None:
    settings = RunSettings(
        out=tmp_path, data=str(drawn_folder), models=("A",), changes={"A": (("teacher_share", "0.5"),)}
    )
    with pytest.raises(SettingError, match="--taught-by"):
        run(settings)


def test_a_start_is_inherited_from_teacher_to_teacher(tmp_path: Path) -> None:
    taught = teacher(tmp_path, teachers=[{"started_from": "imagenet"}])
    (found,) = checked_teachers([taught], "B", "faces", HOLDOUT, "split")
    assert found.started_from == "imagenet"
