"""`agegender page`: everything that the page needs as one folder that any static host can serve."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agegender import __version__
from agegender.artifacts import read_json, sha256_file, write_json
from agegender.errors import ModelError, SettingError
from agegender.inference.detector import WEIGHTS
from agegender.inference.manifest import Manifest, write_manifest
from agegender.inference.predictor import located_model
from agegender.page.facts import shared_facts
from agegender.page.folder import atomic_folder
from agegender.run_folder import MODELS

FORMAT, VERSION = "agegender-page", 1
FACTS = "site.json"
"""What the page reads first; it also tells a page's folder from others."""

SOURCE = Path(__file__).with_name("site")
MOST_MODELS = 4
"""Side by side; more columns and colours nobody can tell apart."""

_RUNTIME = "ort/ort.wasm.gz"
_NETWORKS = ("pnet", "rnet", "onet")


@dataclass(frozen=True, slots=True)
class PageModel:
    """A model that the page shows.

    Attributes:
        manifest: What is known of it.
        precision: `float32` or `int8`.
        path: Its ONNX file.
    """

    manifest: Manifest
    precision: str
    path: Path

    @property
    def title(self) -> str:
        """What people read: `Model A` for `age_gender_A`, else the file's name."""
        name = self.manifest.name
        short = name.removeprefix("age_gender_")
        return f"Model {short}" if short in MODELS else name


@dataclass(frozen=True, slots=True)
class Site:
    """What was written.

    Attributes:
        folder: Where it stands.
        titles: Of its models, in order.
        files: How many there are.
        bytes: Of all files.
        download: Bytes that a visitor loads before the first answer.
    """

    folder: Path
    titles: tuple[str, ...]
    files: int
    bytes: int
    download: int


def page_models(models: Sequence[str | Path] = (), *, precision: str | None = None) -> tuple[PageModel, ...]:
    """The models that a page is asked to show.

    Args:
        models: Each `A`, `B`, an `.onnx` file or a `.manifest.json`; none: those that come with the package.
        precision: `float32` (by default) or `int8`.

    Raises:
        SettingError: Too many, two of one name, or an unknown precision.
        ModelError: There is no such model, it is not the one of its manifest, or none came with the package.
    """
    if not models:
        models = _shipped()
    if len(models) > MOST_MODELS:
        raise SettingError(f"A page shows at most {MOST_MODELS} models. Received: {len(models)}")
    found = tuple(PageModel(*located_model(model, precision=precision)) for model in models)
    names = [model.manifest.name for model in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SettingError(f"Each model of a page needs a name of its own. Received twice: {', '.join(twice)}")
    return found


def write_site(out: str | Path, models: Sequence[PageModel]) -> Site:
    """Write the page, the detector and the models, whole or not at all.

    Args:
        out: Folder to write to; an earlier page there is replaced.
        models: From `page_models`, at least one.

    Raises:
        OutputError: Something else stands there, or it cannot be written.
    """
    out = Path(out)
    with atomic_folder(out, may_replace=is_site) as folder:
        shutil.copytree(SOURCE, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
        (folder / "detector").mkdir()
        for name in _NETWORKS:
            shutil.copyfile(WEIGHTS / f"{name}.onnx", folder / "detector" / f"{name}.onnx")
        shutil.copyfile(WEIGHTS / "NOTICE.md", folder / "licences" / "MTCNN.txt")
        facts = _facts(folder, models)
        write_json(folder / FACTS, facts)
    paths = [path for path in out.rglob("*") if path.is_file()]
    return Site(
        folder=out,
        titles=tuple(model.title for model in models),
        files=len(paths),
        bytes=sum(path.stat().st_size for path in paths),
        download=sum(_sizes(facts)),
    )


@contextlib.contextmanager
def served_page(model: str | Path, precision: str | None = None) -> Iterator[Path]:
    """A page in a temporary folder, for a service: it shows both shipped models if one of them is served.

    Args:
        model: What the service answers with.
        precision: Likewise.

    Raises:
        ModelError: There is no such model.
        OutputError: There is no room for it.
    """
    shown = page_models((), precision=precision) if str(model) in MODELS else page_models((model,), precision=precision)
    with tempfile.TemporaryDirectory(prefix="agegender-page-") as folder:
        yield write_site(Path(folder) / "site", shown).folder


def is_site(folder: Path) -> bool:
    """Whether a folder was written by `write_site`."""
    try:
        return read_json(folder / FACTS)["format"] == FORMAT
    except (OSError, json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        return False


def _shipped() -> list[str]:
    """Names of the shipped models that are there; if none is, the last one's error."""
    found: list[str] = []
    for name in MODELS:
        try:
            located_model(name)
        except ModelError:
            if name == MODELS[-1] and not found:
                raise
        else:
            found.append(name)
    return found


def _facts(folder: Path, models: Sequence[PageModel]) -> dict[str, Any]:
    shared = shared_facts()
    settings = shared.pop("detector_settings")
    return {
        "format": FORMAT,
        "version": VERSION,
        "software": __version__,
        "runtime": _file(folder, _RUNTIME),
        "detector": {
            "networks": {name: _file(folder, f"detector/{name}.onnx") for name in _NETWORKS},
            "settings": settings,
        },
        **shared,
        "models": [_placed(folder, model) for model in models],
    }


def _placed(folder: Path, model: PageModel) -> dict[str, Any]:
    """Put a model and its manifest into the site; what is known of them there."""
    place = folder / "models"
    place.mkdir(exist_ok=True)
    shutil.copyfile(model.path, place / model.path.name)
    weights = _file(folder, f"models/{model.path.name}")
    # A model without a manifest gets one; of two precisions only the one that is here is named.
    here = replace(
        model.manifest.files[model.precision],
        file=model.path.name, sha256=weights["sha256"], bytes=weights["bytes"],
    )  # fmt: skip
    manifest = write_manifest(replace(model.manifest, files={model.precision: here}), place)
    return {
        "name": model.manifest.name,
        "title": model.title,
        "precision": model.precision,
        "weights": weights,
        "manifest": _file(folder, f"models/{manifest.name}"),
    }


def _file(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    return {"file": name, "bytes": path.stat().st_size, "sha256": sha256_file(path)}


def _sizes(facts: Any) -> list[int]:
    """The sizes of all files that the facts name."""
    if isinstance(facts, dict):
        inner = [size for value in facts.values() for size in _sizes(value)]
        return [*inner, facts["bytes"]] if "sha256" in facts else inner
    return [size for value in facts for size in _sizes(value)] if isinstance(facts, list) else []
