"""Where cameras stood, told safely: rounded degrees with their uncertainty, and turned, moved metres."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wildreid.errors import UserError
from wildreid.files import put

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

FRAME = "frame.json"
"""A gallery's private frame of coordinates; it is never exported."""
GPS = 30
"""Metres that a position is taken to be uncertain by where nobody says (Camtrap DP)."""
_ROUNDING = (
    (30, (15691, 1570, 157)),
    (60, (14697, 1470, 147)),
    (85, (12461, 1246, 125)),
    (91, (11211, 1121, 112)),
)
_FAR = 100_000.0
_A, _F = 6_378_137.0, 1 / 298.257223563  # WGS 84


def rounding(latitude: float, decimals: int) -> int:
    """Metres that rounding to 1, 2 or 3 decimals of a degree adds, at this latitude (camtrapdp's table)."""
    return next(row[decimals - 1] for limit, row in _ROUNDING if abs(latitude) < limit)


def decimals(texts: Iterable[str]) -> int:
    """The most decimals that any of these numbers was written with."""
    return max((len(text.partition(".")[2]) for text in map(str.strip, texts)), default=0)


def coarsened(places: pd.DataFrame, written: int, precision: int) -> pd.DataFrame:
    """Positions rounded to `precision` decimals, and how uncertain they then are.

    Args:
        places: ``latitude``, ``longitude`` in degrees, ``coordinate_uncertainty`` in metres or missing.
        written: decimals that they came with; 1 to 3: they were rounded before.
        precision: 1, 2 or 3.

    Raises:
        UserError: they came no finer than that.
    """
    if places["latitude"].isna().all():
        return places
    if written <= precision:
        raise UserError(
            f"the coordinates have {written} decimals, so rounding them to {precision} hides nothing",
            where="deployments",
            cure="ask for fewer decimals with `precision=1`, or give the coordinates as they are known",
        )
    known = places["latitude"].notna()
    before = places["coordinate_uncertainty"].fillna(GPS)
    out = places.copy()
    added = [rounding(one, precision) for one in places.loc[known, "latitude"]]
    taken = [rounding(one, written) if written <= 3 else 0 for one in places.loc[known, "latitude"]]
    had = places.loc[known, "coordinate_uncertainty"].notna().to_numpy()
    out.loc[known, "coordinate_uncertainty"] = (
        before[known] - np.where(had, taken, 0) + np.asarray(added)
    ).clip(lower=1)
    out[["latitude", "longitude"]] = out[["latitude", "longitude"]].round(precision)
    return out


def metres(latitude: Numbers, longitude: Numbers, origin: tuple[float, float]) -> Numbers:
    """(N, 2) east and north of an origin in metres: transverse Mercator about it, scale 1, WGS 84.

    Krüger's series to n⁴ (Karney 2011, equations 7 to 11 and 35); right to 1 mm, distances over 100 km to 30 ppm.
    """
    n = _F / (2 - _F)
    alpha = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16 + 41 * n**4 / 180,
        13 * n**2 / 48 - 3 * n**3 / 5 + 557 * n**4 / 1440,
        61 * n**3 / 240 - 103 * n**4 / 140,
        49561 * n**4 / 161280,
    )
    radius = _A / (1 + n) * (1 + n**2 / 4 + n**4 / 64)

    def plane(phi: Numbers, lam: Numbers) -> tuple[Numbers, Numbers]:
        e = 2 * math.sqrt(n) / (1 + n)
        t = np.sinh(np.arctanh(np.sin(phi)) - e * np.arctanh(e * np.sin(phi)))
        xi, eta = np.arctan2(t, np.cos(lam)), np.arctanh(np.sin(lam) / np.sqrt(1 + t**2))
        north = xi + sum(a * np.sin(2 * j * xi) * np.cosh(2 * j * eta) for j, a in enumerate(alpha, 1))
        east = eta + sum(a * np.cos(2 * j * xi) * np.sinh(2 * j * eta) for j, a in enumerate(alpha, 1))
        return radius * east, radius * north

    east, north = plane(np.radians(latitude), np.radians(np.asarray(longitude) - origin[1]))
    _, zero = plane(np.radians(np.array([origin[0]])), np.zeros(1))
    return np.stack([east, north - zero], axis=1)


@dataclass(frozen=True)
class Frame:
    """A gallery's own frame: how its stations are turned and moved, and about what point.

    Attributes:
        salt: 32 hexadecimal digits that nobody else knows.
        origins: the point that degrees, and that metres, are counted from; each is set by the first survey
            that has such coordinates.
        path: where it is kept; None: nowhere.
    """

    salt: str
    origins: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    path: Path | None = None

    @classmethod
    def open(cls, gallery: Path) -> Frame:
        """The frame of a gallery, made at its first use; the same for ever after."""
        path = gallery / FRAME
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            origins = {unit: (float(one[0]), float(one[1])) for unit, one in found["origins"].items()}
            return cls(found["salt"], origins, path)
        except FileNotFoundError:
            return cls(secrets.token_hex(16), {}, path)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise UserError(
                f"the file is damaged: {error}",
                where=str(path),
                cure="take it from a backup; without it, new exports are in another frame than old ones",
            ) from None

    def about(self, unit: str, centre: tuple[float, float]) -> Frame:
        """The frame with an origin in ``degrees`` or ``metres``; `centre` becomes it where it has none yet.

        Raises:
            UserError: it cannot be kept.
        """
        frame = self if unit in self.origins else replace(self, origins={**self.origins, unit: centre})
        if frame.path is not None and (frame is not self or not frame.path.exists()):
            frame._keep(frame.path)
        return frame

    def kept(self) -> Frame:
        """The frame, written down where it has not been."""
        if self.path is not None and not self.path.exists():
            self._keep(self.path)
        return self

    def _keep(self, path: Path) -> None:
        text = json.dumps({"salt": self.salt, "origins": self.origins}) + "\n"
        try:
            put(path, lambda aside: aside.write_text(text, encoding="utf-8"))
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            raise UserError(
                f"{path} cannot be written, which keeps the frame that public coordinates are in",
                cure="export from a gallery that you may write to",
            ) from None
        if os.name == "posix":
            path.chmod(0o600)

    def disguised(self, places: Numbers) -> Numbers:
        """(N, 2) metres about the origin, turned by an angle and moved by a vector that the salt draws.

        Distances stay as they are. They are given to 0.1 m.
        """
        drawn = hashlib.blake2b(b"frame", key=bytes.fromhex(self.salt), digest_size=24).digest()
        share = [int.from_bytes(drawn[at : at + 8], "big") / 2**64 for at in (0, 8, 16)]
        angle = 2 * math.pi * share[0]
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        moved: Numbers = np.round(places @ turn + _FAR * np.array(share[1:]), 1)
        return moved

    def alias(self, sort: str, name: str, size: int = 3) -> str:
        """A name in place of one that may tell a place, such as ``S1f3a9c``; the same at every export."""
        key = bytes.fromhex(self.salt)
        return sort + hashlib.blake2b(f"{sort} {name}".encode(), key=key, digest_size=size).hexdigest()
