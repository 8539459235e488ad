"""UTKFace file names: `[age]_[gender]_[race]_[date&time].jpg`, also with the `.chip.jpg` of the aligned release.

Source: the UTKFace data set of Zhang, Song, Qi, "Age Progression/Regression by Conditional Adversarial Autoencoder",
CVPR 2017. A few names of the public release lack a field or carry a bad one; they are refused with a reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from agegender.errors import ImageError
from agegender.labels import AGE_MAX_YEARS, AGE_MIN_YEARS, Gender, Race

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
"""Lower-case endings of the files that are read as images; any case is accepted."""

OTHER_IMAGE_SUFFIXES = frozenset(
    (".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".jfif", ".jpe", ".jp2", ".jxl", ".ppm", ".tga")
)
"""Image formats that are not read: such files are rejected, where a text file is merely no image."""

_ENDINGS = re.compile(r"(?:\.(?:jpg|jpeg|png|webp|chip))+$", re.IGNORECASE)
_AGE = re.compile(r"-?[0-9]{1,4}")
_SMALL_CODE = re.compile(r"[0-9]{1,2}")
_DATE = re.compile(r"[0-9]{8,}")

_EXPECTED = "Expected [age]_[gender]_[race]_[date].jpg, such as 26_1_2_20170116174525125.jpg"


@dataclass(frozen=True, slots=True)
class FaceLabels:
    """What a file name says about the face.

    Attributes:
        age: Whole years, 0..116.
        gender: The data set's binary label.
        race: The group, or None where the field is empty or no code 0..4. Never an input, never a target.
        taken: The date and time as written, usually yyyymmddHHMMSSFFF; None where the field is no date.
    """

    age: int
    gender: Gender
    race: Race | None
    taken: str | None


def parse_name(name: str) -> FaceLabels:
    """Read the labels out of a file name or a POSIX path.

    A race that is malformed leaves the name usable, since race is no target. A field that is missing does not: which
    one is missing cannot be told, so that the others may have slid into its place.

    Raises:
        ImageError: `bad_name` (no such name, or a field is missing), `age_out_of_range` (outside 0..116) or
            `bad_gender` (neither 0 nor 1).
    """
    stem = _ENDINGS.sub("", PurePosixPath(name).name)
    fields = stem.split("_", 3)
    if not _AGE.fullmatch(fields[0]) or len(fields) < 3:
        raise ImageError("bad_name", f"The name holds no age, gender and race. {_EXPECTED}.")
    age, gender, race = fields[:3]
    if _SMALL_CODE.fullmatch(gender) and gender not in ("0", "1"):
        raise ImageError("bad_gender", f"The gender field must be 0 (male) or 1 (female). Received: {gender!r}.")
    if len(fields) == 3 or not gender or _DATE.fullmatch(gender) or _DATE.fullmatch(race):
        raise ImageError("bad_name", f"A field is missing, and which one cannot be told. {_EXPECTED}.")
    if gender not in ("0", "1"):
        raise ImageError("bad_gender", f"The gender field must be 0 (male) or 1 (female). Received: {gender!r}.")
    return FaceLabels(
        age=checked_age(int(age)),
        gender=Gender.from_code(int(gender)),
        race=Race.from_code(int(race)) if race in ("0", "1", "2", "3", "4") else None,
        taken=fields[3] if _DATE.fullmatch(fields[3]) else None,
    )


def checked_age(age: int) -> int:
    """The age itself.

    Raises:
        ImageError: `age_out_of_range`, outside 0..116 years.
    """
    if not AGE_MIN_YEARS <= age <= AGE_MAX_YEARS:
        raise ImageError(
            "age_out_of_range", f"The age must be {AGE_MIN_YEARS}..{AGE_MAX_YEARS} years. Received: {age}."
        )
    return age


def is_image_name(name: str) -> bool:
    """Whether the ending is one of `IMAGE_SUFFIXES`, in any case."""
    return name.lower().endswith(IMAGE_SUFFIXES)
