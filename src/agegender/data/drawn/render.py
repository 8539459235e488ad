"""From a person and a scene to pixels: the order in which a face is painted."""

from __future__ import annotations

import numpy as np

from agegender.data.drawn.ageing import draw_complexion, draw_lines
from agegender.data.drawn.canvas import Array, shape_patch
from agegender.data.drawn.features import draw_brows, draw_ears, draw_eyes, draw_mouth, draw_nose
from agegender.data.drawn.hair import draw_back_hair, draw_front_hair
from agegender.data.drawn.scene import Scene, light_up, paint_background, photograph
from agegender.data.drawn.traits import Traits
from agegender.data.drawn.wear import draw_beard, draw_bow, draw_clothes, draw_glasses, draw_neck


def render(traits: Traits, scene: Scene, rng: np.random.Generator) -> Array:
    """Paint one person, uint8 (128, 128, 3), RGB.

    Args:
        traits: The person.
        scene: Pose, light, background and camera.
        rng: Source of the strokes' irregularity and the camera's grain.
    """
    pose = scene.pose
    canvas = paint_background(scene, rng)
    canvas.figure[:] = 0.0
    draw_clothes(canvas, traits, pose)
    draw_back_hair(canvas, traits, pose, rng)
    draw_neck(canvas, traits, pose)
    draw_ears(canvas, traits, pose)
    head_patch = shape_patch([pose.flat(traits.shape.outline())])
    canvas.paint(head_patch, traits.skin.colour)
    head = head_patch.full()
    draw_complexion(canvas, traits, pose, head, rng)
    draw_eyes(canvas, traits, pose)
    draw_nose(canvas, traits, pose)
    draw_lines(canvas, traits, pose, head, rng)
    draw_beard(canvas, traits, pose, rng)
    draw_mouth(canvas, traits, pose)
    draw_brows(canvas, traits, pose, rng)
    draw_front_hair(canvas, traits, pose, head, rng)
    draw_bow(canvas, traits, pose)
    draw_glasses(canvas, traits, pose)
    light_up(canvas, scene)
    return photograph(canvas, scene, rng)
