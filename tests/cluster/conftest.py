"""Pictures for a cluster, and a cluster of two nodes on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

PICTURES = 400
SIDE = 700
"""Large enough that a unit of work takes a while, so that a node can be lost in the midst of one."""


@pytest.fixture(scope="session")
def many_faces(tmp_path_factory: pytest.TempPathFactory, drawn_folder: Path) -> list[str]:
    """400 files of enlarged drawn faces, twelve of them different, and one that is no image."""
    folder = tmp_path_factory.mktemp("many")
    sources = []
    for number, path in enumerate(sorted(drawn_folder.glob("*.jpg"))[:12]):
        sources.append(folder / f"source{number}.png")
        with Image.open(path) as image:
            image.resize((SIDE, SIDE)).save(sources[-1].with_suffix(".jpg"), quality=95)
    files = []
    for number in range(PICTURES):
        file = folder / f"{number:03d}.jpg"
        os.link(folder / f"source{number % 12}.jpg", file)
        files.append(str(file))
    bad = folder / "bad.jpg"
    bad.write_bytes(b"no image")
    files.insert(77, str(bad))
    return files


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Any]:
    """A running `ray.cluster_utils.Cluster` of two nodes with one processor each."""
    pytest.importorskip("ray")
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_raylet_start_wait_time_s": "120"}
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        yield cluster
    finally:
        cluster.shutdown()
