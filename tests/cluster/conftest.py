"""Pictures for a cluster, and a cluster of two nodes on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PICTURES = 200


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


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Any]:
    """A running `ray.cluster_utils.Cluster` of two nodes with one processor each."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_raylet_start_wait_time_s": "120"}
    utilities = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed: agegender[ray]")
    cluster = utilities.Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        yield cluster
    finally:
        cluster.shutdown()
