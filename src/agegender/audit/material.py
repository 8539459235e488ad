"""What all kinds of problems are found in, computed once; and what a kind of problem is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from agegender.audit.estimates import Estimates
from agegender.audit.faces import Faces
from agegender.audit.findings import Finding
from agegender.audit.measures import Unlikeness, brightness, lost_detail, unlikeness
from agegender.audit.similar import Pair
from agegender.inference.detector import FaceDetector


@dataclass(frozen=True)
class Material:
    """The images with what was computed about them.

    Attributes:
        faces: The images.
        identical: Pairs of equal files.
        near: Pairs of files that show the same photograph without being equal.
        estimates: Labels estimated without looking at them; no image stands in two of them.
        detector: Finds faces, lenient ones too; None: nothing is said about pictures without one.
    """

    faces: Faces
    identical: Sequence[Pair]
    near: Sequence[Pair]
    estimates: Sequence[Estimates] = ()
    detector: FaceDetector | None = None

    @cached_property
    def own_pairs(self) -> list[Pair]:
        """Pairs within the audited data, equal ones first."""
        return [pair for pair in (*self.identical, *self.near) if pair.second < self.faces.own]

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """int64 (own,): the smallest row of all that show the same photograph, chains included."""
        return groups_of(self.faces.own, self.own_pairs)

    @cached_property
    def members(self) -> dict[int, list[int]]:
        """The rows of each group of more than one, by its smallest row."""
        found: dict[int, list[int]] = {}
        for row in sorted({row for pair in self.own_pairs for row in (pair.first, pair.second)}):
            found.setdefault(int(self.groups[row]), []).append(row)
        return found

    @cached_property
    def keepers(self) -> dict[int, int]:
        """Of each group the row worth keeping: the most pixels before decoding, then the sharpest, then the first."""

        def worth(row: int) -> tuple[int, float, int]:
            width, height = self.faces.sides(row)
            steps = np.diff(self.faces.grey(row).astype(np.float32), axis=1)
            return width * height, float(np.square(steps).mean()), -row

        return {group: max(rows, key=worth) for group, rows in self.members.items()}

    @cached_property
    def estimated(self) -> dict[int, tuple[float, float, Estimates]]:
        """By row: estimated age, probability of female, and where they come from."""
        return {
            row: (age, female, source)
            for source in self.estimates
            for row, age, female in zip(
                source.rows.tolist(), source.age.tolist(), source.female_probability.tolist(), strict=True
            )
        }

    @cached_property
    def brightness(self) -> NDArray[np.float64]:
        """Grey level of each audited picture's bright part, float64 (own,), 0..255."""
        return np.array([brightness(self.faces.grey(row)) for row in range(self.faces.own)])

    @cached_property
    def lost_detail(self) -> NDArray[np.float64]:
        """What each audited picture loses of its contrast when it is made small, float64 (own,)."""
        return np.array([lost_detail(self.faces.grey(row)) for row in range(self.faces.own)])

    @cached_property
    def unlikeness(self) -> Unlikeness | None:
        """How unlike the others each audited picture is; None where there are too few to say."""
        return unlikeness(self.faces.thumbnails[: self.faces.own])

    def spare_first(self, pair: Pair) -> tuple[int, int]:
        """The two rows of a pair within the audited data, the one that can go first."""
        keeper = self.keepers[int(self.groups[pair.first])]
        return (pair.second, pair.first) if pair.first == keeper else (pair.first, pair.second)


class Kind(Protocol):
    """A kind of problem. To add one: write such a class in `kinds/` and name it in `run.KINDS`."""

    name: ClassVar[str]
    """In tables: lower case with underscores."""

    title: ClassVar[str]
    """For people."""

    score_means: ClassVar[str]
    """What the score is, with its unit and direction."""

    how: ClassVar[str]
    """How it is found and where that fails, for the page."""

    def find(self, material: Material) -> list[Finding]:
        """Every problem of this kind, the strongest first."""
        ...


def groups_of(count: int, pairs: Sequence[Pair]) -> NDArray[np.int64]:
    """int64 (count,): connected rows share the smallest row's number."""
    parent = list(range(count))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for pair in pairs:
        smaller, larger = sorted((root(pair.first), root(pair.second)))
        parent[larger] = smaller
    return np.array([root(row) for row in range(count)], dtype=np.int64)
