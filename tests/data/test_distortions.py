"""Distortions do what they say to pixels, and nothing at their neutral level."""

import numpy as np
import pytest

from agegender.data.distortions import DISTORTIONS, Distortion
from agegender.data.drawn import draw_faces
from agegender.data.images import read_face

NAMED = {way.name: way for way in DISTORTIONS}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    folder = draw_faces(tmp_path_factory.mktemp("faces") / "drawn", count=3, seed=4)
    return np.stack([read_face(path.read_bytes())[0] for path in sorted(folder.glob("*.jpg"))])


@pytest.mark.parametrize("way", DISTORTIONS, ids=lambda way: way.name)
def test_every_level_changes_every_image_and_the_same_seed_repeats_it(way: Distortion, images: np.ndarray) -> None:
    for level in way.levels:
        changed = way.apply(images, level, seed=1)
        assert changed.shape == images.shape
        assert changed.dtype == np.uint8
        assert all((one != other).any() for one, other in zip(changed, images, strict=True))
        np.testing.assert_array_equal(changed, way.apply(images, level, seed=1))


@pytest.mark.parametrize("way", DISTORTIONS, ids=lambda way: way.name)
def test_mild_levels_are_levels(way: Distortion) -> None:
    assert set(way.mild) <= set(way.levels)
    assert way.neutral not in way.levels


@pytest.mark.parametrize("name", ["light", "margin", "tilt", "grey"])
def test_the_neutral_level_changes_nothing(name: str, images: np.ndarray) -> None:
    neutral = NAMED[name].neutral
    assert neutral is not None
    np.testing.assert_allclose(NAMED[name].apply(images, neutral, 0).astype(int), images.astype(int), atol=1)


def test_farther_levels_change_more(images: np.ndarray) -> None:
    for name, levels in {
        "jpeg": (80, 30, 10),
        "blur": (0.5, 1, 3),
        "noise": (5, 20, 40),
        "resolution": (96, 48, 16),
    }.items():
        moved = [np.abs(NAMED[name].apply(images, level, 0).astype(int) - images).mean() for level in levels]
        assert moved == sorted(moved), name


def test_what_each_does(images: np.ndarray) -> None:
    grey = NAMED["grey"].apply(images, 1.0, 0)
    np.testing.assert_allclose(grey[..., 0].astype(int), grey[..., 2].astype(int), atol=1)
    np.testing.assert_array_equal(NAMED["channel order"].apply(images, 1.0, 0), images[..., ::-1])
    assert NAMED["light"].apply(images, 0.6, 0).mean() == pytest.approx(0.6 * images.mean(), rel=0.02)
    blob = np.zeros((1, 128, 128, 3), np.uint8)
    blob[:, 44:84, 44:84] = 255
    assert NAMED["margin"].apply(blob, 0.8, 0).mean() == pytest.approx(blob.mean() / 0.8**2, rel=0.05)
    assert NAMED["margin"].apply(blob, 1.25, 0).mean() == pytest.approx(blob.mean() / 1.25**2, rel=0.05)
    # A positive tilt turns against the clock: what stood right of the centre rises.
    point = np.zeros((1, 128, 128, 3), np.uint8)
    point[:, 60:68, 110:118] = 255
    rows = np.nonzero(NAMED["tilt"].apply(point, 20, 0)[0, ..., 0] > 128)[0]
    assert rows.mean() < 55
