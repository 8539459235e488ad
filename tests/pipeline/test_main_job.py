"""The main job on few drawn faces: what it leaves behind, and how it goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from agegender.artifacts import read_json, sha256_file
from agegender.data.dataset import UnusableDataError
from agegender.data.splits import load_split
from agegender.errors import SettingError
from agegender.pipeline import RunSettings, run
from agegender.run_folder import RunFolder, open_run

ONE_EPOCH = {"A": (("phases.0.epochs", "1"), ("phases.0.side", "0"), ("curve_images", "16"), ("batch_size", "16"),
                   ("network.stem_channels", "[8, 8]"), ("network.stage_channels", "[8, 16]"),
                   ("network.stage_blocks", "[1, 1]"))}  # fmt: skip
CURVE_COLUMNS = [
    f"{part}_{key}"
    for part in ("train", "validation")
    for key in ("age_loss", "age_mae", "gender_loss", "gender_accuracy")
]


def test_a_run_leaves_everything_in_one_folder(trained_run: Path) -> None:
    folder, record = open_run(trained_run)
    assert record["finished"] >= record["started"]
    assert record["drawn"] is True
    assert record["measured_on"] == "validation"
    assert 0 < record["constant_predictor"]["mae"] < 60
    assert {"agegender", "keras", "numpy", "backend"} <= set(record["versions"])
    assert pd.read_csv(folder.rejected).columns.tolist() == ["file", "reason", "detail"]
    for model in "AB":
        history = pd.read_csv(folder.training(model) / "history.csv")
        assert history["epoch"].tolist() == list(range(1, len(history) + 1))
        assert history[CURVE_COLUMNS].notna().to_numpy().all()
    predictions = pd.read_parquet(folder.predictions)
    split = read_json(folder.split)
    assert set(predictions["file"]) == set(split["validation"])
    assert set(predictions["model"]) == {"A", "B"}
    assert set(predictions["order"]) == {"rgb", "bgr"}
    assert not [path for path in trained_run.rglob("*") if ".partial" in path.name]


def test_the_sidecar_says_what_the_file_is(trained_run: Path) -> None:
    folder, _ = open_run(trained_run)
    for model, start in (("A", "random"), ("B", "imagenet")):
        sidecar = read_json(folder.sidecar(model))
        assert sidecar["sha256"] == sha256_file(folder.model(model))
        assert sidecar["started_from"]["start"] == start
        assert sidecar["recipe"]["model"] == model
        assert sidecar["data"]["drawn"] is True
        assert sidecar["validation"]["rgb"]["mae"]["low"] <= sidecar["validation"]["rgb"]["mae"]["value"]
        assert "test" not in sidecar


def test_the_pictures_of_both_models_are_there_and_marked(trained_run: Path) -> None:
    figures = RunFolder(trained_run).figures
    captions = json.loads((figures / "captions.json").read_text(encoding="utf-8"))
    for model in "AB":
        for name in ("architecture", "gender_loss", "gender_accuracy", "age_loss", "age_mae", "predicted_age"):
            assert (figures / f"{model}_{name}.png").stat().st_size > 5_000
            assert (figures / f"{model}_{name}.svg").is_file()
        assert "drawn faces" in captions[f"{model}_predicted_age"]
    assert {"samples", "augmentation"} <= set(captions)


def test_the_split_holds_no_near_duplicates_and_reloads(trained_run: Path, drawn_folder: Path) -> None:
    from agegender.data.dataset import load_dataset

    split = load_split(RunFolder(trained_run).split, load_dataset(drawn_folder).table)
    assert not set(split.train) & set(split.validation)
    assert len(split.validation) == pytest.approx(0.2 * 48, abs=1)


def test_a_finished_run_is_not_overwritten_and_resumes_without_training(trained_run: Path, drawn_folder: Path) -> None:
    settings = read_json(trained_run / "run.json")["settings"]
    again = RunSettings(
        out=trained_run,
        data=str(drawn_folder),
        changes={letter: tuple(map(tuple, pairs)) for letter, pairs in settings["changes"].items()},
        phases=settings["phases"],
    )
    with pytest.raises(SettingError, match="--resume"):
        run(again)
    with pytest.raises(SettingError, match=r"seed was 1, is 2"):
        run(RunSettings(**{**vars(again), "seed": 2, "resume": True}))
    before = {model: sha256_file(RunFolder(trained_run).model(model)) for model in "AB"}
    lines: list[str] = []
    run(RunSettings(**{**vars(again), "resume": True}), announce=lines.append)
    assert sum("trained already" in line for line in lines) == 2
    assert before == {model: sha256_file(RunFolder(trained_run).model(model)) for model in "AB"}


def test_training_on_all_and_measuring_on_test(drawn_folder: Path, tmp_path: Path) -> None:
    from agegender.data.drawn import draw_faces

    test = draw_faces(tmp_path / "test", count=12, seed=77)
    settings = RunSettings(
        out=tmp_path / "run", data=str(drawn_folder), test=str(test), models=("A",), train_on_all=True,
        changes=ONE_EPOCH, phases=1,
    )  # fmt: skip
    result = run(settings)
    assert result.measured_on == "test"
    assert result.evaluation is not None
    assert result.evaluation.n == 12
    history = pd.read_csv(result.folder.training("A") / "history.csv")
    assert history["validation_age_mae"].isna().to_numpy().all()
    sidecar = read_json(result.folder.sidecar("A"))
    assert sidecar["split"]["train"] == sidecar["split"]["of"] == 48
    assert set(sidecar["test"]) == {"rgb", "bgr"}


def test_too_much_rejected_leaves_the_list_and_nothing_else(drawn_folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "faces"
    shutil.copytree(drawn_folder, source)
    for index in range(10):
        (source / f"200_0_0_2017010100000{index:04d}.jpg").write_bytes(b"no face")
    with pytest.raises(UnusableDataError, match=r"rejected\.csv"):
        run(RunSettings(out=tmp_path / "run", data=str(source), models=("A",), changes=ONE_EPOCH, phases=1))
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["rejected.csv"]
    assert set(pd.read_csv(tmp_path / "run" / "rejected.csv")["reason"]) == {"age_out_of_range"}


def test_test_data_alone_makes_no_sense(tmp_path: Path, drawn_folder: Path) -> None:
    with pytest.raises(SettingError, match="--test needs --data"):
        run(RunSettings(out=tmp_path / "run", test=str(drawn_folder)))
