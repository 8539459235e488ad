"""`report.pdf`: its pages, fonts, tags, count of words, cover page, and that it names nobody."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from agegender.brief import (
    WORD_LIMIT,
    ContributionForm,
    HandIn,
    Member,
    check_length,
    missing_sections,
    words_of_keywords,
)
from agegender.errors import InputError, MissingExtraError, OutputError
from agegender.reporting.report import Document, RunFacts, gather_facts, write_report
from agegender.reporting.report.judgements import age_ending

LINK = "https://drive.google.com/file/d/1AbCdEfGhIjKlMnOpQrStUvWxYz/view?usp=sharing"
FORM = ContributionForm((Member("s1234567", 60, "Model A & the data"), Member("s7654321", 40)), agreed=True)


@pytest.fixture(scope="module")
def pdf(planted_facts: Callable[[str], RunFacts], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    out = tmp_path_factory.mktemp("pdf") / "report.pdf"
    written = write_report(planted_facts("overfitting"), out, hand_in=HandIn(FORM, {"A": LINK}))
    return out, written


def text_of(path: Path) -> list[str]:
    return [page.extract_text().replace("\N{NO-BREAK SPACE}", " ") for page in PdfReader(path).pages]


def test_it_is_small_tagged_and_carries_its_fonts(pdf: tuple[Path, Any]) -> None:
    path, _ = pdf
    assert path.stat().st_size < 5_000_000
    reader = PdfReader(path)
    root: Any = reader.trailer["/Root"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en-GB"
    fonts = 0
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():  # type: ignore[union-attr]
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            assert any(key.startswith("/FontFile") for key in descendant["/FontDescriptor"])
            fonts += 1
    assert fonts >= len(reader.pages)


def test_it_names_no_author(pdf: tuple[Path, Any], planted_run: Callable[[str], Path]) -> None:
    path, _ = pdf
    reader = PdfReader(path)
    assert not reader.metadata or not reader.metadata.author
    assert str(planted_run("overfitting")) not in "".join(text_of(path))
    content = path.read_bytes()
    assert b"/Author" not in content
    assert b"dc:creator" not in content


def test_it_has_the_briefs_sections_every_caption_and_the_exact_count(
    pdf: tuple[Path, Any], planted_document: Callable[[str], Document]
) -> None:
    path, written = pdf
    pages = text_of(path)
    text = "\n".join(pages)
    assert missing_sections(text) == ()
    document = planted_document("overfitting")
    assert written.words == document.words
    assert f"{document.words:,} of at most 1,500" in pages[0]
    metadata = PdfReader(path).metadata
    assert metadata is not None
    assert words_of_keywords(str(metadata["/Keywords"])) == document.words
    for number in range(1, len(document.figures()) + 1):
        assert f"Figure {number}." in text
    assert "Overfitting shows in" in " ".join(text.split())
    assert "[20]" in text


def test_the_cover_page_has_form_links_and_a_visible_gap(pdf: tuple[Path, Any]) -> None:
    path, written = pdf
    cover = text_of(path)[0]
    for words in ("s1234567", "60 %", "Model A & the data", "s7654321", "40 %", "yes", "The link is missing."):
        assert words in cover
    assert LINK in "".join(cover.split())
    assert written.warnings == ("No link to Model B: the cover page has a gap. Add it to [links] of hand-in.toml.",)


def test_without_a_hand_in_the_cover_page_has_gaps_only(
    planted_facts: Callable[[str], RunFacts], tmp_path: Path
) -> None:
    written = write_report(planted_facts("drawn"), tmp_path / "report.pdf", hand_in=None)
    cover = text_of(written.path)[0]
    assert "The IDs and their shares are missing." in cover
    assert "yes or no is missing" in cover
    assert cover.count("The link is missing.") == 2
    assert "drawn faces" in cover
    assert "hand-in.toml" in written.warnings[0]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (ContributionForm((Member("s1", 80), Member("s2", 20)), agreed=True), "70:30"),
        (ContributionForm((Member("s1", 60), Member("s2", 30)), agreed=True), "sum to 100"),
        (ContributionForm((Member("s1", 60), Member("s2", 40))), "agree"),
    ],
)
def test_a_form_against_the_rules_is_refused_before_anything_is_drawn(
    form: ContributionForm, said: str, planted_facts: Callable[[str], RunFacts], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said):
        write_report(planted_facts("B better"), tmp_path / "report.pdf", hand_in=HandIn(form))
    assert not list(tmp_path.iterdir())


def test_without_typst_the_extra_is_named(
    planted_facts: Callable[[str], RunFacts], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MissingExtraError, match=r"agegender\[report\]"):
        write_report(planted_facts("B better"), tmp_path / "report.pdf", hand_in=None)


def test_odd_links_are_warned_of(planted_facts: Callable[[str], RunFacts]) -> None:
    from agegender.reporting.report.pdf import hand_in_warnings

    warnings = hand_in_warnings(HandIn(FORM, {"A": LINK, "B": "https://drive.google.com/drive/my-drive"}))
    assert len(warnings) == 1
    assert "Model B" in warnings[0]


def test_1501_words_are_an_error_and_1500_are_not(
    planted_facts: Callable[[str], RunFacts], composer: Callable[[RunFacts], Document], tmp_path: Path
) -> None:
    facts = planted_facts("B better")
    room = WORD_LIMIT - composer(facts).words

    def lengthened(words: int) -> RunFacts:
        """The same run, but for the name of B's first phase, which the text quotes."""
        model = facts.models["B"]
        first, *others = model.recipe.phases
        phase = dataclasses.replace(first, name=" ".join([first.name] + ["word"] * words))
        recipe = dataclasses.replace(model.recipe, phases=(phase, *others))
        return dataclasses.replace(facts, models={**facts.models, "B": dataclasses.replace(model, recipe=recipe)})

    longest = composer(lengthened(room))
    assert longest.words == 1500
    check_length(longest.words)
    with pytest.raises(OutputError, match="1,501 words"):
        write_report(lengthened(room + 1), tmp_path / "report.pdf", hand_in=None)
    assert not list(tmp_path.iterdir())


def test_a_run_without_one_of_the_models_is_refused(planter: Callable[..., Path], tmp_path: Path) -> None:
    facts = planted_alone(planter, tmp_path / "run")
    with pytest.raises(InputError, match="without Model B"):
        write_report(facts, tmp_path / "report.pdf", hand_in=None)


def planted_alone(planter: Callable[..., Path], root: Path) -> RunFacts:
    from_both = gather_facts(planter(root))
    (root / "age_gender_B.json").unlink()
    facts = gather_facts(root)
    assert age_ending(facts.models["A"], facts.constant) == age_ending(from_both.models["A"], from_both.constant)
    return facts
