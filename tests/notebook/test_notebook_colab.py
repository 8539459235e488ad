"""What the notebook does on Colab, as far as it can be tried elsewhere: the local copy, and the GPU's cell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

from agegender.errors import InputError, OutputError
from agegender.notebook import copy_once
from agegender.notebook.source import notebook_source


def test_a_folder_is_copied_whole_and_once(tmp_path: Path) -> None:
    source = tmp_path / "drive" / "faces"
    (source / "more").mkdir(parents=True)
    for name in ("a.jpg", "b.jpg", "more/c.jpg"):
        (source / name).write_text(name)
    target = copy_once(source, tmp_path / "local" / "faces")
    assert {str(path.relative_to(target)) for path in target.rglob("*.jpg")} == {"a.jpg", "b.jpg", "more/c.jpg"}
    assert (target / "more" / "c.jpg").read_text() == "more/c.jpg"
    (source / "d.jpg").write_text("later")
    assert copy_once(source, target) == target
    assert not (target / "d.jpg").exists()
    assert [path.name for path in (tmp_path / "local").iterdir()] == ["faces"]


def test_an_archive_is_copied_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "faces.zip").write_bytes(b"content")
    assert copy_once(tmp_path / "faces.zip", tmp_path / "local" / "faces.zip").read_bytes() == b"content"


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "faces"
    source.mkdir()
    (source / "a.jpg").write_text("a")
    (source / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    with pytest.raises(FileNotFoundError):
        copy_once(source, tmp_path / "local" / "faces")
    assert not list((tmp_path / "local").iterdir())
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match="Cannot write"):
        copy_once(source, tmp_path / "file" / "faces")
    with pytest.raises(InputError, match="Put the images there"):
        copy_once(tmp_path / "nothing", tmp_path / "local" / "faces")


def test_without_a_gpu_colab_is_stopped_with_an_instruction(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no nvidia-smi, whatever this machine has
    cells = jupytext.reads(notebook_source(), fmt="py:percent").cells
    cell = next(cell.source for cell in cells if "nvidia-smi" in cell.source and cell.cell_type == "code")
    values = {"ON_COLAB": True, "RUN": "", "shutil": shutil, "subprocess": subprocess}
    with pytest.raises(RuntimeError, match="Change runtime type"):
        exec(compile(cell, "cell", "exec"), dict(values))
    exec(compile(cell, "cell", "exec"), values | {"ON_COLAB": False})


def test_elsewhere_the_colab_cells_do_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    cells = jupytext.reads(notebook_source(), fmt="py:percent").cells
    guarded = [cell.source for cell in cells if cell.source.startswith("if ON_COLAB")]
    assert len(guarded) == 3
    before = set(sys.modules)
    for cell in guarded:
        exec(compile(cell, "cell", "exec"), {"ON_COLAB": False, "RUN": ""})
    assert set(sys.modules) == before
    assert len(capsys.readouterr().out.splitlines()) == 3
