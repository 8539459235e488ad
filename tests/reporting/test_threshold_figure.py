"""The figure of an age check: a panel a legal age, both errors, and a caption that says what it cannot show."""

import numpy as np
import pytest

from agegender.errors import InputError
from agegender.evaluation.thresholds import LOWER_END, measure_thresholds
from agegender.reporting.save import save_figure
from agegender.reporting.thresholds import thresholds_caption, thresholds_figure


@pytest.fixture(scope="module")
def result(simulated_answers):
    table = simulated_answers(300, 6).table
    return measure_thresholds(table, model="A", lower_ends=table["predicted_age"] - 4, drawn=True, resamples=100)


def test_a_panel_a_legal_age_with_its_counts(result, texts):
    figure = thresholds_figure(result)
    words = texts.of(figure)
    for part in result.of("estimate"):
        point = part.curve[0]
        assert f"legal age {part.legal_age}" in words
        assert f"{point.near_false_positive.n:,} just under\n{point.false_positive.n:,} under" in words
    assert {"is stopped, old enough", "passes, any age too young", "passes, up to 5 years too young"} <= set(words)
    assert "drawn faces" in words


def test_lines_are_the_measured_rates(result):
    axes = thresholds_figure(result).axes[2]  # 18
    part = result.of("estimate")[2]
    line = next(line for line in axes.get_lines() if line.get_label() == "is stopped, old enough")
    at_25 = next(point for point in part.curve if point.challenge == 25)
    assert at_25.false_negative.interval is not None
    shown = dict(zip(np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist(), strict=True))
    assert shown[25.0] == pytest.approx(100 * at_25.false_negative.interval.value)


def test_the_caption_names_limits_and_drawn_faces(result):
    caption = thresholds_caption(result, rule=LOWER_END)
    assert "lower end of the age interval" in caption
    assert "says nothing about accuracy on people" in caption
    assert "For 18" in caption


def test_it_is_saved(result, tmp_path):
    paths = save_figure(thresholds_figure(result, rule=LOWER_END), tmp_path, "thresholds", thresholds_caption(result))
    assert all(path.stat().st_size > 1000 for path in paths)


def test_nobody_just_under_draws_all_the_same(simulated_answers):
    table = simulated_answers(300, 6).table
    old = measure_thresholds(table[table["age"] > 20], model="A", legal_ages=[18], resamples=100)
    assert thresholds_figure(old).axes
    assert "can be shown" in thresholds_caption(old)


def test_a_rule_that_was_not_measured_is_refused(simulated_answers):
    plain = measure_thresholds(simulated_answers(100, 1).table, legal_ages=[18], resamples=100)
    with pytest.raises(InputError, match="lower end"):
        thresholds_figure(plain, rule=LOWER_END)
