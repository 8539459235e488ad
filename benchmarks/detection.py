"""Are faces found again, and answered as their crops are? Measured on canvases tiled from a folder of labelled crops.

    python benchmarks/detection.py FOLDER [--canvases 200] [--model MODEL.onnx] [--seed 0] [--sheet FILE.png]

Each canvas of 1280 x 960 holds about a dozen crops, 60 to 300 pixels large and tilted by up to 30 degrees, on a smooth
coloured ground. Printed: recall and precision, by size and tilt; how many detections are of no crop's own face, within
a crop (a second face in it, or a part of one) and on the ground; how far landmarks lie from the template; time a
canvas. With a model also the error of age and gender on three kinds of crops of the same faces: the original ones,
those cut out of the canvas where they were put (what laying them down, shrunk and turned, costs by itself) and those
that were found. The model must not have learnt from the crops. Canvases are no photographs: what is found here is a
lower bar. `--sheet FILE` writes what was missed, and what was found too much, as one picture to look at.
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
from PIL import Image

from agegender.data import load_dataset
from agegender.inference.align import CROP_SIDE, TEMPLATE, crop_face
from agegender.inference.detector import FaceDetector
from agegender.inference.predictor import Predictor, load_predictor
from agegender.inference.turning import detect_any_way_up
from agegender.labels import FEMALE_THRESHOLD, Gender

WIDTH, HEIGHT = 1280, 960
GAP = 12
SIZES = (60, 90, 130, 200, 300)
TILT_DEGREES = 30.0
NEAR = 0.25
"""A face is found if the detected landmarks' centre lies this near to the true one, as a share of the crop's side."""

TILE = 170
"""Pixels a side of each picture on a sheet."""


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


@dataclass(frozen=True)
class Matched:
    """What became of one canvas.

    Attributes:
        hits: Number of the crop, and of the detection of its own face.
        misses: Numbers of crops whose face was not found.
        within: Detections of something else inside a crop, with the crop's number.
        outside: Detections on the ground.
    """

    hits: list[tuple[int, int]]
    misses: list[int]
    within: list[tuple[int, int]]
    outside: list[int]


def match(landmarks: npt.NDArray[np.float64], placed: list[Placed]) -> Matched:
    """Pair detections (n, 5, 2) with crops, the nearest first; each is paired once at most."""
    centres = landmarks.mean(axis=1)
    near = []
    for number, face in enumerate(placed):
        true = on_canvas(TEMPLATE, face).mean(axis=0)
        away = np.hypot(*(centres - true).T) / face.side
        near += [(float(away[index]), number, int(index)) for index in np.flatnonzero(away <= NEAR)]
    hits: dict[int, int] = {}
    for _, number, index in sorted(near):
        if number not in hits and index not in hits.values():
            hits[number] = index
    within, outside = [], []
    for index in set(range(len(landmarks))) - set(hits.values()):
        inside = [number for number, face in enumerate(placed) if _holds(face, centres[index])]
        if inside:
            within.append((index, inside[0]))
        else:
            outside.append(index)
    return Matched(list(hits.items()), [n for n in range(len(placed)) if n not in hits], within, outside)


def on_canvas(points: npt.NDArray[np.float64], face: Placed) -> npt.NDArray[np.float64]:
    """Points of a crop (n, 2) in pixels of the canvas."""
    return points @ face.to_canvas[:, :2].T + face.to_canvas[:, 2]


def _holds(face: Placed, point: npt.NDArray[np.float64]) -> bool:
    back = cv2.invertAffineTransform(face.to_canvas)
    place = back[:, :2] @ point + back[:, 2]
    return bool((place > -0.5).all() and (place < CROP_SIDE - 0.5).all())


def tile(pixels: npt.NDArray[np.uint8], face: Placed, box: npt.NDArray[np.float64] | None) -> npt.NDArray[np.uint8]:
    """A crop's place on a canvas, with a detection's box in red, for `--sheet`."""
    if box is not None:
        left, top, right, bottom = (round(float(edge)) for edge in box)
        pixels = np.asarray(cv2.rectangle(pixels.copy(), (left, top), (right, bottom), (255, 0, 0), 2), np.uint8)
    scale = TILE / (1.4 * face.side)
    middle = on_canvas(np.array([[CROP_SIDE / 2 - 0.5] * 2]), face)[0]
    move = np.column_stack([np.eye(2) * scale, TILE / 2 - scale * middle])
    return np.asarray(cv2.warpAffine(pixels, move, (TILE, TILE), flags=cv2.INTER_AREA), np.uint8)


def write_sheet(tiles: list[npt.NDArray[np.uint8]], path: Path) -> None:
    """Tiles in rows of eight."""
    rows = -(-len(tiles) // 8)
    sheet = np.full((rows * TILE, 8 * TILE, 3), 255, np.uint8)
    for number, one in enumerate(tiles):
        y, x = number // 8 * TILE, number % 8 * TILE
        sheet[y : y + TILE, x : x + TILE] = one
    Image.fromarray(sheet).save(path)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--canvases", type=int, default=200)
    parser.add_argument("--model", type=Path, action="append", default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    data = load_dataset(given.folder)
    rng = np.random.default_rng(given.seed)
    detector = FaceDetector()
    hits, misses, within, outside, seconds, tiles, distances = [], [], 0, 0, [], [], []
    crops: dict[str, list[npt.NDArray[np.uint8]]] = {"cut out where they were put": [], "found and cut out": []}
    for _ in range(given.canvases):
        pixels, placed = canvas(data.images, rng)
        begin = time.perf_counter()
        found = detect_any_way_up(detector, pixels)[0]
        seconds.append(time.perf_counter() - begin)
        matched = match(found.landmarks, placed)
        for number, index in matched.hits:
            true = on_canvas(TEMPLATE, placed[number])
            hits.append(placed[number])
            distances.append(np.hypot(*(found.landmarks[index] - true).T).mean() / placed[number].side)
            crops["cut out where they were put"].append(crop_face(pixels, true))
            crops["found and cut out"].append(crop_face(pixels, found.landmarks[index]))
        misses += [placed[number] for number in matched.misses]
        within, outside = within + len(matched.within), outside + len(matched.outside)
        tiles += [tile(pixels, placed[number], None) for number in matched.misses]
        tiles += [tile(pixels, placed[number], found.boxes[index]) for index, number in matched.within]
    count = len(hits) + len(misses)
    print(f"{given.canvases} canvases, {count:,} faces, {np.median(seconds) * 1000:.0f} ms a canvas (median)")
    print(f"recall {len(hits) / count:.4f}, precision {len(hits) / (len(hits) + within + outside):.4f}")
    print(f"  {len(misses)} missed; found too much: {within} within a crop, {outside} on the ground")
    for low, high in itertools.pairwise(SIZES):
        print(
            f"  {low} to {high} pixels: recall {_recall(hits, misses, lambda face, a=low, b=high: a <= face.side < b)}"
        )
    for low, high in ((0, 10), (10, 20), (20, 30)):
        recall = _recall(hits, misses, lambda face, a=low, b=high: a <= abs(face.tilt) < b)
        print(f"  tilted {low} to {high} degrees: recall {recall}")
    middle, far = 100 * np.percentile(distances, [50, 95])
    print(f"landmarks lie {middle:.1f} % of a crop's side from the template (median; 95th percentile {far:.1f} %)")
    rows = [face.row for face in hits]
    ages = data.table["age"].to_numpy(float)[rows]
    female = (data.table["gender"] == Gender.FEMALE).to_numpy()[rows]
    for model in given.model:
        print(model.stem)
        predictor = load_predictor(model)
        for name, chosen in (("original crops", data.images[rows]), *crops.items()):
            print(f"  {name}: {_errors(predictor, np.asarray(chosen), ages, female)}")
    if given.sheet and tiles:
        write_sheet(tiles, given.sheet)


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
