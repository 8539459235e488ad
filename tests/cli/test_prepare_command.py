"""`agegender prepare`: what it prints, and that its help loads no decoder."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from agegender.cli.prepare import prepare_command
from agegender.data.prepare import brief_names
from agegender.errors import InputError

app = typer.Typer()
app.command("prepare")(prepare_command)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Three of the brief's names, one of them cut off, and one further copy."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((200, 200)).convert("RGB").save(buffer, "JPEG")
    folder = tmp_path / "release [public]"
    for place in ("UTKFace", "crop_part1"):
        (folder / place).mkdir(parents=True)
    for name in brief_names()[:2]:
        (folder / "UTKFace" / name).write_bytes(buffer.getvalue())
    (folder / "UTKFace" / brief_names()[2]).write_bytes(buffer.getvalue()[:900])
    (folder / "crop_part1" / brief_names()[0]).write_bytes(buffer.getvalue())
    return folder


def test_the_summary_counts_what_was_written_kept_missing_and_unusable(tmp_path: Path, release: Path):
    out = tmp_path / "faces [128]"
    first = CliRunner().invoke(app, [str(release), str(out)])
    assert first.exit_code == 0, first.output
    assert (
        f"2 of the brief's 5,000 faces stand in {out}: 2 written, 0 kept (further copies in the source, not used: 1)."
        in first.stdout
    )
    assert f"4,997 missing from the source, 1 unusable: listed in {out}-missing.txt." in first.stdout
    assert f"agegender run --data '{out}'" in first.stderr
    assert len(list(out.iterdir())) == 2
    second = CliRunner().invoke(app, [str(release), str(out)])
    assert "0 written, 2 kept" in second.stdout


def test_a_bad_source_is_left_to_the_one_place_that_explains_errors(tmp_path: Path):
    result = CliRunner().invoke(app, [str(tmp_path / "none"), str(tmp_path / "out")])
    assert isinstance(result.exception, InputError)


def test_help_says_what_a_source_is_and_where_missing_names_go():
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 0
    for words in ("kaggle:jangedoo/utkface-new", ".tar(.gz)", "DESTINATION-missing.txt", "non-commercial"):
        assert words in result.stdout


def test_the_command_loads_without_tables_or_decoders():
    program = (
        "import sys, agegender.cli.prepare; "
        "loaded = {'pandas', 'PIL', 'cv2', 'pyarrow', 'numpy'} & set(sys.modules); assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
