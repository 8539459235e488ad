"""How well the audit finds what was planted: copies, wrong labels; and how fast its index is. See docs/audit.md.

python scripts/measure_audit.py copies DATA [IMAGES]  # 600 copies planted among DATA, or some of its images
python scripts/measure_audit.py labels DATA           # 2 % of ages moved by 20 years, 2 % of genders flipped
python scripts/measure_audit.py labels DATA PREDICTIONS  # the same among the images that these answer to
python scripts/measure_audit.py index                 # 200,000 synthetic descriptors, every twentieth with a twin
"""

from __future__ import annotations

import dataclasses
import hashlib
import resource
import sys
import time
from collections import Counter

import cv2
import numpy as np
import pandas as pd

from agegender.audit import Faces
from agegender.audit.estimates import estimate_from_features, estimates_from_predictions
from agegender.audit.kinds.doubtful_age import DoubtfulAge
from agegender.audit.kinds.doubtful_gender import DoubtfulGender
from agegender.audit.material import Material, groups_of
from agegender.audit.neighbours import VectorIndex
from agegender.audit.similar import identical_pairs, near_pairs
from agegender.audit.views import DESCRIPTOR_LENGTH
from agegender.data.corrections import DROP
from agegender.data.dataset import Dataset, load_dataset
from agegender.data.duplicates import near_duplicate_groups
from agegender.labels import Gender

COPIES = 600
SEED = 5
WRONG_SHARE = 0.02
WRONG_YEARS = 20
VECTORS = 200_000
LEAST_COSINE = 0.8


def recompressed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """JPEG of quality 30 to 70."""
    quality = int(rng.integers(30, 71))
    content = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR))[..., ::-1]


def resized(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """To 48 to 110 pixels and back."""
    side = int(rng.integers(48, 111))
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def flipped(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
    """In a mirror."""
    return np.ascontiguousarray(image[:, ::-1])


def cropped(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Up to a tenth of the width cut off each way, anywhere, and enlarged again."""
    height, width = image.shape[:2]
    left, right = rng.multinomial(rng.integers(3, width // 10 + 1), (0.5, 0.5))
    top, bottom = rng.multinomial(rng.integers(3, height // 10 + 1), (0.5, 0.5))
    part = np.ascontiguousarray(image[top : height - bottom, left : width - right])
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)


def brightened(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """By a factor of 1.1 to 1.5, the brightest parts cut off."""
    return np.clip(image * rng.uniform(1.1, 1.5), 0, 255).astype(np.uint8)


def everything(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """All of them, one after the other."""
    for change in (cropped, flipped, brightened, resized, recompressed):
        image = change(image, rng)
    return image


CHANGES = (resized, recompressed, flipped, cropped, brightened, everything)


def some_of(data: Dataset, count: int) -> Dataset:
    """That many of the images, drawn by seed."""
    rows = np.sort(np.random.default_rng(SEED).choice(len(data), count, replace=False))
    table, origin = (part.iloc[rows].reset_index(drop=True) for part in (data.table, data.origin))
    return dataclasses.replace(data, table=table, images=data.images[rows], origin=origin)


def measure_copies(data: Dataset) -> None:
    """Plant copies, search, and count."""
    rng = np.random.default_rng(SEED)
    count = len(data)
    sources = rng.choice(count, COPIES, replace=False)
    changes = [CHANGES[number % len(CHANGES)] for number in range(COPIES)]
    copies = [change(np.ascontiguousarray(data.images[row]), rng) for row, change in zip(sources, changes, strict=True)]
    planted = dataclasses.replace(
        data,
        table=pd.concat(
            [data.table, data.table.iloc[sources].assign(file=[f"copy {n}" for n in range(COPIES)])], ignore_index=True
        ),
        images=np.concatenate([data.images, np.stack(copies)]),
        origin=pd.concat(
            [
                data.origin,
                pd.DataFrame(
                    {"sha256": [hashlib.sha256(c.tobytes()).hexdigest() for c in copies], "width": 128, "height": 128}
                ),
            ],
            ignore_index=True,
        ),
    )
    known = [*identical_pairs(Faces(data)), *near_pairs(Faces(data))]
    former = {(pair.first, pair.second) for pair in known}
    groups = groups_of(count, known)
    start = time.perf_counter()
    found = {(pair.first, pair.second) for pair in near_pairs(Faces(planted))}
    seconds = time.perf_counter() - start
    wanted = {(int(row), count + number): changes[number].__name__ for number, row in enumerate(sources)}
    origin = np.concatenate([np.arange(count), sources])
    others = found - set(wanted) - former
    false = [pair for pair in others if groups[origin[pair[0]]] != groups[origin[pair[1]]]]
    hits = Counter(name for pair, name in wanted.items() if pair in found)
    for name, of in Counter(wanted.values()).items():
        print(f"{name}: {hits[name]} of {of}")
    print(f"copies found: {sum(hits.values())} of {COPIES}; pairs that are no copies: {len(false)}; {seconds:.1f} s")
    print("missed:", [(data.table["file"][p[0]], n) for p, n in wanted.items() if p not in found])


def answered(data: Dataset, predictions: str) -> Dataset:
    """The images that models have answered to without having learnt from them."""
    rows = estimates_from_predictions([predictions], Faces(data)).rows
    table, origin = (part.iloc[rows].reset_index(drop=True) for part in (data.table, data.origin))
    return dataclasses.replace(data, table=table, images=data.images[rows], origin=origin)


def measure_labels(data: Dataset, predictions: str | None = None) -> None:
    """Plant wrong labels, doubt them by plain features or by models' answers, and count."""
    rng = np.random.default_rng(SEED)
    count = len(data)
    ages = data.table["age"].to_numpy(np.int64).copy()
    genders = data.table["gender"].astype(str).to_numpy().copy()
    wrong = max(1, round(WRONG_SHARE * count))
    moved, swapped = (rng.choice(count, wrong, replace=False) for _ in range(2))
    up = (rng.random(wrong) < 0.5) | (ages[moved] < WRONG_YEARS)
    ages[moved] += np.where(up, WRONG_YEARS, -WRONG_YEARS)
    genders[swapped] = np.where(genders[swapped] == str(Gender.FEMALE), str(Gender.MALE), str(Gender.FEMALE))
    spoilt = dataclasses.replace(data, table=data.table.assign(age=ages.clip(0, 116), gender=genders))
    faces = Faces(spoilt)
    start = time.perf_counter()
    estimates = (
        estimates_from_predictions([predictions], faces)
        if predictions is not None
        else estimate_from_features(faces, near_duplicate_groups(spoilt.images))
    )
    assert estimates is not None
    print(f"mean absolute error of the estimate: {np.abs(estimates.age - data.table['age']).mean():.2f} years; "
          f"genders right: {((estimates.female_probability >= 0.5) == (data.table['gender'] == 'female')).mean():.1%}; "
          f"{time.perf_counter() - start:.1f} s")  # fmt: skip
    material = Material(faces, [], [], [estimates])
    files = spoilt.table["file"].to_numpy()
    for kind, planted in ((DoubtfulAge(), moved), (DoubtfulGender(), swapped)):
        findings = kind.find(material)
        told = [finding.file for finding in findings]
        dropped = {finding.file for finding in findings if finding.suggestion == DROP}
        hits = len(set(told) & set(files[planted]))
        print(f"{kind.name}: {len(told)} named, {hits} of {wrong} planted ones among them: "
              f"precision {hits / max(1, len(told)):.1%}, recall {hits / wrong:.1%}; of the {wrong} named first "
              f"{len(set(told[:wrong]) & set(files[planted]))} were planted; "
              f"{len(dropped)} to be dropped, {len(dropped & set(files[planted]))} of them planted")  # fmt: skip


def measure_index() -> None:
    """Time and memory of one search of all vectors among all, and how many twins it finds."""
    rng = np.random.default_rng(SEED)
    vectors = rng.standard_normal((VECTORS, DESCRIPTOR_LENGTH), dtype=np.float32)
    twins = np.arange(0, VECTORS, 20)
    noise = rng.standard_normal((len(twins), DESCRIPTOR_LENGTH), dtype=np.float32)
    vectors[twins + 1] = vectors[twins] + 0.35 * noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    true = {(int(a), int(a) + 1) for a in twins if vectors[a] @ vectors[a + 1] >= LEAST_COSINE}
    start = time.perf_counter()
    matches = VectorIndex(vectors).within(vectors, LEAST_COSINE)
    seconds = time.perf_counter() - start
    found = {(a, b) for a, b in zip(matches.query.tolist(), matches.found.tolist(), strict=True) if a < b}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{VECTORS:,} vectors: {seconds:.1f} s, at most {peak:.2f} GB; twins found: {len(true & found)} of {len(true)}"
    )


def main() -> None:
    """Do what the words ask for."""
    if sys.argv[1:] == ["index"]:
        measure_index()
    elif len(sys.argv) == 3 and sys.argv[1] == "labels":
        measure_labels(load_dataset(sys.argv[2]))
    elif len(sys.argv) == 4 and sys.argv[1] == "labels":
        measure_labels(answered(load_dataset(sys.argv[2]), sys.argv[3]), sys.argv[3])
    elif len(sys.argv) in (3, 4) and sys.argv[1] == "copies":
        data = load_dataset(sys.argv[2])
        measure_copies(some_of(data, int(sys.argv[3])) if len(sys.argv) == 4 else data)
    else:
        sys.exit("usage: python scripts/measure_audit.py copies DATA [IMAGES] | labels DATA [PREDICTIONS] | index")


if __name__ == "__main__":
    main()
