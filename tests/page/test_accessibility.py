"""The page in every state, in both colour schemes and on a phone, under axe-core: no rule of WCAG 2.1 AA is broken."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from PIL import Image

from agegender.page.site import page_models, write_site

AXE = Path(axe_core_python.__file__).with_name("axe.min.js")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")
LOOKS = [(width, dark) for width in (1280, 390) for dark in (False, True)]


@pytest.fixture(scope="module")
def looked_at(
    browser: Any,
    tiny_onnx: Path,
    hosted: Callable[[Path], AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Any]:
    """A page of two models, one with intervals and one without, with axe-core in it."""
    folder = tmp_path_factory.mktemp("accessible")
    other = shutil.copy(tiny_onnx, folder / "other.onnx")
    site = write_site(folder / "site", page_models([tiny_onnx, other])).folder
    with hosted(site) as address:
        browser.open(address)
        browser.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
        yield browser
    browser.send("Emulation.clearDeviceMetricsOverride")
    browser.send("Emulation.setEmulatedMedia", features=[])


@pytest.fixture(scope="module")
def group(photograph: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph of three people, one of them small and one at the right edge."""
    portrait = Image.open(photograph).convert("RGB")
    several = Image.new("RGB", (1100, 640), (90, 90, 90))
    several.paste(portrait, (0, 20))
    several.paste(portrait.resize((102, 120)), (600, 400))
    several.paste(portrait.resize((256, 300)), (840, 60))
    several.save(path := tmp_path_factory.mktemp("group") / "several.png")
    return path


def broken_rules(page: Any) -> list[tuple[Any, ...]]:
    """What axe-core finds in the page as it is, in every look."""
    run = f"axe.run(document, {json.dumps({'runOnly': {'type': 'tag', 'values': RULES}})})"
    found = []
    for width, dark in LOOKS:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.send("Emulation.setEmulatedMedia", features=[scheme])
        page.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600
        )
        answer = page.evaluate(run)
        assert len(answer["passes"]) > 15
        found += [
            (width, dark, fault["id"], node["target"], node["failureSummary"])
            for fault in answer["violations"]
            for node in fault["nodes"]
        ]
    return found


def test_axe_finds_nothing_on_the_empty_page(looked_at: Any) -> None:
    looked_at.choose()
    assert broken_rules(looked_at) == []


def test_axe_finds_nothing_among_answers_and_refusals(
    looked_at: Any, photograph: Path, group: Path, tmp_path: Path
) -> None:
    (tmp_path / "letter.jpg").write_text("Dear Sir or Madam")
    Image.new("RGB", (300, 200), (120, 160, 220)).save(tmp_path / "sky.png")
    answers = looked_at.choose(group, photograph, tmp_path / "letter.jpg", tmp_path / "sky.png")
    assert [len(answer["boxes"]) for answer in answers] == [3, 1, 0, 0]
    assert looked_at.evaluate("document.querySelectorAll('#shown input').length") == 2
    assert broken_rules(looked_at) == []
    looked_at.evaluate("document.querySelectorAll('.box')[1].focus()")
    assert broken_rules(looked_at) == []


def test_axe_finds_nothing_in_what_is_said_of_a_fault(looked_at: Any) -> None:
    looked_at.choose()
    looked_at.evaluate("document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: new DataTransfer()}))")
    looked_at.wait_until("document.querySelector('.state.bad') !== null")
    looked_at.evaluate("document.dispatchEvent(new Event('dragenter'))")
    assert looked_at.evaluate("document.getElementById('veil').hidden") is False
    assert broken_rules(looked_at) == []
    looked_at.evaluate("document.dispatchEvent(new Event('dragleave'))")


def test_axe_does_find_what_is_planted(looked_at: Any) -> None:
    looked_at.choose()
    looked_at.evaluate("document.querySelector('.hint').style.color = '#bbb'")
    looked_at.evaluate("document.getElementById('clear').parentElement.append(document.createElement('button'))")
    looked_at.evaluate("document.getElementById('results').hidden = false")
    assert {fault[2] for fault in broken_rules(looked_at)} >= {"color-contrast", "button-name"}
