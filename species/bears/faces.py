"""What makes one drawn bear that bear: proportions, ears, marks and scars; no light, pose or season."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NAMES = (
    "alder", "aspen", "birch", "bramble", "cedar", "clover", "dogwood", "elder", "fern", "hazel", "heather",
    "juniper", "larch", "laurel", "lichen", "maple", "moss", "nettle", "rowan", "sage", "sorrel", "spruce",
    "tamarack", "willow",
)  # fmt: skip

# Each proportion with its range, in units of half a head's width; tones run from -1 (black) to 1 (cream),
# 0 is the colour of the coat.
PROPORTIONS = {
    "width": (0.90, 1.10),
    "height": (0.88, 1.10),
    "cheeks": (0.00, 0.24),
    "jaw": (0.10, 0.45),
    "ear_size": (0.22, 0.46),
    "ear_angle": (0.50, 1.00),
    "ear_point": (0.00, 0.55),
    "ear_tone": (-0.55, 0.60),
    "eye_distance": (0.27, 0.47),
    "eye_height": (-0.20, 0.06),
    "eye_size": (0.060, 0.095),
    "muzzle_width": (0.30, 0.52),
    "muzzle_height": (0.28, 0.46),
    "muzzle_top": (0.06, 0.26),
    "muzzle_tone": (-0.50, 0.75),
    "nose_width": (0.13, 0.22),
    "crown_line": (-0.60, -0.10),
    "crown_peak": (-0.35, 0.45),
    "crown_tone": (-0.55, 0.50),
    "rings_size": (0.10, 0.24),
    "rings_tone": (-0.65, 0.65),
    "collar": (-0.30, 0.90),
}


@dataclass(frozen=True)
class Patch:
    """A patch of paler or darker fur: centre, radii, turn in radians and tone."""

    x: float
    y: float
    across: float
    along: float
    turn: float
    tone: float


@dataclass(frozen=True)
class Scar:
    """A healed cut: a bent line from a point, its direction in radians and its length."""

    x: float
    y: float
    turn: float
    length: float
    bend: float


@dataclass(frozen=True)
class Face:
    """One bear: its proportions by the names of `PROPORTIONS`, and its marks.

    Attributes:
        name: the identity.
        shape: the proportions.
        patches: pale and dark patches of fur.
        scars: healed cuts.
        notches: for each ear, left then right, where its rim is torn (radians from its tip), or None.
    """

    name: str
    shape: dict[str, float]
    patches: tuple[Patch, ...]
    scars: tuple[Scar, ...]
    notches: tuple[float | None, float | None]


def faces(count: int, seed: int) -> list[Face]:
    """Draw `count` bears that differ: each proportion is spread evenly over them, in an order of its own."""
    rng = np.random.default_rng([seed, 1])
    spread = {
        name: low + (high - low) * (rng.permutation(count) + rng.random(count)) / count
        for name, (low, high) in PROPORTIONS.items()
    }
    return [
        Face(
            name=name_of(n),
            shape={key: float(values[n]) for key, values in spread.items()},
            patches=tuple(_patch(rng) for _ in range(rng.integers(2, 4))),
            scars=tuple(_scar(rng) for _ in range(rng.choice([0, 1, 2], p=[0.4, 0.4, 0.2]))),
            notches=(_notch(rng), _notch(rng)),
        )
        for n in range(count)
    ]


def name_of(n: int) -> str:
    """The identity of bear `n`: a tree or herb, with a number once all are taken."""
    again, which = divmod(n, len(NAMES))
    return NAMES[which] + (f"-{again + 1}" if again else "")


def outline(face: Face, points: int = 72) -> NDArray[np.float64]:
    """(points, 2) the edge of the head, from the crown round, y downwards."""
    shape = face.shape
    turn = np.linspace(0, 2 * np.pi, points, endpoint=False)
    x, y = shape["width"] * np.sin(turn), -shape["height"] * np.cos(turn)
    x = x * (1 + shape["cheeks"] * np.exp(-(((y - 0.3) / 0.35) ** 2)))
    x = x * np.where(y > 0, 1 - shape["jaw"] * (y / shape["height"]) ** 2, 1)
    return np.stack([x, y], axis=1)


def depth(face: Face, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far points of the face stand out towards the camera: a dome, with the muzzle on it."""
    shape = face.shape
    x, y = points[:, 0], points[:, 1]
    dome = 0.55 * np.sqrt(np.clip(1 - (x / shape["width"]) ** 2 - (y / shape["height"]) ** 2, 0, 1))
    middle = shape["muzzle_top"] + shape["muzzle_height"]
    muzzle = np.exp(-((x / shape["muzzle_width"]) ** 4) - ((y - middle) / shape["muzzle_height"]) ** 4)
    return np.asarray(dome + 0.3 * muzzle)


def _patch(rng: np.random.Generator) -> Patch:
    turn, far = rng.uniform(-2.0, 2.0), rng.uniform(0.35, 0.85)  # clear of muzzle and chin
    return Patch(
        x=float(far * np.sin(turn)),
        y=float(-far * np.cos(turn)),
        across=float(rng.uniform(0.10, 0.24)),
        along=float(rng.uniform(0.14, 0.36)),
        turn=float(rng.uniform(0, np.pi)),
        tone=float(rng.choice([-1, 1]) * rng.uniform(0.5, 0.85)),
    )


def _scar(rng: np.random.Generator) -> Scar:
    return Scar(
        x=float(rng.uniform(-0.6, 0.6)),
        y=float(rng.uniform(-0.6, 0.2)),
        turn=float(rng.uniform(0, np.pi)),
        length=float(rng.uniform(0.25, 0.55)),
        bend=float(rng.uniform(-0.12, 0.12)),
    )


def _notch(rng: np.random.Generator) -> float | None:
    return float(rng.uniform(-1.1, 1.1)) if rng.random() < 0.3 else None
