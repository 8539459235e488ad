"""`agegender audit` by command, and a run that applies its corrections."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from agegender.artifacts import read_json
from agegender.cli.audit import audit_command
from agegender.errors import InputError, SettingError

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(audit_command)


@pytest.fixture
def faces_with_copies(drawn_folder: Path, tmp_path: Path) -> Path:
    """The drawn faces, one of them copied byte for byte under another label, one mirrored."""
    folder = tmp_path / "faces"
    shutil.copytree(drawn_folder, folder)
    first, second = sorted(folder.glob("*.jpg"))[:2]
    shutil.copy(first, folder / "77_1_0_20200101000000000.jpg")
    picture = cv2.imread(str(second))
    assert picture is not None
    cv2.imwrite(str(folder / second.name.replace("_2017", "_2019")), picture[:, ::-1])
    return folder


def test_files_and_table_of_an_audit(faces_with_copies: Path, drawn_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "audit"
    done = CliRunner().invoke(
        app, [str(faces_with_copies), "--against", str(drawn_folder), "--out", str(out)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    assert "Identical files" in done.output
    assert "drawn faces" in done.output
    table = pd.read_csv(out / "findings.csv", keep_default_na=False)
    assert table["problem"].tolist().count("identical") == 1
    assert table["problem"].tolist().count("near_duplicate") == 1
    assert table["problem"].tolist().count("leakage") >= 50, "every face also stands in the other folder"
    assert (out / "audit.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.usefixtures("no_figures")
def test_a_run_applies_corrections_and_records_them(faces_with_copies: Path, tmp_path: Path) -> None:
    from agegender.pipeline import RunSettings, run

    out = tmp_path / "audit"
    assert CliRunner().invoke(app, [str(faces_with_copies), "--out", str(out)]).exit_code == 0
    small = (("phases.0.epochs", "1"), ("phases.0.side", "0"), ("curve_images", "16"), ("batch_size", "16"),
             ("network.stem_channels", "[8, 8]"), ("network.stage_channels", "[8, 8]"),
             ("network.stage_blocks", "[1, 1]"))  # fmt: skip
    corrections = out / "corrections.csv"
    settings = RunSettings(
        out=tmp_path / "run",
        data=str(faces_with_copies),
        corrections=corrections,
        models=("A",),
        changes={"A": small},
        phases=1,
    )
    result = run(settings)
    record, sidecar = read_json(result.folder.record), read_json(result.folder.sidecar("A"))
    assert record["settings"]["corrections"] == str(corrections)
    assert record["corrections"] == sidecar["data"]["corrections"]
    assert record["corrections"]["dropped"] >= 2
    split = read_json(result.folder.split)
    dropped = set(pd.read_csv(corrections).query("action == 'drop'")["file"])
    assert dropped
    assert not dropped & {*split["train"], *split["validation"]}


def test_requests_that_make_no_sense(drawn_folder: Path, tmp_path: Path) -> None:
    from agegender.pipeline import RunSettings, run

    with pytest.raises(InputError, match="nothing at"):
        CliRunner().invoke(app, [str(tmp_path / "none")], catch_exceptions=False)
    with pytest.raises(InputError, match=r"no predictions\.parquet"):
        CliRunner().invoke(app, [str(drawn_folder), "--predictions", str(tmp_path)], catch_exceptions=False)
    with pytest.raises(SettingError, match="--corrections needs --data"):
        run(RunSettings(out=tmp_path / "run", corrections=tmp_path / "corrections.csv"))


def test_a_model_doubts_labels_that_it_has_not_learnt(trained_run: Path, drawn_folder: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, [str(drawn_folder), "--model", str(trained_run / "age_gender_A.keras")], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    validated = len(read_json(trained_run / "split.json")["validation"])
    assert f"by trained models for {validated} of 48 images" in " ".join(done.output.split())
    learnt = tmp_path / "learnt"
    learnt.mkdir()
    shutil.copy(trained_run / "age_gender_A.keras", learnt)
    everything = {"train": [path.name for path in drawn_folder.glob("*.jpg")]}
    import json

    (learnt / "split.json").write_text(json.dumps(everything), encoding="utf-8")
    with pytest.raises(SettingError, match="learnt from every image"):
        CliRunner().invoke(
            app, [str(drawn_folder), "--model", str(learnt / "age_gender_A.keras")], catch_exceptions=False
        )
