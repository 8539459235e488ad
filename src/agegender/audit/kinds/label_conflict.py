"""The same photograph with two different labels: at least one of them is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from agegender.audit.findings import Finding
from agegender.audit.material import Material
from agegender.data.corrections import AGE, DROP, GENDER, LOOK
from agegender.labels import Gender

CLOSE_YEARS = 5
"""Ages this close are two guesses at one age, and their mean is the better guess."""

CLEARLY_NEARER_YEARS = 10
"""By how much a trusted estimate must be nearer to one age than to the next, for that age to be believed."""

SURE = 0.9
"""Probability of a gender, from a trusted estimate, that settles a tie."""


class LabelConflict:
    """Copies of one photograph whose ages or genders differ."""

    name: ClassVar[str] = "label_conflict"
    title: ClassVar[str] = "One photograph, two labels"
    score_means: ClassVar[str] = "years between the ages, plus 100 if the genders differ"
    how: ClassVar[str] = (
        "Labels compared within each group of copies. The file that is kept gets the mean of ages that are close; of "
        "ages far apart the one that out-of-fold predictions support, else the mean. Of genders the majority's, or the "
        "one that predictions are sure of; a tie that nothing settles drops the photograph."
    )

    def find(self, material: Material) -> list[Finding]:
        """One finding a pair; where the kept file is one of the pair, it comes first, with what it should say."""
        faces = material.faces
        findings = []
        for pair in material.own_pairs:
            spare, kept = material.spare_first(pair)
            years = abs(faces.age(spare) - faces.age(kept))
            genders = faces.gender(spare) != faces.gender(kept)
            if not years and not genders:
                continue
            evidence = (
                f"The same photograph is labelled {faces.age(kept)} years, {faces.gender(kept)} and "
                f"{faces.age(spare)} years, {faces.gender(spare)}."
            )
            group = material.members[int(material.groups[kept])]
            is_keeper = material.keepers[int(material.groups[kept])] == kept
            advice = self._advice(material, group, kept, genders=genders) if is_keeper else [LOOK]
            findings += [
                Finding(faces.file(kept), self.name, years + 100.0 * genders, evidence, one, faces.file(spare))
                for one in advice
            ]
        return sorted(findings, key=lambda finding: -finding.score)

    def _advice(self, material: Material, group: Sequence[int], kept: int, *, genders: bool) -> list[str]:
        """What the kept file's labels should be: one suggestion, or one a label."""
        faces = material.faces
        known = [material.estimated[row] for row in group if row in material.estimated]
        trusted = [(age, female) for age, female, source in known if source.trusted]
        age_told, female_told = np.mean(trusted, axis=0).tolist() if trusted else (None, None)
        advice = []
        if genders:
            gender = _settled([faces.gender(row) for row in group], female_told)
            if gender is None:
                return [DROP]
            if gender != faces.gender(kept):
                advice.append(f"{GENDER}={gender}")
        age = _agreed([faces.age(row) for row in group], age_told)
        if age != faces.age(kept):
            advice.append(f"{AGE}={age}")
        return advice or [LOOK]


def _settled(genders: Sequence[str], female: float | None) -> str | None:
    """The gender of the majority, or of a sure estimate where there is none; None if neither settles it."""
    (first, most), *rest = Counter(genders).most_common()
    if not rest or most > rest[0][1]:
        return first
    if female is not None and max(female, 1 - female) >= SURE:
        return str(Gender.FEMALE if female >= SURE else Gender.MALE)
    return None


def _agreed(ages: Sequence[int], told: float | None) -> int:
    """The mean, or of ages far apart the one that an estimate clearly supports."""
    different = sorted(set(ages))
    if told is not None and different[-1] - different[0] > CLOSE_YEARS:
        nearest, next_best = sorted(different, key=lambda age: abs(age - told))[:2]
        if abs(next_best - told) - abs(nearest - told) >= CLEARLY_NEARER_YEARS:
            return nearest
    return int(np.floor(np.mean(ages) + 0.5))
