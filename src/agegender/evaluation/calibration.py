"""Calibrate a model on images that it did not learn from, and write what was found into its sidecar."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from agegender.artifacts import read_json, sha256_file, write_json
from agegender.errors import InputError, ModelError, SettingError
from agegender.evaluation.answers import Answers, distributions
from agegender.evaluation.evaluate import female_labels
from agegender.run_folder import now
from agegender.uncertainty import (
    KEY,
    LEVEL,
    Calibration,
    Candidate,
    chosen,
    compare_methods,
    fit_intervals,
    fit_temperature,
    fit_unsure,
)
from agegender.uncertainty.conformal import BASELINES
from agegender.uncertainty.groups import GROUP_MIN
from agegender.uncertainty.unsure import CONFIDENCE, RISK


def calibrate(
    answers: Answers,
    model_sha256: str,
    *,
    level: float = LEVEL,
    group_min: int = GROUP_MIN,
    risk: float = RISK,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> tuple[Calibration, tuple[Candidate, ...]]:
    """Choose an interval method, and fit it, the gender temperature and the "unsure" rule.

    Args:
        answers: Of the model, with distributions, on the calibration images.
        model_sha256: The model file.
        level: Share of age intervals that should hold the label, between 0 and 1.
        group_min: Images that a band of predicted age needs for a threshold of its own.
        risk: Largest share of errors among answered genders.
        confidence: That the risk is kept.
        seed: Of the cross-fitting.

    Returns:
        The calibration, and how each method did.

    Raises:
        SettingError: A setting out of range.
        InputError: Too few images, no distributions, or labels of one gender only.
    """
    table = answers.table
    predicted, ages, rows = table["predicted_age"].to_numpy(float), table["age"].to_numpy(float), distributions(table)
    candidates = compare_methods(predicted, rows, ages, level=level, group_min=group_min, seed=seed)
    choice = chosen(candidates)
    probability, female = table["female_probability"].to_numpy(float), female_labels(table)
    calibration = Calibration(
        intervals=fit_intervals(
            choice.method, predicted, rows, ages, level=level, by_band=choice.by_band, group_min=group_min
        ),
        temperature=fit_temperature(probability, female),
        unsure=fit_unsure(probability, female, risk=risk, confidence=confidence),
        baselines=tuple(
            fit_intervals(method, predicted, rows, ages, level=level, by_band=False) for method in BASELINES
        ),
        model_sha256=model_sha256,
        calibrated_on={
            "set": answers.images,
            "data": answers.source,
            "fingerprint": answers.fingerprint,
            "split_sha256": answers.split_sha256,
            "files_sha256": files_hash(table),
            "n": len(table),
            "drawn": answers.drawn,
            "date": now(),
        },
    )
    return calibration, candidates


def files_hash(table: pd.DataFrame) -> str:
    """A hash of the images' names, in any order: the same images are known again, and no name is told."""
    return hashlib.sha256("\n".join(sorted(map(str, table["file"]))).encode()).hexdigest()


def write_calibration(
    model_file: Path,
    calibration: Calibration,
    candidates: tuple[Candidate, ...],
    *,
    answered_by: dict[str, Any] | None = None,
) -> Path:
    """Put a calibration into a model's sidecar, in place of an earlier one; a foreign file gets a small sidecar.

    Args:
        model_file: The `.keras` file.
        calibration: Of this file.
        candidates: How each method did; kept beside it.
        answered_by: Another file whose answers were calibrated, where this one had seen the images.

    Returns:
        The sidecar's path.

    Raises:
        ModelError: The sidecar, or the calibration, is of another file.
        OutputError: It cannot be written.
    """
    sidecar = model_file.with_suffix(".json")
    digest = sha256_file(model_file)
    record = read_sidecar(model_file) or {"file": model_file.name, "sha256": digest}
    if calibration.model_sha256 != digest:
        raise ModelError(f"The calibration is not of {model_file.name} as it is now. Calibrate again.")
    content: dict[str, Any] = calibration.as_record() | {"compared": list(candidates)}
    if answered_by is not None:
        content["calibrated_on"] = content["calibrated_on"] | {"answered_by": answered_by}
    return write_json(sidecar, record | {KEY: content})


def read_sidecar(model_file: Path) -> dict[str, Any]:
    """What is known of a model file; empty where it has no sidecar.

    Raises:
        InputError: The sidecar is damaged.
        ModelError: It is of another file.
    """
    sidecar = model_file.with_suffix(".json")
    if not sidecar.is_file():
        return {}
    try:
        record = read_json(sidecar)
    except (OSError, ValueError) as error:
        raise InputError(f"The sidecar {sidecar} cannot be read ({error}). Put the right one there.") from error
    if not isinstance(record, dict):
        raise InputError(f"The sidecar {sidecar} must hold a JSON object. Received: {type(record).__name__}.")
    digest = sha256_file(model_file)
    if record.get("sha256", digest) != digest:
        raise ModelError(
            f"{model_file.name} is not the file that {sidecar.name} describes (sha256 {record['sha256'][:12]}..., is "
            f"{digest[:12]}...). Put the right sidecar beside it."
        )
    return record


def check_unseen(model_file: Path, fingerprint: str | None, split_sha256: str | None) -> str:
    """Refuse to calibrate on images that the model learnt from, as far as its sidecar can tell.

    Args:
        model_file: The `.keras` file.
        fingerprint: Of the data set that calibration images are from; None if not known.
        split_sha256: Of the split whose validation images they are; None if they are all images.

    Returns:
        A sentence for the user where nothing is known, else nothing.

    Raises:
        SettingError: It learnt from these images.
        InputError: The sidecar is damaged.
        ModelError: It is of another file.
    """
    record = read_sidecar(model_file)
    learnt, own_split = record.get("data", {}).get("fingerprint"), record.get("split", {}).get("sha256")
    if learnt is None or fingerprint is None:
        return (
            f"It is not known what {model_file.name} learnt from, or from which data these answers are: make sure that "
            "it has not seen the calibration images, or its intervals will be too narrow."
        )
    if learnt != fingerprint:
        return ""
    if split_sha256 is None:
        raise SettingError(
            f"{model_file.name} learnt from this data. Calibrate on images that it has not seen: give the --split of "
            "its own run, whose validation images are then taken, or other --data."
        )
    if split_sha256 != own_split:
        raise SettingError(
            f"{model_file.name} learnt on another split of this data, so it has seen some of these validation images. "
            "Give the split.json of its own run. If it learnt from all images, calibrate its 80/20 twin and write the "
            f"result with --for {model_file.name}."
        )
    return ""


def check_twin(model_file: Path, target: Path) -> dict[str, Any]:
    """Check that a model may stand in for another one: same model and recipe.

    Args:
        model_file: Answers calibration images that it has not seen.
        target: Gets the calibration.

    Returns:
        What the target's sidecar will say of the model that answered.

    Raises:
        SettingError: They differ in recipe, or a sidecar lacks it.
    """
    own, other = read_sidecar(model_file), read_sidecar(target)
    if not own.get("recipe") or own.get("recipe") != other.get("recipe"):
        raise SettingError(
            f"{model_file.name} cannot stand in for {target.name}: their sidecars must tell of the same recipe. "
            "Calibrate a file that was trained by the same recipe on fewer images."
        )
    return {
        "file": model_file.name,
        "sha256": sha256_file(model_file),
        "note": "This file learnt from the calibration images too, so a twin of the same recipe, trained without them, "
        "answered in its place. Coverage is carried over from the twin and not proven by theory for this file.",
    }
