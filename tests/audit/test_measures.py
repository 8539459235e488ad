"""Numbers of a picture that several kinds of problems share."""

from __future__ import annotations

import numpy as np
import pytest

from agegender.audit.measures import brightness, lost_detail, unlikeness


def test_light_and_detail_of_known_pictures() -> None:
    ramp = np.broadcast_to(np.arange(100, dtype=np.uint8), (100, 100))
    assert brightness(ramp) == pytest.approx(94, abs=1)
    assert lost_detail(np.full((128, 128), 77, np.uint8)) == pytest.approx(0, abs=1e-3)
    fine = (np.indices((128, 128)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert lost_detail(fine) == pytest.approx(1, abs=0.05), "a board of single pixels is lost whole"
    wave = 127 + 100 * np.sin(np.arange(128) * np.pi / 32)
    assert lost_detail(np.broadcast_to(wave, (128, 128)).astype(np.uint8)) < 0.05


def test_what_lies_off_the_plane_and_what_lies_far_out_on_it() -> None:
    """Pictures of one wave with some of two others; one of a board of pixels, one of the second wave alone."""
    rng = np.random.default_rng(7)
    place = np.arange(16)
    waves = np.stack([np.outer(np.sin(k * place / 3), np.cos(k * place / 4)) for k in (1, 2, 3)])
    amounts = rng.normal([4, 0, 0], [0.5, 0.7, 0.7], (240, 3))
    amounts[20] = [0, 4, 0]
    pictures = np.einsum("nk,kyx->nyx", amounts, waves) * 12 + rng.normal(0, 2, (240, 16, 16))
    pictures[10] = 50 * (np.indices((16, 16)).sum(axis=0) % 2)
    found = unlikeness(np.clip(pictures + 128, 0, 255).astype(np.uint8))
    assert found is not None
    assert found.off_plane.argmax() == 10
    assert found.deviations[10] > 5
    assert set(np.argsort(-found.on_plane)[:2].tolist()) == {10, 20}
    assert found.on_plane[20] > 10 * np.median(found.on_plane)
    assert np.median(found.deviations) == pytest.approx(0, abs=1e-9)
    assert unlikeness(np.zeros((199, 16, 16), np.uint8)) is None
