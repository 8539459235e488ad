"""Shipping a finished run: a run folder without any image's name, and refusals."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from agegender.artifacts import read_json, write_json
from agegender.errors import InputError
from agegender.run_folder import RunFolder


def both(root: Path, twin: Path | None = None) -> dict[str, tuple[Path, Path]]:
    return dict.fromkeys("AB", (root, twin or root))


@pytest.fixture
def copied(trained_run: Path, tmp_path: Path) -> Path:
    """The tiny run's records and models, to be spoilt."""
    return Path(shutil.copytree(trained_run, tmp_path / "run", ignore=shutil.ignore_patterns("figures", "*.npz")))


def test_what_is_shipped_is_a_run_folder_of_hashed_names(
    script: Callable[[str], ModuleType], trained_run: Path, copied: Path, tmp_path: Path
) -> None:
    out = tmp_path / "models"
    files = script("ship").ship(both(copied, trained_run), trained_run, out)
    source, target = RunFolder(trained_run), RunFolder(out)
    assert [file.name for file in files] == ["age_gender_A.keras", "age_gender_B.keras"]
    assert target.model("A").read_bytes() == source.model("A").read_bytes()
    sidecar, metrics = read_json(target.sidecar("B")), read_json(source.metrics)
    assert sidecar["sha256"] == read_json(source.sidecar("B"))["sha256"]
    assert sidecar["twin"]["last_epoch"] == read_json(source.sidecar("B"))["last_epoch"]
    first = next(result for result in metrics["results"] if result["model"] == "B")
    assert sidecar["test"][first["order"]] == first["figures"]
    names = set(pd.read_parquet(source.predictions)["file"])
    assert len(set(pd.read_parquet(target.predictions)["file"])) == len(names)
    everything = "".join(path.read_text(encoding="utf-8") for path in out.rglob("*.json"))
    everything += "".join(pd.read_parquet(target.predictions)["file"])
    assert not [name for name in names if name in everything]
    assert str(trained_run) not in everything
    assert read_json(target.metrics) == metrics | {"source": "test"}
    constant = read_json(target.record)["constant_predictor"]
    faces = pd.read_parquet(source.predictions).drop_duplicates("file")
    assert constant["mae"] == pytest.approx((faces["age"] - constant["age"]).abs().mean())
    assert read_json(target.training("A") / "architecture.json")["sha256"] == read_json(target.sidecar("A"))["sha256"]
    assert (target.training("A") / "history.csv").read_text() == (source.training("A") / "history.csv").read_text()


def test_an_unfinished_run_another_recipe_and_another_evaluation_are_refused(
    script: Callable[[str], ModuleType], trained_run: Path, copied: Path, tmp_path: Path
) -> None:
    ship, run = script("ship").ship, RunFolder(copied)
    record, sidecar = read_json(run.record), read_json(run.sidecar("A"))
    write_json(run.record, record | {"finished": None})
    with pytest.raises(InputError, match="is not finished"):
        ship(both(trained_run, copied), trained_run, tmp_path / "out")
    write_json(run.record, record)
    write_json(run.sidecar("A"), sidecar | {"recipe": sidecar["recipe"] | {"batch_size": 99}})
    with pytest.raises(InputError, match="another recipe"):
        ship(both(trained_run, copied), trained_run, tmp_path / "out")
    write_json(run.sidecar("A"), sidecar)
    run.model("A").write_bytes(b"another file")
    with pytest.raises(InputError, match="does not hold an evaluation"):
        ship(both(copied), trained_run, tmp_path / "out")
    assert not (tmp_path / "out").exists()
