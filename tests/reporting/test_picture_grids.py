import numpy as np
import pytest

from agegender.errors import InputError
from agegender.labels import age_band
from agegender.reporting import (
    augmented_grid,
    augmented_grid_caption,
    choose_samples,
    sample_grid,
    sample_grid_caption,
    worst_errors,
    worst_errors_caption,
    worst_rows,
)


@pytest.fixture
def labels(predictions):
    return predictions["age"].to_numpy()[:24], predictions["gender"].astype(str).tolist()[:24]


def pictures(figure):
    return [axes.get_images()[0].get_array() for axes in figure.axes]


def test_every_sample_stands_above_its_own_label(faces, labels):
    ages, genders = labels
    figure = sample_grid(faces[:24], ages, genders)
    assert len(figure.axes) == 24
    for axes, face, age, gender in zip(figure.axes, faces, ages, genders, strict=False):
        np.testing.assert_array_equal(axes.get_images()[0].get_array(), face)
        assert [text.get_text() for text in axes.texts] == [f"{age} years\n{gender}"]


def test_pictures_and_texts_do_not_touch(faces, labels, texts):
    figure = sample_grid(faces[:24], *labels, drawn=True)
    texts.boxes(figure)
    width, height = figure.canvas.get_width_height()
    boxes = [axes.get_window_extent().extents for axes in figure.axes]
    boxes += [axes.texts[0].get_window_extent().extents for axes in figure.axes]
    for index, one in enumerate(boxes):
        assert 0 <= one[0] < one[2] <= width
        assert 0 <= one[1] < one[3] <= height
        for other in boxes[index + 1 :]:
            apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
            assert apart


def test_pictures_keep_their_shape(faces, labels, texts):
    figure = sample_grid(faces[:24], *labels)
    texts.boxes(figure)
    for axes in figure.axes:
        assert axes.get_window_extent().width == pytest.approx(axes.get_window_extent().height, rel=1e-6)


def test_the_sample_caption_counts(labels):
    ages, genders = labels
    text = sample_grid_caption(ages, genders, drawn=True)
    assert text.startswith("24 samples")
    assert f"ages {ages.min()} to {ages.max()} years" in text
    assert f"{genders.count('female')} labelled female and {genders.count('male')} labelled male" in text
    assert "drawn faces" in text


def test_chosen_samples_cover_ages_and_genders_and_repeat_by_seed(predictions):
    ages, genders = predictions["age"].to_numpy(), predictions["gender"].astype(str).tolist()
    chosen = choose_samples(ages, genders, count=24, seed=3)
    assert len(set(chosen.tolist())) == 24
    assert (np.diff(ages[chosen]) >= 0).all()
    assert {age_band(age) for age in ages[chosen]} == {age_band(age) for age in ages}
    assert abs([genders[row] for row in chosen].count("female") - 12) <= 2
    np.testing.assert_array_equal(chosen, choose_samples(ages, genders, count=24, seed=3))
    assert chosen.tolist() != choose_samples(ages, genders, count=24, seed=4).tolist()


def test_fewer_samples_than_asked_for_are_all_shown():
    chosen = choose_samples(np.array([30, 2, 50]), ["male", "female", "male"], count=24, seed=0)
    assert chosen.tolist() == [1, 0, 2]


def test_augmented_rows_begin_with_the_framed_original(faces):
    variants = np.stack([faces[4:8], faces[8:12], faces[12:16]])
    figure = augmented_grid(faces[:3], variants, drawn=True)
    assert len(figure.axes) == 3 * 5
    for row in range(3):
        np.testing.assert_array_equal(pictures(figure)[5 * row], faces[row])
        np.testing.assert_array_equal(pictures(figure)[5 * row + 3], variants[row, 2])
    framed = [axes.spines["left"].get_visible() for axes in figure.axes]
    assert framed == [True, False, False, False, False] * 3
    assert augmented_grid_caption(faces[:3], variants).startswith(
        "3 training images (framed) with 4 random variants each"
    )


def test_worst_ages_are_the_largest_errors_in_order(predictions):
    rows = worst_rows(predictions, "age", 12)
    errors = (predictions["predicted_age"] - predictions["age"]).abs().to_numpy()
    assert errors[rows].tolist() == sorted(errors, reverse=True)[:12]


def test_worst_genders_are_the_wrong_ones_surest_first(predictions):
    rows = worst_rows(predictions, "gender", 12)
    assert rows[0] == 50
    assert set(rows.tolist()) == {3, 50, 120}
    right = predictions.drop(index=[3, 50, 120]).reset_index(drop=True)
    assert worst_rows(right, "gender", 12).tolist() == []


def test_worst_errors_show_label_and_answer(faces, predictions):
    rows = predictions.iloc[worst_rows(predictions, "age", 12)].reset_index(drop=True)
    figure = worst_errors(faces[:12], rows, by="age", model="Model A")
    first = rows.iloc[0]
    answered = "female" if first["female_probability"] >= 0.5 else "male"
    assert figure.axes[0].texts[0].get_text() == (
        f"true: {first['age']}, {first['gender']}\nmodel: {first['predicted_age']:.0f}, {answered}"
    )
    text = worst_errors_caption(rows, by="age", model="Model A", of_images=200)
    errors = (rows["predicted_age"] - rows["age"]).abs()
    assert f"the 12 largest errors of age among 200 images, worst first, from {errors.iloc[0]:.1f} down to" in text
    assert f"{errors.iloc[-1]:.1f} years" in text


def test_a_sure_gender_never_reads_as_certain(faces, predictions):
    rows = predictions.iloc[worst_rows(predictions, "gender", 12)].reset_index(drop=True)
    label = worst_errors(faces[:3], rows, by="gender", model="A").axes[0].texts[0].get_text()
    assert label.endswith("99 %")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((24, 128, 128, 3), np.float32), "float32"),
        (np.zeros((24, 128, 128), np.uint8), "24, 128, 128"),
        (np.zeros((23, 128, 128, 3), np.uint8), "23 images"),
        (np.zeros((0, 128, 128, 3), np.uint8), "at least 1"),
    ],
)
def test_what_is_no_picture_is_refused(labels, images, message):
    with pytest.raises(InputError, match=message):
        sample_grid(images, *labels)
