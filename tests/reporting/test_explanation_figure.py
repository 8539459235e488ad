import re

import numpy as np
import pytest

from agegender.errors import InputError
from agegender.evaluation.explain import LOGITS, YEARS, Explanation, OutputMaps
from agegender.evaluation.sanity import SanityResult
from agegender.reporting.explain import explanation_caption, explanation_figure


@pytest.fixture
def explanation():
    """Three faces; the age of the first lies at the upper left, its gender at the lower right and is male."""
    age, gender = np.zeros((3, 8, 8)), np.zeros((3, 4, 4))
    age[0, 1, 1], age[1, 4, 4], gender[0, 3, 3], gender[2, 0, 0] = 4.0, -2.0, -0.5, 0.1
    return Explanation(
        "model.keras",
        OutputMaps("age", YEARS, np.array([30.04, 61.5, 2.0]), age),
        OutputMaps("gender", LOGITS, np.array([0.04, 0.999, 0.5]), gender),
    )


def names(count=3):
    return [f"{number}.jpg" for number in range(count)]


def results(signed, unsigned):
    return [SanityResult(output, signed, unsigned, 15, 0, 0.99) for output in ("age", "gender")]


def pictures(figure):
    return [axes for axes in figure.axes if axes.get_images() and axes.get_images()[0].get_gid() == "photograph"]


def test_each_face_stands_beside_its_maps_and_above_its_answers(faces, explanation, texts):
    figure = explanation_figure(faces[:3], names(), explanation)
    panels = pictures(figure)
    assert len(panels) == 9
    for index in range(3):
        np.testing.assert_array_equal(panels[3 * index].get_images()[0].get_array(), faces[index])
    said = [axes.texts[0].get_text() for axes in panels]
    assert said[:3] == ["0.jpg", "30.0 years", "male, 96 %"]
    assert said[5] == "female, 99 %"
    assert said[8] == "female, 50 %"
    assert {"image", "age", "gender", "older, or female", "younger, or male"} <= set(texts.of(figure))


def test_colour_stands_where_the_evidence_is_and_names_its_sign(faces, explanation):
    grey = np.full_like(faces[:3], 128)
    panels = pictures(explanation_figure(grey, names(), explanation))
    age, gender = (np.asarray(panels[place].get_images()[0].get_array()) for place in (1, 2))
    assert age[24, 24, 0] > age[24, 24, 2] + 0.2, "orange: older"
    assert np.ptp(age[100, 100]) < 0.01, "no evidence, no colour"
    assert gender[112, 112, 2] > gender[112, 112, 0] + 0.2, "blue: male"
    assert len(panels[1].collections) == 1, "a line at half the strongest evidence"


def test_all_faces_share_one_scale_an_output(faces, explanation):
    grey = np.full_like(faces[:3], 128)
    panels = pictures(explanation_figure(grey, names(), explanation))
    first, second = (np.asarray(panels[place].get_images()[0].get_array()) for place in (1, 4))
    strong, half = np.ptp(first[24, 24]), np.ptp(second[72, 72])
    assert 0.2 < half / strong < 0.95


def test_texts_and_pictures_do_not_touch(faces, explanation, texts):
    figure = explanation_figure(faces[:3], ["a_very_long_file_name_of_a_face.jpg", *names(2)], explanation, drawn=True)
    found = texts.boxes(figure)
    width, height = figure.canvas.get_width_height()
    for text, (left, bottom, right, top) in found.items():
        assert 0 <= left < right <= width, text
        assert 0 <= bottom < top <= height, text
    assert "drawn faces" in found
    panels = [axes.get_window_extent().extents for axes in pictures(figure)]
    below = [axes.texts[0].get_window_extent().extents for axes in pictures(figure)]
    for index, one in enumerate(panels):
        for other in [*panels[index + 1 :], *below]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_flat_maps_are_drawn_without_colour(faces, explanation):
    flat = OutputMaps("age", YEARS, explanation.age.answers, np.zeros((3, 8, 8)))
    panels = pictures(explanation_figure(faces[:3], names(), Explanation("m", flat, explanation.gender)))
    assert np.ptp(np.asarray(panels[1].get_images()[0].get_array()), axis=-1).max() < 0.01


def test_the_caption_says_unit_coarseness_and_what_the_check_found(explanation):
    text = explanation_caption(explanation, results(0.04, -0.11), drawn=True)
    assert re.search(r"Full colour is 4 years a cell for age and 0\.5 logits of female a cell for gender", text)
    assert "8×8 for age, 4×4 for gender" in text
    assert "maps of gender with those of the same network with random weights: +0.04, without the sign -0.11." in text
    assert "do not read" not in text
    assert "drawn faces" in text
    assert "do not read" in explanation_caption(explanation, results(0.1, 0.8))
    none = [SanityResult("age", np.nan, np.nan, 0, 15, 0.99)]
    assert "could not be compared" in explanation_caption(explanation, none)


def test_what_does_not_fit_is_refused(faces, explanation):
    for images, labels in ((faces[:2], names(2)), (faces[:3], names(2)), (faces[:0], [])):
        with pytest.raises(InputError, match="a name and maps each"):
            explanation_figure(images, labels, explanation)
