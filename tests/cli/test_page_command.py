"""`agegender page` writes a site without onnxruntime or Keras, and says what a visitor loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from agegender.artifacts import read_json
from agegender.cli.page import page_command
from agegender.errors import ModelError, OutputError

PROGRAM = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {'keras', 'tensorflow', 'onnx', 'onnxruntime', 'fastapi', 'matplotlib'}:
            raise ImportError(name + ' is blocked')
sys.meta_path.insert(0, Blocked())
from agegender.cli.app import main
main()
"""


def invoke(*arguments: object) -> Any:
    app = typer.Typer()
    app.command()(page_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_it_writes_the_site_with_the_base_install_alone(tiny_onnx: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "page", "--out", str(out), "--model", str(tiny_onnx)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "A visitor loads 5." in done.stdout
    assert "python -m http.server" in done.stderr
    assert (out / "index.html").is_file()
    assert read_json(out / "site.json")["models"][0]["name"] == "tiny"


def test_what_cannot_be_written_says_so(tiny_onnx: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    assert isinstance(invoke("--out", tmp_path, "--model", tiny_onnx).exception, OutputError)
    assert isinstance(invoke("--out", tmp_path / "site", "--model", tmp_path / "none.onnx").exception, ModelError)
    assert not (tmp_path / "site").exists()
