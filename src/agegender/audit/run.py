"""The audit as one page: pairs of the same photograph, estimates of the labels, then every kind of problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from agegender.audit.estimates import LEAST_IMAGES, Estimates, estimate_from_features
from agegender.audit.faces import Faces
from agegender.audit.findings import Finding, findings_table
from agegender.audit.kinds.doubtful_age import DoubtfulAge
from agegender.audit.kinds.doubtful_gender import DoubtfulGender
from agegender.audit.kinds.gaps import Gaps
from agegender.audit.kinds.identical import Identical
from agegender.audit.kinds.label_conflict import LabelConflict
from agegender.audit.kinds.leakage import Leakage
from agegender.audit.kinds.near_duplicate import NearDuplicate
from agegender.audit.kinds.no_face import LENIENT, NoFace
from agegender.audit.kinds.quality import Blurred, Dark, Grey, Tiny
from agegender.audit.kinds.unusual import Unusual
from agegender.audit.material import Kind, Material, groups_of
from agegender.audit.similar import Pair, identical_pairs, near_pairs
from agegender.errors import InputError, MissingExtraError
from agegender.inference.detector import FaceDetector
from agegender.types import Progress, silent

KINDS: tuple[Kind, ...] = (
    Leakage(), Identical(), NearDuplicate(), LabelConflict(), DoubtfulAge(), DoubtfulGender(),
    Dark(), Blurred(), Tiny(), Grey(), NoFace(), Unusual(), Gaps(),
)  # fmt: skip
"""In the order of tables and page, which is also the order in which suggestions about one label count."""


@dataclass(frozen=True)
class AuditResult:
    """What an audit found.

    Attributes:
        faces: What was audited.
        findings: By kind, in the order of `KINDS`, the strongest first.
        notes: What the user must know to read them.
        kinds: What was looked for: all of `KINDS`, but those that lack what they need: other data, or onnxruntime.
    """

    faces: Faces
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    kinds: tuple[Kind, ...] = KINDS

    def of_kind(self, name: str) -> list[Finding]:
        """The findings of one kind of problem."""
        return [finding for finding in self.findings if finding.problem == name]

    def counts(self) -> dict[str, int]:
        """Findings of each kind that was looked for, zeros included."""
        return {kind.name: len(self.of_kind(kind.name)) for kind in self.kinds}

    def table(self) -> pd.DataFrame:
        """One row a finding."""
        return findings_table(self.findings)


def audit(
    faces: Faces, *, answers: Sequence[Estimates] = (), seed: int = 0, progress: Progress = silent
) -> AuditResult:
    """Look for every kind of problem.

    Args:
        faces: The audited data, and other data to compare it with.
        answers: What trained models say to images that they have not learnt from; where two speak of one image, the
            first counts. Plain features speak for the rest.
        seed: Of folds and indices.
        progress: Shows how far the search is.

    Raises:
        InputError: There are no images, or nearly all of them are alike.
    """
    if not faces.own:
        raise InputError(f"There are no images to audit in {faces.data.source}.")
    identical = identical_pairs(faces)
    near = near_pairs(faces, seed=seed, progress=progress)
    own_pairs = [pair for pair in (*identical, *near) if pair.second < faces.own]
    estimates, notes = _estimates(faces, answers, own_pairs, seed)
    detector, more_notes = _detector()
    material = Material(faces, identical, near, estimates, detector)
    idle = ({NoFace.name} if detector is None else set()) | ({Leakage.name} if faces.against is None else set())
    kinds = tuple(kind for kind in KINDS if kind.name not in idle)
    findings = [
        finding
        for kind in progress(kinds, total=len(kinds), title="Looking for problems")
        for finding in kind.find(material)
    ]
    return AuditResult(faces, tuple(findings), (*notes, *more_notes), kinds)


def _detector() -> tuple[FaceDetector | None, list[str]]:
    """The packaged face detector, or none and a note, and what is never looked for."""
    notes = ["Not looked for: watermarks. No method that was tried is reliable enough to accuse a picture by."]
    try:
        return FaceDetector(LENIENT, threads=1), notes  # several pictures at once instead
    except MissingExtraError as error:
        return None, [f"Not looked for: pictures without a face. {error}", *notes]


def _estimates(
    faces: Faces, answers: Sequence[Estimates], own_pairs: Sequence[Pair], seed: int
) -> tuple[list[Estimates], list[str]]:
    """Estimates that speak of each image at most once, and notes on what they rest on."""
    estimates: list[Estimates] = []
    for given in answers:
        fresh = given
        for former in estimates:
            fresh = fresh.without(former.rows)
        if len(fresh.rows):
            estimates.append(fresh)
    told = sum(len(estimate.rows) for estimate in estimates)
    notes = []
    if told:
        notes.append(f"Labels are doubted by trained models for {told:,} of {faces.own:,} images.")
    if told < faces.own:
        plain = estimate_from_features(faces, groups_of(faces.own, own_pairs), seed=seed)
        if plain is None:
            notes.append(
                f"Labels are not doubted: with fewer than {LEAST_IMAGES} different pictures, or one gender alone, "
                "nothing can be learnt about them. Give --predictions of a trained model."
            )
        else:
            for former in estimates:
                plain = plain.without(former.rows)
            estimates.append(plain)
            notes.append(
                f"Labels of {len(plain.rows):,} images are doubted by plain image features alone, which find blunders "
                "only and say nothing more than look. Give --predictions of `agegender run --folds` for more."
            )
    return estimates, notes
