"""Arithmetic of boxes (left, top, right, bottom) in NumPy: overlap, suppression, squares, patches."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]

GREY = 127.5
"""What stands outside a picture: the networks see it as 0."""


def suppress(
    boxes: Boxes, scores: npt.NDArray[np.float64], most_overlap: float, *, of_smaller: bool = False
) -> list[int]:
    """Greedy non-maximum suppression: of boxes that overlap too much, the one with the highest score stays.

    Args:
        boxes: (n, 4).
        scores: (n,).
        most_overlap: Share, 0..1, of the union that two kept boxes may have in common.
        of_smaller: Take the share of the smaller box instead, which also drops a box within another.

    Returns:
        Numbers of the boxes kept, highest score first.
    """
    left, top, right, bottom = boxes.T
    areas = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    waiting = np.argsort(-scores, kind="stable")
    kept = []
    while waiting.size:
        best, others = waiting[0], waiting[1:]
        kept.append(int(best))
        width = np.minimum(right[best], right[others]) - np.maximum(left[best], left[others])
        height = np.minimum(bottom[best], bottom[others]) - np.maximum(top[best], top[others])
        common = np.maximum(width, 0) * np.maximum(height, 0)
        whole = np.minimum(areas[best], areas[others]) if of_smaller else areas[best] + areas[others] - common
        waiting = others[common <= most_overlap * np.maximum(whole, 1e-9)]
    return kept


def squares(boxes: Boxes) -> Boxes:
    """The smallest square around each box with the same centre, (n, 4)."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([centre - half, centre + half])


def moved(boxes: Boxes, offsets: npt.NDArray[np.floating]) -> Boxes:
    """Boxes with each edge moved by a share of the box's size, as the networks answer it; (n, 4)."""
    sizes = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + offsets * np.tile(sizes, 2)


def patches(pixels: npt.NDArray[np.uint8], boxes: Boxes, side: int) -> npt.NDArray[np.float32]:
    """Cut boxes out and bring them to one size; what lies outside the picture is grey.

    Args:
        pixels: (height, width, 3).
        boxes: (n, 4), edges included.
        side: Height and width wanted.

    Returns:
        float32 (n, side, side, 3), 0..255.
    """
    height, width = pixels.shape[:2]
    cut = np.full((len(boxes), side, side, 3), GREY, np.float32)
    for index, (left, top, right, bottom) in enumerate(np.rint(boxes).astype(int)):
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width - 1), min(bottom, height - 1)
        if x1 < x0 or y1 < y0:
            continue
        piece = pixels[y0 : y1 + 1, x0 : x1 + 1]
        margins = (y0 - top, bottom - y1, x0 - left, right - x1)
        if any(margins):
            piece = cv2.copyMakeBorder(piece, *margins, cv2.BORDER_CONSTANT, value=(128, 128, 128))
        shrinks = min(piece.shape[:2]) > side
        cut[index] = cv2.resize(piece, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return cut
