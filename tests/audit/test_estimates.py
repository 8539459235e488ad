"""Estimates are made without the label that they judge, and are good enough to find blunders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agegender.audit.estimates import Estimates, estimate_from_features, estimates_from_predictions
from agegender.audit.faces import Faces
from agegender.audit.kinds.doubtful_age import DoubtfulAge, robust_z
from agegender.audit.kinds.doubtful_gender import DoubtfulGender
from agegender.audit.material import Material
from agegender.errors import InputError
from agegender.labels import Gender


def test_plain_features_read_drawn_faces_and_find_planted_labels(drawn_images, dataset_of) -> None:
    """2 % of ages moved by 20 years or more, 2 % of genders flipped: what the default estimate finds, no more."""
    images, ages, genders = drawn_images
    rng = np.random.default_rng(3)
    count = len(ages)
    wrong = round(0.02 * count)
    moved, swapped = (rng.choice(count, wrong, replace=False) for _ in range(2))
    written, sexes = list(ages), list(genders)
    for row in moved:
        written[row] += 20 if written[row] < 60 else -20
    for row in swapped:
        sexes[row] = Gender.MALE if sexes[row] is Gender.FEMALE else Gender.FEMALE
    faces = Faces(dataset_of(images, written, sexes))
    estimates = estimate_from_features(faces, np.arange(count))
    assert estimates is not None
    assert not estimates.trusted
    female = np.array([gender is Gender.FEMALE for gender in genders])
    assert np.abs(estimates.age - np.array(ages)).mean() < 0.75 * np.abs(np.median(ages) - np.array(ages)).mean()
    assert ((estimates.female_probability >= 0.5) == female).mean() > 0.75
    material = Material(faces, [], [], [estimates])
    aged = {int(one.file[:4]) for one in DoubtfulAge().find(material)}
    assert len(aged) <= 0.05 * count, "an estimate that is off by years must not accuse many; it finds blunders only"
    # Moved by 20 years where the estimate is off by 8: none reaches the threshold, half stand in the top tenth.
    doubts = np.abs(robust_z(np.array(written) - estimates.age, estimates.age))
    most_doubtful = np.argsort(-doubts)[: count // 10]
    assert len(set(most_doubtful.tolist()) & set(moved.tolist())) >= 0.5 * wrong
    doubted = {int(one.file[:4]) for one in DoubtfulGender().find(material)}
    found = len(doubted & set(swapped.tolist()))
    assert found >= 1, f"recall: {found} of {wrong}"
    assert found >= 0.5 * len(doubted), f"precision: {found} of {len(doubted)}"


def test_a_copy_never_judges_its_copy(drawn_images, dataset_of) -> None:
    """Were they in two folds, the copies would tell each other their wrong age."""
    images, ages, genders = drawn_images
    count = 150
    doubled = np.concatenate([images[:count], images[:count]])
    written = [*ages[:count], *ages[:count]]
    written[0] = written[count] = 110
    faces = Faces(dataset_of(doubled, written, [*genders[:count], *genders[:count]]))
    groups = np.tile(np.arange(count), 2)
    together = estimate_from_features(faces, groups)
    apart = estimate_from_features(faces, np.arange(2 * count))
    assert together is not None
    assert apart is not None
    assert together.age[0] == pytest.approx(together.age[count])
    assert apart.age[0] > together.age[0] + 5


def test_too_few_images_or_one_gender_give_no_estimate(drawn_images, dataset_of) -> None:
    images, ages, _ = drawn_images
    assert estimate_from_features(Faces(dataset_of(images[:50])), np.arange(50)) is None
    one = dataset_of(images, ages, [Gender.MALE] * len(ages))
    assert estimate_from_features(Faces(one), np.arange(len(ages))) is None


def test_predictions_of_folds_are_read_and_averaged(drawn_images, dataset_of, tmp_path: Path) -> None:
    faces = Faces(dataset_of(drawn_images[0][:4]))
    for fold, files in ((1, ["0002.jpg", "0000.jpg"]), (2, ["0003.jpg", "elsewhere.jpg"])):
        rows = [
            {"model": model, "order": order, "file": file, "predicted_age": age, "female_probability": 0.25}
            for file in files for model, age in (("A", 20.0), ("B", 40.0)) for order in ("rgb", "bgr")
        ]  # fmt: skip
        (tmp_path / f"fold-{fold}").mkdir()
        pd.DataFrame(rows).to_parquet(tmp_path / f"fold-{fold}" / "predictions.parquet")
    found = estimates_from_predictions([tmp_path], faces)
    assert found.rows.tolist() == [0, 2, 3]
    assert found.age.tolist() == [30.0] * 3
    assert found.trusted
    assert found.without(np.array([2])).rows.tolist() == [0, 3]
    with pytest.raises(InputError, match=r"no predictions\.parquet"):
        estimates_from_predictions([tmp_path / "none"], faces)
    pd.DataFrame({"file": ["x"]}).to_parquet(tmp_path / "bad.parquet")
    with pytest.raises(InputError, match="lacks predicted_age, female_probability"):
        estimates_from_predictions([tmp_path / "bad.parquet"], faces)
    with pytest.raises(InputError, match="on other images"):
        estimates_from_predictions([tmp_path], _renamed(faces))


def _renamed(faces: Faces) -> Faces:
    import dataclasses

    table = faces.data.table.assign(file=[f"other {row}" for row in range(faces.own)])
    return Faces(dataclasses.replace(faces.data, table=table))


def test_estimates_keep_their_order() -> None:
    given = Estimates(np.array([1, 4, 6]), np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3]), "x", trusted=True)
    rest = given.without(np.array([4]))
    assert (rest.rows.tolist(), rest.age.tolist(), rest.female_probability.tolist()) == ([1, 6], [1.0, 3.0], [0.1, 0.3])
