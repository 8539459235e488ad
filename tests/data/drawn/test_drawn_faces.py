"""Single drawn faces: determinism, colours, and age and gender that can be seen."""

import cv2
import numpy as np
import pytest

from agegender.data.drawn import DrawnLabels, LabelNoise, draw_face, file_name, render, sample_traits
from agegender.data.drawn.faces import sample_person
from agegender.data.drawn.scene import Camera, Light, Pose, Scene
from agegender.errors import SettingError
from agegender.labels import Gender, Race

PLAIN = Scene(
    pose=Pose(scale=58.0, shift=(0.0, 0.0), tilt=0.0, yaw=0.0, nod=0.0),
    light=Light(direction=(0.0, 0.0, 1.0), contrast=0.0, gains=(1.0, 1.0, 1.0)),
    camera=Camera(exposure=1.0, gamma=1.0, saturation=1.0, blur_px=0.0, noise=0.0, detail=1.0, vignette=0.0),
    background=(np.full(3, 128, np.float32), np.full(3, 128, np.float32)),
    lamps=0,
)


def plain_face(age: int, gender: Gender, number: int) -> np.ndarray:
    """A frontal face in even light without noise: what remains is the person."""
    rng = np.random.default_rng([77, age, gender.code, number])
    return render(sample_traits(age, gender, rng), PLAIN, rng)


def plain_faces(age: int, number: int = 12) -> np.ndarray:
    return np.stack([plain_face(age, gender, i) for gender in Gender for i in range(number // 2)])


@pytest.fixture(scope="module")
def faces() -> tuple[np.ndarray, list[DrawnLabels]]:
    drawn = [draw_face(index, 11) for index in range(150)]
    return np.stack([image for image, _ in drawn]), [labels for _, labels in drawn]


def test_the_same_number_and_seed_give_the_same_face(faces: tuple[np.ndarray, list[DrawnLabels]]) -> None:
    image, labels = draw_face(7, 11)
    assert image.dtype == np.uint8
    assert image.shape == (128, 128, 3)
    np.testing.assert_array_equal(image, faces[0][7])
    assert labels == faces[1][7]


def test_other_seeds_and_numbers_give_other_faces(faces: tuple[np.ndarray, list[DrawnLabels]]) -> None:
    images = [draw_face(0, 11)[0], draw_face(0, 12)[0], draw_face(1, 11)[0], draw_face(11, 0)[0]]
    for first in range(len(images)):
        for second in range(first):
            assert np.abs(images[first].astype(int) - images[second]).mean() > 5
    assert len({image.tobytes() for image in faces[0]}) == len(faces[0])


def test_label_noise_never_touches_the_picture() -> None:
    clean, truth = draw_face(3, 5, LabelNoise(0.0, 0.0))
    noisy, wrong = draw_face(3, 5, LabelNoise(30.0, 1.0))
    np.testing.assert_array_equal(clean, noisy)
    assert (truth.age, truth.gender) == (truth.true_age, truth.true_gender)
    assert (wrong.true_age, wrong.true_gender) == (truth.true_age, truth.true_gender)
    assert wrong.gender is not wrong.true_gender
    assert wrong.age != wrong.true_age


def test_the_found_noise_is_the_stated_one() -> None:
    noise = LabelNoise(age_sd_years=2.0, gender_flip_probability=0.1)
    labels = [sample_person(np.random.default_rng([8, number]), noise)[1] for number in range(2000)]
    assert np.mean([one.gender is not one.true_gender for one in labels]) == pytest.approx(0.1, abs=0.022)
    errors = [one.age - one.true_age for one in labels if one.true_age > 8]
    assert np.std(errors) == pytest.approx(np.hypot(2.0, 12**-0.5), abs=0.12)  # rounding adds a twelfth
    assert np.mean(errors) == pytest.approx(0.0, abs=0.16)


def test_centres_are_redder_than_blue(faces: tuple[np.ndarray, list[DrawnLabels]]) -> None:
    # the models' detector of the channel order rests on this, as it does on real skin
    centres = faces[0][:, 32:96, 32:96].mean(axis=(1, 2))
    assert np.mean(centres[:, 0] > centres[:, 2] + 3) > 0.97


def test_pictures_are_well_exposed(faces: tuple[np.ndarray, list[DrawnLabels]]) -> None:
    levels = faces[0].mean(axis=(1, 2, 3))
    assert 80 < levels.mean() < 160
    assert levels.min() > 25
    assert levels.max() < 235
    assert np.mean(faces[0] == 255) < 0.02


def test_both_genders_and_all_groups_occur_and_ages_look_like_utkface(
    faces: tuple[np.ndarray, list[DrawnLabels]],
) -> None:
    labels = faces[1]
    ages = np.array([label.true_age for label in labels])
    assert 0.38 < np.mean([label.true_gender is Gender.FEMALE for label in labels]) < 0.62
    assert {label.race for label in labels} == set(Race)
    assert 0.35 < np.mean((ages >= 20) & (ages < 40)) < 0.65
    assert np.mean(ages < 10) > 0.05
    assert ages.max() > 65


def test_names_hold_the_written_labels_and_a_date_of_their_own(
    faces: tuple[np.ndarray, list[DrawnLabels]],
) -> None:
    names = [file_name(labels, index, 11) for index, labels in enumerate(faces[1])]
    dates = set()
    for name, labels in zip(names, faces[1], strict=True):
        age, gender, race, date = name.removesuffix(".jpg").split("_")
        assert (int(age), Gender.from_code(int(gender))) == (labels.age, labels.gender)
        assert Race.from_code(int(race)) is labels.race
        assert len(date) == 17
        assert date.isdigit()
        dates.add(date)
    assert len(dates) == len(names)


def fine_detail(images: np.ndarray) -> float:
    """Mean strength of fine lines on forehead and cheeks, grey levels."""
    found = []
    for image in images:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        detail = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 2.0))
        found.append(np.median(detail[36:54, 44:84]) + np.median(detail[76:98, 34:94]))
    return float(np.mean(found))


def test_wrinkles_grow_with_age() -> None:
    young, middle, old = (fine_detail(plain_faces(age)) for age in (22, 52, 82))
    assert young * 1.2 < middle
    assert middle * 1.15 < old


def test_hair_turns_grey() -> None:
    def brightness(age: int) -> float:
        return float(plain_faces(age)[:, 4:14, 50:78].mean())

    assert brightness(82) > brightness(30) + 35


def test_eyes_rise_in_the_face_as_children_grow() -> None:
    def eye_height(age: int) -> float:
        dark = 255.0 - plain_faces(age)[:, 56:92, 36:92].astype(np.float32).mean(axis=3)
        rows = np.clip(dark - np.median(dark, axis=(1, 2), keepdims=True) - 40, 0, None).sum(axis=2).mean(axis=0)
        return float((rows * np.arange(56, 92)).sum() / rows.sum())

    # the baby's mouth and nose are fainter than its eyes, so the centre of darkness follows the eyes
    assert eye_height(1) > eye_height(25) + 3


def test_proportions_follow_age() -> None:
    def shape(age: int, name: str) -> float:
        rng = np.random.default_rng(5)
        return float(np.mean([getattr(sample_traits(age, Gender.MALE, rng).shape, name) for _ in range(40)]))

    assert shape(1, "eye_y") > shape(6, "eye_y") > shape(30, "eye_y")
    assert shape(1, "iris") > shape(8, "iris") > shape(30, "iris")
    assert shape(1, "cheek") > shape(8, "cheek") > shape(30, "cheek")
    assert shape(30, "lips") > shape(85, "lips")
    assert shape(85, "ear") > shape(30, "ear")


def test_men_and_women_differ_by_several_cues_none_of_them_certain() -> None:
    rng = np.random.default_rng(9)
    men, women = ([sample_traits(30, gender, rng) for _ in range(200)] for gender in (Gender.MALE, Gender.FEMALE))

    def cue(read: str) -> tuple[np.ndarray, np.ndarray]:
        room, name = read.split(".")
        return tuple(np.array([getattr(getattr(one, room), name) for one in group]) for group in (men, women))  # type: ignore[return-value]

    for read in ("shape.jaw", "shape.chin", "hair.brow_thickness", "shape.lips", "expression.lashes"):
        male, female = cue(read)
        threshold = (np.median(male) + np.median(female)) / 2
        right = max(
            (np.mean(male > threshold) + np.mean(female < threshold)) / 2,
            (np.mean(male < threshold) + np.mean(female > threshold)) / 2,
        )
        assert 0.65 < right < 0.99, read


def test_beards_are_for_grown_men() -> None:
    rng = np.random.default_rng(4)
    assert all(sample_traits(35, Gender.FEMALE, rng).hair.beard == "none" for _ in range(50))
    assert all(sample_traits(9, Gender.MALE, rng).hair.beard == "none" for _ in range(50))
    bearded = np.mean([sample_traits(35, Gender.MALE, rng).hair.beard != "none" for _ in range(200)])
    assert 0.4 < bearded < 0.85


def test_any_age_of_either_gender_can_be_drawn() -> None:
    for age in (0, 116):
        for gender in Gender:
            assert plain_face(age, gender, 0).std() > 10


def test_settings_that_make_no_sense_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(SettingError, match=r"0\.\.116.*Received: 117"):
        sample_traits(117, Gender.MALE, rng)
    with pytest.raises(SettingError, match="Received: -1"):
        draw_face(-1, 0)
    with pytest.raises(SettingError, match="gender_flip_probability"):
        LabelNoise(gender_flip_probability=1.5)
    with pytest.raises(SettingError, match="age_sd_years"):
        LabelNoise(age_sd_years=float("nan"))
