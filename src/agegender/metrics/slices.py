"""Cutting rows into groups by any column of values or bands, so that every metric can be read by group.

There is no metric "by age" or "by gender": a slice names its rows, and any function of rows applies to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agegender.labels import AGE_BANDS, band_name
from agegender.metrics.arrays import float_rows

ROWS_MIN = 30
"""Below this many images a group's figure is marked: its interval is wide and the bootstrap's own bounds too narrow."""

NOT_STATED = "not stated"
"""The slice of rows that have no value, so that the counts of a column's slices always sum to all rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """Some of the rows.

    Attributes:
        column: What the rows were cut by, such as `age` or `race`.
        name: Which group of it, such as `18-29` or `Indian`.
        rows: Positions in the whole, int64 of shape (n,), ascending.
        few: Whether there are too few of them for a figure to mean much.
    """

    column: str
    name: str
    rows: npt.NDArray[np.int64]
    few: bool


def slices_by_value(
    column: str, values: Sequence[object] | npt.NDArray, *, order: Sequence[str] = (), rows_min: int = ROWS_MIN
) -> tuple[Slice, ...]:
    """One slice a distinct value, as text; missing values (None, NaN) make the slice `not stated`.

    Args:
        column: The column's name.
        values: Any values, shape (n,).
        order: Names to put first in this order; the others follow sorted, `not stated` last. Absent names are skipped.
        rows_min: Slices with fewer rows are marked `few`.
    """
    names = np.array([NOT_STATED if _missing(value) else str(value) for value in values], dtype=object)
    present = set(names)
    ordered = [name for name in order if name in present]
    ordered += sorted(present - {*ordered, NOT_STATED})
    ordered += [NOT_STATED] if NOT_STATED in present and NOT_STATED not in ordered else []
    return tuple(_slice(column, name, names == name, rows_min) for name in ordered)


def slices_by_band(
    column: str,
    values: npt.ArrayLike,
    bands: Sequence[tuple[int, int]] = AGE_BANDS,
    *,
    rows_min: int = ROWS_MIN,
) -> tuple[Slice, ...]:
    """One slice a band that holds any row.

    Args:
        column: The column's name.
        values: Numbers of shape (n,).
        bands: Inclusive whole bounds, ascending; `(18, 29)` holds 18 up to, not including, 30.
        rows_min: Slices with fewer rows are marked `few`.

    Raises:
        ValueError: A value lies in no band or in two.
    """
    numbers = float_rows(values, name=column)
    inside = np.array([(numbers >= low) & (numbers < high + 1) for low, high in bands])
    if (inside.sum(axis=0) != 1).any():
        stray = numbers[inside.sum(axis=0) != 1][0]
        raise ValueError(f"every {column} must lie in exactly one of the bands {list(bands)}. Received: {stray:g}")
    return tuple(
        _slice(column, band_name(low, high), mask, rows_min)
        for (low, high), mask in zip(bands, inside, strict=True)
        if mask.any()
    )


def _missing(value: object) -> bool:
    # Pandas' missing values go by name, since metrics know no pandas; NaN is the one value that differs from itself.
    return value is None or type(value).__name__ in {"NAType", "NaTType"} or bool(value != value)  # noqa: PLR0124


def _slice(column: str, name: str, mask: npt.NDArray[np.bool_], rows_min: int) -> Slice:
    rows = np.flatnonzero(mask).astype(np.int64)
    return Slice(column, name, rows, few=len(rows) < rows_min)
