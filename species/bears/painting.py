"""Paints one bear in one scene and pose: flat shapes first, then fur over them, then light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from .faces import Face, Patch, depth, outline
from .scenes import Pose, Scene

FINER = 3  # the picture is painted so many times larger and then reduced, which smooths every edge
HAIRS = 1200

CREAM, SOOT = (238, 216, 178), (34, 25, 20)


class Painter:
    """A large flat picture of one bear, and the way from the face's plane to it.

    Points of the face are (n, 2), in half widths of a head, y downwards, from the middle of the head.
    """

    def __init__(self, face: Face, scene: Scene, pose: Pose, size: int) -> None:
        self.face, self.scene, self.pose = face, scene, pose
        self.side = size * FINER
        self.picture = scene.background(self.side).copy()
        self.pen = ImageDraw.Draw(self.picture)
        self.bear = Image.new("L", (self.side, self.side))
        self.mask = ImageDraw.Draw(self.bear)

    def place(
        self, points: NDArray[np.float64], depths: NDArray[np.float64] | float | None = None
    ) -> NDArray[np.float64]:
        """(n, 2) pixels of points of the face; `depths` towards the camera, None: they lie on the face."""
        pose = self.pose
        x, y = points[:, 0], points[:, 1]
        z = depth(self.face, points) if depths is None else np.broadcast_to(depths, x.shape)
        x, z = x * np.cos(pose.yaw) + z * np.sin(pose.yaw), z * np.cos(pose.yaw) - x * np.sin(pose.yaw)
        y, z = (
            y * np.cos(pose.pitch) + z * np.sin(pose.pitch),
            z * np.cos(pose.pitch) - y * np.sin(pose.pitch),
        )
        x, y = x * np.cos(pose.roll) - y * np.sin(pose.roll), x * np.sin(pose.roll) + y * np.cos(pose.roll)
        near = pose.scale * self.side * (1 + 0.12 * z)
        return np.stack([pose.x * self.side + x * near, pose.y * self.side + y * near], axis=1)

    def fill(
        self,
        points: NDArray[np.float64],
        colour: tuple[int, int, int],
        depths: float | None = None,
        *,
        body: bool = False,
    ) -> None:
        """Fill a shape; `body` marks it as part of the bear rather than on it."""
        corners = self.place(points, depths).ravel().tolist()
        self.pen.polygon(corners, fill=colour)
        if body:
            self.mask.polygon(corners, fill=255)

    def line(self, points: NDArray[np.float64], colour: tuple[int, int, int], width: float) -> None:
        """Draw a line on the face, `width` in half widths of a head."""
        thick = max(1, round(width * self.pose.scale * self.side))
        self.pen.line(self.place(points).ravel().tolist(), fill=colour, width=thick, joint="curve")

    def tone(self, tone: float, *, fade: float = 1.0) -> tuple[int, int, int]:
        """The coat's colour, paler (up to 1) or darker (down to -1)."""
        goal, coat = np.array(CREAM if tone > 0 else SOOT), np.array(self.scene.coat)
        red, green, blue = (int(v) for v in ((coat + (goal - coat) * abs(tone)) * fade).clip(0, 255))
        return red, green, blue


def paint(
    face: Face, scene: Scene, pose: Pose, size: int, *, coat_seed: int, moment_seed: int
) -> tuple[Image.Image, Image.Image]:
    """One photo, `size` pixels a side, and its mask: how much of each pixel is bear, 255 all of it.

    Args:
        face: which bear.
        scene: where and when.
        pose: how it holds its head.
        size: pixels a side.
        coat_seed: of the hairs; the same within an encounter.
        moment_seed: of what differs between any two frames: the sensor's noise.
    """
    painter = Painter(face, scene, pose, size)
    _body(painter)
    _ears(painter)
    _head(painter)
    _fur(painter, np.random.default_rng(coat_seed))
    _features(painter)
    return _develop(painter, size, np.random.default_rng(moment_seed)), painter.bear.reduce(FINER)


def ellipse(
    x: float, y: float, across: float, along: float, turn: float = 0.0, power: float = 1.0, points: int = 28
) -> NDArray[np.float64]:
    """(points, 2) an oval; `power` under 1 makes it squarer."""
    t = np.linspace(0, 2 * np.pi, points, endpoint=False)
    a = across * np.sign(np.cos(t)) * np.abs(np.cos(t)) ** power
    b = along * np.sign(np.sin(t)) * np.abs(np.sin(t)) ** power
    return np.stack(
        [x + a * np.cos(turn) - b * np.sin(turn), y + a * np.sin(turn) + b * np.cos(turn)], axis=1
    )


def _body(painter: Painter) -> None:
    shape = painter.face.shape
    painter.fill(ellipse(0, 2.0, 1.45, 1.5), painter.tone(-0.15), -0.5, body=True)
    painter.fill(ellipse(0, 1.28 * shape["height"], 0.62, 0.34), painter.tone(shape["collar"]), -0.2)


def _ears(painter: Painter) -> None:
    shape = painter.face.shape
    for side, notch in zip((-1, 1), painter.face.notches, strict=True):
        turn = side * shape["ear_angle"]
        middle = np.array([np.sin(turn) * shape["width"], -np.cos(turn) * shape["height"]]) * 1.02
        angle = np.linspace(-np.pi, np.pi, 48, endpoint=False)  # 0 is the ear's tip
        far = shape["ear_size"] * (1 + shape["ear_point"] * np.exp(-((angle / 0.5) ** 2)))
        if notch is not None:
            far = far * (1 - 0.5 * np.exp(-(((angle - notch) / 0.2) ** 2)))
        rim = np.stack([np.sin(angle + turn), -np.cos(angle + turn)], axis=1)
        painter.fill(middle + rim * far[:, None], painter.tone(-0.12), -0.1, body=True)
        painter.fill(middle * 0.97 + rim * far[:, None] * 0.62, painter.tone(shape["ear_tone"]), -0.08)


def _head(painter: Painter) -> None:
    face, shape = painter.face, painter.face.shape
    edge = outline(face)
    painter.fill(edge, painter.tone(0.0), 0.0, body=True)
    line = shape["crown_line"] - shape["crown_peak"] * np.exp(-((edge[:, 0] / 0.28) ** 2)) * 0.6
    painter.fill(
        np.stack([edge[:, 0], np.minimum(edge[:, 1], line)], axis=1) * 0.985,
        painter.tone(shape["crown_tone"]),
    )
    for side in (-1, 1):
        x, y = side * shape["eye_distance"], shape["eye_height"]
        painter.fill(
            ellipse(x, y, shape["rings_size"], shape["rings_size"] * 1.15), painter.tone(shape["rings_tone"])
        )
    for patch in face.patches:
        painter.fill(_on(patch), painter.tone(patch.tone))
    middle = shape["muzzle_top"] + shape["muzzle_height"]
    painter.fill(
        ellipse(0, middle, shape["muzzle_width"], shape["muzzle_height"], power=0.85),
        painter.tone(shape["muzzle_tone"]),
    )


def _on(patch: Patch) -> NDArray[np.float64]:
    return ellipse(patch.x, patch.y, patch.across, patch.along, patch.turn)


def _fur(painter: Painter, rng: np.random.Generator) -> None:
    """Hairs in the colour of what they grow on, a little paler or darker, away from the nose."""
    edge = outline(painter.face)
    reach = np.sqrt(rng.random(HAIRS))
    at = edge[rng.integers(0, len(edge), HAIRS)] * reach[:, None]
    shape = painter.face.shape
    for side in (-1, 1):  # an eighth of them on each ear
        mine = slice(0, HAIRS // 8) if side < 0 else slice(HAIRS // 8, HAIRS // 4)
        turn = side * shape["ear_angle"]
        middle = np.array([np.sin(turn) * shape["width"], -np.cos(turn) * shape["height"]]) * 1.05
        at[mine] = middle + rng.normal(0, 0.5 * shape["ear_size"], (HAIRS // 8, 2))
    nose = np.array([0.0, shape["muzzle_top"] + 0.5 * shape["muzzle_height"]])
    flow = at - nose
    flow /= np.linalg.norm(flow, axis=1, keepdims=True) + 1e-6
    flow += rng.normal(0, 0.35, flow.shape) + np.array([0, 0.25])
    length = rng.uniform(0.05, 0.13, (HAIRS, 1)) * (0.4 + 0.6 * reach[:, None])
    depths = np.where(np.arange(HAIRS) < HAIRS // 4, -0.1, depth(painter.face, at))
    roots, tips = painter.place(at, depths), painter.place(at + flow * length, depths)
    pixels = np.asarray(painter.picture)
    column, row = roots.clip(0, painter.side - 1).astype(int).T
    bear = np.asarray(painter.bear)[row, column] > 0
    colours = (pixels[row, column] * rng.uniform(0.74, 1.24, (HAIRS, 1))).clip(0, 255).astype(int)
    strokes = np.concatenate([roots, tips], axis=1)[bear].tolist()
    for stroke, colour in zip(strokes, map(tuple, colours[bear].tolist()), strict=True):
        painter.pen.line(stroke, fill=colour, width=2)
    for stroke in strokes[: HAIRS // 4] + [
        line for line, far in zip(strokes, reach[bear], strict=True) if far > 0.85
    ]:
        painter.mask.line(stroke, fill=255, width=2)


def _features(painter: Painter) -> None:
    face, shape = painter.face, painter.face.shape
    for scar in face.scars:
        along = np.linspace(-0.5, 0.5, 7)
        way = np.stack([along * scar.length, scar.bend * (1 - 4 * along**2)], axis=1)
        turn = np.array([[np.cos(scar.turn), np.sin(scar.turn)], [-np.sin(scar.turn), np.cos(scar.turn)]])
        painter.line(way @ turn + (scar.x, scar.y), painter.tone(-0.55), 0.075)
        painter.line(way @ turn + (scar.x, scar.y), (206, 150, 132), 0.038)
    size, top = shape["eye_size"], shape["muzzle_top"]
    for side in (-1, 1):
        x, y = side * shape["eye_distance"], shape["eye_height"]
        painter.fill(ellipse(x, y, 1.35 * size, 1.15 * size, side * 0.25), painter.tone(-0.8))
        painter.fill(ellipse(x, y, size, size), (58, 36, 20))
        painter.fill(ellipse(x, y, 0.55 * size, 0.55 * size), (8, 6, 5))
        painter.fill(ellipse(x - 0.3 * size, y - 0.4 * size, 0.28 * size, 0.28 * size), (245, 245, 240))
    wide = shape["nose_width"]
    nose = top + 0.55 * shape["muzzle_height"]
    mouth = nose + 0.75 * wide + 0.35 * shape["muzzle_height"]
    painter.line(np.array([[0, nose], [0, mouth]]), painter.tone(-0.85), 0.03)
    for side in (-1, 1):
        bend = np.linspace(0, 1, 7)
        lip = np.stack(
            [side * bend * shape["muzzle_width"] * 0.62, mouth + 0.10 * np.sin(bend * np.pi)], axis=1
        )
        painter.line(lip, painter.tone(-0.8), 0.03)
    painter.fill(ellipse(0, nose, wide, 0.68 * wide, power=0.8), (30, 24, 24))
    painter.fill(ellipse(0, nose - 0.32 * wide, 0.55 * wide, 0.16 * wide), (92, 84, 86))
    for side in (-1, 1):
        painter.fill(
            ellipse(side * 0.45 * wide, nose + 0.12 * wide, 0.2 * wide, 0.15 * wide, side * 0.5), (6, 5, 5)
        )


def _develop(painter: Painter, size: int, rng: np.random.Generator) -> Image.Image:
    """Reduce, light, and take the photo with a noisy sensor."""
    pose, scene = painter.pose, painter.scene
    pixels = np.asarray(painter.picture.reduce(FINER), dtype=np.float64)
    bear = np.asarray(painter.bear.reduce(FINER), dtype=np.float64) / 255
    across = (np.arange(size, dtype=np.float64) + 0.5) / size
    x = (across[None] - pose.x) / (1.35 * pose.scale)
    y = (across[:, None] - pose.y) / (1.35 * pose.scale)
    out = np.sqrt(np.clip(1 - x**2 - y**2, 0.05, 1))
    sun = x * scene.sun[0] + y * scene.sun[1] + out * scene.sun[2]
    shade = 1 - 0.35 * scene.hard + scene.hard * sun.clip(-0.5, 1)
    lit = scene.light(pixels, bear, shade)
    lit = lit + rng.normal(0, 7 if scene.night else 3.5, lit.shape[:2])[..., None]
    picture = Image.fromarray(lit.clip(0, 255).astype(np.uint8))
    return picture.filter(ImageFilter.GaussianBlur(0.9)) if pose.scale < 0.365 else picture
