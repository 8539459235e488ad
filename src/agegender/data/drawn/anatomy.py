"""How a head's proportions grow and age: landmarks in face units, where the half height of the head is 1.

x runs to the right, y downwards, the crown is at (0, -1) and the chin at (0, 1). A baby has its eyes below the
middle, a high forehead, wide cheeks and a small chin; the adult's eyes stand in the middle (the usual rule of
drawing manuals, e.g. Loomis, "Drawing the Head and Hands"); late in life nose and ears grow, lids and jaw sag.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from agegender.data.drawn.canvas import Array, curve

_AGES_YEARS = (0, 1, 3, 6, 10, 14, 18, 26, 40, 60, 80, 100)
_GROWTH: dict[str, tuple[float, ...]] = {
    "eye_y": (0.25, 0.23, 0.19, 0.145, 0.105, 0.07, 0.045, 0.03, 0.025, 0.02, 0.02, 0.02),
    "eye_x": (0.375, 0.375, 0.36, 0.34, 0.325, 0.315, 0.31, 0.305, 0.305, 0.305, 0.305, 0.305),
    "eye_width": (0.2, 0.2, 0.19, 0.178, 0.167, 0.158, 0.154, 0.15, 0.147, 0.142, 0.136, 0.13),
    "eye_height": (0.122, 0.121, 0.11, 0.095, 0.082, 0.076, 0.071, 0.067, 0.062, 0.053, 0.044, 0.038),
    "iris": (0.106, 0.105, 0.097, 0.086, 0.076, 0.072, 0.069, 0.067, 0.066, 0.065, 0.064, 0.063),
    "brow_gap": (0.2, 0.2, 0.195, 0.19, 0.185, 0.18, 0.177, 0.175, 0.17, 0.16, 0.15, 0.145),
    "nose_y": (0.53, 0.52, 0.5, 0.475, 0.455, 0.445, 0.44, 0.44, 0.445, 0.46, 0.475, 0.485),
    "nose_width": (0.1, 0.1, 0.105, 0.11, 0.115, 0.122, 0.128, 0.13, 0.135, 0.145, 0.155, 0.16),
    "mouth_y": (0.725, 0.72, 0.705, 0.69, 0.68, 0.675, 0.672, 0.672, 0.675, 0.685, 0.695, 0.7),
    "mouth_width": (0.155, 0.165, 0.185, 0.205, 0.22, 0.235, 0.245, 0.25, 0.255, 0.26, 0.258, 0.25),
    "lips": (0.85, 0.85, 0.88, 0.92, 0.96, 1.0, 1.0, 1.0, 0.94, 0.78, 0.58, 0.45),
    "hairline_y": (-0.56, -0.54, -0.52, -0.52, -0.53, -0.55, -0.57, -0.58, -0.59, -0.6, -0.62, -0.64),
    "temple": (0.84, 0.83, 0.8, 0.765, 0.735, 0.71, 0.695, 0.69, 0.69, 0.685, 0.675, 0.66),
    "cheek": (0.89, 0.88, 0.845, 0.8, 0.76, 0.725, 0.705, 0.695, 0.7, 0.705, 0.69, 0.665),
    "jaw": (0.68, 0.67, 0.635, 0.6, 0.57, 0.55, 0.54, 0.54, 0.555, 0.585, 0.59, 0.57),
    "chin": (0.28, 0.28, 0.26, 0.25, 0.245, 0.245, 0.25, 0.255, 0.265, 0.28, 0.285, 0.28),
    "neck": (0.36, 0.35, 0.34, 0.34, 0.35, 0.37, 0.39, 0.41, 0.43, 0.44, 0.42, 0.39),
    "ear": (0.15, 0.15, 0.155, 0.16, 0.165, 0.17, 0.172, 0.175, 0.18, 0.19, 0.205, 0.215),
}
"""Half widths and heights and y positions by apparent age; `lips` is a factor of fullness."""


@dataclass(frozen=True)
class Shape:
    """One head's landmarks in face units (see `_GROWTH`); widths and heights are halves."""

    eye_y: float
    eye_x: float
    eye_width: float
    eye_height: float
    iris: float
    brow_gap: float
    nose_y: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    lips: float
    hairline_y: float
    temple: float
    cheek: float
    jaw: float
    chin: float
    neck: float
    ear: float
    eye_slant: float

    @property
    def brow_y(self) -> float:
        """Height of the brows."""
        return self.eye_y - self.brow_gap

    @cached_property
    def right_outline(self) -> Array:
        """The right half of the head's outline from crown to chin, (n, 2)."""
        return curve(
            np.array(
                [
                    (0.0, -1.0),
                    (0.48 * self.temple, -0.93),
                    (0.855 * self.temple, -0.69),
                    (self.temple, -0.33),
                    (0.5 * (self.temple + self.cheek), -0.02),
                    (self.cheek * 0.985, 0.27),
                    (self.jaw * 1.06, 0.57),
                    (0.5 * (self.jaw + self.chin) * 1.03, 0.8),
                    (self.chin * 0.92, 0.945),
                    (0.0, 1.0),
                ]
            )
        )

    def outline(self) -> Array:
        """The whole head's outline, (n, 2)."""
        right = self.right_outline
        return np.concatenate([right, mirrored(right[1:-1])[::-1]])

    def half_width_at(self, y: float) -> float:
        """Half the head's width at a height `y` in -1..1."""
        right = self.right_outline
        return float(np.interp(y, right[:, 1], right[:, 0]))


def mirrored(points: Array) -> Array:
    """The same points on the other side of the face."""
    return np.asarray(points, np.float32) * np.array([-1, 1], np.float32)


def sample_shape(age_years: float, jaw_lean: float, lip_lean: float, rng: np.random.Generator) -> Shape:
    """A head of an apparent age.

    Args:
        age_years: How old the head looks, 0 to about 105.
        jaw_lean: Masculine (above 0) or feminine build of jaw, chin, neck and nose; about -2..2.
        lip_lean: The same for the fullness of the lips.
        rng: Source of what differs between people.
    """
    size = {name: float(np.interp(age_years, _AGES_YEARS, values)) for name, values in _GROWTH.items()}
    spread = {"jaw": 0.025, "chin": 0.06, "cheek": 0.02, "temple": 0.02, "nose_width": 0.09, "mouth_width": 0.06}
    spread |= {"eye_width": 0.04, "eye_height": 0.09, "eye_x": 0.025, "iris": 0.025, "lips": 0.14, "brow_gap": 0.06}
    for name, share in spread.items():
        size[name] *= 1.0 + share * float(np.clip(rng.standard_normal(), -2, 2))
    for name, shift in {"eye_y": 0.013, "nose_y": 0.013, "mouth_y": 0.011, "hairline_y": 0.03}.items():
        size[name] += shift * float(np.clip(rng.standard_normal(), -2, 2))
    lean = float(np.clip(jaw_lean, -2.2, 2.2))
    size["jaw"] *= 1.0 + 0.045 * lean
    size["chin"] *= 1.0 + 0.11 * lean
    size["neck"] *= 1.0 + 0.08 * lean
    size["cheek"] *= 1.0 - 0.008 * lean
    size["nose_width"] *= 1.0 + 0.05 * lean
    size["eye_height"] *= 1.0 - 0.035 * lean
    size["eye_width"] *= 1.0 - 0.02 * lean
    size["brow_gap"] *= 1.0 - 0.07 * lean
    size["lips"] *= float(np.clip(1.0 - 0.13 * lip_lean, 0.6, 1.5))
    return Shape(**size, eye_slant=float(rng.normal(0.0, 0.012)))
