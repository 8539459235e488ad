"""What the page must know to answer as Python answers, taken from where Python keeps it: nothing is said twice."""

from __future__ import annotations

import dataclasses
from typing import Any

from agegender.data.images import MAX_FILE_BYTES
from agegender.inference import quality
from agegender.inference.align import CROP_SIDE, MOST_SAMPLES, TEMPLATE
from agegender.inference.calibration import UNSURE_BELOW
from agegender.inference.decode import MAX_PIXELS, MIN_SIDE
from agegender.inference.detector import CELL, LARGEST_PATCH, PATCHES_A_RUN, STRIDE, DetectorSettings
from agegender.inference.pipeline import MOST_FACES, UNSURE_FROM_YEARS
from agegender.inference.predictor import BATCH_SIZE
from agegender.inference.turning import SURE
from agegender.labels import FEMALE_THRESHOLD

HELD_PIXELS = 50_000_000
"""A photograph with more is reduced to as many in the browser, where a pixel takes seven bytes for a moment. A reduced
photograph is answered a little otherwise than in Python: at 16 million, up to 0.8 years were seen."""


def shared_facts() -> dict[str, Any]:
    """Settings and limits by the names that the page's JavaScript reads."""
    return {
        "detector_settings": {
            "cell": CELL,
            "stride": STRIDE,
            "largest_patch": LARGEST_PATCH,
            "patches_a_run": PATCHES_A_RUN,
            "sure_turned": SURE,
            **dataclasses.asdict(DetectorSettings()),
        },
        "crop": {"side": CROP_SIDE, "most_samples": MOST_SAMPLES, "template": TEMPLATE.tolist()},
        "quality": {
            "small_below_pixels": quality.SMALL_BELOW_PIXELS,
            "tilted_from_degrees": quality.TILTED_FROM_DEGREES,
            "turned_away_from": quality.TURNED_AWAY_FROM,
            "cut_off_from": quality.CUT_OFF_FROM,
            "faint_below": quality.FAINT_BELOW,
        },
        "answers": {
            "most_faces": MOST_FACES,
            "unsure_from_years": UNSURE_FROM_YEARS,
            "unsure_below": UNSURE_BELOW,
            "female_from": FEMALE_THRESHOLD,
            "batch": BATCH_SIZE,
        },
        "limits": {
            "file_bytes": MAX_FILE_BYTES,
            "pixels": MAX_PIXELS,
            "min_side": MIN_SIDE,
            "held_pixels": HELD_PIXELS,
        },
    }
