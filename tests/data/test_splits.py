"""Splits: disjoint, grouped, alike in age and gender, the same for a seed whatever the order of the table."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agegender.data.splits import Split, load_split, make_folds, make_split, save_split, train_on_all
from agegender.errors import InputError, SettingError

Case = tuple[pd.DataFrame, NDArray[np.int64]]


def faces(ages: Any, genders: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "file": [f"{i:05d}.jpg" for i in range(len(ages))],
            "age": np.asarray(ages, dtype=np.int16),
            "gender": pd.Categorical(genders, categories=["male", "female"]),
        }
    )


def many_faces(count: int, *, seed: int) -> Case:
    """Ages heaped on one year as in UTKFace, more males than females, one file in twenty in a pair."""
    rng = np.random.default_rng(seed)
    ages = np.where(rng.random(count) < 0.1, 26, rng.gamma(4, 8, count).clip(0, 116)).astype(int)
    genders = np.where(rng.random(count) < 0.6, "male", "female")
    groups = np.arange(count)
    copies, originals = rng.permutation(count)[: count // 20 * 2].reshape(2, -1)
    groups[copies] = groups[originals]
    ages[copies], genders[copies] = (ages[originals] + 2).clip(0, 116), genders[originals]
    return faces(ages, genders), groups


@st.composite
def cases(draw: st.DrawFn) -> Case:
    count = draw(st.integers(2, 60))
    ages = draw(st.lists(st.integers(0, 116), min_size=count, max_size=count))
    genders = draw(st.lists(st.sampled_from(["male", "female"]), min_size=count, max_size=count))
    groups = draw(st.lists(st.integers(0, count), min_size=count, max_size=count))
    if len(set(groups)) == 1:
        groups[0] += 1
    return faces(ages, genders), np.array(groups)


def groups_of(files: tuple[str, ...], table: pd.DataFrame, groups: NDArray[np.int64]) -> set[int]:
    return set(pd.Series(groups, index=table["file"]).loc[list(files)].tolist())


@settings(max_examples=60, deadline=None)
@given(cases(), st.floats(0.05, 0.95), st.integers(0, 2**32))
def test_a_split_is_a_grouped_partition_that_meets_its_fraction(case: Case, fraction: float, seed: int):
    table, groups = case
    split = make_split(table, groups, validation_fraction=fraction, seed=seed)
    assert sorted((*split.train, *split.validation)) == table["file"].tolist()
    train, validation = (groups_of(side, table, groups) for side in (split.train, split.validation))
    assert train
    assert validation
    assert not train & validation
    largest = max(Counter(groups.tolist()).values())
    off = abs(len(split.validation) - fraction * len(table))
    assert off <= largest / 2 + 0.5 or min(len(train), len(validation)) == 1


@settings(max_examples=60, deadline=None)
@given(cases(), st.integers(2, 12), st.integers(0, 2**32))
def test_folds_validate_on_every_file_once_and_never_part_a_group(case: Case, folds: int, seed: int):
    table, groups = case
    folds = min(folds, len(set(groups.tolist())))
    splits = make_folds(table, groups, folds=folds, seed=seed)
    assert sorted(file for split in splits for file in split.validation) == table["file"].tolist()
    for split in splits:
        assert split.validation
        assert sorted((*split.train, *split.validation)) == table["file"].tolist()
        assert not groups_of(split.train, table, groups) & groups_of(split.validation, table, groups)


@settings(max_examples=40, deadline=None)
@given(cases(), st.randoms(use_true_random=False), st.integers(0, 100))
def test_the_order_of_rows_and_the_numbers_of_groups_do_not_matter(case: Case, random: Any, seed: int):
    table, groups = case
    order = list(range(len(table)))
    random.shuffle(order)
    numbers = list(range(groups.max() + 1))
    random.shuffle(numbers)
    moved, renamed = table.iloc[order], np.array(numbers)[groups[order]]
    assert make_split(moved, renamed, seed=seed) == make_split(table, groups, seed=seed)
    assert make_folds(moved, renamed, folds=2, seed=seed) == make_folds(table, groups, folds=2, seed=seed)


def test_both_sides_are_alike_in_age_and_gender():
    table, groups = many_faces(2000, seed=1)
    female = (table["gender"] == "female").to_numpy()
    age = table["age"].to_numpy()
    band = np.digitize(age, [3, 10, 18, 30, 50, 65, 80])
    for seed in range(10):
        split = make_split(table, groups, seed=seed)
        validates = table["file"].isin(split.validation).to_numpy()
        assert abs(validates.sum() - 400) <= 1
        assert abs(validates[female].sum() - 0.2 * female.sum()) <= 3
        # Over seeds, this difference has a standard deviation of 0.9 years in a plain random split.
        assert abs(age[validates].mean() - age[~validates].mean()) < 0.5
        for number in range(8):
            here = band == number
            assert abs(validates[here].sum() - 0.2 * here.sum()) <= 5


def test_folds_are_alike_in_size_age_and_gender():
    table, groups = many_faces(2000, seed=2)
    table = table.set_index("file", drop=False)
    splits = make_folds(table, groups, folds=5, seed=3)
    assert {len(split.validation) for split in splits} <= {399, 400, 401}
    sides = [table.loc[list(split.validation)] for split in splits]
    means = [side["age"].mean() for side in sides]
    shares = [(side["gender"] == "female").mean() for side in sides]
    assert max(means) - min(means) < 0.6  # years; about 1.9 in plain random folds
    assert max(shares) - min(shares) < 0.01
    assert [split.name for split in splits][:2] == ["fold-1-of-5", "fold-2-of-5"]


def test_a_seed_fixes_a_split_and_another_changes_it():
    table, groups = many_faces(300, seed=4)
    assert make_split(table, groups, seed=7) == make_split(table, groups, seed=7)
    assert len({make_split(table, groups, seed=seed).validation for seed in range(20)}) == 20
    assert len({make_folds(table, groups, folds=3, seed=seed)[0].validation for seed in range(20)}) == 20


@pytest.mark.parametrize(("males", "females", "sizes"), [(5, 5, {2}), (4, 3, {1, 2})])
def test_a_few_faces_give_a_fifth_to_validation_and_each_has_the_same_chance(males: int, females: int, sizes: set[int]):
    count = males + females
    table = faces(np.linspace(0, 116, count), ["male"] * males + ["female"] * females)
    chosen: Counter[str] = Counter()
    for seed in range(200):
        validation = make_split(table, None, seed=seed).validation
        assert len(validation) in sizes
        chosen.update(validation)
    # Binomial(200, 0.2): mean 40, standard deviation 6.
    assert set(chosen) == set(table["file"])
    assert all(abs(times - 40) < 23 for times in chosen.values())


def test_two_files_and_one_large_group_still_give_two_sides():
    pair = make_split(faces([20, 30], ["male", "male"]), None, seed=0)
    assert len(pair.train) == len(pair.validation) == 1
    groups = np.array([0] * 90 + [1])
    lopsided = make_split(faces([30] * 91, ["female"] * 91), groups, seed=0)
    assert lopsided.validation == ("00090.jpg",)
    eager = make_split(faces([20, 30], ["male", "male"]), None, validation_fraction=0.99, seed=0)
    assert len(eager.train) == 1


def test_counts_by_stratum_are_those_of_the_files():
    table = faces([1, 1, 40, 40, 40, 40, 85], ["male", "male", "female", "female", "female", "female", "male"])
    split = make_split(table, np.array([0, 1, 2, 3, 4, 4, 5]), validation_fraction=0.5, seed=1)
    strata = {(row["gender"], row["ages"]): row for row in split.made_from["strata"]}
    assert list(strata) == [("male", "0-2"), ("male", "80-116"), ("female", "30-49")]
    by_file = table.set_index("file")
    for side in ("train", "validation"):
        rows = by_file.loc[list(getattr(split, side))]
        counted = {key: row[side] for key, row in strata.items()}
        assert counted["male", "0-2"] == (rows["age"] == 1).sum()
        assert counted["female", "30-49"] == (rows["gender"] == "female").sum()
        assert split.made_from["sides"][side]["files"] == len(rows)
        assert split.made_from["sides"][side]["mean_age_years"] == pytest.approx(rows["age"].mean(), abs=1e-4)
    assert (split.made_from["files"], split.made_from["groups"]) == (7, 6)
    assert split.made_from["files_with_near_duplicates"] == 2


def test_training_on_all_leaves_validation_empty():
    table, groups = many_faces(50, seed=5)
    split = train_on_all(table, groups, 3)
    assert split.train == tuple(table["file"])
    assert split.validation == ()
    assert split.made_from["sides"]["validation"] == {"files": 0, "mean_age_years": None, "female_share": None}


@pytest.mark.parametrize("kind", ["holdout", "fold", "all"])
def test_a_saved_split_comes_back_equal(tmp_path: Path, kind: str):
    table, groups = many_faces(80, seed=6)
    split = {
        "holdout": lambda: make_split(table, groups, seed=1),
        "fold": lambda: make_folds(table, groups, folds=4, seed=1)[2],
        "all": lambda: train_on_all(table, groups, 1),
    }[kind]()
    path = save_split(split, tmp_path / "deep" / "split.json")
    assert load_split(path, table.sample(frac=1, random_state=1)) == split
    first = path.read_bytes()
    assert save_split(split, path).read_bytes() == first


def test_loading_against_other_files_says_how_many_differ_and_what_to_do(tmp_path: Path):
    table, groups = many_faces(30, seed=7)
    path = save_split(make_split(table, groups, seed=1), tmp_path / "split.json")
    with pytest.raises(InputError, match=r"2 of its 30 files are not in the data \(00000.jpg, 00001.jpg\).*new split"):
        load_split(path, table.iloc[2:])
    more = pd.concat([table, faces([1], ["male"]).assign(file="new.jpg")], ignore_index=True)
    with pytest.raises(InputError, match=r"1 of the data's 31 files are not in it \(new.jpg\)"):
        load_split(path, more)
    with pytest.raises(InputError, match=r"5 of its 30 .*\.\.\.\) and 1 of the data's 26 "):
        load_split(path, more.iloc[5:])


def damaged_splits() -> dict[str, str]:
    sound = {
        "format": "agegender split", "version": 1, "name": "holdout", "seed": 1,
        "train": ["a", "b"], "validation": ["c"], "made_from": {},
    }  # fmt: skip
    return {
        "cannot be read": json.dumps(sound)[:40],
        "is not a split": "[1, 2]",
        "format version 9": json.dumps({**sound, "version": 9}),
        "lacks a part": json.dumps({**sound, "train": [1, 2]}),
        "names 1 files more than once": json.dumps({**sound, "validation": ["b"]}),
        "no files to train on": json.dumps({**sound, "train": [], "validation": ["a", "b", "c"]}),
    }


@pytest.mark.parametrize("message", list(damaged_splits()))
def test_a_damaged_split_file_is_refused(tmp_path: Path, message: str):
    path = tmp_path / "split.json"
    path.write_text(damaged_splits()[message])
    with pytest.raises(InputError, match=message):
        load_split(path, faces([1], ["male"]))


def test_an_absent_split_file_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="There is no split at"):
        load_split(tmp_path / "none.json", faces([1], ["male"]))


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_a_fraction_that_makes_no_split_is_refused(fraction: float):
    with pytest.raises(SettingError, match="between 0 and 1"):
        make_split(faces([1, 2], ["male"] * 2), None, validation_fraction=fraction, seed=0)


def test_requests_that_cannot_be_met_are_refused():
    table = faces([20, 30, 40], ["male", "female", "male"])
    with pytest.raises(SettingError, match="at least 2 folds"):
        make_folds(table, None, folds=1, seed=0)
    with pytest.raises(SettingError, match="A seed is"):
        make_split(table, None, seed=-1)
    with pytest.raises(InputError, match=r"Only 2 of the 3 files differ.*at least 3"):
        make_folds(table, [0, 1, 1], folds=3, seed=0)
    with pytest.raises(InputError, match="Only 1 of the 3"):
        make_split(table, [5, 5, 5], seed=0)
    with pytest.raises(InputError, match="one number a file"):
        make_split(table, [0, 1], seed=0)
    with pytest.raises(InputError, match="Missing: gender"):
        make_split(table.drop(columns="gender"), None, seed=0)
    with pytest.raises(InputError, match="no files"):
        train_on_all(table.iloc[:0], None, 0)
    with pytest.raises(InputError, match="some are missing"):
        make_split(table.assign(gender=pd.Categorical(["male", None, "female"])), None, seed=0)
    with pytest.raises(InputError, match="1 repeated"):
        make_split(table.assign(file=["a", "a", "b"]), None, seed=0)


def test_a_split_cannot_be_changed():
    split: Any = Split("x", 1, ("a",), ())
    with pytest.raises(AttributeError):
        split.seed = 2
