"""The page's folder: whole, self-contained, true to its facts, and never in the way of other files."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from agegender import shipped
from agegender.artifacts import read_json, sha256_file
from agegender.errors import ModelError, OutputError, SettingError
from agegender.inference.manifest import manifest_path, read_manifest
from agegender.inference.pipeline import load
from agegender.page import site as page_site
from agegender.page.site import SOURCE, is_site, page_models, served_page, write_site

ROOT = Path(__file__).resolve().parents[2]


def named_files(facts: Any) -> list[dict[str, Any]]:
    if isinstance(facts, dict):
        inner = [file for value in facts.values() for file in named_files(value)]
        return [facts, *inner] if "sha256" in facts else inner
    return [file for value in facts for file in named_files(value)] if isinstance(facts, list) else []


def test_the_folder_holds_what_its_facts_name(tiny_onnx: Path, tmp_path: Path) -> None:
    written = write_site(tmp_path / "site", page_models([tiny_onnx]))
    facts = read_json(written.folder / "site.json")
    files = named_files(facts)
    assert len(files) == 6
    for file in files:
        path = written.folder / file["file"]
        assert (sha256_file(path), path.stat().st_size) == (file["sha256"], file["bytes"])
    assert written.download == sum(file["bytes"] for file in files)
    assert written.titles == ("tiny",)
    assert written.files == sum(path.is_file() for path in written.folder.rglob("*"))
    assert gzip.decompress((written.folder / "ort" / "ort.wasm.gz").read_bytes()).startswith(b"\0asm")
    assert not [path.name for path in tmp_path.iterdir() if path.name != "site"]
    assert load(written.folder / "models" / "tiny.onnx").name == "tiny"


def test_a_model_without_a_manifest_gets_one(tiny_onnx: Path, tmp_path: Path) -> None:
    bare = Path(shutil.copy(tiny_onnx, tmp_path / "bare.onnx"))
    written = write_site(tmp_path / "site", page_models([bare]))
    manifest = read_manifest(manifest_path(written.folder / "models" / "bare.onnx"))
    assert manifest.files["float32"].sha256 == sha256_file(bare)


def test_an_earlier_page_is_replaced_and_nothing_else(tiny_onnx: Path, tmp_path: Path) -> None:
    models = page_models([tiny_onnx])
    site = write_site(tmp_path / "site", models).folder
    (site / "left_over.txt").write_text("of an earlier version")
    write_site(site, models)
    assert is_site(site)
    assert not (site / "left_over.txt").exists()
    (tmp_path / "empty").mkdir()
    assert is_site(write_site(tmp_path / "empty", models).folder)
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(OutputError, match="other files"):
        write_site(photos, models)
    (photos / "site.json").write_text("[]")
    with pytest.raises(OutputError, match="other files"):
        write_site(photos, models)
    assert sorted(path.name for path in photos.iterdir()) == ["holiday.jpg", "site.json"]
    with pytest.raises(OutputError, match="is a file"):
        write_site(photos / "holiday.jpg", models)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_failure_leaves_the_earlier_page(tiny_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = page_models([tiny_onnx])
    site = write_site(tmp_path / "site", models).folder
    before = sorted((path, path.stat().st_mtime_ns) for path in site.rglob("*"))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page_site, "write_json", full)
    with pytest.raises(OutputError, match="No space left"):
        write_site(site, models)
    assert sorted((path, path.stat().st_mtime_ns) for path in site.rglob("*")) == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_which_models_are_shown(tiny_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "_PLACES", (tmp_path / "nowhere", tmp_path))
    with pytest.raises(ModelError, match="No exported Model"):
        page_models()
    manifest = read_json(manifest_path(tiny_onnx))
    for name in ("B", "A"):
        shutil.copy(tiny_onnx, tmp_path / f"age_gender_{name}.onnx")
        manifest["name"] = f"age_gender_{name}"
        manifest["files"]["float32"]["file"] = f"age_gender_{name}.onnx"
        (tmp_path / f"age_gender_{name}.manifest.json").write_text(json.dumps(manifest))
        expected = ["Model B"] if name == "B" else ["Model A", "Model B"]
        assert [model.title for model in page_models()] == expected
    with served_page("B") as folder:
        assert len(read_json(folder / "site.json")["models"]) == 2
    with served_page(tiny_onnx) as folder:
        assert [model["title"] for model in read_json(folder / "site.json")["models"]] == ["tiny"]
    assert not folder.exists()
    with pytest.raises(SettingError, match="twice: tiny"):
        page_models([tiny_onnx, tiny_onnx])
    with pytest.raises(SettingError, match="at most 4"):
        page_models([tiny_onnx] * 5)
    with pytest.raises(ModelError, match="not as int8"):
        page_models(["A"], precision="int8")


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    ours = [path for path in SOURCE.rglob("*") if path.suffix in (".html", ".css", ".js") and path.parent.name != "ort"]
    assert len(ours) > 20
    for path in ours:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://", text), path.name
        for target in re.findall(r"""(?:from|import|new URL\()\s*\(?"(\.[^"]+\.js)\"""", text):
            assert (path.parent / target).is_file(), f"{path.name}: {target}"
    page = (SOURCE / "index.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert not re.search(r"<style|style=|onclick=|<script>(?!\s*<)", page)


def test_the_licences_travel_along(site: Path) -> None:
    assert (site / "licences" / "agegender.txt").read_text() == (ROOT / "LICENSE").read_text()
    page = (SOURCE / "index.html").read_text(encoding="utf-8")
    for target in re.findall(r'href="(licences/[^"]+)"', page):
        assert (site / target).stat().st_size > 500, target
