"""Where five landmarks lie in crops such as UTKFace's: the template that `inference/align.py` cuts faces out to.

    python scripts/derive_template.py FOLDER [--count 500] [--seed 0]

The package's own detector runs over crops of a folder; each is enlarged and set into a grey margin first, since a crop
leaves little around a face. The median of what it finds in crops with exactly one sure face is printed, with how far
single crops lie from it and, as a check, how well faces that were found are put back to where they stood.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from agegender.errors import AgegenderError, ImageError, InputError
from agegender.inference.align import CROP_SIDE, roll_degrees, scale_of, similarity
from agegender.inference.decode import SUFFIXES, read_picture
from agegender.inference.detector import FaceDetector

ENLARGED, MARGIN = 2, 64
"""How many times a crop is enlarged, and the grey around it in pixels of the enlarged crop."""

SURE = 0.99


@dataclass(frozen=True)
class Template:
    """What a folder of crops says.

    Attributes:
        points: (5, 2), pixels of a crop of 128.
        spread: Standard deviation of each coordinate over crops, (5, 2).
        used: Crops with exactly one sure face.
        seen: Crops looked at.
        eye_error: Median distance, in pixels, of single crops' landmarks from the template once they are aligned to it.
        scale: 5th, 50th and 95th percentile of the scale from a crop's landmarks to the template; 1: no change.
        roll: The same of the tilt in degrees.
    """

    points: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    used: int
    seen: int
    eye_error: float
    scale: tuple[float, ...]
    roll: tuple[float, ...]


def landmarks_of(detector: FaceDetector, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64] | None:
    """The landmarks in a crop, (5, 2) in pixels of a crop of 128; None unless there is exactly one sure face."""
    side = ENLARGED * CROP_SIDE
    large = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(large, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=(128, 128, 128))
    found = detector.detect(framed.astype(np.uint8))
    if len(found) != 1 or found.scores[0] < SURE:
        return None
    return (found.landmarks[0] - MARGIN + 0.5) / ENLARGED - 0.5


def derive(folder: Path, count: int, seed: int) -> Template:
    """Run the detector over a sample of a folder's crops.

    Raises:
        InputError: Too few crops show one sure face.
    """
    files = sorted(path for path in folder.iterdir() if path.name.lower().endswith(SUFFIXES))
    rows = np.random.default_rng(seed).permutation(len(files))[:count]
    detector = FaceDetector(threads=1)
    found = []
    for row in sorted(rows):
        try:
            points = landmarks_of(detector, read_picture(files[row]).pixels)
        except ImageError:
            continue
        if points is not None:
            found.append(points)
    if len(found) < 20:
        raise InputError(
            f"Only {len(found)} of {len(rows)} crops in {folder} show one sure face. Give more with --count."
        )
    every = np.stack(found)
    template = np.median(every, axis=0)
    transforms = [similarity(points, template) for points in every]
    aligned = np.stack([p @ t[:, :2].T + t[:, 2] for p, t in zip(every, transforms, strict=True)])
    return Template(
        points=template,
        spread=every.std(axis=0),
        used=len(every),
        seen=len(rows),
        eye_error=float(np.median(np.linalg.norm(aligned - template, axis=2))),
        scale=tuple(np.percentile([scale_of(transform) for transform in transforms], [5, 50, 95]).tolist()),
        roll=tuple(np.percentile([roll_degrees(points) for points in every], [5, 50, 95]).tolist()),
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    try:
        template = derive(given.folder, given.count, given.seed)
    except AgegenderError as error:
        sys.exit(f"Error: {error}")
    print(f"TEMPLATE = np.array({np.round(template.points, 1).tolist()})")
    print(f"{template.used:,} of {template.seen:,} crops show one sure face")
    print(f"standard deviation over crops, pixels: {np.round(template.spread, 1).tolist()}")
    print(f"aligned, landmarks lie {template.eye_error:.2f} pixels from it (median)")
    print(f"scale to it, 5th to 95th percentile: {', '.join(f'{value:.3f}' for value in template.scale)}")
    print(f"tilt, degrees: {', '.join(f'{value:.1f}' for value in template.roll)}")


if __name__ == "__main__":
    main()
