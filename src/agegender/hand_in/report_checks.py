"""The report: the form on its cover, both links, the four sections, and its length."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agegender.brief import (
    REPORT_SECTIONS,
    WORD_LIMIT,
    ContributionForm,
    Member,
    count_words,
    form_problems,
    link_problem,
    missing_sections,
    share_host,
)
from agegender.brief.form import WHOLE
from agegender.errors import InputError
from agegender.hand_in.criteria import REPORT_FILE, failed, judge, passed
from agegender.hand_in.folder import HandInFolder
from agegender.hand_in.pdf import PdfReport, read_pdf
from agegender.hand_in.result import Finding

ESTIMATE_SURELY_OVER = 1.25
"""An estimate this many times the limit is over it, whatever tables it counted as text."""

ESTIMATE_SURELY_UNDER = 0.95
"""An estimate up to this many times the limit is under it; our own reports are estimated 6 % too short."""

RECORD_WITHIN = 1.5
"""How many times the recorded count an estimate may be before the record is doubted; tables and forms count in it."""

_PERCENT = re.compile(r"(?<![\d.,:])(\d{1,3}(?:\.\d+)?)\s*%")
_BARE_NUMBER = re.compile(r"(?<![\w.,:/-])(\d{1,3}(?:\.\d+)?)(?![\w.,:/-])")
_ID = re.compile(r"\b[A-Za-z]{0,4}-?\d{5,12}[A-Za-z]{0,2}\b")
_AGREED = re.compile(r"agree[^.%]{0,120}?\b(yes|no)\b", re.IGNORECASE | re.DOTALL)


def check_report(folder: HandInFolder) -> Iterator[Finding]:
    """Look at the report."""
    path = folder.report
    if path is None:
        pdfs = ", ".join(other.name for other in folder.of_kind(".pdf"))
        found = f"There are {pdfs}; which is it?" if pdfs else "No PDF is there; code without a report gets zero."
        yield failed("report_file", found)
        return
    try:
        report = read_pdf(path)
    except InputError as error:
        yield failed("report_file", str(error))
        return
    yield passed("report_file", f"{path.name}, {len(report.pages)} pages")
    yield _form(report)
    yield _links(report)
    lacking = missing_sections(report.text)
    for section in REPORT_SECTIONS:
        name = f"section_{section.number}"
        yield failed(name, "No line looks like its heading.") if section in lacking else passed(name, "found")
    yield _words(report)


def read_form(cover: str) -> ContributionForm | None:
    """The contribution form as it can be read off a cover; None where nothing there says contribution."""
    begin = re.search(r"contribution", cover, re.IGNORECASE)
    if begin is None:
        return None
    whole = cover[begin.start() :]
    text = whole.split("http", maxsplit=1)[0]  # an address broken over two lines may hold what looks like an ID
    agreed = _AGREED.search(whole)
    return ContributionForm(_members(text), None if agreed is None else agreed.group(1).lower() == "yes")


def _members(text: str) -> tuple[Member, ...]:
    """IDs with the percentages that stand after them, line by line or, where all IDs come first, in the same order."""
    ids = _of_one_shape(list(_ID.finditer(text)))
    shares = list(_PERCENT.finditer(text)) or [
        match for match in _BARE_NUMBER.finditer(text) if 0 < float(match.group(1)) <= WHOLE
    ]
    of_id: dict[str, float] = {}
    for share in shares:
        before = [one.group() for one in ids if one.end() <= share.start()]
        if before:  # else it belongs to the form's own words, such as "sum to 100 %"
            of_id.setdefault(before[-1], float(share.group(1)))
    if len(of_id) == 1 and len(ids) == len(shares):
        of_id = {one.group(): float(share.group(1)) for one, share in zip(ids, shares, strict=True)}
    return tuple(Member(one, share) for one, share in of_id.items())


def _of_one_shape(ids: list[re.Match[str]]) -> list[re.Match[str]]:
    """IDs of one place look alike: where two do, a number in somebody's reasons that does not is none."""
    shapes = [re.sub(r"\d", "0", re.sub(r"[A-Za-z]", "a", one.group())) for one in ids]
    alike = [one for one, shape in zip(ids, shapes, strict=True) if shape == shapes[0]]
    return alike if len(alike) > 1 else ids


def _form(report: PdfReport) -> Finding:
    form = read_form(report.cover)
    if form is None:
        return failed("report_form", "The cover has no contribution form.", f"Put the form on {REPORT_FILE}'s cover.")
    shown = ", ".join(f"{member.id} {member.percentage:g} %" for member in form.members)
    if problems := form_problems(form):
        return failed("report_form", " ".join(problems) + (f" Read: {shown}." if shown else ""))
    return passed("report_form", f"{shown}; agreed: {'yes' if form.agreed else 'no'}")


def _links(report: PdfReport) -> Finding:
    shared = [link for link in report.all_links if not link_problem(link)]
    if len(shared) >= 2:
        hosts = dict.fromkeys(str(share_host(link)) for link in shared)
        return passed(
            "report_links", f"{len(shared)} share links ({', '.join(hosts)}); open them to see that they work"
        )
    cover_urls = re.findall(r"https?://\S+", report.cover)
    others = [link for link in report.all_links if link not in shared and any(map(link.startswith, cover_urls))]
    wrong = " ".join(link_problem(link) for link in others)
    return failed("report_links", f"{len(shared)} of 2 share links. {wrong}".strip())


def _words(report: PdfReport) -> Finding:
    estimate = count_words(body_text(report))
    if report.words is not None:
        if report.words > WORD_LIMIT:
            return failed(
                "report_words", f"{report.words:,} words, exactly", f"Take out {report.words - WORD_LIMIT:,}."
            )
        if estimate > max(WORD_LIMIT, RECORD_WITHIN * report.words):
            return judge(
                "report_words",
                f"Its keywords say {report.words:,} words; the text looks like {estimate:,} (an estimate).",
                "Count the words of its body.",
            )
        return passed("report_words", f"{report.words:,} words, exactly")
    found = f"about {estimate:,} words (an estimate: tables and labels may be counted too)"
    if estimate <= ESTIMATE_SURELY_UNDER * WORD_LIMIT:
        return passed("report_words", found)
    if estimate > ESTIMATE_SURELY_OVER * WORD_LIMIT:
        return failed("report_words", found)
    return judge("report_words", found, "Count the words of its body in the program that wrote it.")


def body_text(report: PdfReport) -> str:
    """The text of the four sections, as far as a program can tell it from captions, tables and references."""
    lines = []
    for line in report.body:
        if re.match(r"^[\W\d]*(references|bibliography)\W*$", line, re.IGNORECASE):
            break
        if re.match(r"^\s*(figure|fig\.|table)\s*\d", line, re.IGNORECASE) or not re.search(r"[^\W\d_]{2}", line):
            continue
        lines.append(line)
    return "\n".join(lines)
