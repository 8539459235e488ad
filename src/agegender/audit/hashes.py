"""Perceptual hashes of 16 x 16 bits, of a picture and of its mirror image.

Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010; here by the library imagehash.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agegender.audit.faces import Faces
from agegender.data.parallel import ordered_map, usable_cores
from agegender.optional import require

HASH_SIDE = 16

MOST_DIFFERING_BITS = 60
"""Of 256. Two pictures of different people differ in about 128; the pairs up to here are candidates, not yet found."""


def perceptual_hashes(faces: Faces, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The hashes of pictures and of their mirror images, both uint8 (n, 32)."""
    phash = require("imagehash", "audit").phash

    def hashes(row: int) -> NDArray[np.uint8]:
        picture = Image.fromarray(faces.grey(row))
        both = (picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        return np.stack([np.packbits(phash(one, hash_size=HASH_SIDE).hash) for one in both])

    found = np.empty((len(rows), 2, HASH_SIDE**2 // 8), np.uint8)
    for place, pair in enumerate(ordered_map(hashes, rows.tolist(), usable_cores())):
        found[place] = pair
    return np.ascontiguousarray(found[:, 0]), np.ascontiguousarray(found[:, 1])
