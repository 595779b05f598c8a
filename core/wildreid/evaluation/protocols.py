"""Who may be matched to whom, and when a protocol's figures flatter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np

from wildreid.apart import Apart, apart_of
from wildreid.data.apart import words_of
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.option import did_you_mean
from wildreid.recipe.settings import Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Ints

PROTOCOLS = get_args(Protocol)
"""Their names."""
GALLERY_PARTS = {"test": ("train", "val"), "val": ("train",)}
"""Which parts are the gallery under ``fixed-gallery``, by the part that the queries are from."""


@dataclass(frozen=True)
class Matching:
    """The two sides of a ranking.

    Attributes:
        queries: rows of the query images, in table order.
        gallery: rows of the gallery images, in table order; each has an identity.
        across: whether gallery images of a query's own encounter are masked.
        apart: which rows may not be matched whoever they show; None: all may.
    """

    queries: Ints
    gallery: Ints
    across: bool
    apart: Apart | None = None


def matching(table: Table, protocol: str, *, part: str = "test", gallery: Sequence[str] = ()) -> Matching:
    """Choose queries and gallery for one protocol.

    Queries are the rows of `part` whose role is query or both. The gallery is the rows of `part`, or under
    ``fixed-gallery`` of the parts before it, whose role is gallery or both and whose identity is known. Under
    ``time-cutoff`` it is of the parts before it too, unless `part` itself has a before and an after.

    Args:
        table: has ``part`` and ``encounter``; ``role`` where some rows are query or gallery alone.
        protocol: ``cross-encounter``, ``image-loo``, ``fixed-gallery`` or ``time-cutoff``.
        part: where the queries are.
        gallery: parts that the gallery is taken from instead.

    Raises:
        UserError: there is no such protocol.
    """
    if protocol not in PROTOCOLS:
        raise UserError(
            f"there is no protocol '{protocol}'{did_you_mean(protocol, PROTOCOLS)}; "
            f"there are: {', '.join(PROTOCOLS)}"
        )
    for name, made_by in (("encounter", "wildreid.annotate"), ("part", "wildreid.split")):
        if name not in table.rows:
            raise UserError(f"the table has no column '{name}'", cure=f"it comes from {made_by}(table, …)")
    parts = table["part"].fillna("").to_numpy(dtype=str)
    roles = _roles(table)
    asking = (parts == part) & np.isin(roles, ("query", "both"))
    if protocol == "fixed-gallery" or (protocol == "time-cutoff" and _cut_off(table, part) == "before"):
        gallery = gallery or GALLERY_PARTS[part]
    known = table["identity"].notna().to_numpy()
    answering = np.isin(parts, gallery or (part,)) & known & np.isin(roles, ("gallery", "both"))
    across = protocol != "image-loo" and (protocol == "cross-encounter" or dated(table, part))
    return Matching(np.flatnonzero(asking), np.flatnonzero(answering), across, apart_of(table.rows))


def dated(table: Table, part: str = "test") -> bool:
    """Whether encounters of a part can be told apart: a row has a date, or the data set names them."""
    return table.with_rows(table.of_part(part)).told_apart


def usable(table: Table, protocol: str, *, part: str = "test") -> str | None:
    """Why a protocol's figures cannot be had from this table; None where they can."""
    if protocol == "cross-encounter" and not dated(table, part):
        return "no dates: encounters cannot be told apart"
    if protocol == "time-cutoff" and _cut_off(table, part) is None:
        return (
            "the split does not say which images come before the cut-off and which after, as the splitter "
            "time-cutoff does"
        )
    if protocol in ("cross-encounter", "image-loo") and _roles_of(table, part) == {"query"}:
        return f"the {part} part holds queries alone: name the protocol fixed-gallery or time-cutoff"
    return None


def _cut_off(table: Table, part: str) -> str | None:
    """Where a part's gallery is under ``time-cutoff``: ``within`` it, in the parts ``before``; None: nowhere."""
    roles = _roles_of(table, part)
    if roles == {"query", "gallery"}:
        return "within"
    if part in GALLERY_PARTS and (roles == {"query"} or _roles_of(table, "train") == {"gallery"}):
        return "before"
    return None


def standing_in(table: Table, protocol: str, *, part: str = "val") -> str:
    """The protocol by which something is chosen on val: the asked one, else the nearest that can be used."""
    candidates = (protocol, "cross-encounter", "image-loo")
    return next((name for name in candidates if usable(table, name, part=part) is None), "image-loo")


def optimistic(table: Table, protocol: str, *, part: str = "test") -> str | None:
    """Why a protocol's figures flatter on this table; None where they do not."""
    if not dated(table, part):
        return "no dates"
    if protocol == "image-loo":
        return "a query may be matched to a photo of its own encounter"
    return None


def label(table: Table, protocol: str, *, part: str = "test") -> str:
    """A protocol in words, as it is beside every figure."""
    across = ", across encounters" if dated(table, part) else ", encounters not told apart"
    within = f", {words} apart" if (words := words_of(table.rows)) else ""
    return {
        "cross-encounter": f"{part} against {part}{across}",
        "image-loo": f"{part} against {part}, all but the query image itself",
        "fixed-gallery": f"{part} against {' and '.join(GALLERY_PARTS[part])}{across}",
        "time-cutoff": f"after the cut-off against before it{across}",
    }[protocol] + within


def _roles(table: Table) -> NDArray[np.str_]:
    if "role" not in table.rows:
        return np.full(len(table), "both")
    return table["role"].fillna("both").to_numpy(dtype=str)


def _roles_of(table: Table, part: str) -> set[str]:
    return set(_roles(table)[table["part"].fillna("").to_numpy(dtype=str) == part].tolist())
