"""Drawn faces: the embedded default data set. A program draws them; no person is shown and no download is needed.

They carry labels with known truth, so the whole pipeline and its tests run anywhere. A figure measured on them says
that the pipeline works and is always marked "drawn faces"; it says nothing about accuracy on people.
"""

from agegender.data.drawn.faces import DEFAULT_LABEL_NOISE, DrawnLabels, LabelNoise, draw_face, file_name
from agegender.data.drawn.folder import DRAWN_MARKER, DrawnFace, Marker, draw_faces, is_drawn_folder, read_marker
from agegender.data.drawn.render import render
from agegender.data.drawn.scene import Scene, sample_scene
from agegender.data.drawn.traits import Traits, sample_traits

__all__ = [
    "DEFAULT_LABEL_NOISE",
    "DRAWN_MARKER",
    "DrawnFace",
    "DrawnLabels",
    "LabelNoise",
    "Marker",
    "Scene",
    "Traits",
    "draw_face",
    "draw_faces",
    "file_name",
    "is_drawn_folder",
    "read_marker",
    "render",
    "sample_scene",
    "sample_traits",
]
