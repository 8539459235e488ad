"""Ray, opened quietly: a cluster that runs already, or one on this machine for as long as it is needed."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from agegender.data.parallel import usable_cores
from agegender.errors import ClusterError, SettingError
from agegender.optional import require

CONNECT_SECONDS = 10.0
"""How long a cluster's address may keep silent."""

EXTRA = "ray"
"""Of this package; brings Ray."""

RAY_LOGS = "/tmp/ray/session_latest/logs"
"""Where Ray itself keeps them, on each machine."""

_AUTO, _LOCAL, _CLIENT = "auto", "local", "ray://"
_FRAME_HEAD_BYTES, _SETTINGS_FRAME = 9, 4
"""Of HTTP/2, which gRPC is spoken over."""

_OBJECT_STORE_BYTES = 256 * 1024 * 1024
"""Of a cluster on this machine; it holds one model and the answers on their way."""

_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_raylet_start_wait_time_s": "120",  # by default 30, too few for a machine that is busy
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # only what silences a notice about GPUs, of which none is asked for
}


@contextlib.contextmanager
def ray_cluster(
    address: str | None = None, *, processes: int | None = None, seconds: float = CONNECT_SECONDS
) -> Iterator[Any]:
    """Be connected to a Ray cluster; gives the `ray` module. A process that is connected already stays so.

    Args:
        address: Of a running cluster: `HOST:PORT` (this machine is one of its nodes), or `auto` (the one that runs on
            this machine). None: what the environment variable RAY_ADDRESS says; without it, or with Ray's own word
            `local`, a cluster is started on this machine and ended at the end.
        processes: Of a cluster that is started here: how many at once; None: one a core.
        seconds: How long to wait for an answer at the address.

    Raises:
        SettingError: That is no address, or one of Ray Client's.
        ClusterError: Nothing answers there, or it is no Ray cluster that this Python can join.
        MissingExtraError: Ray is not installed.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    ray = require("ray", EXTRA)
    if ray.is_initialized():
        yield ray
        return
    address = address or os.environ.get("RAY_ADDRESS")
    if address == _LOCAL:
        address = None
    former = signal.getsignal(signal.SIGTERM)
    _start(ray, address, processes, seconds)
    try:
        yield ray
    finally:
        ray.shutdown()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, former)  # Ray has put its own in its place


def _start(ray: Any, address: str | None, processes: int | None, seconds: float) -> None:
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address is None:
        here = {"num_cpus": processes or usable_cores(), "object_store_memory": _OBJECT_STORE_BYTES}
        settings = {"address": "local", "include_dashboard": False, **here}
        failed = "Ray cannot be started on this machine"
        advice = f"Its logs are in {RAY_LOGS}."
    else:
        if address != _AUTO:
            _knock(address, seconds)
        settings = {"address": address}
        failed = f"The cluster at {address} cannot be joined"
        advice = f"It needs the same Ray ({ray.__version__} here) and Python, and this machine among its nodes."
    try:
        ray.init(**settings, **quiet)
    except Exception as error:  # from a wrong version to a full disk, with no base that they share
        ray.shutdown()
        raise ClusterError(f"{failed}: {str(error).strip().rstrip('.')}. {advice}") from error


def _knock(address: str, seconds: float) -> None:
    """Wait until something that may be Ray listens at an address; Ray itself would wait for minutes.

    Raises:
        SettingError: It is no address.
        ClusterError: Nothing does, or something else.
    """
    if address.startswith(_CLIENT):
        # https://docs.ray.io/en/latest/cluster/running-applications/job-submission/ray-client.html
        raise SettingError(
            f"A batch over Ray Client ({_CLIENT}) ends with its connection, so it is not taken. Run this command on "
            "one of the cluster's nodes with --address auto, or send it there with `ray job submit --address "
            f"http://HEAD:8265 -- agegender predict ... --address auto`. Received: {address!r}"
        )
    try:
        place = urlsplit("//" + address)
        host, port = place.hostname, place.port
    except ValueError:
        host = port = None
    if host is None or port is None:
        raise SettingError(f"--address is {_AUTO} or HOST:PORT. Received: {address!r}")
    until = time.monotonic() + seconds
    while True:
        try:
            with socket.create_connection((host, port), timeout=max(0.1, until - time.monotonic())) as connection:
                if os.environ.get("RAY_USE_TLS", "0") == "0" and not _speaks_grpc(connection):
                    raise ClusterError(f"What listens at {address} is no Ray cluster. Port 6379 is usual.")
            return
        except OSError as error:
            if time.monotonic() + 0.5 >= until:
                raise ClusterError(
                    f"Nothing answers at {address} after {seconds:.0f} seconds ({error}). Is the cluster running "
                    "(`ray status` on its head node), and is the port open? Port 6379 is usual."
                ) from error
        time.sleep(0.5)


def _speaks_grpc(connection: socket.socket) -> bool:
    """Whether the other side greets as HTTP/2 does (RFC 9113, section 3.4): with a frame of settings.

    Raises:
        OSError: It says nothing in time, or hangs up.
    """
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, _SETTINGS_FRAME, 0, 0, 0, 0, 0]))
    head = b""
    while len(head) < _FRAME_HEAD_BYTES:
        received = connection.recv(_FRAME_HEAD_BYTES - len(head))
        if not received:
            raise ConnectionError("it hung up")
        head += received
    return head[3] == _SETTINGS_FRAME
