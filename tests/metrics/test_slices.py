"""Slices: which rows, in which order, how many, and which are too few."""

import numpy as np
import pandas as pd
import pytest

from agegender.metrics.slices import NOT_STATED, ROWS_MIN, slices_by_band, slices_by_value


def rows(slices):
    return {part.name: part.rows.tolist() for part in slices}


def test_values_make_slices_that_hold_every_row_once():
    values = np.array(["b", "a", None, "b", np.nan, "c"], dtype=object)
    slices = slices_by_value("race", values)
    assert rows(slices) == {"a": [1], "b": [0, 3], "c": [5], NOT_STATED: [2, 4]}
    assert [part.name for part in slices] == ["a", "b", "c", NOT_STATED]
    assert {part.column for part in slices} == {"race"}


def test_a_given_order_comes_first_and_absent_names_are_skipped():
    slices = slices_by_value("race", ["x", "White", "Black"], order=["White", "Asian", "Black"])
    assert [part.name for part in slices] == ["White", "Black", "x"]


def test_missing_values_of_pandas_count_as_not_stated():
    values = pd.Series(["a", pd.NA, None], dtype="string").to_numpy(object)
    assert rows(slices_by_value("camera", values)) == {"a": [0], NOT_STATED: [1, 2]}


def test_bands_hold_their_bounds():
    slices = slices_by_band("age", [0, 2, 3, 29, 29.9, 30, 116])
    assert rows(slices) == {"0-2": [0, 1], "3-9": [2], "18-29": [3, 4], "30-49": [5], "80-116": [6]}


def test_own_bands():
    assert rows(slices_by_band("width", [10, 60], [(0, 49), (50, 99)])) == {"0-49": [0], "50-99": [1]}


@pytest.mark.parametrize(("value", "bands"), [(117, [(0, 116)]), (5, [(0, 9), (5, 20)])], ids=["none", "two"])
def test_a_value_in_no_band_or_in_two_is_refused(value, bands):
    with pytest.raises(ValueError, match="exactly one"):
        slices_by_band("age", [1.0, value], bands)


def test_small_slices_are_marked():
    values = ["many"] * ROWS_MIN + ["few"] * (ROWS_MIN - 1)
    assert {part.name: part.few for part in slices_by_value("group", values)} == {"many": False, "few": True}
    assert not slices_by_band("age", [5], rows_min=1)[0].few
