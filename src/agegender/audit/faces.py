"""The images under audit, and small grey pictures of them that several kinds of problems read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from agegender.data.dataset import Dataset

THUMBNAIL_SIDE = 32
"""Pixels. A million of them are 1 GB: all that is held of every image at once."""


@dataclass(frozen=True)
class Faces:
    """The data set under audit and, where one is given, another that must not share pictures with it.

    Row numbers run over both: 0 to `own` - 1 are the audited data, the rest the other data.

    Attributes:
        data: The audited data set.
        against: The other one, such as test images.
    """

    data: Dataset
    against: Dataset | None = None

    @property
    def own(self) -> int:
        """How many images are audited."""
        return len(self.data)

    def __len__(self) -> int:
        return self.own + (len(self.against) if self.against is not None else 0)

    def _place(self, row: int) -> tuple[Dataset, int]:
        if row < self.own or self.against is None:
            return self.data, row
        return self.against, row - self.own

    def image(self, row: int) -> NDArray[np.uint8]:
        """uint8 (h, w, 3) RGB."""
        dataset, place = self._place(row)
        return np.ascontiguousarray(dataset.images[place])

    def grey(self, row: int) -> NDArray[np.uint8]:
        """uint8 (h, w)."""
        return np.asarray(cv2.cvtColor(self.image(row), cv2.COLOR_RGB2GRAY), np.uint8)

    def file(self, row: int) -> str:
        """The name of the file in its own data set."""
        dataset, place = self._place(row)
        return str(dataset.table["file"].iat[place])

    def age(self, row: int) -> int:
        """The label, years."""
        dataset, place = self._place(row)
        return int(dataset.table["age"].iat[place])

    def gender(self, row: int) -> str:
        """The label, `male` or `female`."""
        dataset, place = self._place(row)
        return str(dataset.table["gender"].iat[place])

    def sides(self, row: int) -> tuple[int, int]:
        """Width and height of the file's picture in pixels, before it was brought to one size."""
        dataset, place = self._place(row)
        return int(dataset.origin["width"].iat[place]), int(dataset.origin["height"].iat[place])

    @cached_property
    def digests(self) -> list[str]:
        """SHA-256 of every file's bytes."""
        parts = [self.data, *([self.against] if self.against is not None else [])]
        return [digest for part in parts for digest in part.origin["sha256"]]

    @cached_property
    def thumbnails(self) -> NDArray[np.uint8]:
        """Grey, uint8 (n, 32, 32), each pixel the mean of what it covers."""
        side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        small = np.empty((len(self), *side), np.uint8)
        for row in range(len(self)):
            small[row] = cv2.resize(self.grey(row), side, interpolation=cv2.INTER_AREA)
        return small
