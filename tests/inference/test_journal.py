"""A prediction that is killed anywhere goes on and neither doubles nor loses a row."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import agegender
from agegender.errors import OutputError, SettingError
from agegender.inference.batch import predict_to_table
from agegender.inference.journal import Journal

SETTINGS = {"model": "tiny", "crops": True}
ROWS = [[{"file": f"{i}.jpg", "status": "ok", "face": j, "age": 20.0 + j} for j in range(i % 3 + 1)] for i in range(6)]
FILES = [f"{i}.jpg" for i in range(6)]

PROGRAM = """
import sys, time
from pathlib import Path
import agegender
from agegender.inference import batch, journal
keep = journal.Journal.add
def slowly(self, rows):
    keep(self, rows)
    self.sync()
    time.sleep(0.01)
journal.Journal.add = slowly
model, out, *files = sys.argv[1:]
batch.predict_to_table(agegender.load(model, workers=1, threads=1), files, Path(out), crops=True)
"""


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_journal_cut_off_at_any_byte_goes_on(suffix: str, tmp_path: Path) -> None:
    whole = b"".join(json.dumps(rows).encode() + b"\n" for rows in ROWS)
    for cut in range(0, len(whole) + 1, 7 if suffix == ".jsonl" else 101):
        table = tmp_path / f"faces-{cut}{suffix}"
        with Journal(table, SETTINGS):
            pass
        (table.with_name(table.name + ".partial") / "rows.jsonl").write_bytes(whole[:cut])
        with Journal(table, SETTINGS) as journal:
            assert len(journal.done) == whole[:cut].count(b"\n")
            for rows in ROWS:
                if rows[0]["file"] not in journal.done:
                    journal.add(rows)
            assert journal.finish(FILES) == 12
        assert not table.with_name(table.name + ".partial").exists()
        if suffix == ".jsonl":
            read = [json.loads(line) for line in table.read_text().splitlines()]
            assert [(row["file"], row["face"]) for row in read] == [
                (r["file"], r["face"]) for rows in ROWS for r in rows
            ]
        elif suffix == ".parquet":
            assert pq.read_table(table).num_rows == 12
        else:
            assert len(table.read_text().splitlines()) == 13


def test_a_kill_between_the_table_and_the_journals_end_writes_the_same_table_again(tmp_path: Path) -> None:
    table = tmp_path / "faces.jsonl"
    with Journal(table, SETTINGS) as journal:
        for rows in ROWS:
            journal.add(rows)
        journal.sync()
        content = {path.name: path.read_bytes() for path in journal.folder.iterdir()}
        journal.finish(FILES)
    first = table.read_bytes()
    journal.folder.mkdir()
    for name, data in content.items():
        (journal.folder / name).write_bytes(data)
    with Journal(table, SETTINGS) as again:
        assert again.done == set(FILES)
        again.finish(FILES)
    assert table.read_bytes() == first


def test_pictures_that_are_no_longer_asked_for_are_left_out(tmp_path: Path) -> None:
    with Journal(tmp_path / "faces.csv", SETTINGS) as journal:
        for rows in ROWS:
            journal.add(rows)
        assert journal.finish(FILES[:3]) == 6


def test_pictures_that_come_in_any_order_stand_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    table = tmp_path / "faces.csv"
    with Journal(table, SETTINGS) as journal:
        for number in (4, 0, 5):
            journal.add(ROWS[number])
    with Journal(table, SETTINGS) as journal:
        assert journal.done == {"0.jpg", "4.jpg", "5.jpg"}
        for number in (3, 1, 2):
            journal.add(ROWS[number])
        assert [row["file"] for row in journal.rows(["5.jpg", "1.jpg", "4.jpg"])] == ["5.jpg"] * 3 + ["1.jpg"] * 2 + [
            "4.jpg"
        ] * 2
        journal.finish(FILES)
    assert [line.split(",")[0] for line in table.read_text().splitlines()[1:]] == [r["file"] for q in ROWS for r in q]


def test_what_would_mix_two_predictions_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "faces.csv"
    with Journal(table, SETTINGS) as journal:
        with pytest.raises(OutputError, match="Another process"):
            Journal(table, SETTINGS)
        journal.add(ROWS[0])
    with pytest.raises(SettingError, match="crops was True, is False"):
        Journal(table, SETTINGS | {"crops": False})
    with Journal(table, SETTINGS) as journal:
        assert journal.finish(["0.jpg"]) == 1
    with pytest.raises(OutputError, match="is there already"):
        Journal(table, SETTINGS)


def test_a_prediction_killed_three_times_is_the_one_that_was_never_killed(
    tiny_onnx: Path, drawn_folder: Path, tmp_path: Path
) -> None:
    files = sorted(map(str, drawn_folder.glob("*.jpg")))[:40]
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no image")
    files.insert(20, str(bad))
    straight = tmp_path / "straight.parquet"
    summary = predict_to_table(agegender.load(tiny_onnx), files, straight, crops=True)
    assert (summary.rows, summary.faces, summary.failed, summary.resumed) == (41, 40, 1, 0)
    out = tmp_path / "killed.parquet"
    rows = out.with_name("killed.parquet.partial") / "rows.jsonl"
    command = [sys.executable, "-c", PROGRAM, str(tiny_onnx), str(out), *files]
    counts = [0]
    for _ in range(3):
        process = subprocess.Popen(command)
        until = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < until:
            if rows.exists() and rows.read_bytes().count(b"\n") > counts[-1]:
                break
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it was done before it could be killed"
        counts.append(rows.read_bytes().count(b"\n"))
    assert 0 < counts[1] < counts[2] < counts[3] < 41
    assert not out.exists()
    summary = predict_to_table(agegender.load(tiny_onnx), files, out, crops=True)
    assert (summary.rows, summary.failed) == (41, 1)
    assert summary.resumed == counts[3]
    killed, wanted = pq.read_table(out), pq.read_table(straight)
    assert killed["file"].to_pylist() == files
    assert killed.drop(["age", "age_distribution"]).equals(wanted.drop(["age", "age_distribution"]))
    np.testing.assert_allclose(killed["age"].to_numpy()[:20], wanted["age"].to_numpy()[:20], atol=0.05)


def test_names_that_are_no_utf8_stand_in_the_table(tiny_onnx: Path, face_pixels: np.ndarray, tmp_path: Path) -> None:
    odd = tmp_path / "na\udcffme.png"
    try:
        Image.fromarray(face_pixels).save(str(odd), "PNG")
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system takes UTF-8 names alone")
    for suffix in (".parquet", ".csv", ".jsonl"):
        out = tmp_path / f"odd{suffix}"
        assert (
            predict_to_table(agegender.load(tiny_onnx), [str(odd)], out, crops=True, draw=tmp_path / "seen").rows == 1
        )
        assert b"na" in out.read_bytes()
    assert [path.name[:8] for path in (tmp_path / "seen").iterdir()] == ["na\\xffme"]
