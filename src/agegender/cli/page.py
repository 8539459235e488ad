"""`agegender page`: the web page that answers photographs in the browser, as a folder for any static host."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from agegender.cli.console import console, messages


def page_command(
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder to write; an earlier page there is replaced.")
    ] = Path("site"),
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="A, B, or a file that `agegender export` wrote (.onnx); repeat it to see several side by side. By "
            "default the models that come with the package.",
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="float32 or int8; by default float32.", show_default=False)
    ] = None,
) -> None:
    """Write the web page with detector and models: photographs are answered in the visitor's browser.

    The folder is whole: any static host serves it, and the page asks for nothing from elsewhere.
    Photographs never leave the visitor's device. Needs neither Keras nor onnxruntime.

    Example: agegender page --out site, then: python -m http.server --directory site
    """
    from agegender.page.site import page_models, write_site

    site = write_site(out, page_models(model or (), precision=precision))
    console.print(
        f"{escape(', '.join(site.titles))}: {site.files} files, {site.bytes / 1e6:.1f} MB, in "
        f"{escape(str(site.folder))}. A visitor loads {site.download / 1e6:.1f} MB once.",
        soft_wrap=True,
    )
    messages.print(f"To see it: python -m http.server --directory {escape(str(site.folder))}", soft_wrap=True)
