"""Views are what they say: the part of the picture they name, and one matrix for the map and the cosines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from agegender.audit.faces import THUMBNAIL_SIDE
from agegender.audit.views import PRIOR_IMAGES, Descriptors, View, _cosines, _sampling, all_views


def soft(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return np.stack(
        [
            cv2.resize(rng.integers(0, 256, (7, 7), dtype=np.uint8), side, interpolation=cv2.INTER_CUBIC)
            for _ in range(count)
        ]
    )


def test_the_plain_view_is_the_picture_and_the_mirrored_one_its_mirror_image() -> None:
    picture = soft(1, 1)[0].astype(float)
    assert np.allclose(_sampling(View()) @ picture.ravel(), picture.ravel())
    mirrored = (_sampling(View(mirrored=True)) @ picture.ravel()).reshape(picture.shape)
    assert np.allclose(mirrored, picture[:, ::-1])


def test_a_view_is_what_opencv_makes_of_its_warp() -> None:
    picture = soft(1, 2)[0].astype(np.float32)
    view = View(0.8, 0.05, -0.1, 7.0, mirrored=True)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    expected = cv2.warpAffine(
        picture, view.warp(THUMBNAIL_SIDE), picture.shape, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    seen = (_sampling(view) @ picture.ravel()).reshape(picture.shape)
    assert np.abs(seen - expected).max() < 4  # OpenCV rounds places to a thirty-second of a pixel


def test_cosines_are_opencvs_transform() -> None:
    picture = soft(1, 3)[0].astype(np.float32)
    expected = cv2.dct(picture)[:8, :8].ravel()[1:]
    assert np.allclose(_cosines() @ picture.ravel(), expected, atol=1e-2)


def test_views_are_different_and_half_of_them_mirrored() -> None:
    views = all_views()
    assert len(set(views)) == len(views)
    assert sum(view.mirrored for view in views) * 2 == len(views)
    for view in views:
        # A picture reaches from half a pixel before the first pixel's middle to half a pixel behind the last one's.
        corners = view.warp(32) @ np.array([[-0.5, 31.5, -0.5, 31.5], [-0.5, -0.5, 31.5, 31.5], [1, 1, 1, 1]])
        if not view.degrees:
            assert corners.min() > -0.5 - 1e-6, "a part never reaches beyond the picture"
            assert corners.max() < 31.5 + 1e-6


@pytest.mark.parametrize("count", [5, 3 * PRIOR_IMAGES])
def test_the_view_of_a_cut_picture_finds_it_among_strangers(count: int) -> None:
    pictures = soft(count, 4)
    part = cv2.resize(pictures[2][2:30, 0:28], (32, 32), interpolation=cv2.INTER_LINEAR)
    described = Descriptors(np.concatenate([pictures, part[None]]))
    plain = described.of(View())
    best = max(all_views(), key=lambda view: float(described.of(view)[2] @ plain[count]))
    assert 0.8 < best.scale < 0.95
    assert not best.mirrored
    closeness = described.of(best)[2] @ plain.T
    assert closeness[count] > 0.85
    assert np.delete(closeness, [2, count]).max() < closeness[count] - 0.1


def test_descriptors_ignore_light_and_contrast_and_know_flat_pictures() -> None:
    pictures = soft(12, 5)
    pictures[3] = pictures[2] // 2 + 60
    pictures[4] = 128
    described = Descriptors(pictures).of(View())
    assert described[2] @ described[3] > 0.99
    assert not described[4].any()
    assert np.allclose(np.linalg.norm(np.delete(described, 4, axis=0), axis=1), 1, atol=1e-5)
