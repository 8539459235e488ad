"""A report that this package writes passes the checker, and what is missing from its cover is found."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from agegender.brief import ContributionForm, HandIn, Member
from agegender.hand_in import Finding, Verdict
from agegender.hand_in.folder import read_folder
from agegender.hand_in.report_checks import check_report
from agegender.reporting.report import gather_facts, write_report

LINK = "https://drive.google.com/file/d/1{}/view?usp=sharing"
FORM = ContributionForm(
    (Member("s1234567", 60, "Model A, 12000 steps, 90 % of them at night"), Member("s7654321", 40)), agreed=True
)


@pytest.fixture(scope="module")
def findings(planted: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    """The findings about a whole report and about one without form and links, of the same run."""
    facts = gather_facts(planted.plant(tmp_path_factory.mktemp("run") / "run", **planted.RUNS["overfitting"]))
    links = {model: LINK.format(model * 24) for model in "AB"}
    found = {}
    for name, hand_in in {"whole": HandIn(FORM, links), "bare": None}.items():
        folder: Path = tmp_path_factory.mktemp(name)
        write_report(facts, folder / "report.pdf", hand_in=hand_in)
        found[name] = list(check_report(read_folder(folder)))
    return found


def test_a_whole_report_passes(findings: dict[str, list[Finding]]) -> None:
    assert {one.name: one.found for one in findings["whole"] if one.verdict is not Verdict.PASSED} == {}
    said = {one.name: one.found for one in findings["whole"]}
    assert said["report_form"] == "s1234567 60 %, s7654321 40 %; agreed: yes"
    assert said["report_words"].endswith("words, exactly")


def test_gaps_on_the_cover_fail(findings: dict[str, list[Finding]]) -> None:
    assert {one.name for one in findings["bare"] if one.verdict is Verdict.FAILED} == {"report_links", "report_form"}
