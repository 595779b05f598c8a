"""Which annotations a survey takes: those of a design, in its zone, by cameras that looked; the rest is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from wildreid.data.table import BOX
from wildreid.errors import UserError
from wildreid.population.deployments import zone_of
from wildreid.population.design import Design
from wildreid.population.effort import Occasions, placed

_TEXT = (
    "image", "camera", "station", "deployment", "event", "visit", "species", "sex", "life_stage", "viewpoint",
    "method", "decided_by", "key",
)  # fmt: skip


@dataclass(frozen=True)
class Selected:
    """What is taken, and what became of the rest.

    Attributes:
        rows: with the ``station``, ``camera``, ``deployment`` and ``occasion`` that each belongs to.
        strangers: those that nobody could name.
        dropped: those for which no camera was looking, where these may be left out.
        left: how many were left out, by the reason.
    """

    rows: pd.DataFrame
    strangers: pd.DataFrame
    dropped: pd.DataFrame
    left: dict[str, int]


@dataclass
class _Ledger:
    """What was left out, and why; together with what is written it is all that came in."""

    left: Counter[str] = field(default_factory=Counter)

    def keep(self, rows: pd.DataFrame, kept: Any, reason: str) -> pd.DataFrame:
        """The rows to keep; the others are counted under the reason."""
        kept = np.asarray(kept, bool)
        if not kept.all():
            self.left[reason] += int((~kept).sum())
        left: pd.DataFrame = rows[kept]
        return left


def select(rows: pd.DataFrame, deployments: pd.DataFrame, occasions: Occasions, design: Design) -> Selected:
    """Take the annotations that a design asks for, each counted once.

    Args:
        rows: as `wildreid.population.take.take_survey` takes them.
        deployments: which camera looked when.
        occasions: when each begins.
        design: what is taken.

    Raises:
        UserError: nothing is left; no camera was looking when a photo was taken; clocks do not agree.
    """
    ledger, rows = _Ledger(), _completed(rows)
    unknown = rows["individual"].isna()
    strangers = rows[unknown]
    taken = ledger.keep(rows, ~unknown, "nobody knows who it is")
    taken = in_zone(_filtered(taken, design, ledger), deployments, design)
    since, until = design.moment("since"), design.moment("until")
    times = taken["timestamp"]
    inside = (times >= (since or pd.Timestamp.min)) & (times < (until or pd.Timestamp.max))
    taken = ledger.keep(taken, inside, "outside the dates that were asked for")
    taken, dropped = _placed(taken, deployments, design, ledger)
    taken = taken.assign(occasion=occasions.number(taken["timestamp"]))
    whole = taken["occasion"].between(1, occasions.count)
    taken = ledger.keep(taken, whole, "in an occasion that is not whole")
    left = dict(sorted(ledger.left.items()))
    if not len(taken):
        why = "; ".join(f"{n} {reason}" for reason, n in left.items()) or "there was none"
        raise UserError(
            f"no detection is left: {why}",
            cure="take in what you can trust, such as machine identities with `machine=True`",
        )
    return Selected(taken, strangers, dropped, left)


def _completed(rows: pd.DataFrame) -> pd.DataFrame:
    """Every column that is used, with its type."""
    rows = rows.reset_index(drop=True).copy()
    missing = [name for name in ("image", "individual", "timestamp") if name not in rows]
    if missing:
        raise UserError(f"the annotations have no column {' and no column '.join(missing)}")
    for name in (*_TEXT, "individual"):
        text = rows[name].astype("string") if name in rows else pd.Series(pd.NA, rows.index, dtype="string")
        rows[name] = text.mask(text.str.strip() == "")
    for name in (*BOX, "utc_offset", "probability"):
        rows[name] = (
            pd.to_numeric(rows[name]).astype("Float64")
            if name in rows
            else pd.array([pd.NA] * len(rows), "Float64")
        )
    rows["timestamp"] = pd.to_datetime(rows["timestamp"], format="ISO8601").astype("datetime64[us]")
    decided = rows["decided_at"] if "decided_at" in rows else pd.Series(pd.NaT, rows.index)
    rows["decided_at"] = pd.to_datetime(decided, utc=True, format="ISO8601")
    private = rows["private"] if "private" in rows else pd.Series(False, rows.index)
    rows["private"] = private.astype("boolean").fillna(False).astype(bool)
    return rows


def _filtered(rows: pd.DataFrame, design: Design, ledger: _Ledger) -> pd.DataFrame:
    """What the design asks for."""
    if not design.private:
        rows = ledger.keep(rows, ~rows["private"], "private frames")
    machine = rows["method"].eq("machine").fillna(False).astype(bool)
    if not design.machine:
        rows = ledger.keep(rows, ~machine, "named by a machine, not by a person")
    else:
        likely = (rows["probability"] >= design.min_probability).fillna(False).astype(bool)
        reason = f"named by a machine with a probability below {design.min_probability:g}, or none"
        rows = ledger.keep(rows, ~machine | likely, reason)
    if design.species:
        other = rows["species"].notna() & (rows["species"] != design.species)
        rows = ledger.keep(rows, ~other.fillna(False), f"of another species than {design.species}")
        rows = rows.assign(species=rows["species"].fillna(design.species))
    rows = ledger.keep(rows, rows["timestamp"].notna(), "without a date")
    return _of_side(rows, design, ledger)


def _of_side(rows: pd.DataFrame, design: Design, ledger: _Ledger) -> pd.DataFrame:
    """The photos of one flank, or of animals whose flanks are known to belong together."""
    sides = {
        side: rows["viewpoint"].str.contains(side, case=False).fillna(False).astype(bool)
        for side in ("left", "right")
    }
    if design.side in sides:
        return ledger.keep(rows, sides[design.side], f"not of the {design.side} side")
    if design.side == "linked":
        seen = [set(rows.loc[there, "individual"]) for there in sides.values()]
        both = rows["individual"].isin(seen[0] & seen[1])
        return ledger.keep(rows, both, "of an individual that was not photographed from both sides")
    return rows


def in_zone(rows: pd.DataFrame, deployments: pd.DataFrame, design: Design) -> pd.DataFrame:
    """Wall-clock times of one zone; where zones are known and none was asked for, they must be the same."""
    zone = zone_of(design.timezone)
    known = rows["utc_offset"].notna()
    if zone is not None and known.any():
        utc = rows.loc[known, "timestamp"] - pd.to_timedelta(
            rows.loc[known, "utc_offset"].astype(float), unit="min"
        )
        local = utc.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
        rows = rows.assign(timestamp=rows["timestamp"].where(~known, local))
        return rows.assign(utc_offset=rows["utc_offset"].mask(known))
    offsets = {*deployments["start_offset"].dropna(), *deployments["end_offset"].dropna()}
    if zone is None and offsets:
        other = known & ~rows["utc_offset"].isin(offsets)
        if other.any():
            bad = rows[other].iloc[0]
            raise UserError(
                f"its clock is {bad['utc_offset']:+g} minutes from UTC, the deployments' are "
                f"{', '.join(f'{one:+g}' for one in sorted(offsets))}",
                where=str(bad["image"]),
                cure="give the survey's, such as `timezone=Europe/Brussels`, and both are turned into it",
            )
    return rows


def _placed(
    rows: pd.DataFrame, deployments: pd.DataFrame, design: Design, ledger: _Ledger
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each photo with the deployment that took it, and those that none took."""
    found = placed(rows, deployments)
    outside = found < 0
    if outside.any() and not design.drop_outside:
        bad = rows[outside].iloc[0]
        place = next(
            (f"{name} '{bad[name]}'" for name in ("station", "camera", "deployment") if pd.notna(bad[name])),
            "an unknown station",
        )
        more = f" ({int(outside.sum()) - 1} others in the same way)" if outside.sum() > 1 else ""
        raise UserError(
            f"'{bad['individual']}' was photographed at {place} on {bad['timestamp']}, when no camera of the "
            f"deployments was looking there{more}",
            where=str(bad["image"]),
            cure="correct the deployments or the date; `drop_outside=True` leaves such photos out and lists them",
        )
    dropped = rows[outside]
    kept = ledger.keep(rows, ~outside, "when no camera was looking")
    own = deployments.iloc[found[~outside]]
    same = own["start_offset"].where(own["start_offset"].eq(own["end_offset"]))
    return kept.assign(
        station=own["station"].to_numpy(),
        camera=own["camera"].to_numpy(),
        deployment=own["deployment"].to_numpy(),
        utc_offset=kept["utc_offset"].fillna(pd.Series(same.to_numpy(), kept.index, dtype="Float64")),
    ), dropped
