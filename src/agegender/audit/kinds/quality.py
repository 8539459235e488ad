"""Pictures that show too little: too dark, blurred, tiny, without colour. Every one is measured by one number."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import cv2

from agegender.audit.findings import Finding
from agegender.audit.material import Material
from agegender.audit.measures import BLURRED_SIDE, BRIGHT_SHARE

DARK_LEVELS = 70.0
BLURRED_LOSS = 0.1
TINY_PIXELS = 64
GREY_CHROMA = 2.0


class Quality:
    """Common part of the kinds below: a number of a picture, and whether it is a problem."""

    name: ClassVar[str]
    title: ClassVar[str]
    score_means: ClassVar[str]
    how: ClassVar[str]

    @abstractmethod
    def measure(self, material: Material, row: int) -> float:
        """The number, in the unit of `score_means`."""

    @abstractmethod
    def sentence(self, value: float) -> str | None:
        """The evidence if the number is a problem, else None."""

    def find(self, material: Material) -> list[Finding]:
        """One finding an image, the worst (the smallest number) first."""
        findings = []
        for row in range(material.faces.own):
            value = self.measure(material, row)
            if (evidence := self.sentence(value)) is not None:
                findings.append(Finding(material.faces.file(row), self.name, value, evidence))
        return sorted(findings, key=lambda finding: finding.score)


class Dark(Quality):
    """Hardly any light, even in the bright parts."""

    name: ClassVar[str] = "dark"
    title: ClassVar[str] = "Too dark"
    score_means: ClassVar[str] = f"{BRIGHT_SHARE}th percentile of grey, 0..255; lower is darker"
    how: ClassVar[str] = f"Even the bright parts are dark: 95 of 100 pixels lie below {DARK_LEVELS:.0f} of 255."

    def measure(self, material: Material, row: int) -> float:
        """The bright part's grey level."""
        return float(material.brightness[row])

    def sentence(self, value: float) -> str | None:
        """See `Quality.sentence`."""
        return f"95 % of its pixels are darker than {value:.0f} of 255." if value < DARK_LEVELS else None


class Blurred(Quality):
    """No more detail than a picture of a few pixels has."""

    name: ClassVar[str] = "blurred"
    title: ClassVar[str] = "Blurred"
    score_means: ClassVar[str] = (
        f"what is lost when it is reduced to {BLURRED_SIDE} x {BLURRED_SIDE} pixels, of its contrast, 0..1"
    )
    how: ClassVar[str] = (
        f"Reduced to {BLURRED_SIDE} x {BLURRED_SIDE} pixels and enlarged again it is nearly the same: what is lost is "
        f"less than {BLURRED_LOSS:.0%} of its contrast. Whatever made it so, blur, smoothing or enlarging of a small "
        "picture, there is no detail to read an age from. Noise and compression can hide blur from this measure."
    )

    def measure(self, material: Material, row: int) -> float:
        """Root mean square of the loss over the standard deviation of grey."""
        return float(material.lost_detail[row])

    def sentence(self, value: float) -> str | None:
        """See `Quality.sentence`."""
        if value >= BLURRED_LOSS:
            return None
        return f"Reduced to {BLURRED_SIDE} x {BLURRED_SIDE} pixels and enlarged again it loses {value:.1%} of contrast."


class Tiny(Quality):
    """A file with few pixels."""

    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Tiny"
    score_means: ClassVar[str] = "shorter side of the file's picture, pixels"
    how: ClassVar[str] = (
        f"The file's picture is less than {TINY_PIXELS} pixels wide or high, before it is brought to one size."
    )

    def measure(self, material: Material, row: int) -> float:
        """The shorter side."""
        return float(min(material.faces.sides(row)))

    def sentence(self, value: float) -> str | None:
        """See `Quality.sentence`."""
        return f"Its shorter side has {value:.0f} pixels." if value < TINY_PIXELS else None


class Grey(Quality):
    """A picture without colour."""

    name: ClassVar[str] = "grey"
    title: ClassVar[str] = "Without colour"
    score_means: ClassVar[str] = "mean difference of the largest and smallest channel, 0..255"
    how: ClassVar[str] = (
        f"Red, green and blue differ by less than {GREY_CHROMA:.0f} of 255 on average. No fault by itself; a model "
        "that learns from colours sees another kind of picture. Toned prints (sepia) are not counted."
    )

    def measure(self, material: Material, row: int) -> float:
        """How far the channels lie apart."""
        red, green, blue = cv2.split(material.faces.image(row))  # a tenth of the time of max(axis=2)
        return float(cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)).mean())

    def sentence(self, value: float) -> str | None:
        """See `Quality.sentence`."""
        return f"Its channels differ by {value:.1f} of 255 on average." if value < GREY_CHROMA else None
