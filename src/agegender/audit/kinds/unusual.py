"""Pictures that are unlike all others of the data."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from agegender.audit.findings import Finding
from agegender.audit.material import Material
from agegender.audit.measures import COMPONENTS

LEAST_Z = 5.0


class Unusual:
    """Far from what the other pictures can be put together to: no face, a turned one, or a hidden one, perhaps."""

    name: ClassVar[str] = "unusual"
    title: ClassVar[str] = "Unlike the others"
    score_means: ClassVar[str] = "distance from face space, in robust standard deviations above the median"
    how: ClassVar[str] = (
        f"Distance of a grey 32 x 32 picture from the plane of the first {COMPONENTS} principal components of others "
        "(Turk, Pentland, 'Eigenfaces for Recognition', 1991). This is no face detector: it also finds faces that are "
        "patterned, covered or turned, and misses what is smooth and shaped like a face. It says where to look first."
    )

    def find(self, material: Material) -> list[Finding]:
        """One finding an image, the most unusual first; none where there are too few images to say what is usual."""
        unlike = material.unlikeness
        if unlike is None:
            return []
        z, rest = unlike.deviations, unlike.off_plane
        order = np.argsort(-z, kind="stable")
        return [
            Finding(
                material.faces.file(int(row)),
                self.name,
                float(z[row]),
                f"The other pictures explain {1 - min(float(rest[row]) ** 2, 1):.0%} of it; half of all are explained "
                f"to {1 - unlike.usual**2:.0%} and more.",
            )
            for row in order[z[order] >= LEAST_Z]
        ]
