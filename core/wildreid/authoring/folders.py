"""What the folders of a stranger's photos stand for: individuals, stations, cards of a camera, sides."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from wildreid.errors import UserError

CARD = re.compile(r"^(dcim|\d{3}[a-z0-9_]{5})$", re.IGNORECASE)
"""A folder that a camera makes on its card: 100RECNX, 101EK113, DCIM (the standard DCF)."""
STATION = re.compile(
    r"^(station|stn|stat|cam(era)?[ _-]?trap|cam(era)?|ct|site|trap|plot|grid|loc(ation)?|deployment|dep)"
    r"[ _-]*[a-z]?[ _-]*\d*$",
    re.IGNORECASE,
)
"""A folder named as places of cameras are: Station1, Cam_03, site-B."""
SIDES = frozenset({"left", "right", "l", "r", "lhs", "rhs", "front", "back", "rear", "top"})
"""Folders that name the side an animal shows, in small letters."""


def layout_of(folders: Sequence[Sequence[str]], root: Path) -> str | None:
    """The layout of paths as the data set `camera-trap` writes it; None: the first folder is the individual.

    Args:
        folders: of each photo, the folders that it lies in, from the root down.
        root: for the error.

    Raises:
        UserError: the folders are stations and cards, and none of them names an individual.
    """
    depth = min(len(parts) for parts in folders)
    levels = [sorted({parts[level] for parts in folders}) for level in range(depth)]
    kinds = [_kind(names) for names in levels]
    if len({len(parts) for parts in folders}) == 1 and "station" not in kinds and "card" not in kinds:
        if "side" in kinds[1:] and depth == 2:
            return "{identity}/{viewpoint}/{file}"
        return None
    if "station" not in kinds and "card" not in kinds:
        return None
    named = [level for level, kind in enumerate(kinds) if kind == "other"]
    if "station" in kinds and len(named) == 1 and len({len(parts) for parts in folders}) == 1:
        words = {"station": "{station}", "card": "{card}", "side": "{viewpoint}", "other": "{identity}"}
        return "/".join([*(words[kind] for kind in kinds), "{file}"])
    seen = ", ".join(name for level in levels for name in level[:3])
    raise UserError(
        f"the folders look like stations and cards of cameras ({seen} …), and none that names an individual",
        where=str(root),
        cure="if one level is the individual, say which as layout: '{station}/{identity}/{file}'; if nobody knows "
        "yet who is on the photos, ask `reid identify` or `reid discover` with a gallery",
    )


def _kind(names: Sequence[str]) -> str:
    """What the folders of one level are: card, station, side or other."""
    for kind, is_one in (
        ("card", CARD.match),
        ("station", STATION.match),
        ("side", lambda name: name.lower() in SIDES),
    ):
        if all(is_one(name) for name in names):
            return kind
    return "other"
