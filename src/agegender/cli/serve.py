"""`agegender serve`: photographs in, faces with ages out, over HTTP."""

from __future__ import annotations

import contextlib
import ipaddress
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from agegender.cli.console import console, messages

EXTRA = "serve"
NEEDED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")


def serve_command(
    *,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A, B, or a file that `agegender export` wrote (.onnx).")
    ] = "B",
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 for every network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    api_key_file: Annotated[
        Path | None,
        typer.Option(help="Keys that open the service, one a line; without it anybody may ask.", show_default=False),
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="float32 or int8; by default float32.", show_default=False)
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Threads that decode and detect; by default one a core.", show_default=False),
    ] = None,
    max_body: Annotated[int, typer.Option(min=1, help="MiB of one request; more is answered 413.")] = 32,
    max_images: Annotated[int, typer.Option(min=1, help="Images in one request; more is answered 422.")] = 16,
    max_megapixels: Annotated[int, typer.Option(min=1, help="Megapixels of one image.")] = 25,
    max_faces: Annotated[int, typer.Option(min=1, help="Faces answered in one image: of more, the likeliest.")] = 50,
    max_waiting: Annotated[
        int, typer.Option(min=1, help="Images that may wait for the model; of more requests are answered 503.")
    ] = 64,
    max_requests: Annotated[
        int, typer.Option(min=1, help="Requests in work at once; of more they are answered 503.")
    ] = 256,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to answer in; then 504.")] = 30.0,
    upload_timeout: Annotated[float, typer.Option(min=0.1, help="Seconds a body may take to come; then 408.")] = 30.0,
    grace: Annotated[int, typer.Option(min=1, help="Seconds to finish accepted requests in, on SIGTERM.")] = 60,
    rate: Annotated[
        int | None,
        typer.Option(min=1, help="Requests a minute of one client; more are answered 429.", show_default=False),
    ] = None,
    trusted_proxy: Annotated[
        str | None,
        typer.Option(help="Address of a proxy whose X-Forwarded-For is believed.", show_default=False),
    ] = None,
    page: Annotated[
        bool | None,
        typer.Option(
            "--page/--no-page",
            help="Serve the web page at /; by default only without keys, since it gives the model files to anybody.",
            show_default=False,
        ),
    ] = None,
    access_log: Annotated[bool, typer.Option("--access-log", help="Print a line a request: address, path.")] = False,
) -> None:
    """Answer POST /v1/faces with the faces of photographs, their ages and genders; needs no Keras.

    Also GET /healthz, /readyz, /metrics (Prometheus) and /openapi.json, and at / the web page of
    `agegender page`, which answers in the browser. Images stay in memory and are neither written
    nor logged. SIGTERM or Ctrl-C finishes the requests that were accepted and exits with 0.

    Example: agegender serve --port 8000, then: curl -F image=@photo.jpg localhost:8000/v1/faces
    """
    from agegender.optional import require

    for name in NEEDED:
        require(name, EXTRA)

    from agegender.page.site import served_page
    from agegender.service.admission import read_api_keys
    from agegender.service.app import Service
    from agegender.service.server import open_predictor, serve
    from agegender.service.settings import MIB, ServiceSettings

    body_bytes = max_body * MIB
    settings = ServiceSettings(
        body_bytes=body_bytes,
        images=max_images,
        pixels=max_megapixels * 1_000_000,
        faces=max_faces,
        waiting_images=max_waiting,
        requests=max_requests,
        held_bytes=max(ServiceSettings().held_bytes, 2 * body_bytes),
        idle_seconds=min(ServiceSettings().idle_seconds, upload_timeout),
        upload_seconds=upload_timeout,
        answer_seconds=timeout,
        grace_seconds=grace,
        requests_a_minute=rate,
    )
    keys = None if api_key_file is None else read_api_keys(api_key_file)
    predictor = open_predictor(model, settings, precision=precision, workers=workers)
    if keys is None and not _is_loopback(host):
        messages.print(
            f"[yellow]Anybody who reaches {escape(host)} may ask.[/] --api-key-file lets in only whom you want."
        )
    with contextlib.ExitStack() as opened:
        folder = opened.enter_context(served_page(model, precision)) if page or (page is None and not keys) else None
        serve(
            Service(predictor, settings, api_keys=keys, page=folder),
            host=host,
            port=port,
            access_log=access_log,
            trusted_proxy=trusted_proxy,
            announce=lambda address: console.print(f"{escape(predictor.name)} answers at {address}", soft_wrap=True),
        )
    messages.print("Stopped.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
