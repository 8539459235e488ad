"""A prediction table as an age check: rules, groups, sentences on what is not shown."""

import numpy as np
import pytest

from agegender.errors import InputError, SettingError
from agegender.evaluation.thresholds import ESTIMATE, LOWER_END, curve_table, measure_thresholds, summary
from agegender.metrics.thresholds import CHALLENGE_AGES, LEGAL_AGES


@pytest.fixture(scope="module")
def table(simulated_answers):
    return simulated_answers(500, 5).table


@pytest.fixture(scope="module")
def result(table):
    return measure_thresholds(table, model="A", lower_ends=table["predicted_age"] - 5, resamples=200)


def test_every_legal_age_is_measured_by_both_rules(result):
    assert [(part.legal_age, part.rule) for part in result.results] == [
        (legal, rule) for legal in LEGAL_AGES for rule in (ESTIMATE, LOWER_END)
    ]
    assert len(result.of(LOWER_END)) == len(LEGAL_AGES)


def test_rates_are_those_of_the_table(result, table):
    part = next(part for part in result.of(ESTIMATE) if part.legal_age == 18)
    point = next(point for point in part.shown if point.challenge == 25)
    young, old = table[table["age"] < 18], table[table["age"] >= 18]
    assert point.false_positive.errors == (young["predicted_age"] >= 25).sum()
    assert point.false_negative.errors == (old["predicted_age"] < 25).sum()
    assert point.near_false_positive.n == table["age"].between(13, 17).sum()


def test_the_lower_end_is_the_stricter_rule(result):
    for estimate, lower in zip(result.of(ESTIMATE), result.of(LOWER_END), strict=True):
        for first, second in zip(estimate.curve, lower.curve, strict=True):
            assert second.false_positive.errors <= first.false_positive.errors
            assert second.false_negative.errors >= first.false_negative.errors


def test_groups_are_compared_above_the_legal_age_and_sum_to_all(result, table):
    assert [part.group_challenge for part in result.of(LOWER_END)] == list(LEGAL_AGES)
    part = next(part for part in result.of(ESTIMATE) if part.legal_age == 18)
    assert part.group_challenge == 25
    whole = next(point for point in part.shown if point.challenge == 25)
    races = [group for group in part.groups if group.column == "race"]
    assert sum(group.point.false_positive.errors for group in races) == whole.false_positive.errors
    assert {group.column for group in part.groups} == {"gender", "race"}
    other = measure_thresholds(table, legal_ages=[18], challenge_age=21, by=["race"], resamples=100)
    assert [part.group_challenge for part in other.results] == [21]
    assert {group.column for group in other.results[0].groups} == {"race"}


def test_what_the_images_cannot_show_is_said_with_their_numbers(result, table):
    n = int(table["age"].between(13, 17).sum())
    provable = 100 * (1 - 0.05 ** (1 / n))
    assert any(f"{n} of 13 to 17 years" in text and f"{provable:.1f} %" in text for text in result.limits)
    assert any("299 people" in text for text in result.limits)
    assert any("estimated from looks" in text for text in result.limits)
    drawn = measure_thresholds(table[table["age"] > 20], legal_ages=[18], drawn=True, resamples=100)
    assert any("Nobody of 13 to 17" in text for text in drawn.limits)
    assert any("drawn faces" in text for text in drawn.limits)


def test_a_row_a_challenge_age_for_csv(result):
    rows = curve_table(result)
    assert len(rows) == len(result.results) * len(CHALLENGE_AGES)
    line = rows.query("legal_age == 18 and rule == 'estimate' and challenge_age == 25").iloc[0]
    part = next(part for part in result.of(ESTIMATE) if part.legal_age == 18)
    point = next(point for point in part.shown if point.challenge == 25)
    assert line["false_positive_errors"] == point.false_positive.errors
    assert point.false_positive.interval is not None
    assert line["false_positive_high"] == pytest.approx(point.false_positive.interval.high)


def test_a_summary_has_everything_but_the_curves(result):
    content = summary(result)
    assert content["bands"][0]["name"] == "0-2"
    assert [set(part) for part in content["results"]] == [
        {"legal_age", "rule", "shown", "safe", "group_challenge", "groups"} for _ in result.results
    ]


def test_wrong_columns_and_settings_are_refused(table):
    with pytest.raises(InputError, match="camera"):
        measure_thresholds(table, by=["camera"])
    with pytest.raises(InputError, match="no rows"):
        measure_thresholds(table.iloc[:0])
    with pytest.raises(SettingError, match="between 0 and 1"):
        measure_thresholds(table, bounds=[5])
    with pytest.raises(SettingError, match="legal age"):
        measure_thresholds(table, legal_ages=[])
    with pytest.raises(ValueError, match="length"):
        measure_thresholds(table, lower_ends=np.zeros(3))
