"""Reading a report by anybody: form, links, and how long it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agegender.brief import Member
from agegender.errors import InputError
from agegender.hand_in import Verdict
from agegender.hand_in.folder import read_folder
from agegender.hand_in.pdf import PdfReport, read_pdf
from agegender.hand_in.report_checks import check_report, read_form

PAIR = (Member("s1234567", 60.0), Member("s7654321", 40.0))


@pytest.mark.parametrize(
    "cover",
    [
        "Contribution form\nID Percentage\ns1234567 60 %\ns7654321 40 %\nAll agree: yes",
        "Contribution\nID\ns1234567\ns7654321\nPercentage\n60%\n40%\nAgreed (yes/no): yes",
        "Contribution (percentages sum to 100 %)\ns1234567 did 60 % of it\ns7654321 did 40 %\nagreed: yes",
        "Contribution form\ns1234567 60 % A, 4000 steps, 90 % of them at night\ns7654321 40\N{NO-BREAK SPACE}% B\n"
        "All members agree on these shares: yes",
        "contribution form\ns1234567 60\ns7654321 40\nDo you agree? Yes",
        "CONTRIBUTION FORM s1234567 60.0 % s7654321 40 % agreed yes\nhttps://drive.google.com/file/d/1Ab\n2345678/view",
    ],
)
def test_forms_of_different_layouts_are_read(cover: str) -> None:
    form = read_form(cover)
    assert form is not None
    assert form.members == PAIR
    assert form.agreed is True


def test_one_person_disagreement_and_no_form() -> None:
    form = read_form("Contribution: 12345678 100 %. Agreed: no")
    assert form is not None
    assert (form.members, form.agreed) == ((Member("12345678", 100.0),), False)
    assert read_form("A title page") is None


def test_printed_addresses_count_and_parts_of_followed_ones_do_not() -> None:
    link = "https://drive.google.com/file/d/1AAAAAAAAAAAAAAA/view"
    report = PdfReport((f"see {link[:50]}\n{link[50:]} and https://1drv.ms/u/abcdefgh.",), (), (link,), (), None)
    assert report.all_links == (link, "https://1drv.ms/u/abcdefgh")


@pytest.mark.parametrize(
    ("settings", "verdict", "said"),
    [
        ({"words": 1500}, Verdict.PASSED, "1,500 words, exactly"),
        ({"words": 1501}, Verdict.FAILED, "1,501 words, exactly"),
        ({"words": 1400, "keyword": False}, Verdict.PASSED, "about 1,400 words (an estimate"),
        ({"words": 1470, "keyword": False}, Verdict.JUDGE, "about 1,470 words (an estimate"),
        ({"words": 1600, "keyword": False}, Verdict.JUDGE, "about 1,600 words (an estimate"),
        ({"words": 1900, "keyword": False}, Verdict.FAILED, "about 1,900 words (an estimate"),
        ({"words": 900, "more": "#lorem(1200)"}, Verdict.JUDGE, "keywords say 900 words; the text looks like 2,100"),
        ({"words": 1400, "keyword": False, "more": "Table 1: #lorem(4)\n\n1 2 3 4 5"}, Verdict.PASSED, "about 1,400"),
    ],
)
def test_words_are_exact_for_own_reports_and_an_estimate_for_others(
    tmp_path: Path, report_of: Callable[..., bytes], settings: dict[str, Any], verdict: Verdict, said: str
) -> None:
    (tmp_path / "mine.pdf").write_bytes(report_of(**settings))
    words = next(check for check in check_report(read_folder(tmp_path)) if check.name == "report_words")
    assert (words.verdict, said in words.found) == (verdict, True), words.found


def test_two_reports_are_one_too_many_unless_one_has_the_name(tmp_path: Path, report_of: Callable[..., bytes]) -> None:
    for name in ("old.pdf", "new.pdf"):
        (tmp_path / name).write_bytes(report_of())
    [check] = check_report(read_folder(tmp_path))
    assert (check.verdict, check.found) == (Verdict.FAILED, "There are new.pdf, old.pdf; which is it?")
    (tmp_path / "old.pdf").rename(tmp_path / "report.pdf")
    assert next(iter(check_report(read_folder(tmp_path)))).verdict is Verdict.PASSED


def test_a_picture_of_a_report_and_a_locked_one_are_refused(tmp_path: Path, report_of: Callable[..., bytes]) -> None:
    import typst
    from pypdf import PdfReader, PdfWriter

    (tmp_path / "scan.pdf").write_bytes(typst.compile(b"#rect(width: 4cm)"))
    with pytest.raises(InputError, match="is it a scan"):
        read_pdf(tmp_path / "scan.pdf")
    (tmp_path / "open.pdf").write_bytes(report_of())
    writer = PdfWriter(clone_from=PdfReader(tmp_path / "open.pdf"))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "locked.pdf")
    with pytest.raises(InputError, match="locked"):
        read_pdf(tmp_path / "locked.pdf")
