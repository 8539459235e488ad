"""What a model went through, as its sidecar tells it."""

from __future__ import annotations

from typing import Any

from agegender.lineage import Stretch, learnt_from, stretches

PHASES = [{"epochs": epochs} for epochs in (1, 13, 2, 2)]
SIDECAR: dict[str, Any] = {"recipe": {"phases": PHASES}, "split": {"train": 5000}}
ALL_AND_MEAN = SIDECAR | {
    "teachers": [{"file": "teacher"}],
    "went_on_from": {
        "file": "first",
        "epochs": 16,
        "images": 5000,
        "averaged_with": [{"file": "second"}, {"file": "third"}],
        "earlier": {"file": "before", "epochs": 14, "images": 4000, "averaged_with": [], "earlier": None},
    },
}


def test_a_training_of_its_own_is_one_stretch() -> None:
    assert stretches(SIDECAR) == [Stretch(18, 5000, 1)]
    assert list(learnt_from(SIDECAR)) == []
    assert list(learnt_from({})) == []


def test_what_came_before_is_told_from_the_oldest_and_a_mean_multiplies_it() -> None:
    assert stretches(ALL_AND_MEAN) == [Stretch(14, 4000, 3), Stretch(2, 5000, 3), Stretch(2, 5000, 1)]


def test_a_run_that_saved_weights_anew_has_no_stretch_of_its_own() -> None:
    anew = {**ALL_AND_MEAN, "went_on_from": {**ALL_AND_MEAN["went_on_from"], "epochs": 18}}
    anew["went_on_from"] = {**anew["went_on_from"], "averaged_with": [], "earlier": ALL_AND_MEAN["went_on_from"]}
    assert stretches(anew) == stretches(ALL_AND_MEAN)


def test_every_model_that_had_a_part_is_named() -> None:
    assert [model["file"] for model in learnt_from(ALL_AND_MEAN)] == ["teacher", "first", "second", "third"]


def test_records_of_older_versions_are_read() -> None:
    older = SIDECAR | {"went_on_from": {"file": "first", "epochs": 14, "images": 4000}}
    assert stretches(older) == [Stretch(14, 4000, 1), Stretch(4, 5000, 1)]
