"""Two nodes answer as one machine does; what a lost node or process had in hand is done again, once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from ray._private.node import Node
from ray.cluster_utils import Cluster

import agegender
from agegender.cluster import predictor as module
from agegender.cluster.connect import ray_cluster
from agegender.cluster.predictor import CRASHED, NOT_VISIBLE, ClusterPredictor
from agegender.errors import ClusterError
from agegender.inference.batch import predict_to_table
from agegender.inference.predictor import read_model
from agegender.inference.results import ImageFailure


@pytest.fixture(scope="module")
def ray(two_nodes: Cluster) -> Iterator[Any]:
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
    ray: Any,
    tiny_onnx: Path,
    drawn_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    readers: Callable[[Path], list[int]],
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
                found: list[int] = []
                while not found:  # to let go before one is found would end its reading
                    if ended.is_set():
                        return
                    found = readers(deadly)
                for reader in found:
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


def test_a_node_with_another_version_is_an_error(
    ray: Any, tiny_onnx: Path, drawn_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "__version__", "0.0.0")
    files = map(str, drawn_folder.glob("*.jpg"))
    with pytest.raises(ClusterError, match=r"agegender is 0.0.0 where the command runs and .* the same version"):
        list(ClusterPredictor(ray, read_model(tiny_onnx)).stream(files, crops=True))


@pytest.fixture
def second_node(two_nodes: Cluster, ray: Any) -> Iterator[Node]:
    """The node that is not the driver's; taken away when a test has lost it, and another one is there for the next."""
    if not two_nodes.worker_nodes:
        two_nodes.add_node(num_cpus=1)
    (node,) = two_nodes.worker_nodes
    wait_until(lambda: nodes_alive(ray) == 2)
    yield node
    if node.all_processes["raylet"][0].process.poll() is not None:
        two_nodes.remove_node(node, allow_graceful=False)


@pytest.mark.parametrize("how", ["killed", pytest.param("frozen", marks=pytest.mark.long)])
def test_one_of_two_nodes_lost_midway_loses_and_doubles_no_row(
    second_node: Node,
    ray: Any,
    tiny_onnx: Path,
    many_faces: list[str],
    tmp_path: Path,
    descendants: Callable[[int], dict[int, str]],
    readers: Callable[[Path], list[int]],
    how: str,
) -> None:
    """Killed as when a machine loses power, or frozen and, when Ray has given it up, back with a late answer.

    Two files of different units hold up whoever reads them. As each node has one processor, both nodes have a unit in
    hand once both files have a reader; then one node is lost. The other one is held up until Ray says so: all that is
    left is done when the cluster is known to have one processor.
    """
    slow = [Path(many_faces[number]) for number in (70, 100)]
    face = slow[0].read_bytes()
    for path in slow:
        path.unlink()
        os.mkfifo(path)
    raylet = second_node.all_processes["raylet"][0].process
    in_hand: list[Path] = []
    late: list[bool] = []

    def lose_a_node() -> None:
        ends = {path: os.open(path, os.O_WRONLY) for path in slow}  # each waits for a reader
        try:
            node = {raylet.pid, *descendants(raylet.pid)}
            holding = {path: node & set(readers(path)) for path in slow}
            in_hand.extend(path for path in slow if holding[path])
            signal_all(node, signal.SIGKILL if how == "killed" else signal.SIGSTOP)
            wait_until(lambda: nodes_alive(ray) == 1)
            for path in slow:  # who opens it from now on finds the picture, who has it open waits for the pipe
                other = path.with_suffix(".new")
                other.write_bytes(face)
                other.replace(path)
            signal_all(node, signal.SIGCONT)
            for path in sorted(slow, key=in_hand.count, reverse=True):
                with contextlib.suppress(BrokenPipeError):
                    os.write(ends[path], face)
                    late.append(path in in_hand)
                os.close(ends.pop(path))
                wait_until(lambda holders=holding[path]: raylet.poll() is not None and not any(map(works, holders)))
        finally:  # whatever went wrong, nobody waits for ever
            for end in ends.values():
                os.close(end)

    thread = threading.Thread(target=lose_a_node, daemon=True)
    thread.start()
    cluster = ClusterPredictor(ray, read_model(tiny_onnx))
    there, here = tmp_path / "there.parquet", tmp_path / "here.parquet"
    summary = predict_to_table(cluster, many_faces, there, crops=True)
    thread.join()
    assert raylet.wait(timeout=60) == -signal.SIGKILL or how == "frozen"
    assert len(in_hand) == 1
    assert late == ([False] if how == "killed" else [True, False])
    # A node that comes back may hand in its answer before Ray ends it: nothing was lost then, nothing may be double.
    assert cluster.lost >= 1 or how == "frozen"
    assert summary.rows == len(many_faces) == len(set(many_faces))
    predict_to_table(agegender.load(tiny_onnx), many_faces, here, crops=True)
    table = pq.read_table(there)
    assert table["file"].to_pylist() == many_faces
    assert table.equals(pq.read_table(here))


def nodes_alive(ray: Any) -> int:
    return sum(node["Alive"] for node in ray.nodes())


def signal_all(processes: Iterable[int], number: int) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


def works(process: int) -> bool:
    """Not ended, nor a zombie that nobody has waited for."""
    try:
        return bool(Path(f"/proc/{process}/cmdline").read_bytes())
    except OSError:
        return False


def wait_until(reached: Callable[[], bool], seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)
