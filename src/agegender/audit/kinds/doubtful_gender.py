"""Genders that an estimate made without them contradicts."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from agegender.audit.findings import Finding
from agegender.audit.material import Material
from agegender.data.corrections import DROP, LOOK
from agegender.labels import Gender
from agegender.optional import require

MOST_BELIEVED, DROP_BELIEVED = 0.1, 0.02
"""A label is doubtful only where its own probability is at most this; one that trained models give the second number
or less is dropped. Genders of children lie between: they are hard to read, and dropping those would lose children."""

LEAST_IMAGES = 50


class DoubtfulGender:
    """The label contradicts a confident out-of-fold estimate."""

    name: ClassVar[str] = "doubtful_gender"
    title: ClassVar[str] = "Doubtful genders"
    score_means: ClassVar[str] = "estimated probability that the label is wrong, 0..1"
    how: ClassVar[str] = (
        "Confident learning (Northcutt, Jiang, Chuang, JAIR 2021; cleanlab) on out-of-fold probabilities, and only "
        "where the label's own probability is a tenth or less. Genders of children and of unusual pictures are doubted "
        "most, and often wrongly. The default estimate reads plain image features; predictions of trained models "
        "(--predictions) are far better, and only theirs become drops, at a fiftieth or less. A gender guessed from "
        "looks is no fact about a person."
    )

    def find(self, material: Material) -> list[Finding]:
        """One finding an image, the most doubtful first."""
        find_label_issues = require("cleanlab.filter", "audit").find_label_issues
        faces = material.faces
        findings = []
        for source in material.estimates:
            names = faces.data.table["gender"].astype(str).to_numpy()[source.rows]
            labels = (names == str(Gender.FEMALE)).astype(np.int64)
            if len(labels) < LEAST_IMAGES or len(np.unique(labels)) < 2:
                continue
            female = np.clip(source.female_probability, 1e-6, 1 - 1e-6)
            probabilities = np.column_stack([1 - female, female])
            believed = probabilities[np.arange(len(labels)), labels]
            issues = find_label_issues(labels, probabilities, filter_by="confident_learning", n_jobs=1)
            for place in np.flatnonzero(np.asarray(issues) & (believed <= MOST_BELIEVED)):
                row = int(source.rows[place])
                evidence = f"Labelled {names[place]}; {source.source} give that a probability of {believed[place]:.3f}."
                suggestion = DROP if source.trusted and believed[place] <= DROP_BELIEVED else LOOK
                findings.append(Finding(faces.file(row), self.name, float(1 - believed[place]), evidence, suggestion))
        return sorted(findings, key=lambda finding: -finding.score)
