"""Which backend, how fast, at which precision; and nothing on standard error that nobody asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import agegender.backend as room
from agegender.backend import choose_backend, usable_precision

SETTINGS = ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL")


def run(program: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS} | settings
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)


SHOWN = "import os; print(os.environ['KERAS_BACKEND'], os.environ['TF_ENABLE_ONEDNN_OPTS'])"


def test_tensorflow_is_chosen_with_onednn_and_what_the_user_chose_stays() -> None:
    program = f"from agegender.backend import choose_backend; choose_backend(); {SHOWN}"
    assert run(program).stdout.split() == ["tensorflow", "1"]
    assert run(program, KERAS_BACKEND="torch", TF_ENABLE_ONEDNN_OPTS="0").stdout.split() == ["torch", "0"]


def test_a_backend_is_imported_without_a_word_and_the_errors_of_others_are_seen() -> None:
    program = (
        "from agegender.backend import require_backend; require_backend(); import sys; print('heard', file=sys.stderr)"
    )
    done = run(program, TF_CPP_MIN_LOG_LEVEL="3")
    assert (done.returncode, done.stderr) == (0, "heard\n")


def test_what_a_module_wrote_is_shown_when_its_import_fails(tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text("import os\nos.write(2, b'why it failed\\n')\nraise ImportError('no')\n")
    program = "from agegender.backend import _import_quietly; _import_quietly('noisy')"
    done = run(program, PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    assert done.returncode == 1
    assert done.stderr.startswith("why it failed\n")
    assert "ImportError: no" in done.stderr


@pytest.mark.parametrize(
    ("flags", "precision"), [("fma avx2", "float32"), ("avx512_bf16 avx2", "mixed_bfloat16"), (None, "float32")]
)
def test_bfloat16_only_where_the_processor_has_it(
    flags: str | None, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if Path("/dev/nvidia0").exists():
        precision = "float32"
    file = tmp_path / "cpuinfo"
    if flags is not None:
        file.write_text(f"flags\t: {flags}\n")
    monkeypatch.setattr(room, "CPU_FLAGS", file)
    assert usable_precision("mixed_bfloat16") == precision
    assert usable_precision("float32") == "float32"


def test_a_backend_that_was_chosen_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert choose_backend() == "jax"
