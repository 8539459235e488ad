"""Ages that an estimate made without them contradicts."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agegender.audit.findings import Finding
from agegender.audit.material import Material
from agegender.data.corrections import DROP, LOOK

LEAST_Z, DROP_Z = 3.0, 4.0
"""Standard deviations of ordinary residuals, for a look and, where trained models say so, for a drop. Of a normal
distribution one in 370 and one in 16,000 lie as far out; residuals of ages have longer tails."""

PER_BIN = 150
"""Images of similar estimated age whose residuals say what is ordinary there; old ages are read less exactly."""

LEAST_SPREAD_YEARS = 2.0
LEAST_IMAGES = 50
_MAD_TO_DEVIATION = 1.4826


class DoubtfulAge:
    """The label lies far from the age that was estimated out of fold."""

    name: ClassVar[str] = "doubtful_age"
    title: ClassVar[str] = "Doubtful ages"
    score_means: ClassVar[str] = "distance of label and estimate, in standard deviations of ordinary residuals"
    how: ClassVar[str] = (
        "Residuals of an out-of-fold estimate, over their robust spread (median absolute deviation) among images of "
        "similar estimated age; 3 and more is doubtful. Somebody who looks much older or younger than they are is "
        "found too, and is no error. The default estimate reads ages from plain image features, and only finds "
        "blunders; predictions of trained models (--predictions) find more, and only theirs become drops, from 4 on."
    )

    def find(self, material: Material) -> list[Finding]:
        """One finding an image, the most doubtful first."""
        faces = material.faces
        findings = []
        for source in material.estimates:
            if len(source.rows) < LEAST_IMAGES:
                continue
            labels = faces.data.table["age"].to_numpy(np.float64)[source.rows]
            z = robust_z(labels - source.age, source.age)
            for place in np.flatnonzero(np.abs(z) >= LEAST_Z):
                row = int(source.rows[place])
                evidence = (
                    f"Labelled {faces.age(row)} years; {source.source} say {source.age[place]:.0f}, which is "
                    f"{abs(z[place]):.1f} ordinary deviations away."
                )
                suggestion = DROP if source.trusted and abs(z[place]) >= DROP_Z else LOOK
                findings.append(Finding(faces.file(row), self.name, float(abs(z[place])), evidence, suggestion))
        return sorted(findings, key=lambda finding: -finding.score)


def robust_z(residuals: NDArray[np.float64], estimates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Residuals in deviations of the residuals of images with a similar estimate.

    Args:
        residuals: (n,), label minus estimate, years.
        estimates: (n,), years.

    Returns:
        (n,): residual minus the local median, over the local median absolute deviation as a standard deviation, which
        is taken to be `LEAST_SPREAD_YEARS` at least.
    """
    order = np.argsort(estimates, kind="stable")
    bins = np.array_split(order, max(1, len(order) // PER_BIN))
    places = np.array([estimates[some].mean() for some in bins])
    middles = np.array([np.median(residuals[some]) for some in bins])
    spreads = [
        _MAD_TO_DEVIATION * np.median(np.abs(residuals[some] - middle))
        for some, middle in zip(bins, middles, strict=True)
    ]
    middle = np.interp(estimates, places, middles)
    spread = np.interp(estimates, places, np.maximum(spreads, LEAST_SPREAD_YEARS))
    return (residuals - middle) / spread
