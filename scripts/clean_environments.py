#!/usr/bin/env python3
"""Virtual environments that hold Keras, one backend and NumPy, not this package: made once, kept between runs.

The contract tests load every model file in them, as the marker's machine would. Each comes from a locked, hashed
`requirements/clean-NAME.txt`. They lie under `$AGEGENDER_ENVS`, or the user's cache folder, so that every clone shares
them; about 1 GB each. Run this file to make them beforehand: `python scripts/clean_environments.py [NAME...]`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
COMPLETE = ".complete"
"""Written last: an environment without it was interrupted half-way and is made again."""


def environment_names(requirements: Path = REQUIREMENTS) -> list[str]:
    """The names that `ensure_environment` knows: one a lock file, `keras-3.8` for `clean-keras-3.8.txt`."""
    return sorted(lock.stem.removeprefix("clean-") for lock in requirements.glob("clean-*.txt"))


def environments_home() -> Path:
    """Where the environments lie: `$AGEGENDER_ENVS`, else `agegender/envs` in the user's cache folder."""
    if chosen := os.environ.get("AGEGENDER_ENVS"):
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "agegender" / "envs"


def ensure_environment(name: str, *, requirements: Path = REQUIREMENTS, home: Path | None = None) -> Path:
    """Make the environment if it is not there yet.

    A virtual environment cannot be moved, so it is built where it stays, under a lock, and a marker is written last.

    Args:
        name: Such as `keras-3.8`.
        requirements: The folder of the lock files.
        home: The folder of the environments; by default `environments_home()`.

    Returns:
        The path of its Python interpreter.

    Raises:
        ValueError: No lock file has that name.
        RuntimeError: Installing failed; the message holds what pip said.
    """
    lock_file = requirements / f"clean-{name}.txt"
    if not lock_file.is_file():
        raise ValueError(f"Unknown environment. Received: {name!r}. Expected one of {environment_names(requirements)}.")
    home = home or environments_home()
    # The same lock under another Python is another environment.
    key = hashlib.sha256(lock_file.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = home / f"{name}-{key}"
    python = folder / "bin" / "python"
    home.mkdir(parents=True, exist_ok=True)
    with _exclusive(home / f"{folder.name}.lock"):
        if (folder / COMPLETE).exists() and python.exists():
            return python
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)], name)
        # No code of a package runs here (wheels only), and only what is imported later is compiled.
        options = ["--require-hashes", "--only-binary=:all:", "--no-compile", "--no-input", "--quiet"]
        options += ["--disable-pip-version-check", "--requirement", str(lock_file)]
        _run([str(python), "-m", "pip", "install", *options], name)
        (folder / COMPLETE).write_text("")
    return python


def _run(command: list[str], name: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-2000:]
        raise RuntimeError(f"Could not make the environment {name!r} ({' '.join(command)}):\n{said}")


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file, so that two test runs at once do not build into the same folder."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    for wanted in sys.argv[1:] or environment_names():
        print(ensure_environment(wanted))
