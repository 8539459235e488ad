"""Each kind of problem finds what was planted, and says what to do about it."""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd
import pytest

from agegender.audit.estimates import Estimates
from agegender.audit.faces import Faces
from agegender.audit.kinds.doubtful_age import DoubtfulAge, robust_z
from agegender.audit.kinds.doubtful_gender import DoubtfulGender
from agegender.audit.kinds.gaps import Gaps, cells
from agegender.audit.kinds.identical import Identical
from agegender.audit.kinds.label_conflict import LabelConflict
from agegender.audit.kinds.leakage import Leakage
from agegender.audit.kinds.near_duplicate import NearDuplicate
from agegender.audit.kinds.quality import Blurred, Dark, Grey, Tiny
from agegender.audit.kinds.unusual import Unusual
from agegender.audit.material import Material, groups_of
from agegender.audit.similar import Pair
from agegender.labels import Gender

MALE, FEMALE = Gender.MALE, Gender.FEMALE


def equal(first: int, second: int) -> Pair:
    return Pair(first, second, True, False, 1.0, 1.0)


def near(first: int, second: int, detail: float = 0.95) -> Pair:
    return Pair(first, second, False, False, 0.99, detail)


def trusted(ages: list[float], female: list[float]) -> Estimates:
    return Estimates(np.arange(len(ages)), np.array(ages), np.array(female), "predictions", trusted=True)


def test_of_copies_the_largest_file_is_kept(drawn_images, dataset_of) -> None:
    faces = Faces(dataset_of(drawn_images[0][:4], sides=[64, 200, 128, 128]))
    material = Material(faces, [equal(0, 2)], [near(0, 1), near(1, 2, 0.9)])
    assert material.groups.tolist() == [0, 0, 0, 3]
    assert material.keepers == {0: 1}
    (identical,) = Identical().find(material)
    assert identical.suggestion == "drop"
    found = NearDuplicate().find(material)
    assert [(one.file, one.other, one.suggestion) for one in found] == [
        ("0000.jpg", "0001.jpg", "drop"), ("0002.jpg", "0001.jpg", "drop"),
    ]  # fmt: skip
    assert found[0].score == pytest.approx(0.95)


def test_groups_close_over_chains() -> None:
    assert groups_of(6, [near(4, 5), near(0, 4), near(2, 3)]).tolist() == [0, 1, 2, 2, 0, 0]


@pytest.mark.parametrize(
    ("ages", "genders", "told", "expected"),
    [
        ([30, 34], [MALE, MALE], None, ["age=32"]),
        ([30, 60], [MALE, MALE], None, ["age=45"]),
        ([30, 60], [MALE, MALE], ([57.0, 59.0], [0.1, 0.1]), ["age=60"]),
        ([30, 60], [MALE, MALE], ([44.0, 46.0], [0.1, 0.1]), ["age=45"]),
        ([30, 30], [MALE, FEMALE], None, ["drop"]),
        ([30, 30], [MALE, FEMALE], ([30.0, 30.0], [0.97, 0.97]), ["gender=female"]),
        ([30, 30], [MALE, FEMALE], ([30.0, 30.0], [0.6, 0.6]), ["drop"]),
        ([30, 32], [MALE, FEMALE], ([30.0, 30.0], [0.97, 0.97]), ["gender=female", "age=31"]),
        ([30, 30], [MALE, MALE], None, []),
    ],
)
def test_conflicting_labels_and_who_settles_them(drawn_images, dataset_of, ages, genders, told, expected) -> None:
    # The first file is the larger one, which is kept.
    faces = Faces(dataset_of(drawn_images[0][:2], ages, genders, sides=[200, 100]))
    estimates = [trusted(*told)] if told else []
    found = LabelConflict().find(Material(faces, [], [near(0, 1)], estimates))
    assert [one.suggestion for one in found] == expected
    assert all(one.file == "0000.jpg" and one.other == "0001.jpg" for one in found)


def test_the_majority_settles_a_gender_and_plain_features_settle_nothing(drawn_images, dataset_of) -> None:
    faces = Faces(dataset_of(drawn_images[0][:3], [30, 30, 30], [MALE, FEMALE, FEMALE], sides=[200, 100, 100]))
    pairs = [near(0, 1), near(0, 2), near(1, 2)]
    found = LabelConflict().find(Material(faces, [], pairs))
    assert {one.suggestion for one in found} == {"gender=female"}
    plain = Estimates(np.arange(2), np.array([59.0, 59.0]), np.array([1.0, 1.0]), "plain features", trusted=False)
    two = Faces(dataset_of(drawn_images[0][:2], [30, 60], [MALE, FEMALE], sides=[200, 100]))
    assert [one.suggestion for one in LabelConflict().find(Material(two, [], [near(0, 1)], [plain]))] == ["drop"]


def test_leakage_names_the_audited_file_and_the_other_one(drawn_images, dataset_of) -> None:
    images = drawn_images[0]
    faces = Faces(dataset_of(images[:3]), dataset_of(images[5:7]))
    (found,) = Leakage().find(Material(faces, [equal(1, 4)], [near(0, 2)]))
    assert (found.file, found.other, found.suggestion) == ("0001.jpg", "0001.jpg", "drop")
    assert Identical().find(Material(faces, [equal(1, 4)], [])) == []


def test_residuals_are_held_against_those_of_similar_estimates() -> None:
    rng = np.random.default_rng(1)
    estimates = np.concatenate([np.full(300, 10.0), np.full(300, 70.0)])
    residuals = np.concatenate([rng.normal(0, 3, 300), rng.normal(2, 12, 300)])
    residuals[0], residuals[300] = 20.0, 22.0
    z = robust_z(residuals, estimates)
    assert z[0] > 5
    assert abs(z[300]) < 3
    assert np.std(z[301:]) == pytest.approx(1, abs=0.15)
    assert np.all(robust_z(np.zeros(60), np.arange(60.0)) == 0)


def test_planted_labels_are_doubted_and_only_trusted_doubts_drop(drawn_images, dataset_of) -> None:
    """2 % of ages moved by 20 years, 2 % of genders flipped, beside answers as a good model gives them."""
    images, ages, genders = drawn_images
    rng = np.random.default_rng(2)
    count = len(ages)
    wrong = round(0.02 * count)
    told = np.array(ages) + rng.normal(0, 4, count)
    written, sexes = list(ages), list(genders)
    moved, swapped = (rng.choice(count, wrong, replace=False).tolist() for _ in range(2))
    sureness = rng.uniform(0.2, 0.48, count)
    sureness[swapped] = 0.485  # confident learning names what an estimate is surer of than it is on average
    female = 0.5 + np.where([gender is FEMALE for gender in genders], sureness, -sureness)
    for row in moved:
        written[row] += 20 if written[row] < 60 else -20
    for row in swapped:
        sexes[row] = MALE if sexes[row] is FEMALE else FEMALE
    faces = Faces(dataset_of(images, written, sexes))
    for is_trusted, suggestions in ((True, {"drop", "look"}), (False, {"look"})):
        estimates = [Estimates(np.arange(count), told, female, "predictions", trusted=is_trusted)]
        aged = DoubtfulAge().find(Material(faces, [], [], estimates))
        named = {int(one.file[:4]) for one in aged}
        assert len(named & set(moved)) >= 0.8 * wrong, "recall"
        assert len(named & set(moved)) >= 0.6 * len(named), "precision"
        assert {one.suggestion for one in aged} <= suggestions
        assert all((one.suggestion == "drop") == (is_trusted and one.score >= 4) for one in aged)
        doubted = DoubtfulGender().find(Material(faces, [], [], estimates))
        assert {one.file for one in doubted} == {f"{row:04d}.jpg" for row in swapped}
        assert {one.suggestion for one in doubted} == ({"drop"} if is_trusted else {"look"})
        assert all("probability" in one.evidence for one in doubted)


def test_poor_pictures_are_found_and_the_others_are_not(drawn_images, dataset_of) -> None:
    images = drawn_images[0][:12].copy()
    images[1] = (images[1] * 0.15).astype(np.uint8)
    images[2] = cv2.GaussianBlur(images[2], (0, 0), 7)
    images[3] = cv2.cvtColor(cv2.cvtColor(images[3], cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    material = Material(Faces(dataset_of(images, sides=[128] * 11 + [40])), [], [])
    for kind, file in ((Dark(), "0001.jpg"), (Blurred(), "0002.jpg"), (Grey(), "0003.jpg"), (Tiny(), "0011.jpg")):
        found = kind.find(material)
        assert [one.file for one in found] == [file], kind.name
        assert found[0].suggestion == "look"


def test_a_picture_of_something_else_is_the_most_unusual(drawn_images, dataset_of) -> None:
    images = drawn_images[0].copy()
    tiles = np.indices((128, 128)).sum(axis=0) // 8 % 2 * 200 + 20
    images[77] = tiles[..., None]
    found = Unusual().find(Material(Faces(dataset_of(images)), [], []))
    assert found
    assert found[0].file == "0077.jpg"
    assert len(found) <= 0.05 * len(images)
    assert Unusual().find(Material(Faces(dataset_of(images[:100])), [], [])) == []


def test_gaps_name_empty_cells_and_heaped_ages(drawn_images, dataset_of) -> None:
    images, ages, genders = drawn_images
    data = dataset_of(images, [5 * round(age / 5) for age in ages], genders)
    found = Gaps().find(Material(Faces(data), [], []))
    assert all(one.file == "" for one in found)
    told = " ".join(one.evidence for one in found)
    assert "end in 0 or 5" in told
    counted = cells(data.table)
    assert sum(count for cell, count in counted.items() if cell.startswith(("male", "female"))) == len(ages)
    for cell, count in counted.items():
        assert (f"of {cell}." in told) == (count < 30)
    assert "end in 0 or 5" not in " ".join(one.evidence for one in Gaps().find(Material(Faces(dataset_of(
        images, ages, genders)), [], [])))  # fmt: skip


def test_groups_of_a_table_are_cells_too() -> None:
    table = pd.DataFrame({"file": list("ab"), "age": [1, 40], "gender": ["male", "female"], "camera": ["old", None]})
    counted = cells(table)
    assert counted["camera old, 0-2 years"] == 1
    assert counted["camera old, 30-49 years"] == 0
    assert not any("nan" in cell or "None" in cell for cell in counted)
