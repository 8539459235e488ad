"""Are faces found again, and answered as their crops are? Measured on canvases tiled from a folder of labelled crops.

    python benchmarks/detection.py FOLDER [--canvases 200] [--model MODEL.onnx] [--seed 0]

Each canvas of 1280 x 960 holds about a dozen crops, 60 to 300 pixels large and tilted by up to 30 degrees, on a smooth
coloured ground. Printed: recall and precision above 60 pixels, by size and tilt, time a canvas, how well the new
crops' landmarks lie on the template; and, with a model, the error of age and gender on the original crops and on those
that were found, cut out and answered again. Tiled crops are no photographs: what is found here is a lower bar.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from agegender.data import load_dataset
from agegender.inference.align import CROP_SIDE, TEMPLATE, crop_face
from agegender.inference.detector import FaceDetector
from agegender.inference.predictor import Predictor, load_predictor
from agegender.labels import FEMALE_THRESHOLD, Gender

WIDTH, HEIGHT = 1280, 960
GAP = 12
SIZES = (60, 90, 130, 200, 300)
TILT_DEGREES = 30.0
NEAR = 0.25
"""A face is found if the detected landmarks' centre lies this near to the true one, as a share of the crop's side."""


@dataclass(frozen=True)
class Placed:
    """A crop on a canvas: its row in the data set, its side in pixels, its tilt, and from crop to canvas (2, 3)."""

    row: int
    side: float
    tilt: float
    to_canvas: npt.NDArray[np.float64]


def canvas(images: npt.NDArray[np.uint8], rng: np.random.Generator) -> tuple[npt.NDArray[np.uint8], list[Placed]]:
    """One canvas and what stands on it, in rows from left to right."""
    ground = cv2.resize(rng.integers(40, 215, (4, 5, 3), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    placed = []
    y = GAP
    while y < HEIGHT - SIZES[0]:
        x, tallest = GAP, 0
        while x < WIDTH - SIZES[0]:
            side, tilt = float(rng.uniform(SIZES[0], SIZES[-1])), float(rng.uniform(-TILT_DEGREES, TILT_DEGREES))
            turn = cv2.getRotationMatrix2D((CROP_SIDE / 2 - 0.5,) * 2, tilt, side / CROP_SIDE)
            reach = int(np.ceil(side * (abs(np.cos(np.radians(tilt))) + abs(np.sin(np.radians(tilt))))))
            if x + reach > WIDTH - GAP or y + reach > HEIGHT - GAP:
                break
            turn[:, 2] += np.array([x + reach / 2, y + reach / 2]) - (CROP_SIDE / 2 - 0.5)
            row = int(rng.integers(len(images)))
            source, matrix = images[row], turn
            if side < CROP_SIDE:  # shrunk first, so that nothing aliases
                small = max(round(side), 1)
                source = cv2.resize(source, (small, small), interpolation=cv2.INTER_AREA)
                enlarge = CROP_SIDE / small
                matrix = turn @ np.array([[enlarge, 0, enlarge / 2 - 0.5], [0, enlarge, enlarge / 2 - 0.5], [0, 0, 1]])
            mask = cv2.warpAffine(np.full(source.shape[:2], 255, np.uint8), matrix, (WIDTH, HEIGHT))
            laid = cv2.warpAffine(source, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
            ground = np.where(mask[..., None] > 127, laid, ground)
            placed.append(Placed(row, side, tilt, turn.astype(np.float64)))
            x, tallest = x + reach + GAP, max(tallest, reach)
        y += max(tallest, SIZES[0]) + GAP
    return ground.astype(np.uint8), placed


def centre(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The middle of five landmarks."""
    return points.mean(axis=-2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--canvases", type=int, default=200)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    data = load_dataset(given.folder)
    rng = np.random.default_rng(given.seed)
    detector = FaceDetector()
    hits, misses, false_ones, seconds, crops = [], [], 0, [], []
    for _ in range(given.canvases):
        pixels, placed = canvas(data.images, rng)
        begin = time.perf_counter()
        found = detector.detect(pixels)
        seconds.append(time.perf_counter() - begin)
        free = set(range(len(found)))
        for face in placed:
            true = centre(TEMPLATE @ face.to_canvas[:, :2].T + face.to_canvas[:, 2])
            distances = {index: float(np.hypot(*(centre(found.landmarks[index]) - true))) for index in free}
            best = min(distances, key=distances.__getitem__, default=None)
            if best is None or distances[best] > NEAR * face.side:
                misses.append(face)
                continue
            free.discard(best)
            hits.append(face)
            crops.append(crop_face(pixels, found.landmarks[best]))
        false_ones += len(free)
    count = len(hits) + len(misses)
    print(f"{given.canvases} canvases, {count:,} faces, {np.median(seconds) * 1000:.0f} ms a canvas (median)")
    print(f"recall {len(hits) / count:.4f}, precision {len(hits) / (len(hits) + false_ones):.4f}")
    for low, high in itertools.pairwise(SIZES):
        print(
            f"  {low} to {high} pixels: recall {_recall(hits, misses, lambda face, a=low, b=high: a <= face.side < b)}"
        )
    for low, high in ((0, 10), (10, 20), (20, 30)):
        recall = _recall(hits, misses, lambda face, a=low, b=high: a <= abs(face.tilt) < b)
        print(f"  tilted {low} to {high} degrees: recall {recall}")
    if given.model:
        rows = [face.row for face in hits]
        predictor = load_predictor(given.model)
        ages = data.table["age"].to_numpy(float)[rows]
        female = (data.table["gender"] == Gender.FEMALE).to_numpy()[rows]
        for name, pixels in (("original crops", data.images[rows]), ("found and cut out", np.stack(crops))):
            print(f"  {name}: {_errors(predictor, pixels, ages, female)}")


def _recall(hits: list[Placed], misses: list[Placed], chosen: Callable[[Placed], bool]) -> str:
    found, lost = sum(map(chosen, hits)), sum(map(chosen, misses))
    return f"{found / max(found + lost, 1):.4f} of {found + lost:,}"


def _errors(
    predictor: Predictor, pixels: npt.NDArray[np.uint8], ages: npt.NDArray[np.float64], female: npt.NDArray[np.bool_]
) -> str:
    answers = predictor.predict_crops(np.ascontiguousarray(pixels))
    right = ((answers.female_probability >= FEMALE_THRESHOLD) == female).mean()
    error = answers.age - ages
    return f"age MAE {np.abs(error).mean():.3f}, bias {error.mean():+.3f} years, gender right {100 * right:.2f} %"


if __name__ == "__main__":
    main()
