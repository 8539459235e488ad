"""Requests that schemathesis makes up from the description, right and wrong ones: every answer is as described."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agegender.service.admission import ApiKeys

KEY = "0123456789abcdef"
IMAGES, BODY_BYTES = 4, 300_000


def made_up(running: Any, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Let schemathesis ask; all its checks are on, none is excluded, and its chance comes from one seed.

    Its pytest fixtures (4.32) do not work with pytest 9.2, so it runs as its own command, in a folder of its own, where
    it may leave what it remembers.
    """
    here = Path(__file__).parent
    return subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{running.url}/openapi.json", "--seed", "7",
            "--continue-on-failure", "--request-timeout", "60", "--no-color", *options,
        ],
        cwd=folder, env={**os.environ, "SCHEMATHESIS_HOOKS": "generating", "PYTHONPATH": str(here)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def check(running: Any, done: subprocess.CompletedProcess[str]) -> None:
    """Nothing was found, and that is not for want of asking: every operation was, and faces in every way."""
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tested: 4" in done.stdout
    assert "No issues found" in done.stdout

    def counted(path: str, status: int) -> float:
        return running.counted(f'agegender_requests_total{{path="{path}",status="{status}"}}')

    assert all(counted("/v1/faces", status) >= 2 for status in (200, 415, 422)), done.stdout
    for path in ("/healthz", "/readyz", "/metrics"):
        assert counted(path, 200) >= 1
        assert counted(path, 405) >= 3
    assert counted("/v1/faces", 500) == 0


def ask_and_check(run: Callable, folder: Path, *, keys: bool, most: int) -> None:
    running = run(api_keys=ApiKeys([KEY]) if keys else None, images=IMAGES, body_bytes=BODY_BYTES)
    running.wait_ready()
    known = ["--header", f"X-API-Key: {KEY}"] if keys else []
    check(running, made_up(running, folder, "--max-examples", str(most), *known))
    assert not keys or running.counted('agegender_requests_total{path="/v1/faces",status="401"}') >= 1


@pytest.mark.parametrize("keys", [False, True], ids=["open", "keys"])
def test_every_answer_to_made_up_requests_is_as_described(run: Callable, tmp_path: Path, keys: bool) -> None:
    ask_and_check(run, tmp_path, keys=keys, most=20)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("keys", [False, True], ids=["open", "keys"])
def test_so_is_it_to_many_more(run: Callable, tmp_path: Path, keys: bool) -> None:
    ask_and_check(run, tmp_path, keys=keys, most=400)
