"""One suite that every model passes: fresh, trained and shipped, loaded by a process without this package."""

from __future__ import annotations

import numpy as np
import pytest

from agegender.models.contract import TERMS, ContractReport, Outcome

pytestmark = pytest.mark.timeout(1200)  # the first test waits for four models to be built, trained and loaded


@pytest.mark.parametrize("term", TERMS)
def test_model_keeps(contract_model: str, term: str, contract_reports: dict[str, ContractReport]) -> None:
    check = {check.name: check for check in contract_reports[contract_model].checks}[term]
    assert check.outcome is Outcome.PASSED, f"{check.found}. Expected: {check.expected}. {check.advice}"


def test_every_term_is_checked_once(contract_reports: dict[str, ContractReport]) -> None:
    for report in contract_reports.values():
        assert [check.name for check in report.checks] == list(TERMS)
        assert report.passed


def test_answers_come_back_for_every_image(contract_reports: dict[str, ContractReport]) -> None:
    for report in contract_reports.values():
        assert report.answers["age"].shape == report.answers["gender"].shape == (333,)
        assert np.ptp(report.answers["age"]) > 0.1, "the answer does not depend on the image"
