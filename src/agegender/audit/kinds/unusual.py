"""Pictures that are unlike all others of the data."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from agegender.audit.findings import Finding
from agegender.audit.material import Material

LEAST_IMAGES = 200
COMPONENTS = 40
LEAST_Z = 4.5
MOST_LEARNT = 20_000
_MAD_TO_DEVIATION = 1.4826


class Unusual:
    """Far from what the other pictures can be put together to: no face, a turned one, or a hidden one, perhaps."""

    name: ClassVar[str] = "unusual"
    title: ClassVar[str] = "Unlike the others"
    score_means: ClassVar[str] = "distance from face space, in robust standard deviations of its logarithm"
    how: ClassVar[str] = (
        f"Distance of a grey 32 x 32 picture from the plane of the first {COMPONENTS} principal components of all "
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
        pictures -= pictures.mean(axis=0)
        sample = pictures[:: max(1, len(pictures) // MOST_LEARNT)]
        _, axes = np.linalg.eigh(sample.T @ sample)
        plane = axes[:, -COMPONENTS:]
        rest = np.linalg.norm(pictures - (pictures @ plane) @ plane.T, axis=1)
        far = np.log(np.maximum(rest, 1e-6))
        middle = np.median(far)
        z = (far - middle) / max(_MAD_TO_DEVIATION * float(np.median(np.abs(far - middle))), 1e-6)
        order = np.argsort(-z, kind="stable")
        return [
            Finding(
                faces.file(int(row)),
                self.name,
                float(z[row]),
                f"The other pictures explain {1 - min(float(rest[row]) ** 2, 1):.0%} of it; half of all are explained "
                f"to {1 - float(np.exp(middle)) ** 2:.0%} and more.",
            )
            for row in order[z[order] >= LEAST_Z]
        ]
