import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from agegender.errors import InputError
from agegender.reporting import (
    CURVES,
    learning_curve,
    learning_curve_caption,
    learning_curves,
    learning_curves_caption,
)

KEYS = [curve.key for curve in CURVES]


def curve_lines(axes):
    """The curves, without the lines of phases."""
    return {line.get_label(): line for line in axes.lines if line.get_gid() != "phase"}


@pytest.mark.parametrize(
    ("key", "label", "scale"),
    [
        ("gender_loss", "gender loss, nats", 1),
        ("gender_accuracy", "gender accuracy, %", 100),
        ("age_loss", "age loss (as trained)", 1),
        ("age_mae", "age MAE, years", 1),
    ],
)
def test_a_curve_draws_both_columns_over_the_epochs(history, key, label, scale):
    figure = learning_curve(history, key, model="Model A")
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", label)
    lines = curve_lines(axes)
    assert set(lines) == {"training", "validation"}
    for name, column in (("training", "train"), ("validation", "validation")):
        np.testing.assert_array_equal(lines[name].get_xdata(), history["epoch"])
        np.testing.assert_allclose(np.asarray(lines[name].get_ydata(), float), scale * history[f"{column}_{key}"])


def test_the_overview_holds_the_four_curves_in_the_briefs_order(history):
    figure = learning_curves(history, model="Model A")
    assert [axes.title.get_text() or axes.get_title(loc="left") for axes in figure.axes] == [
        "Gender loss",
        "Gender accuracy",
        "Age loss",
        "Age MAE",
    ]
    assert all(len(curve_lines(axes)) == 2 for axes in figure.axes)


def test_the_two_lines_differ_in_grey_in_dashes_and_in_markers(history):
    lines = curve_lines(learning_curve(history, "age_mae", model="Model A").axes[0])
    first, second = lines["training"], lines["validation"]
    lightness = [np.dot(to_rgb(line.get_color()), [0.299, 0.587, 0.114]) for line in (first, second)]
    assert abs(lightness[0] - lightness[1]) > 0.25
    assert first.get_marker() != second.get_marker()
    assert first.is_dashed()
    assert not second.is_dashed()


def test_phases_begin_at_thin_named_lines(history, texts):
    figure = learning_curve(history, "age_mae", model="Model B")
    starts = [np.asarray(line.get_xdata())[0] for line in figure.axes[0].lines if line.get_gid() == "phase"]
    assert starts == [3.5, 6.5]
    assert {"heads", "top", "all"} <= set(texts.of(figure))
    single = learning_curve(history.assign(phase="train"), "age_mae", model="Model A")
    assert not [line for line in single.axes[0].lines if line.get_gid() == "phase"]


def overlap(first, second):
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


@pytest.mark.parametrize("names", [("heads", "top", "all"), ("frozen backbone", "last two stages", "everything")])
def test_names_of_short_phases_do_not_collide(history, texts, names):
    history["phase"] = [names[0]] + [names[1]] * 2 + [names[2]] * 9
    for figure in (learning_curve(history, "age_mae", model="B"), learning_curves(history, model="B")):
        boxes = texts.boxes(figure)
        found = [boxes[name] for name in names]
        assert not any(overlap(found[i], found[j]) for i, j in ((0, 1), (0, 2), (1, 2)))


@pytest.mark.parametrize("gap", [0.0, -0.02, 0.6])
def test_labels_at_the_ends_do_not_collide(history, texts, gap):
    history["validation_age_mae"] = history["train_age_mae"] + gap
    for figure in (learning_curve(history, "age_mae", model="A"), learning_curves(history, model="A")):
        found = [
            box for text, box in texts.boxes(figure).items() if re.fullmatch(r"(training|validation)\n\d\.\d\d", text)
        ]
        assert len(found) == 2
        assert not overlap(*found)


def test_the_caption_states_the_gap_between_the_printed_numbers(history):
    mae = learning_curve_caption(history, "age_mae", model="Model A")
    assert "Age MAE at epoch 12: 4.12 in training and 4.97 years in validation" in mae
    assert "validation is 0.85 years higher, which is worse" in mae  # 4.97 - 4.12, not round(0.842)
    accuracy = learning_curve_caption(history, "gender_accuracy", model="Model A")
    assert "93.1 % in training and 91.6 % in validation" in accuracy
    assert "validation is 1.5 percentage points lower, which is worse" in accuracy
    assert "the two are equal as printed" in learning_curve_caption(history, "gender_loss", model="Model A")
    assert "heads from epoch 1, top from epoch 4 and all from epoch 7" in mae


def test_the_caption_names_the_best_epoch(history):
    history.loc[7, "validation_age_mae"] = 3.5
    assert "The best validation value is 3.50 years, at epoch 8." in learning_curve_caption(
        history, "age_mae", model="Model A"
    )
    history.loc[5, "validation_gender_accuracy"] = 0.99
    assert "The best validation value is 99.0 %, at epoch 6." in learning_curve_caption(
        history, "gender_accuracy", model="Model A"
    )


@settings(max_examples=60, deadline=None)
@given(st.floats(0.001, 40), st.floats(0.001, 40))
def test_no_caption_contradicts_itself(train, validation):
    history = pd.DataFrame({"epoch": [1], "train_age_mae": [train], "validation_age_mae": [validation]})
    text = learning_curve_caption(history, "age_mae", model="Model A")
    first, second = map(float, re.findall(r": ([\d.]+) in training and ([\d.]+) years in validation", text)[0])
    if first == second:
        assert "equal as printed" in text
    else:
        size, direction, verdict = re.findall(r"is ([\d.]+) years (higher|lower), which is (worse|better)", text)[0]
        assert float(size) == pytest.approx(abs(second - first), abs=1e-9)
        assert (direction, verdict) == (("higher", "worse") if second > first else ("lower", "better"))


@pytest.mark.parametrize("missing", ["nan", "none", "absent"])
def test_without_validation_the_training_curve_stands_alone_and_is_said_to(history, texts, missing):
    columns = [column for column in history if column.startswith("validation_")]
    if missing == "absent":
        history = history.drop(columns=columns)
    else:
        history[columns] = np.nan if missing == "nan" else None
    figure = learning_curve(history, "age_mae", model="Model A")
    assert set(curve_lines(figure.axes[0])) == {"training"}
    assert "no validation set" in texts.of(figure)
    text = learning_curves_caption(history, model="Model A")
    assert "Nothing was held out for validation" in text
    assert "Age MAE stands at 4.12 years at epoch 12." in text
    assert "in validation" not in text


def test_an_epoch_without_a_measurement_is_left_out(history):
    history.loc[4, "validation_age_mae"] = np.nan
    lines = curve_lines(learning_curve(history, "age_mae", model="Model A").axes[0])
    assert 5 not in np.asarray(lines["validation"].get_xdata())
    assert 5 in np.asarray(lines["training"].get_xdata())


def test_a_curve_over_decades_is_logarithmic_and_says_so(history):
    assert learning_curve(history, "age_mae", model="A").axes[0].get_yscale() == "linear"
    history.loc[0, "train_age_mae"] = 90.0
    axes = learning_curve(history, "age_mae", model="A").axes[0]
    assert axes.get_yscale() == "log"
    assert axes.get_ylabel() == "age MAE, years (log scale)"


def test_one_epoch_is_enough(history, texts):
    figure = learning_curve(history.iloc[:1], "age_mae", model="A")
    assert any(text.startswith("training\n") for text in texts.of(figure))
    assert "over 1 epoch." in learning_curve_caption(history.iloc[:1], "age_mae", model="A")


def test_drawn_faces_are_marked_in_figure_and_caption(history, texts):
    for drawn in (True, False):
        assert ("drawn faces" in texts.of(learning_curves(history, model="A", drawn=drawn))) is drawn
        assert ("drawn faces" in texts.of(learning_curve(history, "age_mae", model="A", drawn=drawn))) is drawn
    assert "Made on drawn faces" in learning_curves_caption(history, model="A", drawn=True)
    assert "drawn" not in learning_curves_caption(history, model="A", drawn=False)


def test_a_history_that_cannot_be_drawn_is_refused(history):
    with pytest.raises(InputError, match="train_age_mae"):
        learning_curve(history.drop(columns="train_age_mae"), "age_mae", model="A")
    with pytest.raises(InputError, match="at least one epoch"):
        learning_curve(history.iloc[:0], "age_mae", model="A")
    with pytest.raises(InputError, match="'loss'"):
        learning_curve(history, "loss", model="A")
