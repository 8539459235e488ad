"""Pictures that are unlike all others of the data."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agegender.audit.findings import Finding
from agegender.audit.material import Material

LEAST_IMAGES = 200
COMPONENTS = 40
LEAST_Z = 5.0
MOST_LEARNT = 20_000
_MAD_TO_DEVIATION = 1.4826


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
        faces = material.faces
        if faces.own < LEAST_IMAGES:
            return []
        pictures = faces.thumbnails[: faces.own].reshape(faces.own, -1).astype(np.float32)
        pictures -= pictures.mean(axis=1, keepdims=True)
        pictures /= np.maximum(np.linalg.norm(pictures, axis=1, keepdims=True), 1.0)
        # Each half is held against the plane of the other: what is alone of its kind would span an axis of its own.
        rest = np.empty(faces.own)
        for half in (0, 1):
            rest[half::2] = _distances(pictures[half::2], pictures[1 - half :: 2])
        middle = float(np.median(rest))
        z = (rest - middle) / max(_MAD_TO_DEVIATION * float(np.median(np.abs(rest - middle))), 1e-6)
        order = np.argsort(-z, kind="stable")
        return [
            Finding(
                faces.file(int(row)),
                self.name,
                float(z[row]),
                f"The other pictures explain {1 - min(float(rest[row]) ** 2, 1):.0%} of it; half of all are explained "
                f"to {1 - middle**2:.0%} and more.",
            )
            for row in order[z[order] >= LEAST_Z]
        ]


def _distances(pictures: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far pictures lie from the plane that others span, (n,)."""
    others = others[:: max(1, len(others) // MOST_LEARNT)]
    middle = others.mean(axis=0)
    _, axes = np.linalg.eigh((others - middle).T @ (others - middle))
    plane = axes[:, -COMPONENTS:]
    centred = pictures - middle
    return np.linalg.norm(centred - (centred @ plane) @ plane.T, axis=1).astype(np.float64)
