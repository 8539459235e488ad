"""Colours, sRGB 0..255: skin by melanin, hair with its grey, eyes, lips, frames, clothes."""

from __future__ import annotations

import numpy as np

from agegender.data.drawn.canvas import Array


def _colours(*rows: tuple[int, int, int]) -> Array:
    return np.array(rows, np.float32)


_MELANIN_STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_SKIN = _colours((243, 211, 191), (234, 193, 164), (218, 170, 134), (182, 128, 92), (134, 88, 62), (94, 60, 44))
HAIR = _colours((30, 26, 27), (58, 41, 32), (94, 64, 42), (136, 100, 64), (206, 170, 108), (152, 78, 40))
"""Black, dark brown, brown, light brown, blond, red."""
_GREY, _WHITE = _colours((158, 155, 152), (226, 224, 220))
IRISES = _colours((74, 46, 30), (122, 84, 48), (96, 122, 150), (84, 120, 92), (112, 116, 120))
"""Dark brown, hazel, blue, green, grey."""
LIPSTICKS = _colours((196, 52, 62), (178, 44, 72), (214, 96, 106), (160, 58, 64), (204, 84, 120))
FRAMES = _colours((34, 32, 34), (82, 52, 36), (120, 122, 128), (160, 132, 80), (70, 40, 60))
CLOTHES = _colours(
    (58, 78, 118), (178, 62, 60), (236, 232, 222), (66, 66, 70), (92, 128, 98), (214, 168, 84), (196, 124, 146),
    (120, 150, 186), (112, 80, 124), (40, 48, 62),
)  # fmt: skip


def skin_colour(melanin: float, age_years: float, rng: np.random.Generator) -> Array:
    """The colour of a skin of `melanin` 0..1: rosier in babies, duller late in life."""
    colour = np.array([np.interp(melanin, _MELANIN_STEPS, channel) for channel in _SKIN.T], np.float32)
    rosy = float(np.interp(age_years, (0, 5, 20), (0.03, 0.015, 0.0))) + float(rng.normal(0.0, 0.012))
    colour = colour * np.array([1.0, 1.0 - rosy, 1.0 - rosy * 1.1], np.float32)
    dull = float(np.interp(age_years, (25, 90), (0.0, 0.2)))
    return colour + (colour.mean() * np.array([1.06, 0.99, 0.9], np.float32) - colour) * dull


def hair_colour(natural: Array, grey: float, rng: np.random.Generator) -> Array:
    """Natural hair with a share `grey` 0..1 of it turned grey, white beyond two thirds."""
    aged = _GREY + (_WHITE - _GREY) * float(np.clip((grey - 0.6) / 0.4, 0.0, 1.0))
    mixed = natural + (aged - natural) * float(np.clip(grey, 0.0, 1.0))
    return np.asarray(mixed * (1.0 + 0.06 * rng.standard_normal()), np.float32)
