"""Many tests at once: what is called a difference must not be one of the few that chance alone brings.

Holm's procedure is taken, not Benjamini and Hochberg's. Each group that is named as worse off gets quoted by itself,
so not even one of them should be chance (the family-wise error); a share of false ones among the named, which
Benjamini and Hochberg keep small, helps nobody who is one of them. Holm's holds under any dependence, and groups and
their crossings share images.

Sources: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 1979;
Benjamini, Hochberg, "Controlling the False Discovery Rate", JRSS B 1995.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agegender.metrics.arrays import FloatArray


def holm(p_values: npt.ArrayLike) -> FloatArray:
    """P values adjusted for their number: one at or under 0.05 may be called a difference at 5 % over all of them.

    Args:
        p_values: 0..1, shape (m,); m may be 0.

    Returns:
        Adjusted p values in 0..1, shape (m,), in the order given.

    Raises:
        ValueError: A value outside 0..1.
    """
    p = np.asarray(p_values, np.float64)
    if p.ndim != 1 or (p.size and not ((p >= 0) & (p <= 1)).all()):
        raise ValueError(f"p values must have shape (m,) and lie in 0..1. Received: {p}")
    order = np.argsort(p, kind="stable")
    steps = np.minimum(p[order] * np.arange(len(p), 0, -1), 1.0)
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted
