"""What changes between encounters: place, light, season and pose."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .backgrounds import background

CAMERAS = ("falls", "meadow", "woods")

# The coat by season, as red, green, blue: worn and pale in spring, dark before winter.
COATS = {"spring": (160, 122, 83), "summer": (134, 96, 62), "autumn": (108, 76, 52)}


@dataclass(frozen=True)
class Pose:
    """How the head is held and how far away: radians, pixels of half a head's width, and its centre.

    Attributes:
        yaw: turned to the side; positive shows its left cheek.
        pitch: nod; positive looks down.
        roll: tilt within the picture.
        scale: half a head's width as a share of the picture's side.
        x: the middle of the head as a share of the side.
        y: the same, downwards.
    """

    yaw: float
    pitch: float
    roll: float
    scale: float
    x: float
    y: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Pose:
        """Any pose of one encounter."""
        return cls(
            yaw=float(np.clip(rng.normal(0, 0.18), -0.4, 0.4)),
            pitch=float(np.clip(rng.normal(0, 0.08), -0.16, 0.16)),
            roll=float(np.clip(rng.normal(0, 0.14), -0.3, 0.3)),
            scale=float(rng.uniform(0.35, 0.42)),
            x=float(rng.uniform(0.45, 0.55)),
            y=float(rng.uniform(0.52, 0.57)),
        )

    def stir(self, rng: np.random.Generator, much: float) -> Pose:
        """The same pose a moment later."""
        steps = rng.normal(0, much, 6) * (0.05, 0.03, 0.03, 0.006, 0.008, 0.008)
        now = (self.yaw, self.pitch, self.roll, self.scale, self.x, self.y)
        return replace(
            self,
            **dict(zip(self.__dict__, (float(a + b) for a, b in zip(now, steps, strict=True)), strict=True)),
        )

    @property
    def viewpoint(self) -> str:
        """``"left"``, ``"right"`` or ``"front"``: the cheek that is seen."""
        return "front" if abs(self.yaw) < 0.15 else ("left" if self.yaw > 0 else "right")


@dataclass(frozen=True)
class Scene:
    """One camera on one date: what every picture there has in common, whichever bear comes by.

    Attributes:
        camera: one of `CAMERAS`.
        season: spring, summer or autumn.
        coat: red, green and blue of a bear's coat in this season and light.
        sun: (3,) direction that the light comes from.
        hard: how strong the sun is beside the sky.
        bright: exposure.
        warm: red over blue; evening light is warm.
        night: taken by infrared flash, in grey.
        seed: of the background.
    """

    camera: str
    season: str
    coat: tuple[float, float, float]
    sun: tuple[float, float, float]
    hard: float
    bright: float
    warm: float
    night: bool
    seed: int

    @classmethod
    def draw(cls, camera: str, month: int, rng: np.random.Generator) -> Scene:
        """The scene at a camera on a day of this month."""
        season = "spring" if month < 7 else "summer" if month < 9 else "autumn"
        turn, rise = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.9)
        flat = np.sqrt(1 - rise**2)
        return cls(
            camera=camera,
            season=season,
            coat=tuple(
                float(c)
                for c in np.multiply(COATS[season], rng.uniform(0.85, 1.15) * rng.uniform(0.94, 1.06, 3))
            ),  # type: ignore[arg-type]
            sun=(float(flat * np.cos(turn)), float(-abs(flat * np.sin(turn))), float(rise)),
            hard=float(rng.choice([0.15, 0.35, 0.60])),
            bright=float(rng.uniform(0.76, 1.18)),
            warm=float(np.clip(rng.normal(1.0, 0.09), 0.82, 1.22)),
            night=bool(rng.random() < 0.12),
            seed=int(rng.integers(2**31)),
        )

    def background(self, size: int) -> Image.Image:
        """A picture of the place, `size` pixels a side, out of focus."""
        return background(self.camera, self.season, self.seed, size)

    def light(
        self, pixels: NDArray[np.float64], head: NDArray[np.float64], shade: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Light a flat picture.

        Args:
            pixels: (side, side, 3) in 0 … 255.
            head: (side, side) how much of each pixel is bear, 0 to 1.
            shade: (side, side) the light that falls on a bear there.
        """
        if self.night:
            shade = shade * 0.4 + 0.75
        lit = pixels * (1 + head * (shade - 1))[..., None] * self.bright
        if self.night:
            side = np.linspace(-1, 1, len(lit))
            fall = 1.15 - 0.55 * (side[:, None] ** 2 + side[None] ** 2)
            grey = lit @ np.array([0.45, 0.40, 0.15]) * fall * (0.45 + 0.75 * head)
            return np.repeat(grey[..., None], 3, axis=2)
        return np.asarray(lit * np.array([self.warm, 1.0, 2 - self.warm]))
