"""The command that hands out the work is killed: no process works on, and the prediction is finished here or there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import agegender
from agegender.inference.batch import predict_to_table


def working(process: int) -> bool:
    """Not one of the two agents of Ray, which idle and end by themselves a minute after their cluster."""
    try:
        return b"Agent" not in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def alive(process: int, began: str) -> bool:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[19] == began and fields[0] != "Z"


@pytest.mark.long
def test_a_killed_command_leaves_no_process_at_work_and_its_prediction_goes_on(
    tiny_onnx: Path, many_faces: list[str], tmp_path: Path, descendants: Callable[[int], dict[int, str]]
) -> None:
    held_up = Path(many_faces[180])  # nobody writes to it: whoever reads it waits
    face = held_up.read_bytes()
    held_up.unlink()
    os.mkfifo(held_up)
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(many_faces))
    out = tmp_path / "faces.jsonl"
    rows = tmp_path / "faces.jsonl.partial" / "rows.jsonl"
    words = ["predict", str(listed), "--crops", "--model", str(tiny_onnx), "--out", str(out), "--engine", "ray"]
    process = subprocess.Popen(
        [sys.executable, "-m", "agegender", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"RAY_ADDRESS": "local"},
    )
    assert process.stdout is not None
    while process.poll() is None and not (rows.exists() and rows.read_bytes().count(b"\n") >= 32):
        time.sleep(0.01)
    started = {pid: began for pid, began in descendants(process.pid).items() if working(pid)}
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, process.stdout.read().decode()
    assert len(started) >= 3  # at least the two of the cluster, and one that works
    until = time.monotonic() + 60
    while any(alive(*each) for each in started.items()) and time.monotonic() < until:
        time.sleep(0.1)
    assert [each for each in started.items() if alive(*each)] == []
    kept = rows.read_bytes().count(b"\n")
    assert 32 <= kept < len(many_faces)
    held_up.unlink()
    held_up.write_bytes(face)
    summary = predict_to_table(agegender.load(tiny_onnx), many_faces, out, crops=True)
    assert (summary.rows, summary.resumed) == (len(many_faces), kept)
    assert [json.loads(line)["file"] for line in out.read_text().splitlines()] == many_faces
