"""File names in, labels or a reason out."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agegender.data.names import FaceLabels, is_image_name, parse_name
from agegender.errors import ImageError
from agegender.labels import Gender, Race


@pytest.mark.parametrize("ending", [".jpg", ".jpg.chip.jpg", ".JPG", ".JPG.CHIP.JPG", ".jpeg", ".Png", ".webp", ""])
def test_a_plain_name_gives_all_labels_whatever_the_ending(ending: str) -> None:
    assert parse_name(f"26_1_2_20170116174525125{ending}") == FaceLabels(
        age=26, gender=Gender.FEMALE, race=Race.ASIAN, taken="20170116174525125"
    )


def test_folders_before_the_name_do_not_matter() -> None:
    assert parse_name("part_1/9_9_9/0_0_0_20170116174525125.jpg").age == 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        # the malformed names of the public release
        ("39_1_20170116174525125.jpg.chip.jpg", "bad_name"),
        ("61_1_20170109142408075.jpg.chip.jpg", "bad_name"),
        ("61_1_20170109150557335.jpg.chip.jpg", "bad_name"),
        ("53__0_20170116184028385.jpg.chip.jpg", "bad_name"),
        ("61_3_20170109150557335.jpg.chip.jpg", "bad_gender"),
        # and what users bring
        ("26_3_2_20170116174525125.jpg", "bad_gender"),
        ("26_m_2_20170116174525125.jpg", "bad_gender"),
        ("26_-1_2_20170116174525125.jpg", "bad_gender"),
        ("200_0_1_20170116174525125.jpg", "age_out_of_range"),
        ("117_0_1_20170116174525125.jpg", "age_out_of_range"),
        ("-1_0_1_20170116174525125.jpg", "age_out_of_range"),
        ("26_20170116174525125.jpg", "bad_name"),
        ("26_0_20170116174525125_1.jpg", "bad_name"),
        ("26_20170116174525125_0_1.jpg", "bad_name"),
        ("_0_1_20170116174525125.jpg", "bad_name"),
        ("2.5_0_1_20170116174525125.jpg", "bad_name"),
        ("٢٦_0_1_20170116174525125.jpg", "bad_name"),
        ("99999999999_0_1_20170116174525125.jpg", "bad_name"),
        ("IMG_0001.jpg", "bad_name"),
        ("holiday.jpg", "bad_name"),
        ("26_0.jpg", "bad_name"),
        (".jpg", "bad_name"),
        ("", "bad_name"),
    ],
)
def test_an_unusable_name_has_its_reason(name: str, reason: str) -> None:
    with pytest.raises(ImageError) as caught:
        parse_name(name)
    assert caught.value.reason == reason
    assert caught.value.detail


@pytest.mark.parametrize("race", ["", "5", "x", "-1", "07"])
def test_a_malformed_race_leaves_the_name_usable(race: str) -> None:
    labels = parse_name(f"44_1_{race}_20170116235150272.jpg.chip.jpg")
    assert (labels.age, labels.gender, labels.race) == (44, Gender.FEMALE, None)


@pytest.mark.parametrize("last", ["", "a", "1", "20170116_2", "20170116174525125 (1)"])
def test_a_last_field_that_is_no_date_leaves_the_name_usable(last: str) -> None:
    assert parse_name(f"44_1_4_{last}.jpg").taken is None


@pytest.mark.parametrize("age", [0, 116])
def test_the_bounds_of_age_are_inside(age: int) -> None:
    assert parse_name(f"{age}_0_0_20170116235150272.jpg").age == age


@given(st.integers(0, 116), st.sampled_from(Gender), st.integers(0, 4), st.text(string.digits, min_size=8, max_size=18))
def test_every_well_formed_name_is_read_back(age: int, gender: Gender, race: int, taken: str) -> None:
    labels = parse_name(f"{age}_{gender.code}_{race}_{taken}.jpg.chip.jpg")
    assert labels == FaceLabels(age, gender, Race.from_code(race), taken)


@given(st.text(string.digits + "_-.jpg", max_size=40))
def test_any_text_gives_sound_labels_or_an_image_error(name: str) -> None:
    try:
        outcome = parse_name(name).age
    except ImageError as error:
        outcome = error.reason
    assert outcome in {"bad_name", "bad_gender", "age_out_of_range", *range(117)}


def test_what_counts_as_an_image() -> None:
    assert all(is_image_name(name) for name in ("a.jpg", "a.JPEG", "a.Png", "a.webp", "a.jpg.chip.jpg"))
    assert not any(is_image_name(name) for name in ("a.gif", "a.txt", "jpg", "a.jpg.part", ""))
