"""Photographs of the audited data that also stand in the other data set."""

from __future__ import annotations

from typing import ClassVar

from agegender.audit.findings import Finding
from agegender.audit.kinds.near_duplicate import agreement
from agegender.audit.material import Material
from agegender.data.corrections import DROP


class Leakage:
    """A photograph on both sides, such as in training and in test images."""

    name: ClassVar[str] = "leakage"
    title: ClassVar[str] = "Leakage: also in the other data"
    score_means: ClassVar[str] = "correlation of fine detail, 0..1; 1 for identical files"
    how: ClassVar[str] = (
        "Identical files and near-duplicates between the audited data and --against. The audited file is to be "
        "dropped, so that the other data (test images, say) stay what they are."
    )

    def find(self, material: Material) -> list[Finding]:
        """One finding a pair: the audited file, and in `other` the file of the other data."""
        faces = material.faces
        across = [pair for pair in (*material.identical, *material.near) if pair.first < faces.own <= pair.second]
        return [
            Finding(faces.file(pair.first), self.name, pair.detail, agreement(pair), DROP, faces.file(pair.second))
            for pair in sorted(across, key=lambda pair: -pair.detail)
        ]
