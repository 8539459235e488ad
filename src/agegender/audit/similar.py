"""Pairs of files that show the same photograph: found coarsely in three ways, then each pair looked at closely.

Coarse: the rule that the splits use (thumbnails of 16 x 16 that correlate), perceptual hashes, and descriptors of many
views of each picture against all pictures (`views.py`). Each asks an index, so that no way compares all pairs of a
large set. What any of them proposes is laid on each other and compared in detail (`alignment.py`); only that decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray

from agegender.audit.alignment import Agreement, compare, prepared
from agegender.audit.faces import Faces
from agegender.audit.hashes import MOST_DIFFERING_BITS, perceptual_hashes
from agegender.audit.neighbours import HashIndex, Matches, VectorIndex
from agegender.audit.views import Descriptors, View, all_views
from agegender.data.duplicates import DEFAULT_THRESHOLD, MAX_PAIRS, THUMBNAIL_SIDE
from agegender.data.parallel import ordered_map, usable_cores
from agegender.errors import InputError
from agegender.types import Progress, silent

COARSE_SLACK = 0.005
"""Thumbnails are held in whole grey levels here, so the splits' threshold is lowered by what rounding may cost."""

STRANGERS_PER_IMAGE = 4
"""How many chance candidates a picture may get from descriptors: their threshold follows from this."""

LEAST_COSINE, MOST_COSINE = 0.6, 0.92
"""Bounds of that threshold. A picture's one best match over all views is a candidate from the first on."""

NEIGHBOURS = 6
"""Of a view that are looked at, the picture itself among them."""

SAMPLED_PAIRS = 200_000
PICTURES_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files that show the same photograph.

    Attributes:
        first: Row in `Faces`, the smaller.
        second: The other row.
        identical: Whether the files are equal byte for byte.
        mirrored: Whether one shows the other's mirror image.
        correlation: Of the aligned pictures, -1..1.
        detail: Of their fine detail, -1..1; what the verdict rests on, unless it is too faint.
    """

    first: int
    second: int
    identical: bool
    mirrored: bool
    correlation: float
    detail: float


def identical_pairs(faces: Faces) -> list[Pair]:
    """Every pair of files with the same bytes, at least one of them audited.

    Raises:
        InputError: There are too many to list.
    """
    pairs = []
    for rows in _contents(faces).values():
        pairs += [Pair(a, b, True, False, 1.0, 1.0) for a, b in _pairs_within(rows) if a < faces.own]
        _require_listable(len(pairs))
    return pairs


def near_pairs(faces: Faces, *, seed: int = 0, progress: Progress = silent) -> list[Pair]:
    """Every pair of files that show the same photograph without being equal, at least one of them audited.

    Raises:
        InputError: There are too many to list: nearly all images look alike.
    """
    contents = list(_contents(faces).values())
    rows = np.array([group[0] for group in contents], dtype=np.int64)
    if len(rows) < 2:
        return []
    candidates = _candidates(faces, rows, seed, progress)
    pictures = lru_cache(PICTURES_KEPT)(lambda place: prepared(faces.grey(int(rows[place]))))

    def look(candidate: tuple[tuple[int, int], list[tuple[View, bool]]]) -> tuple[int, int, Agreement, View] | None:
        """The best agreement of a pair that shows the same photograph."""
        (one, other), views = candidate
        best: tuple[int, int, Agreement, View] | None = None
        for view, seen_first in views:
            seen, plain = (one, other) if seen_first else (other, one)
            agreement = compare(pictures(seen), pictures(plain), view)
            if agreement.same_photograph and (best is None or agreement.detail > best[2].detail):
                best = one, other, agreement, view
        return best

    wanted = (item for item in candidates.items() if rows[item[0][0]] < faces.own)
    found: list[Pair] = []
    compared = ordered_map(look, wanted, usable_cores())  # OpenCV lets other threads run while it aligns
    for same in progress(compared, total=len(candidates), title="Comparing candidates"):
        if same is None:
            continue
        one, other, agreement, view = same
        found += [
            Pair(min(a, b), max(a, b), False, view.mirrored, agreement.correlation, agreement.detail)
            for a in contents[one]
            for b in contents[other]
            if min(a, b) < faces.own
        ]
        _require_listable(len(found))
    return sorted(found, key=lambda pair: (pair.first, pair.second))


Candidates = dict[tuple[int, int], list[tuple[View, bool]]]
"""By pair of places, the smaller first: the views to start from, and whether the first picture is the one viewed."""


def _candidates(faces: Faces, rows: NDArray[np.int64], seed: int, progress: Progress) -> Candidates:
    """The best view of each pair, plain and mirrored, from each of the three ways."""
    best: dict[tuple[int, int, bool], tuple[float, View, bool]] = {}

    def propose(queries: NDArray[np.int64], found: NDArray[np.int64], closeness: Iterable[float], view: View) -> None:
        for query, hit, close in zip(queries.tolist(), found.tolist(), closeness, strict=True):
            if query == hit:
                continue
            key = (min(query, hit), max(query, hit), view.mirrored)
            if key not in best or close > best[key][0]:
                best[key] = (float(close), view, query < hit)

    for matches, view in _described(faces.thumbnails[rows], seed, progress):
        propose(matches.query, matches.found, matches.closeness.tolist(), view)
    plain = View()
    units = _unit_thumbnails(faces.thumbnails[rows])
    matches = VectorIndex(units, seed=seed).within(units, DEFAULT_THRESHOLD - COARSE_SLACK)
    propose(matches.query, matches.found, matches.closeness.tolist(), plain)
    hashes, mirrored = perceptual_hashes(faces, rows)
    index = HashIndex(hashes)
    for queries, view in ((hashes, plain), (mirrored, View(mirrored=True))):
        matches = index.within(queries, MOST_DIFFERING_BITS)
        # On the scale of cosines, so that the better start is kept whoever proposed it.
        propose(matches.query, matches.found, (1 - matches.closeness / 128).tolist(), view)
    candidates: Candidates = defaultdict(list)
    for (one, other, _), (_, view, seen_first) in sorted(best.items(), key=lambda item: item[0]):
        candidates[one, other].append((view, seen_first))
    return candidates


def _described(thumbnails: NDArray[np.uint8], seed: int, progress: Progress) -> Iterator[tuple[Matches, View]]:
    """Matches of every view's descriptors with all pictures', and last each picture's best match."""
    descriptors = Descriptors(thumbnails)
    plain = descriptors.of(View())
    index = VectorIndex(plain, seed=seed)
    views = all_views()
    least = _least_cosine(plain, len(views), seed)
    best_found = np.zeros(len(plain), np.int64)
    best_closeness = np.full(len(plain), -1, np.float32)
    best_view = np.zeros(len(plain), np.int64)
    for number, view in enumerate(progress(views, total=len(views), title="Searching near-duplicates")):
        query, found, closeness = index.nearest(descriptors.of(view), NEIGHBOURS)
        other = query != found
        query, found, closeness = query[other], found[other], closeness[other]
        close = closeness >= least
        yield Matches(query[close], found[close], closeness[close]), view
        who, first = np.unique(query, return_index=True)  # the first of each query is its closest
        better = closeness[first] > best_closeness[who]
        who, first = who[better], first[better]
        best_found[who], best_closeness[who], best_view[who] = found[first], closeness[first], number
    for number, view in enumerate(views):
        who = np.flatnonzero((best_view == number) & (best_closeness >= LEAST_COSINE))
        yield Matches(who, best_found[who], best_closeness[who]), view


def _least_cosine(descriptors: NDArray[np.float32], views: int, seed: int) -> float:
    """The cosine that few enough strangers reach by chance, from the spread of cosines of random pairs."""
    count = len(descriptors)
    one, other = np.random.default_rng(seed).integers(0, count, (2, SAMPLED_PAIRS))
    apart = one != other
    cosines = np.einsum("ij,ij->i", descriptors[one[apart]], descriptors[other[apart]])
    allowed = min(STRANGERS_PER_IMAGE / (count * views), 0.4)
    bound = float(np.mean(cosines)) + float(np.std(cosines)) * NormalDist().inv_cdf(1 - allowed)
    return float(np.clip(bound, LEAST_COSINE, MOST_COSINE))


def _unit_thumbnails(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What `data.duplicates` compares: 16 x 16 without mean, of unit length; float32 (n, 256)."""
    side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    small = [cv2.resize(picture.astype(np.float32), side, interpolation=cv2.INTER_AREA) for picture in thumbnails]
    units = np.stack(small).reshape(len(thumbnails), -1)
    units -= units.mean(axis=1, keepdims=True)
    length = np.linalg.norm(units, axis=1, keepdims=True)
    return np.where(length > THUMBNAIL_SIDE / 4, units / np.maximum(length, 1e-6), 0).astype(np.float32)


def _contents(faces: Faces) -> dict[str, list[int]]:
    """The rows of each different content, in order of the first."""
    groups: dict[str, list[int]] = {}
    for row, digest in enumerate(faces.digests):
        groups.setdefault(digest, []).append(row)
    return groups


def _pairs_within(rows: list[int]) -> Iterator[tuple[int, int]]:
    for place, one in enumerate(rows):
        for other in rows[place + 1 :]:
            yield one, other


def _require_listable(count: int) -> None:
    if count > MAX_PAIRS:
        raise InputError(
            f"More than {MAX_PAIRS:,} pairs of the same photograph: nearly all images are equal. Check that the "
            "folder holds different pictures."
        )
