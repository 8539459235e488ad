"""The shipped models: found, whole, and as their sidecars say."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import agegender
from agegender import shipped
from agegender.artifacts import write_json
from agegender.errors import ModelError, SettingError

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def place(trained_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped models that holds Model A of the tiny run."""
    for suffix in (".keras", ".json"):
        shutil.copy(trained_run / f"age_gender_A{suffix}", tmp_path)
    monkeypatch.setattr(shipped, "_PLACES", (tmp_path / "nowhere", tmp_path))
    return tmp_path


def test_a_shipped_model_is_plain_keras(place: Path, trained_run: Path) -> None:
    pixels = np.random.default_rng(0).random((3, 128, 128, 3), dtype=np.float32)
    model = agegender.load_keras("A")
    assert isinstance(model, keras.Model)
    direct: Any = keras.models.load_model(trained_run / "age_gender_A.keras")
    for ours, theirs in zip(model.predict(pixels, verbose="0"), direct.predict(pixels, verbose="0"), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_file_that_is_not_its_sidecars_is_refused(place: Path) -> None:
    record = shipped.shipped_record("A")
    write_json(place / "age_gender_A.json", record | {"sha256": "0" * 64})
    with pytest.raises(ModelError, match="not the file that its sidecar describes"):
        agegender.load_keras("A")


def test_a_model_that_is_not_there_says_what_to_do(place: Path) -> None:
    with pytest.raises(ModelError, match="agegender run --data"):
        agegender.load_keras("B")
    with pytest.raises(ModelError, match="No sidecar"):
        shipped.shipped_record("B")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(SettingError, match="A and B"):
        agegender.load_keras("C")
    with pytest.raises(AttributeError, match="load_torch"):
        agegender.load_torch  # noqa: B018
