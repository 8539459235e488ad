"""Groups and crossings of a prediction table, and the planted difference among them."""

import numpy as np
import pytest

from agegender.errors import InputError, SettingError
from agegender.evaluation.fairness import fairness_table, measure_fairness


@pytest.fixture(scope="module")
def table(simulated_answers):
    return simulated_answers(600, 4).table


@pytest.fixture(scope="module")
def result(table):
    return measure_fairness(table, model="A", resamples=200)


def test_every_group_and_crossing_is_there_with_its_count(result, table):
    columns = list(dict.fromkeys(group.columns for group in result.groups))
    assert columns == [("age",), ("gender",), ("race",), ("age", "gender"), ("age", "race"), ("gender", "race")]
    for column in ("age", "gender", "race"):
        assert sum(group.n for group in result.by(column)) == len(table)
    black_men = next(group for group in result.by("gender", "race") if group.names == ("male", "Black"))
    assert black_men.label == "male, Black"
    assert black_men.n == ((table["gender"] == "male") & (table["race"] == "Black")).sum()


def test_the_planted_difference_is_found_where_it_is(result):
    crossings = {(group.label, name) for group, name in result.found if group.columns == ("gender", "race")}
    assert ("male, Black", "age bias") in crossings
    black_men = next(group for group in result.by("gender", "race") if group.names == ("male", "Black"))
    bias = black_men.measures["age bias"]
    assert bias.difference.value == pytest.approx(6, abs=1.5)
    assert bias.ratio is None
    assert black_men.median is not None
    assert black_men.median.low <= black_men.median.value <= black_men.median.high


def test_small_groups_have_counts_and_no_figures(result):
    few = [group for group in result.groups if group.few]
    assert few
    assert all(group.n < 30 or group.n > 570 for group in few)
    assert all(not group.measures and group.median is None for group in few)
    assert result.comparisons == sum(len(group.measures) for group in result.groups)


def test_depth_and_columns(table):
    one = measure_fairness(table, by=["race", "gender"], depth=1, resamples=100, permutations=100)
    assert {group.columns for group in one.groups} == {("race",), ("gender",)}
    three = measure_fairness(table, depth=3, resamples=100, permutations=100)
    assert ("age", "gender", "race") in {group.columns for group in three.groups}


def test_a_column_of_one_value_is_compared_with_nobody(table):
    one = measure_fairness(table.assign(camera="x"), by=["camera", "race"], resamples=100, permutations=100)
    assert one.by("camera")[0].few
    assert not one.by("camera", "race"), "the crossing holds the same images as one of its parts"


def test_more_measures(table):
    holds = np.arange(len(table)) % 10 > 0
    found = measure_fairness(table, by=["race"], extra={"interval holds": holds}, resamples=100, permutations=100)
    assert "interval holds" in found.measures
    assert found.by("race")[0].measures["interval holds"].value.value == pytest.approx(
        holds[(table["race"] == "White").to_numpy()].mean()
    )


def test_the_table_has_a_row_a_group_and_measure(result):
    rows = fairness_table(result)
    assert len(rows) == result.comparisons + sum(group.few for group in result.groups)
    line = rows[(rows["group"] == "male, Black") & (rows["measure"] == "age bias")].iloc[0]
    assert line["columns"] == "gender x race"
    assert line["difference_low"] < line["difference"] < line["difference_high"]
    assert line["differs"]


def test_the_same_seed_gives_the_same_figures(table):
    settings = {"by": ["race"], "resamples": 200, "permutations": 500}
    assert measure_fairness(table, **settings) == measure_fairness(table, **settings)


def test_wrong_columns_and_settings_are_refused(table):
    with pytest.raises(InputError, match="camera"):
        measure_fairness(table, by=["camera"])
    with pytest.raises(InputError, match="no rows"):
        measure_fairness(table.iloc[:0])
    with pytest.raises(SettingError, match="1 to 3"):
        measure_fairness(table, depth=4)
    with pytest.raises(SettingError, match="20 images"):
        measure_fairness(table, least=5)
