import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection, PolyCollection

from agegender.errors import InputError
from agegender.evaluation.evaluate import evaluate_predictions
from agegender.labels import AGE_BANDS
from agegender.metrics import ConfusionCounts
from agegender.reporting import (
    confusion_matrix,
    confusion_matrix_caption,
    error_by_group,
    error_by_group_caption,
    predicted_against_true,
    predicted_against_true_caption,
)


def test_each_image_is_a_point_and_the_mae_stands_in_the_figure(predictions, texts):
    figure = predicted_against_true(predictions, model="Model A")
    axes = figure.axes[0]
    (points,) = [found for found in axes.collections if isinstance(found, PathCollection)]
    np.testing.assert_allclose(
        np.asarray(points.get_offsets(), float), predictions[["age", "predicted_age"]].to_numpy(float)
    )
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("true age, years", "predicted age, years")
    assert axes.get_xlim() == axes.get_ylim()
    (identity,) = [line for line in axes.lines if line.get_label() == "predicted = true"]
    np.testing.assert_array_equal(identity.get_xdata(), identity.get_ydata())
    mae = (predictions["predicted_age"] - predictions["age"]).abs().mean()
    assert f"MAE {mae:.2f} years\n200 images" in texts.of(figure)


def test_the_bands_medians_are_drawn(predictions):
    axes = predicted_against_true(predictions, model="A").axes[0]
    expected = []
    for low, high in AGE_BANDS:
        own = predictions[predictions["age"].between(low, high)]
        if len(own):
            expected.append((own["age"].mean(), own["predicted_age"].median()))
    (medians,) = [line for line in axes.lines if line.get_marker() == "s"]
    np.testing.assert_allclose(np.asarray(medians.get_xydata(), float), expected)


def test_many_images_become_hexagons_that_count_every_one(predictions):
    many = pd.concat([predictions] * 8)
    figure = predicted_against_true(many, model="A", drawn=True)
    (cells,) = [found for found in figure.axes[0].collections if isinstance(found, PolyCollection)]
    assert np.asarray(cells.get_array()).sum() == len(many)
    assert "hexagons" in predicted_against_true_caption(many, model="A")
    assert "dots" in predicted_against_true_caption(predictions, model="A")


def test_the_age_caption_holds_the_numbers(predictions):
    errors = predictions["predicted_age"] - predictions["age"]
    text = predicted_against_true_caption(predictions, model="Model A", drawn=True)
    assert f"mean absolute error is {errors.abs().mean():.2f} years" in text
    assert f"{100 * (errors.abs() <= 5).mean():.1f} % of the answers are at most 5 years off" in text
    assert f"{errors.mean():.2f} years too old" in text
    assert "drawn faces" in text
    younger = predictions.assign(predicted_age=predictions["age"] - 2.0)
    assert "2.00 years too young" in predicted_against_true_caption(younger, model="A")
    exact = predictions.assign(predicted_age=predictions["age"] * 1.0)
    assert "neither too old nor too young" in predicted_against_true_caption(exact, model="A")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="predicted_age"), "predicted_age"),
        (lambda table: table.iloc[:0], "no row"),
        (lambda table: table.assign(predicted_age=np.nan), "200 of 200 values of predicted_age"),
    ],
)
def test_a_table_that_cannot_be_drawn_is_refused(predictions, change, message):
    with pytest.raises(InputError, match=message):
        predicted_against_true(change(predictions), model="A")


COUNTS = ConfusionCounts(male_as_male=90, male_as_female=10, female_as_male=6, female_as_female=144)


def test_the_confusion_matrix_has_labels_in_rows(texts):
    figure = confusion_matrix(COUNTS, model="Model A", drawn=True)
    axes = figure.axes[0]
    cells = {(round(text.get_position()[1]), round(text.get_position()[0]), text.get_text()) for text in axes.texts}
    assert cells == {
        *((0, 0, "90.0 %"), (0, 1, "10.0 %"), (1, 0, "4.0 %"), (1, 1, "96.0 %")),
        *((0, 0, "90"), (0, 1, "10"), (1, 0, "6"), (1, 1, "144")),
    }
    assert [label.get_text() for label in axes.get_yticklabels()] == ["male\n(100 images)", "female\n(150 images)"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted gender", "true gender (label)")
    assert "drawn faces" in texts.boxes(figure)
    left = axes.yaxis.label.get_window_extent().x0
    assert left >= 0  # the label of the rows is whole


def test_the_confusion_caption_holds_the_numbers():
    text = confusion_matrix_caption(COUNTS, model="Model A")
    assert "234 of 250 answers agree with the label (93.6 %)" in text
    assert "90.0 % of those labelled male and 96.0 % of those labelled female" in text


def test_one_gender_alone_can_be_drawn(texts):
    only = ConfusionCounts(male_as_male=0, male_as_female=0, female_as_male=1, female_as_female=3)
    assert texts.of(confusion_matrix(only, model="A")).count("no image") == 2
    assert "(75.0 %): 75.0 % of those labelled female." in confusion_matrix_caption(only, model="A")
    with pytest.raises(InputError, match="no image"):
        confusion_matrix(ConfusionCounts(0, 0, 0, 0), model="A")


def test_each_age_band_is_a_row_with_the_results_own_intervals(result, texts):
    figure = error_by_group(result, model="Model A", drawn=True)
    bands = result.by("age")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        f"{band.name}  ({band.figures.n})" for band in bands
    ]
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "MAE of age, years",
        "bias of age, years",
        "gender accuracy, %",
    ]
    drawn = [float(np.asarray(line.get_xdata())[0]) for line in figure.axes[1].lines if line.get_marker() == "s"]
    np.testing.assert_allclose(drawn, [band.figures.bias.value for band in bands])
    assert f"all: {result.figures.mae.value:.2f}" in texts.of(figure)


def test_small_groups_are_hollow_and_named(predictions):
    few = evaluate_predictions(predictions.iloc[:40], model="A", resamples=200)
    markers = [line for line in error_by_group(few, model="A").axes[0].lines if line.get_marker() == "s"]
    hollow = [line.get_markerfacecolor() == "#ffffff" for line in markers]
    assert hollow == [band.few for band in few.by("age")]
    assert "Hollow squares" in error_by_group_caption(few, model="A")


def test_the_group_caption_names_the_extremes(result):
    bands = sorted(result.by("age"), key=lambda band: band.figures.mae.value)
    text = error_by_group_caption(result, model="Model A")
    found = re.search(r"smallest for (\S+) \(([\d.]+) years\) and largest for (\S+) \(([\d.]+) years", text)
    assert found
    assert found.groups() == (
        bands[0].name,
        f"{bands[0].figures.mae.value:.2f}",
        bands[-1].name,
        f"{bands[-1].figures.mae.value:.2f}",
    )


def test_any_measured_column_can_be_drawn_and_no_other(result):
    assert len(error_by_group(result, "race", model="A").axes[0].get_yticks()) == 2
    with pytest.raises(InputError, match="'height'"):
        error_by_group(result, "height", model="A")
