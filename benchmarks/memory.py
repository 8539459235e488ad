"""Does memory grow with the number of pictures? `python benchmarks/memory.py [--model A] [--crops 100000]`.

Streams face crops through one `FacePredictor`, and before them photographs of changing sizes with several faces each,
every 50th picture damaged, and prints the process's resident memory along the way. Exits with 1 if it is over 50 MB
larger at the end than after the first tenth of each kind. The faces are drawn by the package.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import agegender
from agegender.data.drawn import draw_faces
from agegender.inference.pipeline import FacePredictor

DRAWN = 200
DAMAGED_EVERY = 50
MOST_GROWTH_MB = 50.0
LINES = 10
"""Printed a kind of picture."""


def resident_mb() -> float:
    """This process's resident memory (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def photographs(faces: list[Image.Image], seed: int) -> Iterator[bytes]:
    """Endless JPEG pictures of 0.1 to 2 million pixels with one to six faces."""
    rng = np.random.default_rng(seed)
    while True:
        width, height = (int(side) for side in rng.integers(320, 1500, 2))
        picture = Image.new("RGB", (width, height), tuple(int(part) for part in rng.integers(40, 215, 3)))
        for _ in range(int(rng.integers(1, 7))):
            side = int(rng.integers(60, 300))
            face = faces[int(rng.integers(len(faces)))].resize((side, side))
            picture.paste(face, (int(rng.integers(max(1, width - side))), int(rng.integers(max(1, height - side)))))
        file = io.BytesIO()
        picture.save(file, "jpeg", quality=90)
        yield file.getvalue()


def damaged_at_times(files: Iterator[bytes]) -> Iterator[bytes]:
    """Every 50th file cut in half."""
    for number, file in enumerate(files, start=1):
        yield file if number % DAMAGED_EVERY else file[: len(file) // 2]


def growth(predictor: FacePredictor, files: Iterator[bytes], count: int, kind: str, *, crops: bool) -> float:
    """Stream so many files; returns by how many MB the memory grew after the first tenth."""
    statuses: Counter[str] = Counter()
    every, settled, started = max(1, count // LINES), 0.0, time.perf_counter()
    for number, result in enumerate(predictor.stream(itertools.islice(files, count), crops=crops), start=1):
        statuses[result.status] += 1
        if number % every == 0:
            now = resident_mb()
            settled = settled or now
            print(f"{kind:12} {number:>8,}  {now:7.1f} MB  {number / (time.perf_counter() - started):6.1f} a second")
    print(f"{kind:12} {dict(statuses)}")
    return resident_mb() - settled


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="A")
    parser.add_argument("--crops", type=int, default=100_000)
    parser.add_argument("--photographs", type=int, default=2_000)
    given = parser.parse_args()
    predictor = agegender.load(given.model)
    with tempfile.TemporaryDirectory() as folder:
        files = sorted(draw_faces(Path(folder) / "faces", count=DRAWN, seed=12).glob("*.jpg"))
        crops = [file.read_bytes() for file in files]
        faces = [Image.open(file).convert("RGB") for file in files]
    kinds = (
        ("photographs", photographs(faces, 12), given.photographs, False),
        ("crops", itertools.cycle(crops), given.crops, True),
    )
    grown = {
        kind: growth(predictor, damaged_at_times(pictures), count, kind, crops=cut)
        for kind, pictures, count, cut in kinds
        if count
    }
    for kind, megabytes in grown.items():
        print(f"{kind}: {megabytes:+.1f} MB after the first tenth (at most {MOST_GROWTH_MB:.0f})")
    return int(max(grown.values(), default=0.0) > MOST_GROWTH_MB)


if __name__ == "__main__":
    sys.exit(main())
