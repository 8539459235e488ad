"""Faces and five landmarks in a picture: MTCNN's three networks in onnxruntime, everything between them in NumPy.

Source: Zhang, Zhang, Li, Qiao, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks",
IEEE Signal Processing Letters, 2016. The weights' origin and licence: `weights/NOTICE.md`. One step is not the
paper's: each face is looked at again, upright and in the mirror, which places landmarks more exactly and tells faces
from what only resembles one more sharply than the first look does (`docs/detection.md` has the figures).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from agegender.errors import ModelError, SettingError
from agegender.inference.align import crop_face, similarity, template_of
from agegender.inference.boxes import Boxes, moved, patches, squares, suppress
from agegender.inference.sessions import open_session

WEIGHTS = Path(__file__).with_name("weights")

CELL, STRIDE = 12, 2
"""Side and step, in pixels, of the window that the first network slides over each level of the pyramid."""

PATCHES_A_RUN = 128
LARGEST_PATCH = 48
"""Side in pixels of what the third network looks at."""

MIRRORED = [1, 0, 2, 4, 3]
"""Which landmark each of the five is in the mirror."""


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """How faces are looked for.

    Attributes:
        min_face: Smallest face, in pixels, that is looked for.
        largest_level: The pyramid's largest level has at most this many pixels on its longer side, so that the time
            for a photograph is bounded; in a larger one the smallest face grows with it.
        pyramid_step: Size of each level of the pyramid as a share of the former's.
        proposal: A window goes on from the first network from this probability of a face on.
        refined: Likewise from the second.
        answered: A face is looked at again from this probability of the third network on.
        confirmed: It is answered from this one on, which the third network must give it upright, as it is and in the
            mirror. None: it is not looked at again, and answered.
        most_proposals: Of more windows in a picture the likeliest go on: noise and texture must not take for ever.
    """

    min_face: float = 24.0
    largest_level: int = 1000
    pyramid_step: float = 0.709
    proposal: float = 0.6
    refined: float = 0.6
    answered: float = 0.5
    confirmed: float | None = 0.95
    most_proposals: int = 800

    def __post_init__(self) -> None:
        shares = (
            self.pyramid_step,
            self.proposal,
            self.refined,
            self.answered,
            *(() if self.confirmed is None else (self.confirmed,)),
        )
        if self.min_face < CELL or not all(0 < share < 1 for share in shares) or self.most_proposals < 1:
            raise SettingError(
                f"The smallest face is {CELL} pixels or more, step and probabilities lie between 0 and 1. "
                f"Received: {self}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What was found in a picture, highest score first.

    Attributes:
        boxes: Left, top, right, bottom in pixels, float64 (n, 4); may reach beyond the picture.
        scores: Probability of a face, float64 (n,).
        landmarks: Left eye, right eye, nose, left and right corner of the mouth (as seen), x and y in pixels,
            float64 (n, 5, 2).
    """

    boxes: Boxes
    scores: npt.NDArray[np.float64]
    landmarks: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.scores)

    def part(self, rows: npt.NDArray[Any] | list[int]) -> Detections:
        """Some of them, by number or mask."""
        return Detections(self.boxes[rows], self.scores[rows], self.landmarks[rows])


NOTHING = Detections(np.empty((0, 4)), np.empty(0), np.empty((0, 5, 2)))


class FaceDetector:
    """MTCNN. May be asked from several threads at once."""

    def __init__(self, settings: DetectorSettings | None = None, *, threads: int | None = None) -> None:
        """Open the networks that come with the package.

        Args:
            settings: How faces are looked for; None: as by default.
            threads: Of one run of a network; None: one a core.

        Raises:
            ModelError: A network is missing or damaged.
        """
        self.settings = settings or DetectorSettings()
        self._networks = {}
        for name in ("pnet", "rnet", "onet"):
            path = WEIGHTS / f"{name}.onnx"
            if not path.is_file():
                raise ModelError(f"The face detector's {path.name} did not come with this installation. Install again.")
            self._networks[name] = open_session(path.read_bytes(), path.name, threads=threads, varying_shapes=True)

    def detect(self, pixels: npt.NDArray[np.uint8]) -> Detections:
        """Find the faces of an upright picture; heads may be tilted by some 30 degrees.

        Args:
            pixels: RGB, uint8 (height, width, 3).

        Raises:
            SettingError: Pixels of another type or shape.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise SettingError(
                f"pixels must be uint8 of shape (height, width, 3). Received: {pixels.dtype} of shape {pixels.shape}"
            )
        boxes = self._proposed(pixels)
        if len(boxes):
            boxes = self._refined(pixels, squares(boxes))
        found = self._answered(pixels, squares(boxes)) if len(boxes) else NOTHING
        again = self.settings.confirmed
        return found if again is None or not len(found) else self._confirmed(pixels, found, again)

    def turn_scores(self, pixels: npt.NDArray[np.uint8], found: Detections) -> npt.NDArray[np.float64]:
        """How much each face found looks like one as it is, and after one, two, three quarter turns against the clock.

        The networks take some faces that stand on their head (6 of 50 tried) for upright ones, with upright landmarks.

        Returns:
            Probability of a face, float64 (n, 4).
        """
        if not len(found):
            return np.empty((0, 4))
        cut = patches(pixels, squares(found.boxes), LARGEST_PATCH)
        turned = [np.ascontiguousarray(np.rot90(cut, quarters, axes=(1, 2))) for quarters in range(4)]
        return np.stack([self._networks["onet"].run(["score"], {"pixels": t})[0][:, 1] for t in turned], axis=1)

    def _proposed(self, pixels: npt.NDArray[np.uint8]) -> Boxes:
        """The first network over an image pyramid: where faces may be, (n, 4)."""
        most = self.settings.most_proposals
        found, scores = [np.empty((0, 4))], [np.empty(0)]
        for level in self._pyramid(pixels):
            offsets, probabilities = self._networks["pnet"].run(["box", "score"], {"pixels": level[None]})
            face = probabilities[0, :, :, 1].astype(np.float64)
            rows, columns = np.nonzero(face > self.settings.proposal)
            best = np.argsort(-face[rows, columns], kind="stable")[:most]
            rows, columns = rows[best], columns[best]
            corner = STRIDE * np.column_stack([columns, rows]).astype(np.float64)
            # As the networks were trained: windows from 1 to 12, edges moved by shares of 11 pixels.
            windows = np.hstack([corner + 1, corner + CELL]) + offsets[0, rows, columns] * (CELL - 1)
            shrunk = np.array([level.shape[1] / pixels.shape[1], level.shape[0] / pixels.shape[0]])
            score = face[rows, columns]
            kept = suppress(windows, score, 0.5)
            found.append(windows[kept] / np.tile(shrunk, 2))
            scores.append(score[kept])
        boxes, all_scores = np.concatenate(found), np.concatenate(scores)
        return boxes[suppress(boxes, all_scores, 0.7)[:most]]

    def _pyramid(self, pixels: npt.NDArray[np.uint8]) -> Iterator[npt.NDArray[np.float32]]:
        """The picture in sizes, each float32 (height, width, 3), so that a face of any size fills a window in one."""
        height, width = pixels.shape[:2]
        scale = min(CELL / self.settings.min_face, self.settings.largest_level / max(height, width))
        level = pixels
        while min(height, width) * scale >= CELL:
            size = (max(round(width * scale), CELL), max(round(height * scale), CELL))
            # From the level before: nearly as good as from the picture itself, and much cheaper.
            level = cv2.resize(level, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
            yield level.astype(np.float32)
            scale *= self.settings.pyramid_step

    def _refined(self, pixels: npt.NDArray[np.uint8], boxes: Boxes) -> Boxes:
        """The second network: fewer windows, better placed."""
        offsets, probabilities = self._run("rnet", ("box", "score"), pixels, boxes, 24)
        face = probabilities[:, 1]
        likely = face > self.settings.refined
        boxes = moved(boxes[likely], offsets[likely])
        return boxes[suppress(boxes, face[likely], 0.7)]

    def _answered(self, pixels: npt.NDArray[np.uint8], boxes: Boxes) -> Detections:
        """The third network: faces and their landmarks."""
        offsets, landmarks, probabilities = self._run(
            "onet", ("box", "landmarks", "score"), pixels, boxes, LARGEST_PATCH
        )
        likely = probabilities[:, 1] > self.settings.answered
        square, face = boxes[likely], probabilities[likely, 1]
        sizes = square[:, 2:] - square[:, :2] + 1
        points = np.stack([landmarks[likely, :5], landmarks[likely, 5:]], axis=2)
        points = square[:, None, :2] + points * sizes[:, None, :] - 1
        found = Detections(moved(square, offsets[likely]), face, points)
        return found.part(suppress(found.boxes, face, 0.7, of_smaller=True))

    def _confirmed(self, pixels: npt.NDArray[np.uint8], found: Detections, least: float) -> Detections:
        """The third network again, on each face as the models see it: upright, in its place, and in the mirror."""
        looks = np.stack([crop_face(pixels, points, side=LARGEST_PATCH) for points in found.landmarks])
        both = np.concatenate([looks, looks[:, :, ::-1]]).astype(np.float32)
        parts = (both[start : start + PATCHES_A_RUN] for start in range(0, len(both), PATCHES_A_RUN))
        scores, shares = self._asked("onet", ("score", "landmarks"), parts)
        points = np.stack([shares[:, :5], shares[:, 5:]], axis=2) * LARGEST_PATCH - 0.5
        mirrored = points[len(found) :, MIRRORED]
        mirrored[..., 0] = LARGEST_PATCH - 1 - mirrored[..., 0]
        points = (points[: len(found)] + mirrored) / 2
        for row, first in enumerate(found.landmarks):
            # The very way back: the least squares from the template to the landmarks have another scale.
            back = cv2.invertAffineTransform(similarity(first, template_of(LARGEST_PATCH)))
            points[row] = points[row] @ back[:, :2].T + back[:, 2]
        score = scores[:, 1].reshape(2, -1).min(axis=0)
        order = np.argsort(-score, kind="stable")
        order = order[score[order] > least]
        return Detections(found.boxes[order], score[order], points[order])

    def _run(
        self, network: str, outputs: tuple[str, ...], pixels: npt.NDArray[np.uint8], boxes: Boxes, side: int
    ) -> list[npt.NDArray[np.float64]]:
        """A network's answers for each box, float64."""
        starts = range(0, len(boxes), PATCHES_A_RUN)
        return self._asked(
            network, outputs, (patches(pixels, boxes[start : start + PATCHES_A_RUN], side) for start in starts)
        )

    def _asked(
        self, network: str, outputs: tuple[str, ...], parts: Iterable[npt.NDArray[np.float32]]
    ) -> list[npt.NDArray[np.float64]]:
        """A network's answers for patches that come in parts, float64."""
        answers = [self._networks[network].run(list(outputs), {"pixels": part}) for part in parts]
        return [np.concatenate(parts).astype(np.float64) for parts in zip(*answers, strict=True)]
