"""The marking table sums to 100; members' marks are the brief's, in time and late."""

from __future__ import annotations

import pytest

from agegender.brief import MARKING_TABLE, member_marks
from agegender.errors import SettingError


def test_the_table_sums_to_100_and_its_keys_are_unique() -> None:
    assert sum(row.marks for row in MARKING_TABLE) == 100
    assert len({row.key for row in MARKING_TABLE}) == len(MARKING_TABLE)
    for model in "AB":
        assert sum(row.marks for row in MARKING_TABLE if row.part == f"Model {model}") == 44


@pytest.mark.parametrize(
    ("group", "contributions", "expected"),
    [
        (72, (60, 40), (78, 66)),
        (72, (100,), (72,)),
        (72, (50, 50), (72, 72)),
        (50, (70, 30), (58, 42)),
        (100, (70, 30), (100, 84)),  # 116 by the formula: nobody gets more than the full mark
        (62.5, (50, 50), (63, 63)),  # halves up
        (0, (60, 40), (0, 0)),
    ],
)
def test_marks_in_time(group: float, contributions: tuple[float, ...], expected: tuple[int, ...]) -> None:
    assert tuple(one.mark for one in member_marks(group, contributions)) == expected


@pytest.mark.parametrize(
    ("days", "expected"), [(0.5, (40, 40)), (1, (40, 40)), (5, (40, 40)), (5.1, (0, 0)), (30, (0, 0))]
)
def test_late_marks_are_at_most_40_and_then_nothing(days: float, expected: tuple[int, int]) -> None:
    assert tuple(one.mark for one in member_marks(72, (60, 40), days_late=days)) == expected


def test_a_late_mark_below_the_cap_stays() -> None:
    assert [one.exact for one in member_marks(30, (60, 40), days_late=2)] == [32.4, 27.6]


@pytest.mark.parametrize(
    ("group", "contributions", "days", "said"),
    [
        (101, (100,), 0, "0 to 100"),
        (float("nan"), (100,), 0, "0 to 100"),
        (72, (), 0, "One person hands in, or two"),
        (72, (40, 30, 30), 0, "One person hands in, or two"),
        (72, (50, 40), 0, "sum to 100"),
        (72, (80, 20), 0, "70 30"),
        (72, (130, -30), 0, "above 0"),
        (72, (60, 40), -1, "0 or more"),
        (72, (60, 40), float("inf"), "0 or more"),
    ],
)
def test_what_makes_no_sense_is_refused(group: float, contributions: tuple[float, ...], days: float, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        member_marks(group, contributions, days_late=days)
