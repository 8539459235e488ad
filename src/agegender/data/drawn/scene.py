"""The photograph around a drawn person: pose, light, background and camera."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from agegender.data.drawn.canvas import SIZE_PX, Array, Canvas, oval, shape_patch, soften


@dataclass(frozen=True)
class Pose:
    """Where the head stands. Pixels for `scale` (a face unit) and `shift`, radians for `tilt` and `yaw`."""

    scale: float
    shift: tuple[float, float]
    tilt: float
    yaw: float
    nod: float

    def flat(self, points: Array) -> Array:
        """Face units (n, 2) to canvas pixels, for the silhouette: hair, neck, outline."""
        turn, centre = self._placing
        return np.asarray(points, np.float32) @ turn + centre

    def face(self, points: Array, relief: float = 0.0) -> Array:
        """The same for what lies on the face's curved front, which moves when the head turns.

        Args:
            points: (n, 2) in face units.
            relief: How far it stands out of the face, in face units (the tip of the nose about 0.2).
        """
        points = np.asarray(points, np.float32)
        depth = 0.62 * np.sqrt(np.maximum(1.0 - (points[:, 0] / 0.85) ** 2, 0.0)) + relief
        turned = points * np.array([math.cos(self.yaw), 1.0], np.float32)
        turned[:, 0] += math.sin(self.yaw) * depth
        turned[:, 1] += self.nod * depth
        return self.flat(turned)

    @cached_property
    def _placing(self) -> tuple[Array, Array]:
        cosine, sine = math.cos(self.tilt) * self.scale, math.sin(self.tilt) * self.scale
        turn = np.array([[cosine, sine], [-sine, cosine]], np.float32)
        return turn, np.array([SIZE_PX / 2 + self.shift[0], SIZE_PX / 2 + self.shift[1]], np.float32)

    def grid(self) -> tuple[Array, Array]:
        """Face units x, y of every pixel's centre, each (128, 128)."""
        line = np.arange(SIZE_PX, dtype=np.float32) + np.float32(0.5 - SIZE_PX / 2)
        right, down = line[None, :] - np.float32(self.shift[0]), line[:, None] - np.float32(self.shift[1])
        cosine, sine = np.float32(np.cos(self.tilt) / self.scale), np.float32(np.sin(self.tilt) / self.scale)
        return right * cosine + down * sine, down * cosine - right * sine


@dataclass(frozen=True, slots=True)
class Light:
    """Light on the head: direction to the lamp (3,), contrast 0..1, colour gains (3,)."""

    direction: tuple[float, float, float]
    contrast: float
    gains: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Camera:
    """What the camera does: exposure and gamma, saturation, blur in pixels, noise in grey levels, zoomed-up detail."""

    exposure: float
    gamma: float
    saturation: float
    blur_px: float
    noise: float
    detail: float
    vignette: float


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything of a picture that is not the person."""

    pose: Pose
    light: Light
    camera: Camera
    background: tuple[Array, Array]
    lamps: int


_WALLS = np.array(
    [
        (206, 200, 190), (120, 138, 152), (84, 104, 84), (150, 118, 92), (58, 60, 68), (232, 230, 226), (176, 152, 142),
        (96, 84, 102), (134, 160, 172), (188, 176, 132), (40, 44, 46), (140, 66, 58),
    ],
    np.float32,
)  # fmt: skip


def sample_scene(rng: np.random.Generator) -> Scene:
    """A pose, a light, a background and a camera, independent of the person."""
    warmth = float(np.clip(rng.normal(0.015, 0.035), -0.07, 0.1))
    angle = float(rng.uniform(-1.1, 1.1))
    soft = rng.random() < 0.7
    return Scene(
        pose=Pose(
            scale=float(rng.normal(58.5, 2.2)),
            shift=(float(rng.normal(0.0, 2.2)), float(rng.normal(0.5, 2.0))),
            tilt=float(np.clip(rng.normal(0.0, 0.06), -0.18, 0.18)),
            yaw=float(np.clip(rng.normal(0.0, 0.16), -0.38, 0.38)),
            nod=float(np.clip(rng.normal(0.0, 0.035), -0.09, 0.09)),
        ),
        light=Light(
            direction=(float(np.sin(angle)) * 0.8, float(rng.uniform(-0.75, -0.1)), 0.75),
            contrast=float(rng.uniform(0.16, 0.42) if soft else rng.uniform(0.42, 0.7)),
            gains=(1.0 + warmth, 1.0, 1.0 - warmth),
        ),
        camera=Camera(
            exposure=float(np.clip(rng.normal(1.0, 0.1), 0.7, 1.22)),
            gamma=float(np.clip(rng.normal(1.0, 0.09), 0.78, 1.25)),
            saturation=float(np.clip(rng.normal(0.97, 0.14), 0.5, 1.25)),
            blur_px=float(abs(rng.normal(0.0, 0.36))),
            noise=float(abs(rng.normal(0.0, 2.2)) + 0.5),
            detail=float(rng.uniform(0.35, 0.7)) if rng.random() < 0.12 else 1.0,
            vignette=float(rng.uniform(0.0, 0.22)),
        ),
        background=(
            _WALLS[rng.integers(len(_WALLS))] * float(rng.uniform(0.8, 1.1)),
            _WALLS[rng.integers(len(_WALLS))] * float(rng.uniform(0.7, 1.0)),
        ),
        lamps=int(rng.integers(0, 6)),
    )


def paint_background(scene: Scene, rng: np.random.Generator) -> Canvas:
    """A canvas with an unsharp room or landscape on it."""
    first, second = scene.background
    angle = float(rng.uniform(0, 2 * np.pi))
    ramp = np.linspace(-1, 1, SIZE_PX, dtype=np.float32)
    mix = np.clip(0.5 + 0.5 * (ramp[None, :] * np.cos(angle) + ramp[:, None] * np.sin(angle)), 0, 1)
    canvas = Canvas(first[:, None, None] + (second - first)[:, None, None] * (0.75 * mix))
    for _ in range(scene.lamps):
        x, y, radius = rng.uniform(0, SIZE_PX), rng.uniform(-8, SIZE_PX * 0.9), rng.uniform(5, 24)
        spot = oval(float(x), float(y), float(radius), float(radius * rng.uniform(0.7, 1.8)))
        canvas.paint(shape_patch([spot], blur=float(rng.uniform(2.5, 6))), _WALLS[rng.integers(len(_WALLS))], 0.5)
    return canvas


def light_up(canvas: Canvas, scene: Scene) -> None:
    """Shade the figure as a rounded body under one lamp, its side away from the lamp darker.

    Args:
        canvas: The finished drawing in even light; its `figure` is what gets shaded.
        scene: Pose and light.
    """
    x, y = scene.pose.grid()
    normal_x, normal_y = x / 0.98 - 0.5 * np.float32(np.sin(scene.pose.yaw)), y / 1.35
    normal_z = np.sqrt(np.clip(1.0 - normal_x**2 - normal_y**2, 0.06, 1.0))
    lamp = np.array(scene.light.direction, np.float32)
    lamp /= np.linalg.norm(lamp)
    lambert = np.clip(normal_x, -1, 1) * lamp[0] + np.clip(normal_y, -1, 1) * lamp[1] + normal_z * lamp[2]
    shade = canvas.figure * scene.light.contrast * (np.clip(lambert, -0.25, 1.0) - 0.72)
    # Shadows keep some of their red: light that passes through skin comes out warm.
    canvas.pixels *= 1.0 + shade * np.array([0.92, 1.0, 1.04], np.float32)[:, None, None]


def photograph(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> Array:
    """The drawing as the camera gives it: uint8 (128, 128, 3), RGB."""
    camera = scene.camera
    ramp = np.linspace(-1, 1, SIZE_PX, dtype=np.float32) ** 2
    canvas.pixels *= 1.0 - np.float32(0.5 * camera.vignette) * (ramp[None, :] + ramp[:, None])
    to_grey = np.tile(np.array([0.299, 0.587, 0.114]), (3, 1))
    colours = (to_grey + (np.eye(3) - to_grey) * camera.saturation) * np.array(scene.light.gains)
    picture = cv2.transform(cv2.merge(list(canvas.pixels)), colours.astype(np.float32))
    if camera.detail < 1.0:  # a small photograph that somebody enlarged
        small = max(24, round(SIZE_PX * camera.detail))
        picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(picture, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_LINEAR)
    if camera.blur_px > 0.25:
        picture = soften(picture, camera.blur_px)
    levels = np.arange(256, dtype=np.float32) / 255.0
    tone = 255.0 * np.clip(camera.exposure * levels**camera.gamma, 0.0, 1.0)
    tone = np.where(tone > 225, 225 + (tone - 225) * 0.8, tone)  # highlights roll off instead of burning out
    toned = cv2.LUT(np.clip(picture, 0, 255).astype(np.uint8), tone.astype(np.float32))
    grain = rng.standard_normal((SIZE_PX, SIZE_PX, 1), dtype=np.float32) * np.float32(camera.noise)
    return np.clip(toned + (grain + np.float32(0.5)), 0, 255).astype(np.uint8)
