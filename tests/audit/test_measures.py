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


def test_what_is_unlike_the_others_in_what_it_shows_and_in_where_its_edges_run() -> None:
    """Pictures of one wave with some of two others; one of a board of pixels, one of the wave the other way round."""
    rng = np.random.default_rng(7)
    place = np.arange(32)
    waves = np.stack([np.outer(np.sin(k * place / 6), np.cos(k * place / 8)) for k in (1, 2, 3)])
    amounts = rng.normal([4, 0, 0], [0.5, 0.7, 0.7], (240, 3))
    pictures = np.einsum("nk,kyx->nyx", amounts, waves) * 12 + rng.normal(0, 2, (240, 32, 32))
    pictures[10] = 50 * (np.indices((32, 32)).sum(axis=0) % 2)
    pictures[20] = -pictures[20]
    found = unlikeness(np.clip(pictures + 128, 0, 255).astype(np.uint8))
    assert found is not None
    assert found.off_plane.argmax() == 10
    assert found.deviations[10] > 5
    assert np.median(found.deviations) == pytest.approx(0, abs=1e-9)
    assert found.by_gradients.argmax() == 20, "the same edges, dark where the others are bright"
    assert found.by_gradients[20] > 5 * np.median(found.by_gradients)
    assert unlikeness(np.zeros((199, 32, 32), np.uint8)) is None
