"""The same training under JAX: the loop, the optimizer and the averages are backend-neutral."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
ROOT = Path(__file__).parent.parent.parent


def test_training_works_under_jax(clean_environments: ModuleType) -> None:
    """The tests of training, run by the Python of the JAX environment; what else they need comes from this one."""
    python = clean_environments.ensure_environment("keras-3.15-jax")
    paths = [str(ROOT / "src"), sysconfig.get_paths()["purelib"]]
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/training/test_fit.py",
         "tests/training/test_optimizer.py", "--deselect",
         "tests/training/test_fit.py::test_a_killed_training_goes_on_to_the_figures_of_an_unbroken_one"],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
