"""The brief's marking table, and what each member of a hand-in gets of a group's mark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agegender.brief.form import MOST_APART, WHOLE
from agegender.errors import SettingError

FULL_MARK = 100.0

GROUP_SHARE = 0.6
"""Of the group's mark, what every member gets; the rest goes by contribution."""

MEMBERS_MOST = 2
"""The brief is for one person or two."""

LATE_SHARE = 0.4
"""Of the full mark, the most that a late hand-in gets."""

LATE_DAYS_MOST = 5.0
"""A hand-in later than this gets nothing."""


@dataclass(frozen=True, slots=True)
class MarkingRow:
    """One line of the marking table.

    Attributes:
        key: Short and unique, such as `A_curves`.
        part: Of the hand-in, as the table names it.
        criterion: What is marked.
        marks: At most; 0 for the line of penalties.
    """

    key: str
    part: str
    criterion: str
    marks: int


def _of_a_model(model: str, network: str, explained: str) -> tuple[MarkingRow, ...]:
    part = f"Model {model}"
    return (
        MarkingRow(f"{model}_network", part, network, 12),
        MarkingRow(f"{model}_curves", part, "learning curves; no significant under- or overfitting", 6),
        MarkingRow(f"{model}_explained", part, explained, 8),
        MarkingRow(f"{model}_age", part, "age MAE on the 2,000 test images", 9),
        MarkingRow(f"{model}_gender", part, "gender accuracy on the 2,000 test images", 9),
    )


MARKING_TABLE: tuple[MarkingRow, ...] = (
    MarkingRow("data", "data", "samples shown with labels; effective augmentation", 4),
    *_of_a_model(
        "A",
        "correct multi-output CNN, maps below 10 x 10 before the first dense layer, right losses and metrics, "
        "techniques against overfitting",
        "architecture, training and hyperparameters explained; discussion from the curves",
    ),
    *_of_a_model(
        "B",
        "multi-output model on an existing CNN; sound freezing, fine-tuning and training strategy; losses, metrics, "
        "overfitting",
        "architecture and transfer learning explained; discussion",
    ),
    MarkingRow("summary", "summary", "comparison, strengths, limits, improvements, real-life insight", 8),
    MarkingRow(
        "penalties",
        "penalties",
        "no missing or outdated file, no wrong or private link (-5 each), no cleared output (-1 each, to -5)",
        0,
    ),
)
"""The lines of the table, in its order; their marks sum to 100."""


@dataclass(frozen=True, slots=True)
class MemberMark:
    """What one member gets.

    Attributes:
        contribution: Of the work, percent.
        exact: The mark before rounding, 0..100.
        mark: Rounded to a whole number, halves up.
    """

    contribution: float
    exact: float
    mark: int


def member_marks(group: float, contributions: Sequence[float], *, days_late: float = 0.0) -> tuple[MemberMark, ...]:
    """Each member's mark: 0.6 x group + 0.4 x members x contribution x group, never above the full mark.

    One person alone, at 100 %, gets the group's mark. Late by any part of a day up to five days: no member gets more
    than 40 % of the full mark. Later: zero.

    Args:
        group: The group's mark, 0..100.
        contributions: Percent of the work, one a member, which sum to 100 and lie at most 70:30 apart.
        days_late: After the deadline, 0 or more.

    Raises:
        SettingError: A value lies outside its range.
    """
    if not 0 <= group <= FULL_MARK:
        raise SettingError(f"The group's mark lies in 0 to {FULL_MARK:g}. Received: {group:g}")
    if not 1 <= len(contributions) <= MEMBERS_MOST:
        raise SettingError(f"One person hands in, or two. Received: {len(contributions)} contributions")
    shown = " ".join(f"{one:g}" for one in contributions)
    if not all(0 < one <= WHOLE for one in contributions) or not math.isclose(math.fsum(contributions), WHOLE):
        raise SettingError(f"Contributions are above 0 and sum to 100. Received: {shown}")
    if max(contributions) - min(contributions) > MOST_APART:
        raise SettingError(f"The most uneven split allowed is 70 30. Received: {shown}")
    if not 0 <= days_late < math.inf:
        raise SettingError(f"Days late are 0 or more. Received: {days_late:g}")
    most = FULL_MARK if days_late == 0 else FULL_MARK * LATE_SHARE if days_late <= LATE_DAYS_MOST else 0.0
    marks = []
    for contribution in contributions:
        by_work = len(contributions) * contribution / WHOLE
        exact = min(most, (GROUP_SHARE + (1 - GROUP_SHARE) * by_work) * group)
        # Nine decimals first, so that 0.1 + 0.2 and the like do not move a half to the wrong side.
        marks.append(MemberMark(contribution, round(exact, 9), math.floor(round(exact, 9) + 0.5)))
    return tuple(marks)
