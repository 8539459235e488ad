"""A drawn face for everything here."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def face_pixels() -> np.ndarray:
    """A drawn face, uint8 (128, 128, 3)."""
    from agegender.data.drawn import draw_face

    return draw_face(0, 7)[0]
