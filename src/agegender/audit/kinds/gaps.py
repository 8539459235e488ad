"""For whom there are too few images, and how ages are written: problems of the data set as a whole."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from agegender.audit.findings import Finding
from agegender.audit.material import Material
from agegender.labels import AGE_BANDS, Gender, age_band, band_name

LEAST_IMAGES = 30
"""With fewer, a 95 % interval of an accuracy of 90 % is wider than 20 points."""

HEAPED_SHARE = 0.3
"""Of ages that end in 0 or 5; one in five do where ages are written as they are."""

LEAST_FOR_HEAPING = 200


class Gaps:
    """Cells of age band, gender and group with few images or none."""

    name: ClassVar[str] = "gap"
    title: ClassVar[str] = "Gaps"
    score_means: ClassVar[str] = "images there; for heaped ages their share, 0..1"
    how: ClassVar[str] = (
        f"Age bands by gender, and each group by age band, with fewer than {LEAST_IMAGES} images: what a model does "
        "there can neither be learnt nor measured well. Ages that end in 0 or 5 more often than they should were "
        "guessed or rounded (Whipple's index)."
    )

    def find(self, material: Material) -> list[Finding]:
        """Findings about no file: empty cells first."""
        table = material.faces.data.table
        findings = []
        for cell, count in cells(table).items():
            if count < LEAST_IMAGES:
                said = "No image" if not count else f"Only {count:,} image{'s' if count > 1 else ''}"
                findings.append(Finding("", self.name, float(count), f"{said} of {cell}."))
        ages = table["age"].to_numpy(np.int64)
        grown = ages[(ages >= 23) & (ages <= 62)]  # whole decades around the heaps, as Whipple's index takes them
        if len(grown) >= LEAST_FOR_HEAPING:
            share = float(np.mean(grown % 5 == 0))
            if share >= HEAPED_SHARE:
                evidence = (
                    f"{share:.0%} of the ages from 23 to 62 end in 0 or 5, where 20 % should: many ages are rounded "
                    "guesses, and an error below two years means little."
                )
                findings.append(Finding("", self.name, share, evidence))
        return sorted(findings, key=lambda finding: finding.score)


def cells(table: pd.DataFrame) -> dict[str, int]:
    """Images in each age band by gender, and in each value of each group column by age band, empty ones included."""
    bands = pd.Series([age_band(age) for age in table["age"]], index=table.index)
    names = [band_name(low, high) for low, high in AGE_BANDS]
    counted = {}
    for column in ("gender", *(name for name in table.columns if name not in ("file", "age", "gender"))):
        values = [str(gender) for gender in Gender] if column == "gender" else _values(pd.Series(table[column]))
        tally = pd.crosstab(table[column].astype(str), bands)
        for value in values:
            for band in names:
                there = value in tally.index and band in tally.columns
                what = value if column == "gender" else f"{column} {value}"
                counted[f"{what}, {band} years"] = int(tally.loc[value, band]) if there else 0
    return counted


def _values(column: pd.Series) -> list[str]:
    """The values that occur; a column of hundreds of them (a person's name, say) is no group and gives none."""
    values = sorted(column.dropna().astype(str).unique())
    return values if len(values) <= 20 else []
