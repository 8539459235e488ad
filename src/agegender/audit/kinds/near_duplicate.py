"""Files that show the same photograph without being equal."""

from __future__ import annotations

from typing import ClassVar

from agegender.audit.findings import Finding
from agegender.audit.material import Material
from agegender.audit.similar import Pair
from agegender.data.corrections import DROP


class NearDuplicate:
    """One photograph saved twice: resized, recompressed, brightened, cut, turned or mirrored."""

    name: ClassVar[str] = "near_duplicate"
    title: ClassVar[str] = "Near-duplicates"
    score_means: ClassVar[str] = "correlation of fine detail once both pictures lie on each other, 0..1"
    how: ClassVar[str] = (
        "Thumbnails, perceptual hashes of the picture and its mirror image, and descriptors of 64 views (cut to four "
        "fifths, turned by up to 10 degrees, mirrored) propose pairs; each pair is then laid on each other and kept if "
        "its fine detail agrees. A second photograph of the same person is no near-duplicate. Stronger cuts and turns "
        "are missed."
    )

    def find(self, material: Material) -> list[Finding]:
        """One finding a pair; the file that can go is named first."""
        faces = material.faces
        findings = []
        for pair in sorted(material.near, key=lambda pair: -pair.detail):
            if pair.second < faces.own:
                spare, kept = material.spare_first(pair)
                findings.append(
                    Finding(faces.file(spare), self.name, pair.detail, agreement(pair), DROP, faces.file(kept))
                )
        return findings


def agreement(pair: Pair) -> str:
    """What was measured of a pair, as a sentence."""
    if pair.identical:
        return "Byte for byte the same."
    how = "mirrored, " if pair.mirrored else ""
    return f"The same photograph: {how}laid on each other they correlate at {pair.correlation:.3f}, in fine detail " \
        f"at {pair.detail:.3f}."  # fmt: skip
