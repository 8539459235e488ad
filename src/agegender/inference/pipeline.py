"""One path from a picture to its faces with ages: decode, detect, align, predict; used by everything that predicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from agegender.data.parallel import ordered_map, usable_cores
from agegender.errors import ImageError, SettingError
from agegender.inference.align import CROP_SIDE, crop_face
from agegender.inference.calibration import Calibrator, Reading
from agegender.inference.decode import MAX_PIXELS, Source, name_of, read_picture
from agegender.inference.detector import DetectorSettings, FaceDetector
from agegender.inference.predictor import BATCH_SIZE, Answers, Predictor, load_predictor
from agegender.inference.quality import quality_notes
from agegender.inference.results import (
    Box,
    Face,
    ImageFaces,
    ImageFailure,
    ImageResult,
    Landmarks,
    Point,
    gender_of,
)
from agegender.inference.turning import detect_any_way_up

UNSURE_FROM_YEARS = 40.0
"""An interval that is wider is marked unsure."""

MOST_FACES = 200
"""Of more faces in one picture the likeliest are answered."""


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A picture after detection: its crops, and all that is known of them but the answers."""

    source: str
    width: int
    height: int
    crops: npt.NDArray[np.uint8]
    places: tuple[tuple[Box, Landmarks, float] | None, ...]
    notes: tuple[tuple[str, ...], ...]


class FacePredictor:
    """Finds faces in pictures and answers ages and genders. May be asked from several threads at once."""

    def __init__(
        self,
        predictor: Predictor,
        *,
        detector: FaceDetector | None = None,
        workers: int | None = None,
        max_pixels: int = MAX_PIXELS,
        most_faces: int = MOST_FACES,
    ) -> None:
        """Put a model and a detector together.

        Args:
            predictor: From `load_predictor`.
            detector: None: the one that comes with the package, opened when it is first needed.
            workers: Threads that decode and detect; None: one a core.
            max_pixels: A larger picture is refused.
            most_faces: Of more faces in one picture the likeliest are answered.

        Raises:
            InputError: The model's calibration is damaged.
        """
        self.predictor = predictor
        self.workers = workers or usable_cores()
        self._calibrator = Calibrator(predictor.manifest.calibration)
        self._max_pixels = max_pixels
        self._most_faces = most_faces
        self._detector = detector

    @property
    def name(self) -> str:
        """The model's name."""
        return self.predictor.name

    @overload
    def predict(self, images: Source, *, crops: bool = False) -> ImageFaces: ...
    @overload
    def predict(self, images: list[Any] | tuple[Any, ...], *, crops: bool = False) -> list[ImageResult]: ...

    def predict(
        self, images: Source | list[Any] | tuple[Any, ...], *, crops: bool = False
    ) -> ImageFaces | list[ImageResult]:
        """Answer for one picture, or for a list of them.

        Args:
            images: A path, a file's bytes, RGB pixels or a Pillow image; or a list (or tuple) of such.
            crops: Each picture is one face, cropped as UTKFace crops: it is resized, and nothing is looked for.

        Returns:
            For one picture its faces, which may be none; for a list, one result a picture: faces or a failure.

        Raises:
            ImageError: The one picture cannot be used. In a list it becomes an `ImageFailure` and the others go on.
        """
        if isinstance(images, list | tuple):
            return list(self.stream(images, crops=crops))
        (found,) = self._answered([self._found(images, crops=crops)])
        return found

    def stream(self, images: Iterable[Source], *, crops: bool = False) -> Iterator[ImageResult]:
        """Like `predict` for a list, one result after another in order, with memory for a few pictures at a time.

        Args:
            images: May be endless.
            crops: As above.
        """

        def find(image: Source) -> _Found | ImageFailure:
            try:
                return self._found(image, crops=crops)
            except ImageError as error:
                return ImageFailure(name_of(image), error.reason, error.detail)

        if not crops:
            self._open_detector()
        waiting: list[_Found | ImageFailure] = []
        faces = 0
        for found in ordered_map(find, images, self.workers):
            waiting.append(found)
            faces += len(found.crops) if isinstance(found, _Found) else 0
            if faces >= BATCH_SIZE or len(waiting) >= BATCH_SIZE:
                yield from self._results(waiting)
                waiting, faces = [], 0
        yield from self._results(waiting)

    def _open_detector(self) -> FaceDetector:
        if self._detector is None:
            self._detector = FaceDetector(DetectorSettings(), threads=1 if self.workers > 1 else None)
        return self._detector

    def _found(self, image: Source, *, crops: bool) -> _Found:
        """Decode a picture and cut its faces out."""
        picture = read_picture(image, max_pixels=self._max_pixels)
        pixels, width, height = picture.pixels, picture.width, picture.height
        if crops:
            return _Found(picture.source, width, height, _as_crop(pixels)[None], (None,), ((),))
        found, turned = detect_any_way_up(self._open_detector(), pixels)
        found = found.part(list(range(len(found)))[: self._most_faces])
        order = np.argsort(found.boxes[:, 0], kind="stable")
        found = found.part(order)
        crop_list = [crop_face(pixels, points) for points in found.landmarks]
        places = tuple(
            (Box(*map(float, box)), Landmarks(*(Point(float(x), float(y)) for x, y in points)), float(score))
            for box, points, score in zip(found.boxes, found.landmarks, found.scores, strict=True)
        )
        notes = tuple(
            quality_notes(points, float(score), width, height, turned=turned)
            for points, score in zip(found.landmarks, found.scores, strict=True)
        )
        empty = np.empty((0, CROP_SIDE, CROP_SIDE, 3), np.uint8)
        return _Found(picture.source, width, height, np.stack(crop_list) if crop_list else empty, places, notes)

    def _results(self, waiting: list[_Found | ImageFailure]) -> Iterator[ImageResult]:
        answered = iter(self._answered([found for found in waiting if isinstance(found, _Found)]))
        for found in waiting:
            yield found if isinstance(found, ImageFailure) else next(answered)

    def _answered(self, pictures: list[_Found]) -> list[ImageFaces]:
        """Ask the model for all faces of some pictures at once."""
        if not pictures:
            return []
        answers = self.predictor.predict_crops(np.concatenate([picture.crops for picture in pictures]))
        reading = self._calibrator.read(answers)
        row = 0
        results = []
        for picture in pictures:
            faces = []
            for place, notes in zip(picture.places, picture.notes, strict=True):
                faces.append(_face(answers, reading, row, place, notes))
                row += 1
            results.append(ImageFaces(picture.source, picture.width, picture.height, tuple(faces)))
        return results


def _face(
    answers: Answers,
    reading: Reading,
    row: int,
    place: tuple[Box, Landmarks, float] | None,
    notes: tuple[str, ...],
) -> Face:
    female, interval = float(reading.female_probability[row]), reading.intervals[row]
    gender, probability = gender_of(female)
    wide = interval is not None and interval.high - interval.low > UNSURE_FROM_YEARS
    distribution = answers.age_distribution[row].copy()  # a copy, so that one face does not keep a whole batch
    distribution.flags.writeable = False
    box, landmarks, score = place if place is not None else (None, None, None)
    return Face(
        age=float(answers.age[row]),
        age_interval=interval,
        age_distribution=distribution,
        gender=gender,
        gender_probability=probability,
        female_probability=female,
        unsure=bool(reading.unsure_gender[row]) or wide or bool(notes),
        notes=notes,
        box=box,
        landmarks=landmarks,
        detection_score=score,
    )


def _as_crop(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A picture as the models' input; the shape is not kept, as `data.images` does it for training."""
    if pixels.shape[:2] == (CROP_SIDE, CROP_SIDE):
        return pixels
    return np.array(Image.fromarray(pixels).resize((CROP_SIDE, CROP_SIDE), Image.Resampling.BILINEAR))


def load(
    model: str | Path = "B", *, precision: str | None = None, workers: int | None = None, threads: int | None = None
) -> FacePredictor:
    """Open a model for photographs, without Keras.

    Args:
        model: `A` or `B` for one that comes with the package, an `.onnx` file or a `.manifest.json` that
            `agegender export` wrote.
        precision: `float32` (by default) or `int8`.
        workers: Threads that decode and detect; None: one a core.
        threads: Of one forward pass of the model; None: one a core.

    Raises:
        SettingError: A number of threads below 1, or an unknown precision.
        ModelError: There is no such model, or it is damaged.
        InputError: Its calibration is damaged.
    """
    for name, value in (("workers", workers), ("threads", threads)):
        if value is not None and value < 1:
            raise SettingError(f"{name} must be 1 or more. Received: {value}")
    return FacePredictor(load_predictor(model, precision=precision, threads=threads), workers=workers)
