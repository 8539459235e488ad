"""Each extra stays optional: with its modules blocked the rest works, and what needs it says how to get it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {names!r}:
            raise ImportError(f'{{name}} is blocked')
        return None
sys.meta_path.insert(0, Blocked())
"""
KERAS = ("keras", "tensorflow", "jax", "torch")


def run_blocked(names: tuple[str, ...], program: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCK.format(names=set(names)) + program, *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_base_install_reads_and_measures_without_keras_and_matplotlib(drawn_folder: Path) -> None:
    done = run_blocked(
        (*KERAS, "matplotlib", "kagglehub"),
        "import sys, agegender.cli.app, agegender.metrics\n"
        "from agegender.data import load_dataset\n"
        "print(len(load_dataset(sys.argv[1])))",
        str(drawn_folder),
    )
    assert (done.returncode, done.stdout.strip()) == (0, "48"), done.stderr


def test_training_and_measuring_need_no_matplotlib() -> None:
    done = run_blocked(("matplotlib",), "import agegender.training.fit, agegender.evaluation, agegender.models.saving")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("blocked", "extra"), [(("matplotlib",), "agegender[report]"), (KERAS, "agegender[train,tensorflow]")]
)
def test_run_says_what_to_install(blocked: tuple[str, ...], extra: str, tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv = ['agegender', 'run', '--out', sys.argv[1]]; from agegender.cli.app import main; main()"
    )
    done = run_blocked(blocked, program, str(tmp_path / "run"))
    assert done.returncode == 6, done.stderr
    assert extra in "".join(done.stderr.split("\n"))
    assert not (tmp_path / "run").exists()


def test_checking_a_hand_in_without_pypdf_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7")
    program = (
        "import sys; sys.argv = ['agegender', 'hand-in', 'check', sys.argv[1], '--skip-models'];"
        "from agegender.cli.app import main; main()"
    )
    done = run_blocked((*KERAS, "pypdf"), program, str(tmp_path))
    assert done.returncode == 6, done.stderr
    assert "agegender[report]" in "".join(done.stderr.split("\n"))


def test_audit_says_what_to_install_and_needs_no_keras(drawn_folder: Path, tmp_path: Path) -> None:
    program = "import sys; sys.argv = ['agegender', *sys.argv[1:]]; from agegender.cli.app import main; main()"
    out = tmp_path / "audit"
    done = run_blocked(("faiss",), program, "audit", str(drawn_folder), "--out", str(out))
    assert done.returncode == 6, done.stderr
    assert "agegender[audit]" in "".join(done.stderr.split("\n"))
    assert not out.exists()
    done = run_blocked((*KERAS, "matplotlib"), program, "audit", str(drawn_folder), "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert (out / "audit.html").is_file()


def test_predicting_on_a_cluster_says_what_to_install(tiny_onnx: Path, drawn_folder: Path, tmp_path: Path) -> None:
    program = "import sys; sys.argv = ['agegender', *sys.argv[1:]]; from agegender.cli.app import main; main()"
    words = ["predict", str(drawn_folder), "--crops", "--model", str(tiny_onnx), "--out", str(tmp_path / "faces.csv")]
    done = run_blocked(("ray",), program, *words, "--engine", "ray")
    assert done.returncode == 6, done.stderr
    assert "agegender[ray]" in "".join(done.stderr.split("\n"))
    done = run_blocked(("ray",), program, *words)
    assert done.returncode == 0, done.stderr


def test_train_brings_keras_alone_and_no_backend_is_forced() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [line.split(">")[0] for line in project["optional-dependencies"]["train"]] == ["keras"]
    base = " ".join(project["dependencies"])
    assert not [name for name in (*KERAS, "matplotlib") if name in base]


def test_lock_files_carry_hashes_and_no_address() -> None:
    locks = list((ROOT / "requirements").glob("*.txt"))
    assert len(locks) >= 4
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
        assert text.count("==") <= text.count("--hash=sha256:")
    main = (ROOT / "requirements" / "lock-linux-x86_64.txt").read_text(encoding="utf-8")
    assert "nvidia" not in main
    assert "\ntorch==" not in main
