"""Recipes: changed by name, recorded and restored."""

from __future__ import annotations

import dataclasses
import json

import pytest

from agegender.artifacts import plain
from agegender.errors import SettingError
from agegender.training.recipe import Phase, Recipe, from_record, override
from agegender.training.recipes import MODEL_B, MODEL_B_DRAWN, default_recipe


@pytest.mark.parametrize("model", ["A", "B"])
@pytest.mark.parametrize("drawn", [False, True])
def test_a_record_restores_the_recipe(model: str, drawn: bool) -> None:
    recipe = default_recipe(model, drawn=drawn)
    record = json.loads(json.dumps(dataclasses.asdict(recipe), default=plain))
    assert from_record(Recipe, record) == recipe


def test_values_are_changed_by_path() -> None:
    recipe = default_recipe("A", drawn=False)
    assert override(recipe, "batch_size", "32").batch_size == 32
    assert override(recipe, "weight_decay", "1").weight_decay == 1.0
    assert override(recipe, "phases.0.epochs", "3").phases[0].epochs == 3
    assert override(recipe, "phases.-1.name", "last").phases[-1].name == "last"
    assert override(recipe, "augmentation.erase", "0.1").augmentation.erase == 0.1
    assert override(recipe, "network.mirror_average", "false").network.mirror_average is False
    changed = override(recipe, "network.stage_channels", "[8, 16]")
    assert changed.network == dataclasses.replace(recipe.network, stage_channels=(8, 16))  # type: ignore[arg-type]
    assert recipe == default_recipe("A", drawn=False)


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("batchsize", "32", "Known: model"),
        ("batch_size", "many", "type int"),
        ("batch_size", "2.5", "type int"),
        ("phases.9.epochs", "1", "0 to 5"),
        ("phases", "1", "phases.0.name"),
        ("network", "x", "several values"),
        ("network.mirror_average", "1", "type bool"),
    ],
)
def test_a_wrong_change_says_what_is_known(path: str, text: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        override(default_recipe("A", drawn=False), path, text)


def test_an_unknown_record_is_refused() -> None:
    record = dataclasses.asdict(default_recipe("B", drawn=False)) | {"warp": 9}
    with pytest.raises(SettingError, match="unknown values: warp"):
        from_record(Recipe, record)


def test_both_networks_are_told_apart() -> None:
    for model in "AB":
        recipe = default_recipe(model, drawn=False)
        assert type(from_record(Recipe, dataclasses.asdict(recipe)).network) is type(recipe.network)


def test_each_epoch_belongs_to_a_phase() -> None:
    phases = (Phase("heads", 1, 1e-3), Phase("all", 2, 1e-3), Phase("clear images", 1, 1e-4, augmentation_strength=0.2))
    recipe = dataclasses.replace(MODEL_B, phases=phases)
    assert [recipe.phase_at(epoch).name for epoch in range(5)] == [
        "heads",
        "all",
        "all",
        "clear images",
        "clear images",
    ]


def test_a_phase_may_see_the_network_at_another_size() -> None:
    recipe = default_recipe("A", drawn=False)
    assert [recipe.network_in(phase).side for phase in recipe.phases] == [64, 96, 128, 128, 128, 128]
    assert recipe.network_in(recipe.phases[-1]) == recipe.network
    assert dataclasses.replace(recipe.network_in(recipe.phases[0]), side=128) == recipe.network


def test_a_phase_on_clear_images_may_keep_its_noise() -> None:
    clear = Phase("clear images", 1, 1e-4, augmentation_strength=0.2)
    quiet, noisy = MODEL_B.augmentation_in(clear), MODEL_B.augmentation_in(dataclasses.replace(clear, noise_share=0.3))
    assert quiet.noise == pytest.approx(0.2 * MODEL_B.augmentation.noise)
    assert noisy == dataclasses.replace(quiet, noise=0.3)
    never_less = dataclasses.replace(clear, augmentation_strength=1.0, noise_share=0.01)
    assert MODEL_B.augmentation_in(never_less) == MODEL_B.augmentation


def test_a_record_of_an_earlier_version_lacks_new_values_and_is_read() -> None:
    record = json.loads(json.dumps(MODEL_B_DRAWN, default=plain))
    del record["network"]["side"], record["teacher_share"], record["phases"][0]["augmentation_strength"]
    del record["phases"][0]["noise_share"]
    assert from_record(Recipe, record) == MODEL_B_DRAWN
