"""The marking table, line by line, as far as the checks decide it; the rest is for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agegender.brief import MARKING_TABLE
from agegender.hand_in.result import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Basis:
    """What the checks can say of a line of the marking table.

    Attributes:
        checks: Names of the checks without which the line cannot get its marks.
        question: What remains for a person when all of them passed; empty where they decide the line.
    """

    checks: tuple[str, ...]
    question: str = ""


def _of_a_model(model: str, section: int) -> dict[str, Basis]:
    file, contract, start = (f"model_{model}_{what}" for what in ("file", "contract", "start"))
    measured = Basis((file, contract), "Measure it on the 2,000 images: agegender evaluate.")
    strategy = "Read the notebook: are freezing, fine-tuning and the training strategy sound?"
    return {
        f"{model}_network": Basis((file, contract, start, f"step_2{model}"), strategy if model == "B" else ""),
        f"{model}_curves": Basis((f"step_3{model}", f"step_4{model}"), "Look at the four curves: do they part?"),
        f"{model}_explained": Basis(("report_file", f"section_{section}"), "Read it."),
        f"{model}_age": measured,
        f"{model}_gender": measured,
    }


BASES: dict[str, Basis] = {
    "data": Basis(("step_samples", "step_1"), "Look at the pictures: 20 samples with labels, augmentation that helps?"),
    **_of_a_model("A", 2),
    **_of_a_model("B", 3),
    "summary": Basis(("report_file", "section_4"), "Read it."),
    "penalties": Basis(
        (
            *("model_A_file", "model_B_file", "models_differ", "model_records", "notebook_file", "report_file"),
            *("report_links", "report_form", "report_words", "notebook_outputs", "notebook_order", "notebook_errors"),
            *("anonymous_metadata", "anonymous_text"),
        ),
        "Open both links without signing in: do they give the files that are marked?",
    ),
}
"""By key of the marking table."""


def marking_rows(checks: Sequence[Finding]) -> tuple[Finding, ...]:
    """Each line of the marking table with its verdict, in the table's order."""
    by_name = {check.name: check for check in checks}
    rows = []
    for row in MARKING_TABLE:
        marks = f"{row.marks} marks" if row.marks else "lost marks"
        verdict, found, advice = _decided(BASES[row.key], by_name)
        rows.append(Finding(row.key, f"{row.part}: {row.criterion} ({marks})", verdict, found, advice))
    return tuple(rows)


def _decided(basis: Basis, by_name: Mapping[str, Finding]) -> tuple[Verdict, str, str]:
    # A check that was not made, such as a notebook's cells where there is no notebook, fails with what it needs.
    failing = [name for name in basis.checks if name not in by_name or by_name[name].verdict is Verdict.FAILED]
    if failing:
        return Verdict.FAILED, f"fails: {', '.join(failing)}", "See these checks."
    open_questions = [name for name in basis.checks if by_name[name].verdict is Verdict.JUDGE]
    questions = [by_name[name].advice for name in open_questions] + ([basis.question] if basis.question else [])
    if questions:
        good = [name for name in basis.checks if name not in open_questions]
        return Verdict.JUDGE, f"in order: {', '.join(good)}" if good else "nothing decided", " ".join(questions)
    return Verdict.PASSED, f"in order: {', '.join(basis.checks)}", ""
