"""The same maps under other backends: each has its own way to a gradient."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent
FILES = ("test_opened.py", "test_explain.py", "test_sanity.py")


def run_under(backend: str, python: str, paths: list[str]) -> str:
    """What pytest says of the tests of explanations under a backend."""
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *[f"tests/evaluation/{name}" for name in FILES]],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return done.stdout


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_explaining_works_under_a_backend_that_is_installed(backend: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed here")
    assert " passed" in run_under(backend, sys.executable, [str(ROOT / "src")])


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_explaining_works_under_jax(clean_environments: ModuleType) -> None:
    """Run by the Python of the JAX environment; what else the tests need comes from this one."""
    python = str(clean_environments.ensure_environment("keras-3.15-jax"))
    assert " passed" in run_under("jax", python, [str(ROOT / "src"), sysconfig.get_paths()["purelib"]])
