"""`agegender notebook` as a user meets it: the source alone, and what it refuses before anything is executed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from agegender.artifacts import read_json, write_json
from agegender.cli.app import app
from agegender.errors import AgegenderError, InputError, MissingExtraError, SettingError
from agegender.notebook import open_work
from agegender.run_folder import RunFolder


def call(*words: object) -> str:
    """What the command prints, its errors as they are raised."""
    result = CliRunner().invoke(app, ["notebook", *map(str, words)], catch_exceptions=True)
    if isinstance(result.exception, AgegenderError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_has_the_options_of_the_issue() -> None:
    known = {option for item in typer.main.get_group(app).commands["notebook"].params for option in item.opts}
    assert {"run", "--data", "--out", "--source-only"} <= known


def test_the_source_alone(tmp_path: Path) -> None:
    from agegender.notebook import notebook_source

    assert "Wrote" in call("--source-only", "--out", tmp_path / "notebook.py")
    assert (tmp_path / "notebook.py").read_text(encoding="utf-8") == notebook_source()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--out", "notebook.html"), "--source-only"),
        (("runs/some", "--epochs", "2"), "has its recipes"),
        (("--set", "C.batch_size=3"), "MODEL.NAME=VALUE"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        call(*words)


@pytest.mark.parametrize("blocked", ["jupytext", "nbclient"])
def test_without_its_extra_the_command_says_what_to_install(blocked: str, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] == {blocked!r}: raise ImportError(name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
        "sys.argv = ['agegender', 'notebook', '--out', sys.argv[1]]\n"
        "from agegender.cli.app import main; main()"
    )
    out = tmp_path / "notebook.ipynb"
    done = subprocess.run([sys.executable, "-c", program, str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == MissingExtraError.exit_code, done.stderr
    assert "agegender[notebook]" in "".join(done.stderr.split())
    assert not out.exists()


def test_a_run_that_cannot_be_shown_says_why(trained_run: Path, tmp_path: Path) -> None:
    run = RunFolder(Path(shutil.copytree(trained_run, tmp_path / "run", ignore=shutil.ignore_patterns("*.npz"))))
    run.metrics.rename(tmp_path / "metrics.json")
    with pytest.raises(InputError, match="measured on nothing"):
        open_work(run=str(run.root))
    run.model("B").unlink()
    with pytest.raises(InputError, match="no trained Model B"):
        open_work(run=str(run.root))
    write_json(run.record, read_json(run.record) | {"finished": None})
    with pytest.raises(InputError, match="is not finished"):
        open_work(run=str(run.root))


def test_a_shown_run_knows_whether_its_images_are_at_hand(trained_run: Path, drawn_folder: Path) -> None:
    work = open_work(run=str(trained_run), data=str(drawn_folder))
    assert work.has_images
    assert set(work.split().validation) == set(read_json(trained_run / "split.json")["validation"])
    other = open_work(run=str(trained_run))
    assert not other.has_images
    assert other.faces.drawn
    assert len(other.split().validation) == pytest.approx(0.2 * len(other.faces), abs=1)
    assert other.measured_on() == "validation"
    assert other.constant() == read_json(trained_run / "run.json")["constant_predictor"]


def test_a_run_that_was_stopped_goes_on_and_another_is_refused(drawn_folder: Path, tmp_path: Path) -> None:
    train_in = str(tmp_path / "run")
    first = open_work(data=str(drawn_folder), train_in=train_in)
    split = first.split()
    again = open_work(data=str(drawn_folder), train_in=train_in)
    assert again.settings == first.settings
    assert again.split() == split
    with pytest.raises(SettingError, match="seed was 1, is 2"):
        open_work(data=str(drawn_folder), train_in=train_in, seed=2)
    with pytest.raises(SettingError, match="changes was"):
        open_work(data=str(drawn_folder), train_in=train_in, changes={"A": [["batch_size", "8"]]})


def test_folders_have_short_names_in_what_is_printed(
    drawn_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = open_work(data=str(drawn_folder), train_in=str(tmp_path / "run"))
    work.announce(f"Wrote {work.folder.model('A')}")
    said = capsys.readouterr().out
    assert "DATA: 48 faces" in said
    assert "Wrote RUN/age_gender_A.keras" in said
    assert str(tmp_path) not in said
