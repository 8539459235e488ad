"""What an audit says about one image: the one schema of all kinds of problems, as a table and as corrections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import pandas as pd

from agegender.data.corrections import AGE, DROP, GENDER, LOOK, Correction


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of one image.

    Attributes:
        file: As the data set names it; empty where the problem is the data set's as a whole.
        problem: The name of the kind of problem.
        score: How strong, in the kind's own unit, see its `score_means`.
        evidence: One sentence that a person can check.
        suggestion: `drop`, `age=37`, `gender=female` or `look`: what `corrections.csv` will say.
        other: The other file of a pair, which stands in the other data set if the problem is `leakage`; else empty.
    """

    file: str
    problem: str
    score: float
    evidence: str
    suggestion: str = LOOK
    other: str = ""

    @property
    def correction(self) -> Correction:
        """The row of `corrections.csv`."""
        action, _, value = self.suggestion.partition("=")
        beside = f" ({self.other})" if self.other else ""
        return Correction(self.file, action, value, f"{self.problem}{beside}: {self.evidence}")


COLUMNS = tuple(field.name for field in fields(Finding))


def findings_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """One row a finding, in order: the columns of `Finding`."""
    rows = [tuple(getattr(finding, name) for name in COLUMNS) for finding in findings]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({name: (float if name == "score" else str) for name in COLUMNS})


def corrections_of(findings: Sequence[Finding]) -> list[Correction]:
    """The rows of `corrections.csv`: for each file the strongest suggestions, sorted by file.

    A drop makes all else about a file idle; of two values for one label the first finding's counts. `look` is kept
    only where nothing else is said, once a file, with the reasons joined. Findings about no file give no row.
    """
    by_file: dict[str, list[Correction]] = {}
    for finding in findings:
        if finding.file:
            by_file.setdefault(finding.file, []).append(finding.correction)
    chosen: list[Correction] = []
    for _, rows in sorted(by_file.items()):
        drops = [row for row in rows if row.action == DROP]
        values = [next((row for row in rows if row.action == action), None) for action in (AGE, GENDER)]
        if drops:
            chosen.append(drops[0])
        elif any(values):
            chosen += [row for row in values if row is not None]
        else:
            reasons = "; ".join(dict.fromkeys(row.reason for row in rows))
            chosen.append(Correction(rows[0].file, LOOK, "", reasons))
    return chosen
