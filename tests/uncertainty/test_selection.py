"""Choosing a method: the narrowest that holds, the same each time, with the numbers of a fit left out."""

import numpy as np
import pytest

from agegender.errors import InputError
from agegender.uncertainty.conformal import BASELINES, METHODS
from agegender.uncertainty.selection import Candidate, chosen, compare_methods


@pytest.fixture(scope="module")
def candidates(calibration_faces) -> tuple[Candidate, ...]:
    faces = calibration_faces
    return compare_methods(faces.predicted, faces.distribution, faces.ages)


def test_every_method_is_measured_both_ways_and_one_is_chosen(candidates):
    real = [(c.method, c.by_band) for c in candidates if not c.baseline]
    assert sorted(real) == sorted((method, by_band) for method in METHODS for by_band in (True, False))
    assert [c.method for c in candidates if c.baseline and not c.holds]
    assert {c.method for c in candidates if c.baseline} == set(BASELINES)
    assert sum(c.chosen for c in candidates) == 1


def test_the_narrowest_that_holds_is_chosen(candidates):
    choice = chosen(candidates)
    assert choice.holds
    assert not choice.baseline
    assert choice.mean_width == min(c.mean_width for c in candidates if c.holds and not c.baseline)


def test_a_width_for_all_fails_old_faces_and_is_wider(candidates):
    constant = next(c for c in candidates if c.method == "constant")
    assert constant.coverage > 0.88
    assert not constant.holds
    assert constant.worst_coverage < 0.8
    assert chosen(candidates).mean_width < constant.mean_width


def test_coverage_left_out_is_near_the_level(candidates):
    for candidate in candidates:
        if not candidate.baseline:
            assert 0.885 < candidate.coverage < 0.94, candidate


def test_the_same_seed_gives_the_same_choice(candidates, calibration_faces):
    faces = calibration_faces
    assert compare_methods(faces.predicted, faces.distribution, faces.ages) == candidates


def test_too_few_images_are_refused(calibration_faces):
    faces = calibration_faces
    few = slice(0, 40)
    with pytest.raises(InputError, match="at least 50 images"):
        compare_methods(faces.predicted[few], faces.distribution[few], faces.ages[few])


def test_if_none_holds_the_best_worst_band_is_taken():
    """Labels that have nothing to do with the answers in one band: no method can hold there by one threshold."""
    from agegender.uncertainty.selection import _best

    narrow = Candidate("shortest", False, 0.8, 10.0, "all", 0.6, holds=False, baseline=False)
    wide = Candidate("scaled", True, 0.85, 30.0, "all", 0.8, holds=False, baseline=False)
    assert _best([narrow, wide]) is wide
    assert np.isclose(_best([narrow, wide]).worst_coverage, 0.8)
