"""Two nodes answer as one machine does; what a lost node or process had in hand is done again, once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import agegender
from agegender.cluster import predictor as module
from agegender.cluster.connect import ray_cluster
from agegender.cluster.predictor import CRASHED, NOT_VISIBLE, ClusterPredictor
from agegender.errors import ClusterError
from agegender.inference.batch import predict_to_table
from agegender.inference.predictor import read_model
from agegender.inference.results import ImageFailure


@pytest.fixture(scope="module")
def ray(two_nodes: Any) -> Iterator[Any]:
    with ray_cluster(two_nodes.address) as connected:
        yield connected


def test_the_rows_are_those_of_one_machine(
    ray: Any, tiny_onnx: Path, photograph: Path, drawn_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.jpg").write_bytes(photograph.read_bytes()[:999])
    monkeypatch.chdir(tmp_path)  # relative paths mean the same on a node, whose processes stand elsewhere
    crops = ["broken.jpg", "none.jpg", *sorted(map(str, drawn_folder.glob("*.jpg")))]
    for name, files, cropped in (("crops", crops, True), ("photographs", ["broken.jpg", str(photograph)], False)):
        here, there = tmp_path / f"{name}_here.jsonl", tmp_path / f"{name}_there.jsonl"
        wanted = predict_to_table(agegender.load(tiny_onnx), files, here, crops=cropped)
        summary = predict_to_table(ClusterPredictor(ray, read_model(tiny_onnx)), files, there, crops=cropped)
        assert (summary.statuses, summary.faces) == (wanted.statuses, wanted.faces)
        assert there.read_bytes() == here.read_bytes()


def test_a_file_that_a_node_does_not_see_has_its_status(ray: Any, tiny_onnx: Path, drawn_folder: Path) -> None:
    face = next(drawn_folder.glob("*.jpg"))
    with face.open("rb") as file:
        number = os.dup2(file.fileno(), 901)  # /proc/self is another on each process
        try:
            results = list(
                ClusterPredictor(ray, read_model(tiny_onnx)).stream([f"/proc/self/fd/{number}", str(face)], crops=True)
            )
        finally:
            os.close(number)
    assert [result.status for result in results] == [NOT_VISIBLE, "ok"]
    assert isinstance(results[0], ImageFailure)
    assert "under the same path" in results[0].detail


def test_a_picture_that_kills_its_process_has_its_status_and_the_others_their_answers(
    ray: Any, tiny_onnx: Path, drawn_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_LOSSES", 2)
    deadly = tmp_path / "deadly.jpg"
    os.mkfifo(deadly)
    killed: list[int] = []
    ended = threading.Event()

    def kill_whoever_reads_it() -> None:
        while True:
            end = os.open(deadly, os.O_WRONLY)  # waits for a reader
            try:
                readers: list[int] = []
                while not readers:  # to let go before one is found would end its reading
                    if ended.is_set():
                        return
                    readers = _who_has_open(deadly)
                for reader in readers:
                    os.kill(reader, signal.SIGKILL)
                    killed.append(reader)
            finally:
                os.close(end)

    killer = threading.Thread(target=kill_whoever_reads_it)
    killer.start()
    files = [str(deadly), *sorted(map(str, drawn_folder.glob("*.jpg")))[:4]]
    cluster = ClusterPredictor(ray, read_model(tiny_onnx))
    try:
        statuses = {result.source: result.status for result in cluster.stream(files, crops=True)}
    finally:
        ended.set()
        last = os.open(deadly, os.O_RDONLY | os.O_NONBLOCK)
        killer.join()
        os.close(last)
    assert statuses == dict.fromkeys(files, "ok") | {str(deadly): CRASHED}
    assert len(set(killed)) == cluster.lost == 4


def _who_has_open(path: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            has = any(link.readlink() == path for link in (process / "fd").iterdir())
        except OSError:
            continue
        if has and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def test_a_node_with_another_version_is_an_error(
    ray: Any, tiny_onnx: Path, drawn_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "__version__", "0.0.0")
    files = map(str, drawn_folder.glob("*.jpg"))
    with pytest.raises(ClusterError, match=r"agegender is 0.0.0 where the command runs and .* the same version"):
        list(ClusterPredictor(ray, read_model(tiny_onnx)).stream(files, crops=True))


def test_one_of_two_nodes_lost_midway_loses_and_doubles_no_row(
    two_nodes: Any, ray: Any, tiny_onnx: Path, many_faces: list[str], tmp_path: Path
) -> None:
    # Two files of different units hold up whoever reads them. As each node has one processor, both nodes have a unit in
    # hand once both files have a reader; then one is lost, and the files give what any picture gives.
    slow = [Path(many_faces[number]) for number in (70, 100)]
    face = slow[0].read_bytes()
    for path in slow:
        path.unlink()
        os.mkfifo(path)
    both_read, lost, ended = threading.Barrier(3), threading.Event(), threading.Event()

    def feed(path: Path) -> None:
        end = os.open(path, os.O_WRONLY)  # waits for a reader
        both_read.wait()
        lost.wait()
        while not ended.is_set():
            with contextlib.suppress(BrokenPipeError):  # the reader was on the node that is lost
                os.write(end, face)
            os.close(end)
            while _who_has_open(path):
                time.sleep(0.01)
            end = os.open(path, os.O_WRONLY)
        os.close(end)

    def lose_a_node() -> None:
        both_read.wait()
        two_nodes.remove_node(next(iter(two_nodes.worker_nodes)), allow_graceful=False)
        lost.set()

    threads = [*(threading.Thread(target=feed, args=(path,)) for path in slow), threading.Thread(target=lose_a_node)]
    for thread in threads:
        thread.start()
    cluster = ClusterPredictor(ray, read_model(tiny_onnx))
    there, here = tmp_path / "there.parquet", tmp_path / "here.parquet"
    summary = predict_to_table(cluster, many_faces, there, crops=True)
    ended.set()
    last = [os.open(path, os.O_RDONLY | os.O_NONBLOCK) for path in slow]
    for thread in threads:
        thread.join()
    for end in last:
        os.close(end)
    assert not two_nodes.worker_nodes
    assert cluster.lost >= 1
    assert summary.rows == len(many_faces) == len(set(many_faces))
    for path in slow:
        path.unlink()
        path.write_bytes(face)
    predict_to_table(agegender.load(tiny_onnx), many_faces, here, crops=True)
    table = pq.read_table(there)
    assert table["file"].to_pylist() == many_faces
    assert table.equals(pq.read_table(here))
