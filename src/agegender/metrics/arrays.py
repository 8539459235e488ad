"""What every metric asks of its arrays: one dimension, equal length, at least one row, finite."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def float_rows(values: npt.ArrayLike, *, name: str) -> FloatArray:
    """The values as float64 of shape (n,).

    Raises:
        ValueError: Not one-dimensional, empty, or a value is not finite.
    """
    rows = np.asarray(values, np.float64)
    if rows.ndim != 1 or not rows.size:
        raise ValueError(f"{name} must have shape (n,) with n at least 1. Received: shape {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} must be finite. Received: {(~np.isfinite(rows)).sum()} of {rows.size} that are not")
    return rows


def bool_rows(values: npt.ArrayLike, *, name: str) -> BoolArray:
    """The values as booleans of shape (n,).

    Raises:
        ValueError: Not boolean (a code 0/1 would hide which gender is meant), not one-dimensional, or empty.
    """
    rows = np.asarray(values)
    if rows.dtype != np.bool_ or rows.ndim != 1 or not rows.size:
        raise ValueError(
            f"{name} must be booleans of shape (n,) with n at least 1. Received: {rows.dtype} of shape {rows.shape}"
        )
    return rows


def same_length(first: npt.NDArray, second: npt.NDArray, *, names: str) -> None:
    """Check that two arrays describe the same rows.

    Raises:
        ValueError: Their lengths differ.
    """
    if len(first) != len(second):
        raise ValueError(f"{names} must have the same length. Received: {len(first)} and {len(second)}")
