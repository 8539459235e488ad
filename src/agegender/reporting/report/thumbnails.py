"""Small pictures of some of a data set's images, found by name or by the hash of a name."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import cv2
import numpy as np

from agegender.data.dataset import Dataset
from agegender.errors import InputError
from agegender.run_folder import hashed_name

SIDE, QUALITY = 64, 80
"""Pixels, and of the JPEG."""


def thumbnails(files: Iterable[str], data: Dataset) -> dict[str, str]:
    """Each file's picture as a `data:` address.

    Args:
        files: Names, or in a shipped run hashes of names.
        data: Where the images stand.

    Raises:
        InputError: None of the files is among the data: another data set was given.
    """
    wanted = dict.fromkeys(files)
    names = data.table["file"].tolist()
    rows = {known: row for row, name in enumerate(names) for known in (name, hashed_name(name)) if known in wanted}
    if wanted and not rows:
        raise InputError(
            f"None of the {len(wanted):,} images to show is in {data.source}. Give the data that were measured."
        )
    return {file: _picture(data.images[rows[file]]) for file in wanted if file in rows}


def _picture(image: np.ndarray) -> str:
    small = cv2.resize(np.asarray(image), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    content = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(content.tobytes()).decode()}"
