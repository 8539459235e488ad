"""A run of the recipe's first phases, and others that go on from it: on the same split, or on every image."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agegender.artifacts import read_json, sha256_file, write_json
from agegender.errors import InputError, SettingError
from agegender.pipeline import RunSettings, run
from agegender.training.learner import learner, take_weights, trained_network

pytestmark = pytest.mark.usefixtures("no_figures")

NETWORK = (
    ("network.stem_channels", "[8, 8]"), ("network.stage_channels", "[8, 16]"), ("network.stage_blocks", "[1, 1]"),
    ("network.side", "64"), ("curve_images", "16"), ("batch_size", "16"), ("phases.0.epochs", "2"),
)  # fmt: skip
"""The first phase of A is at 64 pixels, here the network's own size."""


def settings(out: Path, data: Path, phases: int, **more: object) -> RunSettings:
    """Of a run of Model A's first phases, an epoch each after the first."""
    later = (("phases.1.epochs", "1"), ("phases.1.side", "64")) if phases > 1 else ()
    changes = {"A": (*NETWORK, *later)}
    values = {"out": out, "data": str(data), "models": ("A",), "changes": changes, "phases": phases}
    return RunSettings(**(values | more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory, drawn_folder: Path) -> Path:
    """A finished run of one phase."""
    out = tmp_path_factory.mktemp("beginning") / "run"
    run(settings(out, drawn_folder, 1))
    return out


@pytest.mark.parametrize("on_all", [False, True])
def test_a_run_goes_on_from_another(beginning: Path, drawn_folder: Path, tmp_path: Path, on_all: bool) -> None:
    said: list[str] = []
    out = tmp_path / "run"
    run(settings(out, drawn_folder, 2, start_from=(beginning,), train_on_all=on_all), announce=said.append)
    assert any("did the first 2 of 3 epochs" in line for line in said)
    first, whole = (pd.read_csv(root / "A" / "history.csv") for root in (beginning, out))
    assert whole["epoch"].tolist() == [1, 2, 3]
    pd.testing.assert_frame_equal(whole.iloc[:2], first, check_dtype=False)
    sidecar = read_json(out / "age_gender_A.json")
    start = beginning / "age_gender_A.keras"
    assert sidecar["went_on_from"] == {
        "file": start.name, "sha256": sha256_file(start), "started_from": "random", "seed": 1, "epochs": 2,
        "images": 38, "done_again": 0, "averaged_with": [], "earlier": None,
    }  # fmt: skip
    assert sidecar["split"]["train"] == (48 if on_all else 38)
    assert read_json(beginning / "age_gender_A.json")["went_on_from"] is None


def test_the_weights_are_those_of_the_start(beginning: Path, drawn_folder: Path, tmp_path: Path) -> None:
    import keras

    older = shutil.copytree(beginning, tmp_path / "older") / "age_gender_A.json"
    record = read_json(older)
    for phase in record["recipe"]["phases"]:
        del phase["noise_share"]  # a value that came later: such records can be gone on from
    write_json(older, record)
    split = read_json(older.parent / "split.json")
    write_json(tmp_path / "run" / "split.json", split | {"seed": 99})  # left by a run that was stopped before it began
    still = settings(tmp_path / "run", drawn_folder, 2, start_from=(older.parent,))
    rate = (("phases.1.learning_rate", "1e-12"), ("phases.1.end_rate", "0.0"))
    still = RunSettings(**{**vars(still), "changes": {"A": (*still.changes["A"], *rate)}})
    run(still)
    models = [keras.models.load_model(root / "age_gender_A.keras") for root in (beginning, tmp_path / "run")]
    before, after = (model.trainable_weights for model in models if isinstance(model, keras.Model))
    assert before
    for old, new in zip(before, after, strict=True):
        np.testing.assert_allclose(np.asarray(new), np.asarray(old), atol=1e-6)
    assert read_json(tmp_path / "run" / "split.json") == split


def test_of_several_starts_the_mean_of_the_weights_is_taken_and_last_phases_are_done_again(
    beginning: Path, drawn_folder: Path, tmp_path: Path
) -> None:
    branches = (tmp_path / "first", tmp_path / "second")
    for seed, branch in enumerate(branches, start=1):
        same = {"seed": seed, "split_file": beginning / "split.json"}
        run(settings(branch, drawn_folder, 2, start_from=(beginning,), **same))
    out, said = tmp_path / "run", []
    gentler = {"A": (*settings(out, drawn_folder, 2).changes["A"], ("phases.1.learning_rate", "1e-4"))}
    run(settings(out, drawn_folder, 2, start_from=branches, again=1, changes=gentler), announce=said.append)
    assert any("first/age_gender_A.keras and " in line and "did the first 2 of 3 epochs" in line for line in said)
    sidecar = read_json(out / "age_gender_A.json")
    record = sidecar["went_on_from"]
    assert (record["epochs"], record["seed"], [model["seed"] for model in record["averaged_with"]]) == (2, 1, [2])
    assert record["done_again"] == 1
    assert record["earlier"]["sha256"] == sha256_file(beginning / "age_gender_A.keras")
    assert sidecar["recipe"]["phases"][1]["learning_rate"] == 1e-4
    assert pd.read_csv(out / "A" / "history.csv")["epoch"].tolist() == [1, 2, 3]

    recipe = settings(out, drawn_folder, 2).recipe("A")
    files = [branch / "age_gender_A.keras" for branch in branches]
    student = learner(recipe, recipe.phases[-1])
    take_weights(student.model, [(recipe, file) for file in files])
    first, second = (trained_network(recipe, file).get_weights() for file in files)
    assert any((one != two).any() for one, two in zip(first, second, strict=True))
    for one, two, mean in zip(first, second, student.model.get_weights(), strict=True):
        np.testing.assert_allclose(mean, (one + two) / 2, atol=1e-6)


def test_a_whole_training_is_saved_anew_with_other_values_of_the_file_alone(
    beginning: Path, drawn_folder: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    soft = {"A": (*NETWORK, ("network.soften_noise", "0.85"))}
    out = tmp_path / "run"
    run(settings(out, drawn_folder, 1, start_from=(beginning,), changes=soft), announce=said.append)
    assert any("did all 2 epochs; its weights are saved anew" in line for line in said)
    sidecar = read_json(out / "age_gender_A.json")
    assert (sidecar["went_on_from"]["epochs"], sidecar["recipe"]["network"]["soften_noise"]) == (2, 0.85)
    assert (out / "A" / "history.csv").read_text() == (beginning / "A" / "history.csv").read_text()
    plain = settings(out, drawn_folder, 1).recipe("A")
    softened = settings(out, drawn_folder, 1, changes=soft).recipe("A")
    assert plain != softened
    before, after = (
        trained_network(plain, beginning / "age_gender_A.keras"),
        trained_network(softened, out / "age_gender_A.keras"),
    )
    for old, new in zip(before.get_weights(), after.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_what_cannot_be_averaged_or_done_again_is_refused(beginning: Path, drawn_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="The same model is given twice"):
        run(settings(tmp_path / "one", drawn_folder, 2, start_from=(beginning, beginning)))
    with pytest.raises(SettingError, match=r"between 0 and 0 can be done again\. Received: 2"):
        run(settings(tmp_path / "two", drawn_folder, 2, start_from=(beginning,), again=2))
    other = {"A": (*settings(tmp_path, drawn_folder, 2).changes["A"], ("phases.0.learning_rate", "1e-4"))}
    with pytest.raises(SettingError, match="its phases are not the first"):
        run(settings(tmp_path / "four", drawn_folder, 2, start_from=(beginning,), changes=other))
    with pytest.raises(SettingError, match="name them with --start-from"):
        run(settings(tmp_path / "three", drawn_folder, 2, again=1))


def test_a_start_of_another_recipe_is_refused(beginning: Path, drawn_folder: Path, tmp_path: Path) -> None:
    other = settings(tmp_path / "run", drawn_folder, 2, start_from=(beginning,))
    changes = {"A": (*other.changes["A"], ("weight_decay", "0.25"))}
    with pytest.raises(SettingError, match="other values of weight_decay"):
        run(RunSettings(**{**vars(other), "changes": changes}))
    with pytest.raises(SettingError, match="its phases are not the first"):
        run(settings(tmp_path / "run", drawn_folder, 1, start_from=(beginning,)))  # none was begun there
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["rejected.csv"]


def test_a_start_that_saw_the_validation_images_is_refused(beginning: Path, drawn_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="may have seen this run's validation images"):
        run(settings(tmp_path / "run", drawn_folder, 2, start_from=(beginning,), validation_fraction=0.4))


def test_a_start_whose_files_do_not_belong_together_is_refused(
    beginning: Path, drawn_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"run\.json"):
        run(settings(tmp_path / "run", drawn_folder, 2, start_from=(tmp_path / "nowhere",)))
    copy = tmp_path / "copy"
    (copy / "A").mkdir(parents=True)
    for name in ("run.json", "age_gender_A.keras", "age_gender_A.json"):
        (copy / name).write_bytes((beginning / name).read_bytes())
    history = pd.read_csv(beginning / "A" / "history.csv")
    history.iloc[:1].to_csv(copy / "A" / "history.csv", index=False)
    with pytest.raises(InputError, match="does not hold an epoch a row"):
        run(settings(tmp_path / "other", drawn_folder, 2, start_from=(copy,)))
    write_json(copy / "age_gender_A.json", read_json(copy / "age_gender_A.json") | {"sha256": "0" * 64})
    with pytest.raises(InputError, match="is not the file that"):
        run(settings(tmp_path / "third", drawn_folder, 2, start_from=(copy,)))


@pytest.mark.parametrize("phases", [0, 7])
def test_so_many_phases_must_be_there(drawn_folder: Path, tmp_path: Path, phases: int) -> None:
    with pytest.raises(SettingError, match=f"Received: {phases}"):
        run(settings(tmp_path / "run", drawn_folder, phases))
