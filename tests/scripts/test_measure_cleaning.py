"""Whether corrections help is measured on validation labels that nobody corrected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from agegender.data import load_dataset

AGES = np.tile(np.arange(10, 70, dtype=np.float32), 4)


def test_heads_learn_from_right_labels_more_than_from_wrong_ones(script: Callable[[str], ModuleType]) -> None:
    rng = np.random.default_rng(3)
    girls = (np.arange(len(AGES)) % 3 == 0).astype(np.float32)
    nearness = np.exp(-0.5 * ((AGES[:, None] - np.arange(5, 80, 5)) / 4) ** 2)  # of an age to fifteen others
    signs = np.tile(2 * girls[:, None] - 1, 60)  # sixty, so that 120 small steps outweigh where the weights began
    seen = np.concatenate([6 * nearness, signs], axis=1).astype(np.float32)
    views = np.stack([seen, seen + rng.normal(0, 0.05, seen.shape).astype(np.float32)])
    figures = script("measure_cleaning").validation_figures
    truth = (AGES[:60], girls[:60])
    error, right = figures(views[:, 60:], AGES[60:], girls[60:], seen[:60], truth, 1)
    wrong = rng.permutation(180)
    worse, reversed_right = figures(views[:, 60:], AGES[60:][wrong], 1 - girls[60:], seen[:60], truth, 1)
    assert error < 0.6 * worse
    assert right == 1.0
    assert reversed_right == 0.0


def test_validation_labels_stay_as_they_are_and_training_labels_are_corrected(
    script: Callable[[str], ModuleType],
    drawn_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    faces = load_dataset(drawn_folder)
    rows = [f"{file},age,99," for file in faces.table["file"][1:]]
    (tmp_path / "corrections.csv").write_text(
        "\n".join(["file,action,value,reason", f"{faces.table['file'][0]},drop,,", *rows])
    )
    module, arms = script("measure_cleaning"), []

    def spied(seen: np.ndarray, ages: np.ndarray, *rest: Any) -> tuple[float, float]:
        arms.append((seen.shape[1], ages, rest[2][0]))
        return 5.0 + len(arms) % 2, 0.9

    monkeypatch.setattr(module, "features", lambda images: np.zeros((2, len(images), 4), np.float32))
    monkeypatch.setattr(module, "validation_figures", spied)
    module.measure_cleaning(faces, tmp_path / "corrections.csv", 2)

    assert len(arms) == 4
    for (count, ages, truth), (fewer, cleaned, same) in zip(arms[::2], arms[1::2], strict=True):
        assert count - 1 <= fewer <= count
        assert len(cleaned) == fewer
        assert (cleaned == 99).all()
        assert (ages != 99).all()
        np.testing.assert_array_equal(truth, same)
        assert (truth != 99).all()
    said = capsys.readouterr().out
    assert "48 images, 1 dropped and 47 labels changed" in said
    assert "corrected minus as it is: -1.000 years, standard error 0.000" in said
