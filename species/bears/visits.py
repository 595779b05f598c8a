"""Which drawn bear comes by which camera when, and how often the camera fires."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from .faces import Face, faces
from .scenes import CAMERAS, Pose, Scene

START = datetime(2023, 5, 1)
SPAN = 180  # days, May to October
RARE = (1, 3)  # images of the two rarest bears


class Photo(NamedTuple):
    """One photo before it is painted; `when` is None where the camera's clock was lost."""

    image: str
    face: Face
    scene: Scene
    pose: Pose
    coat_seed: int
    moment_seed: int
    when: datetime | None


def photos(*, individuals: int, encounters: int, frames: int, undated: float, seed: int) -> list[Photo]:
    """Every photo of the data set in order of bear and time; the fields are those of ``drawn-bears``."""
    rng = np.random.default_rng([seed, 2])
    clockless = set(rng.permutation(max(0, individuals - len(RARE)))[: round(undated * individuals)].tolist())
    taken: list[Photo] = []
    for n, face in enumerate(faces(individuals, seed)):
        rare = n - (individuals - len(RARE))
        visits = 1 if rare >= 0 else int(rng.integers(max(1, encounters - 2), encounters + 3))
        cells = rng.choice(SPAN * len(CAMERAS), visits, replace=False)
        own: list[Photo] = []
        for visit, cell in enumerate(np.sort(cells)):
            camera, date = CAMERAS[cell % len(CAMERAS)], START + timedelta(days=int(cell) // len(CAMERAS))
            scene = Scene.draw(camera, date.month, np.random.default_rng([seed, 3, int(cell)]))
            lost = n in clockless and visit == visits // 2
            own += _visit(face, scene, date, lost, frames, rng)
        taken += own[: RARE[rare]] if rare >= 0 else own
    return taken


def _visit(
    face: Face, scene: Scene, date: datetime, lost: bool, frames: int, rng: np.random.Generator
) -> list[Photo]:
    """One encounter: a burst, and often a second one some minutes later in another pose."""
    hour = rng.uniform(20.5, 22.5) if scene.night else rng.uniform(6, 20)
    when = date + timedelta(seconds=int(hour * 3600))
    coat, pose = int(rng.integers(2**31)), Pose.draw(rng)
    shots: list[Photo] = []
    for burst in range(int(rng.choice([1, 2], p=[0.8, 0.2]))):
        if burst:
            when += timedelta(seconds=int(rng.integers(150, 1500)))
            pose = pose.stir(rng, 4.0)
        for _ in range(int(rng.integers(max(1, frames - 2), frames + 2))):
            pose = pose.stir(rng, 1.0)
            image = f"{scene.camera}/{face.name}_{date:%m%d}_{len(shots):02d}.jpg"
            moment = int(rng.integers(2**31))
            shots.append(Photo(image, face, scene, pose, coat, moment, None if lost else when))
            when += timedelta(seconds=int(rng.integers(1, 9)))
    return shots
