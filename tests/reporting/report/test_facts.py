"""What is gathered from a run folder, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agegender.artifacts import read_json, write_json
from agegender.errors import InputError
from agegender.reporting.report import ModelFacts, RunFacts, gather_facts


def sides(model: ModelFacts) -> tuple[int, int, int, bool]:
    return model.trained_on, model.curves_trained_on, model.curves_validated_on, model.twin


def test_facts_are_those_of_the_files(
    planted_run: Callable[[str], Path], planted_facts: Callable[[str], RunFacts]
) -> None:
    root, facts = planted_run("B better"), planted_facts("B better")
    metrics, sidecar = read_json(root / "metrics.json"), read_json(root / "age_gender_B.json")
    assert list(facts.models) == ["A", "B"]
    model = facts.models["B"]
    stored = next(one for one in metrics["results"] if (one["model"], one["order"]) == ("B", "rgb"))
    assert model.result.figures.mae.value == stored["figures"]["mae"]["value"]
    assert model.recipe.epochs == sum(phase["epochs"] for phase in sidecar["recipe"]["phases"])
    assert sides(model) == (
        4000,
        4000,
        1000,
        False,
    )
    assert (model.start, model.seconds, model.seed) == ("imagenet", 2100.0, 1)
    assert len(model.answers) == facts.images == 600
    assert (facts.utkface, facts.drawn, facts.near_duplicates, facts.constant_of_measured) == (True, False, 90, False)
    assert facts.comparison is not None


def test_a_shipped_run_has_its_twins_curves(planted_facts: Callable[[str], RunFacts]) -> None:
    model = planted_facts("shipped").models["A"]
    assert sides(model) == (
        5000,
        4000,
        1000,
        True,
    )


def test_without_a_recorded_constant_the_measured_labels_give_one(planter: Callable[..., Path], tmp_path: Path) -> None:
    root = planter(tmp_path / "run")
    record = read_json(root / "run.json")
    recorded = gather_facts(root).constant
    write_json(root / "run.json", record | {"constant_predictor": None})
    facts = gather_facts(root)
    assert facts.constant_of_measured
    assert facts.constant.mae == pytest.approx(recorded.mae)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda root: (root / "run.json").unlink(), "no run folder"),
        (lambda root: write_json(root / "run.json", {"finished": None}), "not finished"),
        (lambda root: (root / "metrics.json").unlink(), "agegender evaluate"),
        (lambda root: (root / "A" / "history.csv").unlink(), "learning curves"),
        (lambda root: [(root / f"age_gender_{letter}.json").unlink() for letter in "AB"], "sidecars of none"),
        (lambda root: (root / "A" / "architecture.json").unlink(), "is missing"),
    ],
)
def test_what_is_no_whole_run_is_refused(
    spoil: Callable[[Path], object], said: str, planted_run: Callable[[str], Path], tmp_path: Path
) -> None:
    root = Path(shutil.copytree(planted_run("B better"), tmp_path / "run"))
    spoil(root)
    with pytest.raises(InputError, match=said):
        gather_facts(root)
