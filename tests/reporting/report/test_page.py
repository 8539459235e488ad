"""The run page: one file, no network, the report's sentences, sortable tables, and faces only where data are given."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from agegender.data import load_dataset
from agegender.errors import InputError, MissingExtraError
from agegender.reporting.report import Document, RunFacts, gather_facts, write_page
from agegender.reporting.report.page import WORST_SHOWN, worst_answers
from agegender.reporting.report.thumbnails import thumbnails
from agegender.run_folder import hashed_name


class Reader(HTMLParser):
    """Every tag with its attributes, the open tags' balance, and the text."""

    VOID = frozenset({"meta", "img", "link", "br", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page(planted_facts: Callable[[str], RunFacts], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = write_page(planted_facts("B better"), tmp_path_factory.mktemp("page") / "report.html")
    return path.read_text(encoding="utf-8")


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    assert "http://" not in page
    assert "https://" not in page
    assert "url(" not in page
    assert "@import" not in page
    reader = Reader(page)
    assert reader.open == []
    for tag, attributes in reader.tags:
        assert tag not in {"link", "iframe", "object", "embed"}
        assert not (tag == "script" and "src" in attributes)
        for name in ("src", "href"):
            if name in attributes:
                assert re.match(r"#|data:image/", str(attributes[name]))


def test_every_link_leads_somewhere_and_every_figure_has_words(page: str) -> None:
    reader = Reader(page)
    places = {attributes.get("id") for _, attributes in reader.tags}
    targets = [str(attributes["href"])[1:] for tag, attributes in reader.tags if tag == "a"]
    assert len(targets) > 40
    assert not set(targets) - places
    images = [attributes for tag, attributes in reader.tags if tag == "img"]
    assert len(images) >= 13  # 11 of the report, and errors by race for both models
    assert all(len(str(attributes["alt"])) > 40 for attributes in images)


def test_it_has_the_sentences_of_the_report(page: str, planted_document: Callable[[str], Document]) -> None:
    document = planted_document("B better")
    text = " ".join(Reader(page).text.split())
    for line in document.body.splitlines():
        assert " ".join(line.split()) in text
    assert "So Model B is the better one on both tasks." in text


def test_the_worst_answers_can_be_sorted_and_are_the_worst(page: str, planted_facts: Callable[[str], RunFacts]) -> None:
    facts = planted_facts("B better")
    worst = worst_answers(facts, "age")
    assert len(worst) == 2 * WORST_SHOWN
    model = facts.models["A"].answers
    errors = pd.Series((model["predicted_age"] - model["age"]).abs()).sort_values(ascending=False)
    assert [abs(one.error) for one in worst[:WORST_SHOWN]] == pytest.approx(errors[:WORST_SHOWN].tolist())
    assert all(one.gender != one.answered and one.sure >= 0.5 for one in worst_answers(facts, "gender"))
    reader = Reader(page)
    tables = [attributes for tag, attributes in reader.tags if tag == "table"]
    assert all(attributes["class"] == "sortable" for attributes in tables)
    assert {"worst-age", "worst-gender"} <= {attributes.get("id") for attributes in tables}
    assert worst[0].file in reader.text


def test_without_jinja_the_extra_is_named(
    planted_facts: Callable[[str], RunFacts], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"agegender\[report\]"):
        write_page(planted_facts("B better"), tmp_path / "report.html")


def test_a_run_of_one_model_has_a_page_too(planter: Callable[..., Path], tmp_path: Path) -> None:
    root = planter(tmp_path / "run", images=200)
    (root / "age_gender_A.json").unlink()
    text = Reader(write_page(gather_facts(root), tmp_path / "page.html").read_text(encoding="utf-8")).text
    assert "A convolutional network looks" in text
    assert "Model A" not in text
    assert "better one" not in text


def test_thumbnails_are_found_by_name_and_by_hash(drawn_folder: Path) -> None:
    data = load_dataset(drawn_folder)
    first, second, *_ = data.table["file"].tolist()
    found = thumbnails([first, hashed_name(second), "stranger.jpg"], data)
    assert list(found) == [first, hashed_name(second)]
    assert all(address.startswith("data:image/jpeg;base64,") for address in found.values())
    assert len(set(found.values())) == 2
    with pytest.raises(InputError, match="None of the 1 images"):
        thumbnails(["stranger.jpg"], data)
