"""Files that are equal byte for byte."""

from __future__ import annotations

from typing import ClassVar

from agegender.audit.findings import Finding
from agegender.audit.material import Material
from agegender.data.corrections import DROP


class Identical:
    """The same file under two names."""

    name: ClassVar[str] = "identical"
    title: ClassVar[str] = "Identical files"
    score_means: ClassVar[str] = "always 1"
    how: ClassVar[str] = (
        "Equal SHA-256 of the bytes. One of each pair can go: a copy counts one photograph twice, and on both sides of "
        "a split it would be a test question seen before."
    )

    def find(self, material: Material) -> list[Finding]:
        """One finding a pair; the file that can go is named first."""
        faces = material.faces
        findings = []
        for pair in material.identical:
            if pair.second < faces.own:
                spare, kept = material.spare_first(pair)
                evidence = f"Byte for byte the same as {faces.file(kept)}."
                findings.append(Finding(faces.file(spare), self.name, 1.0, evidence, DROP, faces.file(kept)))
        return findings
