"""An address at which no cluster is: said soon, and with what to do."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from agegender.cluster.connect import ray_cluster
from agegender.cluster.predictor import ClusterPredictor
from agegender.errors import ClusterError, SettingError
from agegender.inference.predictor import read_model


@pytest.fixture
def port() -> Iterator[int]:
    """Taken by this test, and nobody listens on it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_an_address_where_nothing_answers_is_given_up_in_time(port: int) -> None:
    began = time.monotonic()
    with (
        pytest.raises(ClusterError, match=r"Nothing answers at .* after 1 seconds") as caught,
        ray_cluster(f"127.0.0.1:{port}", seconds=1),
    ):
        pass
    assert caught.value.exit_code == 7
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_what_listens_but_is_no_cluster_is_given_up_in_time(greeting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            with contextlib.suppress(OSError):
                while True:
                    other, _ = server.accept()
                    other.sendall(greeting)
                    kept.append(other)

        kept: list[socket.socket] = []
        threading.Thread(target=greet, daemon=True).start()
        began = time.monotonic()
        with (
            pytest.raises(ClusterError, match=r"no Ray cluster" if greeting else r"Nothing answers .* \(timed out\)"),
            ray_cluster(f"127.0.0.1:{server.getsockname()[1]}", seconds=1),
        ):
            pass
        assert time.monotonic() - began < 10
        for other in kept:
            other.close()


@pytest.mark.parametrize("address", ["cluster", "host:port", "host:", ":6379"])
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(SettingError, match="HOST:PORT"), ray_cluster(address):
        pass


def test_ray_client_is_refused_with_another_way() -> None:
    with (
        pytest.raises(SettingError, match=r"one of the cluster's nodes .*ray job submit"),
        ray_cluster("ray://host:1"),
    ):
        pass


def test_a_process_that_is_connected_stays_so_and_a_cluster_without_processors_is_given_up(
    tiny_onnx: Path, drawn_folder: Path
) -> None:
    former = signal.getsignal(signal.SIGTERM)
    ray.init("local", num_cpus=0, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    try:
        with ray_cluster() as joined:
            cluster = ClusterPredictor(joined, read_model(tiny_onnx), patience=1)
            with pytest.raises(ClusterError, match="no processor for 1 seconds"):
                list(cluster.stream(map(str, drawn_folder.glob("*.jpg")), crops=True))
        assert ray.is_initialized()
    finally:
        ray.shutdown()
        signal.signal(signal.SIGTERM, former)
