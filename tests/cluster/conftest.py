"""Pictures for a cluster, a cluster of two nodes on this machine, and a look at the processes that Ray leaves."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

PICTURES = 200
SECONDS_TO_END = 90.0
"""Ray's agents notice within a minute that their cluster was killed, and end."""


@pytest.fixture
def many_faces(tmp_path: Path, drawn_folder: Path) -> list[str]:
    """200 files of drawn faces, 48 of them different, and one that is no image: seven units of work."""
    folder = tmp_path / "many"
    folder.mkdir()
    sources = sorted(drawn_folder.glob("*.jpg"))
    files = [folder / f"{number:03d}.jpg" for number in range(PICTURES)]
    for number, file in enumerate(files):
        os.link(sources[number % len(sources)], file)
    bad = folder / "bad.jpg"
    bad.write_bytes(b"no image")
    return list(map(str, (*files[:77], bad, *files[77:])))


@pytest.fixture(scope="module", autouse=True)
def _no_process_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """When a file's tests are over, every process that they started has ended.

    They are known by the folder that they stand in: Ray's processes end their parents' lines of descent and write over
    their own command lines and environments.
    """
    folder = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield
    until = time.monotonic() + SECONDS_TO_END
    while (left := _standing_in(folder)) and time.monotonic() < until:
        time.sleep(0.2)
    assert left == {}, "processes that the tests of clusters left behind"


def _standing_in(folder: Path) -> dict[int, str]:
    """The command lines of the processes that stand in a folder."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found[int(process.name)] = (
                    (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def two_nodes(_no_process_is_left: None) -> Iterator[Cluster]:
    """A running cluster of two nodes with one processor each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_raylet_start_wait_time_s", "120")
        patch.setenv("RAY_health_check_period_ms", "1000")  # by default 3,000: a killed node is given up in a third
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        try:
            cluster.add_node(num_cpus=1)
            cluster.wait_for_nodes()
            yield cluster
        finally:
            cluster.shutdown()


@pytest.fixture(scope="session")
def descendants() -> Callable[[int], dict[int, str]]:
    """Gives the processes below one, by id, with the time when each began (a number used again is no mistake)."""

    def below(pid: int) -> dict[int, str]:
        parents, began = {}, {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(path.parent.name)], began[int(path.parent.name)] = int(fields[1]), fields[19]
        found: dict[int, str] = {}
        queue = [pid]
        while queue:
            above = queue.pop()
            children = [child for child, parent in parents.items() if parent == above]
            found |= {child: began[child] for child in children}
            queue += children
        return found

    return below


@pytest.fixture(scope="session")
def readers() -> Callable[[Path], list[int]]:
    """Gives the other processes that have a file open."""

    def of(path: Path) -> list[int]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                has = any(link.readlink() == path for link in (process / "fd").iterdir())
            except OSError:
                continue
            if has and int(process.name) != os.getpid():
                found.append(int(process.name))
        return found

    return of
