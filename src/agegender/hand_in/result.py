"""What a check of a hand-in gives: one schema for every check and for every line of the marking table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "pass"
    FAILED = "fail"
    JUDGE = "a person must judge"


@dataclass(frozen=True, slots=True)
class Finding:
    """One criterion, held against one hand-in.

    Attributes:
        name: Short and unique, such as `notebook_outputs`.
        criterion: What is asked.
        verdict: Whether it is so.
        found: What was seen.
        advice: What to do; empty where it passed.
    """

    name: str
    criterion: str
    verdict: Verdict
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class HandInReport:
    """What was found in a folder.

    Attributes:
        folder: Which.
        checks: Each thing that was looked at, in order.
        marking: Each line of the marking table, decided by the checks that it rests on.
    """

    folder: Path
    checks: tuple[Finding, ...]
    marking: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.verdict is Verdict.FAILED)

    @property
    def passed(self) -> bool:
        """Whether no check failed; a person may still have to judge some."""
        return not self.failed

    def as_json(self) -> dict[str, Any]:
        """The report for a file or a pipe."""
        return {
            "folder": str(self.folder),
            "passed": self.passed,
            "checks": [asdict(check) for check in self.checks],
            "marking": [asdict(row) for row in self.marking],
        }
