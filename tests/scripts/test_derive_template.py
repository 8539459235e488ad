"""The template comes from what stands in the crops: shifted crops give a shifted template."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from agegender.errors import InputError
from agegender.inference.align import TEMPLATE, crop_face
from agegender.inference.decode import read_picture
from agegender.inference.detector import FaceDetector


def test_crops_cut_to_a_template_give_that_template(
    script: Callable[[str], ModuleType], photograph: Path, tmp_path: Path
) -> None:
    pixels = read_picture(photograph).pixels
    landmarks = FaceDetector(threads=1).detect(pixels).landmarks[0]
    for index in range(21):
        Image.fromarray(crop_face(pixels, landmarks - [index % 3 * 2, 0])).save(tmp_path / f"{index}.png")
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    derive = script("derive_template").derive
    template = derive(tmp_path, 500, 0)
    assert template.used == 21
    own = template.points - TEMPLATE
    assert np.abs(own - own.mean(axis=0)).max() < 6  # one person's face is not the mean face
    assert np.abs(own.mean(axis=0)).max() < 4
    assert template.scale[0] == pytest.approx(template.scale[2], abs=0.1)
    with pytest.raises(InputError, match="Only"):
        derive(tmp_path, 5, 0)
