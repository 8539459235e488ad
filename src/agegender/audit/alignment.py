"""Whether two pictures show the same photograph: laid on each other as well as can be, then compared in their detail.

Faces that were aligned for a data set look alike when they are small: at 16 x 16 pixels strangers correlate at 0.95.
What only a copy shares is the fine detail at the same place. So the two are laid on each other by an affine map that
maximises their enhanced correlation (Evangelidis, Psarakis, "Parametric Image Alignment Using Enhanced Correlation
Coefficient Maximization", IEEE PAMI 2008), and then both the pictures and what is left of them above a blur of three
sixty-fourths of their width are correlated where they overlap.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from agegender.audit.views import View

SIDE = 64
"""Pixels at which two pictures are laid on each other: enough for detail, and a copy of half the size still has it."""

STAGES = ((40, 1e-4, 5), (60, 1e-5, 1))
"""Of the fine alignment: most iterations, least gain, blur in pixels. Blurred first: that pulls from farther away."""

LEAST_DETAIL_TO_GO_ON = 0.5
"""After a stage; strangers rarely reach it, and the next stage costs as much again."""

_MARGIN_PIXELS = 2

LEAST_OVERLAP = 0.5
"""Of the picture's area. A copy that was cut to less is another picture."""

LEAST_FIRST_CORRELATION = 0.6
"""Below this, after the coarse view alone, no fine alignment is tried."""

LEAST_CORRELATION = 0.85
LEAST_DETAIL = 0.88
"""On the brief's 5,000 images every pair above is a copy (the lowest at 0.92), and strangers reach 0.81; the four pairs
between are most likely copies, cut differently. See docs/audit.md."""

LEAST_DETAIL_LEVELS = 1.0
"""Grey levels. Where the detail of either picture is fainter (a blurred one), it says nothing, and the correlation of
the whole must be `BLURRED_CORRELATION`."""

BLURRED_CORRELATION = 0.99

Grey = NDArray[np.float32]


class Agreement(NamedTuple):
    """How alike two pictures are once they lie on each other.

    Attributes:
        correlation: Of their grey levels where they overlap, -1..1.
        detail: Of what is left above a blur, -1..1.
        faint: Whether either of them has too little detail for `detail` to mean anything.
        overlap: Share of the area, 0..1.
    """

    correlation: float
    detail: float
    faint: bool
    overlap: float

    @property
    def same_photograph(self) -> bool:
        """The verdict."""
        if self.overlap < LEAST_OVERLAP:
            return False
        if self.faint:
            return self.correlation >= BLURRED_CORRELATION
        return self.correlation >= LEAST_CORRELATION and self.detail >= LEAST_DETAIL


def prepared(grey: NDArray[np.uint8]) -> Grey:
    """A picture in the form that is aligned: float32 (64, 64), 0..255."""
    small = cv2.resize(grey.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def compare(seen: Grey, plain: Grey, view: View) -> Agreement:
    """Lay `seen` on `plain`, starting from how a coarse search saw it, and measure how they agree.

    Args:
        seen: float32 (64, 64), the picture of which `view` is a part.
        plain: float32 (64, 64), what that part was found to look like.
        view: The start.

    Returns:
        The better of the start and the refined alignment.
    """
    warp = view.warp(SIDE).astype(np.float32)
    best = _agreement(seen, plain, warp)
    if best.correlation < LEAST_FIRST_CORRELATION:
        return best
    everywhere = np.full(seen.shape, 255, np.uint8)
    for iterations, gain, blur in STAGES:
        criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, iterations, gain)
        try:
            _, refined = cv2.findTransformECC(plain, seen, warp, cv2.MOTION_AFFINE, criteria, everywhere, blur)
        except cv2.error:  # it did not converge: the two have too little in common
            break
        warp = np.asarray(refined, np.float32)
        if not _plausible(warp):
            break
        found = _agreement(seen, plain, warp)
        best = max(best, found, key=lambda agreement: (agreement.same_photograph, agreement.detail))
        if found.detail < LEAST_DETAIL_TO_GO_ON:
            break
    return best


def _plausible(warp: NDArray[np.float32]) -> bool:
    """Whether a map neither shrinks nor stretches more than a crop or a tilt would."""
    stretches = np.linalg.svd(warp[:, :2], compute_uv=False)
    return bool(stretches[0] < 1.6 and stretches[1] > 0.6 and stretches[0] / stretches[1] < 1.25)


def _agreement(seen: Grey, plain: Grey, warp: Grey) -> Agreement:
    inside = _moved(np.ones_like(seen), warp) > 0.999
    inside[:_MARGIN_PIXELS] = inside[-_MARGIN_PIXELS:] = False
    inside[:, :_MARGIN_PIXELS] = inside[:, -_MARGIN_PIXELS:] = False
    overlap = float(inside.mean())
    if overlap < 0.1:
        return Agreement(0.0, 0.0, True, overlap)
    details = [_moved(_detail(seen), warp)[inside], _detail(plain)[inside]]
    faint = min(float(detail.std()) for detail in details) < LEAST_DETAIL_LEVELS
    return Agreement(_pearson(_moved(seen, warp)[inside], plain[inside]), _pearson(*details), faint, overlap)


def _moved(picture: Grey, warp: Grey) -> Grey:
    moved = cv2.warpAffine(picture, warp, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(moved, np.float32)


def _detail(picture: Grey) -> Grey:
    """What lies between a slight blur, which takes the noise of compression away, and a strong one."""
    fine, coarse = (cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in (0.7, 3.0))
    return np.asarray(fine - coarse, np.float32)


def _pearson(one: Grey, other: Grey) -> float:
    one, other = one - one.mean(), other - other.mean()
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.dot(one, other)) / length if length > 1e-6 else 0.0
