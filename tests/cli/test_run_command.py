"""`agegender` as a user meets it: help, exit codes, messages."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from agegender.cli.app import main
from agegender.errors import InputError, Interrupted, OutputError, SettingError

RunResult = tuple[int, str, str]


@pytest.fixture
def agegender(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command in this process; gives exit code, standard output and standard error."""

    def run(*words: object) -> RunResult:
        monkeypatch.setattr(sys, "argv", ["agegender", *map(str, words)])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        code = stop.value.code
        return (code if isinstance(code, int) else 0), captured.out, " ".join(captured.err.split())

    return run


def test_help_names_every_command_and_is_quick_to_import(agegender) -> None:
    code, out, _ = agegender("--help")
    assert code == 0
    for command in ("run", "evaluate", "check", "prepare", "draw", "split"):
        assert command in out
    heavy = "import sys; import agegender.cli.app; print([m for m in ('keras', 'tensorflow', 'pandas', 'cv2', " \
        "'matplotlib') if m in sys.modules])"  # fmt: skip
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_version(agegender) -> None:
    from agegender import __version__

    assert agegender("--version")[:2] == (0, f"agegender {__version__}\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--models", "C"], "A, B or AB"),
        (["--train-on", "some"], "`split` or `all`"),
        (["--set", "batch_size=3"], "MODEL.NAME=VALUE"),
        (["--models", "A", "--set", "B.batch_size=3"], "MODEL.NAME=VALUE"),
        (["--models", "A", "--backbone", "ResNet50V2"], "about Model B"),
        (["--folds", "1"], "2 or more"),
        (["--folds", "3", "--train-on", "all"], "neither --train-on all"),
    ],
)
def test_settings_that_make_no_sense(agegender, tmp_path: Path, words: list[str], said: str) -> None:
    code, _, err = agegender("run", "--out", tmp_path / "run", *words)
    assert code == SettingError.exit_code
    assert said in err
    assert not (tmp_path / "run").exists()


def test_data_that_is_not_there(agegender, tmp_path: Path) -> None:
    code, _, err = agegender("run", "--data", tmp_path / "none", "--out", tmp_path / "run")
    assert code == InputError.exit_code
    assert "none" in err


def test_an_empty_folder_and_a_folder_of_texts(agegender, tmp_path: Path) -> None:
    empty, texts = tmp_path / "empty", tmp_path / "texts"
    empty.mkdir()
    texts.mkdir()
    (texts / "notes.txt").write_text("no face")
    for folder in (empty, texts):
        code, _, err = agegender("run", "--data", folder, "--out", tmp_path / "run")
        assert code == InputError.exit_code
        assert str(folder) in err
        assert not (tmp_path / "run" / "run.json").exists()


def test_an_output_folder_that_cannot_be_written(agegender, drawn_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    code, _, err = agegender("run", "--data", drawn_folder, "--out", tmp_path / "file" / "run")
    assert code == OutputError.exit_code
    assert "--out" in err


def test_a_full_disk_leaves_no_half_file(drawn_folder: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the write of the first checkpoint fails in the middle."""
    from agegender.data.dataset import load_dataset

    load_dataset(drawn_folder)  # the cache is there already: it is the run that meets the limit
    out = tmp_path / "run"
    limit = 1_000_000
    done = subprocess.run(
        [sys.executable, "-m", "agegender", "run", "--data", str(drawn_folder), "--out", str(out), "--models", "A",
         "--phases", "1", "--epochs", "1", "--set", "A.phases.0.side=0", "--set", "A.batch_size=16",
         "--set", "A.network.stage_channels=[64, 128, 128, 64]"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        env=os.environ | {"AGEGENDER_CACHE": os.environ["AGEGENDER_CACHE"]},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == OutputError.exit_code, done.stderr
    assert "No space left" in done.stderr
    assert not list(out.rglob("*.partial*"))
    assert not list(out.rglob("*.keras"))
    assert not list(out.rglob("checkpoint*"))


@pytest.mark.usefixtures("no_figures")
def test_folds_and_resume_by_command(agegender, drawn_folder: Path, tmp_path: Path) -> None:
    words = ("run", "--data", drawn_folder, "--out", tmp_path / "folds", "--models", "A", "--folds", "2",
             "--phases", "1", "--epochs", "1", "--set", "A.phases.0.side=0", "--set", "A.batch_size=16",
             "--set", "A.network.stem_channels=[8, 8]",
             "--set", "A.network.stage_channels=[8, 8]", "--set", "A.network.stage_blocks=[1, 1]")  # fmt: skip
    code, out, err = agegender(*words)
    assert code == 0, err
    assert "age_gender_A.keras" in out
    assert "drawn faces" in out.lower()
    assert sorted(path.name for path in (tmp_path / "folds").iterdir()) == ["fold-1-of-2", "fold-2-of-2"]
    code, _, err = agegender(*words)
    assert code == SettingError.exit_code
    assert "--resume" in err


def test_ctrl_c_ends_with_its_own_code(agegender, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from agegender.main_job import inputs

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(inputs, "load_dataset", stopped)
    code, _, err = agegender("run", "--data", tmp_path, "--out", tmp_path / "run")
    assert code == Interrupted.exit_code
    assert "Stopped" in err


def test_split_command(agegender, drawn_folder: Path, tmp_path: Path) -> None:
    code, out, err = agegender("split", drawn_folder, "--out", tmp_path / "split.json")
    assert code == 0, err
    assert "to train" in out
    code, _, _ = agegender("split", drawn_folder, "--folds", "3", "--out", tmp_path / "folds")
    assert code == 0
    assert len(list((tmp_path / "folds").glob("*.json"))) == 3


def test_a_table_of_codes_needs_their_meaning(agegender, drawn_folder: Path, tmp_path: Path) -> None:
    import csv

    faces = sorted(drawn_folder.glob("*.jpg"))
    with (tmp_path / "faces.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "age", "gender"])
        rows.writerows([path, *path.name.split("_")[:2]] for path in faces)
    words = ("split", tmp_path / "faces.csv", "--out", tmp_path / "split.json")
    code, _, err = agegender(*words)
    assert code == InputError.exit_code
    assert "--gender-codes 0=male,1=female" in err
    assert agegender(*words, "--gender-codes", "0=male,1=female")[0] == 0
    code, _, err = agegender(*words, "--gender-codes", "male")
    assert code == SettingError.exit_code
    assert "CODE=NAME" in err
