"""The data room: labelled faces in, checked tables, decoded images, splits and drawn faces out.

Names are looked up when they are first used, so that importing this package alone costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agegender.optional import lazy_attributes

if TYPE_CHECKING:
    from agegender.data.cache import default_cache_dir
    from agegender.data.dataset import Dataset, UnusableDataError, load_dataset, write_rejected
    from agegender.data.drawn import draw_faces
    from agegender.data.duplicates import near_duplicate_groups
    from agegender.data.images import read_face
    from agegender.data.names import FaceLabels, parse_name
    from agegender.data.splits import Split, load_split, make_folds, make_split, save_split, train_on_all

__all__ = [
    "Dataset",
    "FaceLabels",
    "Split",
    "UnusableDataError",
    "default_cache_dir",
    "draw_faces",
    "load_dataset",
    "load_split",
    "make_folds",
    "make_split",
    "near_duplicate_groups",
    "parse_name",
    "read_face",
    "save_split",
    "train_on_all",
    "write_rejected",
]

_HOMES = {
    "Dataset": "dataset",
    "UnusableDataError": "dataset",
    "load_dataset": "dataset",
    "write_rejected": "dataset",
    "FaceLabels": "names",
    "parse_name": "names",
    "Split": "splits",
    "load_split": "splits",
    "make_folds": "splits",
    "make_split": "splits",
    "save_split": "splits",
    "train_on_all": "splits",
    "default_cache_dir": "cache",
    "draw_faces": "drawn",
    "near_duplicate_groups": "duplicates",
    "read_face": "images",
}

__getattr__, __dir__ = lazy_attributes(__name__, _HOMES)
