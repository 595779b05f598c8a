"""From annotations and deployments to a survey: what is taken, what is left out and why, and what is hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.data.table import BOX
from wildreid.errors import UserError
from wildreid.population.deployments import zone_of
from wildreid.population.design import Design
from wildreid.population.effort import effort_of, occasions_of, placed
from wildreid.population.hiding import Told
from wildreid.population.locations import Frame
from wildreid.population.survey import Survey

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TEXT = (
    "image", "camera", "station", "deployment", "event", "visit", "species", "sex", "life_stage", "viewpoint",
    "method", "decided_by", "key",
)  # fmt: skip
SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}


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


def take_survey(
    rows: pd.DataFrame,
    deployments: pd.DataFrame,
    design: Design,
    *,
    name: str = "survey",
    model: str = "",
    frame: Frame | None = None,
    read: Callable[[str], NDArray[np.uint8]] | None = None,
    size: Callable[[str], tuple[int, int]] | None = None,
) -> Survey:
    """Put annotations into the stations and occasions of a survey.

    Args:
        rows: one row an annotation: ``image``, ``individual`` (missing: nobody knows) and ``timestamp``; where
            known ``station``, ``camera``, ``deployment``, ``event``, ``utc_offset``, ``species``, ``sex``,
            ``life_stage``, ``viewpoint``, boxes, ``method``, ``decided_by``, ``decided_at``, ``probability``,
            ``private``.
        deployments: as `wildreid.population.deployments.read_deployments` gives them.
        design: what is taken and what is told.
        name: of the gallery.
        model: of its model.
        frame: its frame of coordinates; needed where a public survey has any.
        read: gives an image's upright pixels, by its path.
        size: gives (width, height) of the upright image, by its path.

    Raises:
        UserError: nothing is left; no camera was looking when a photo was taken; clocks do not agree; an
            individual has two sexes; coordinates cannot be told.
    """
    ledger, notes = _Ledger(), []
    frame_rows = _completed(rows)
    came = len(frame_rows)
    unknown = frame_rows["individual"].isna()
    strangers = frame_rows[unknown]
    taken = ledger.keep(frame_rows, ~unknown, "nobody knows who it is")
    taken = _filtered(taken, design, ledger)
    taken = _in_zone(taken, deployments, design)
    since, until = design.moment("since"), design.moment("until")
    occasions, note = occasions_of(
        deployments, design.occasion_days, start_hour=design.start_hour, partial=design.partial,
        since=since, until=until,
    )  # fmt: skip
    notes += [note] if note else []
    times = taken["timestamp"]
    inside = (times >= (since or pd.Timestamp.min)) & (times < (until or pd.Timestamp.max))
    taken = ledger.keep(taken, inside, "outside the dates that were asked for")
    taken, dropped = _placed(taken, deployments, design, ledger)
    taken = taken.assign(occasion=occasions.number(taken["timestamp"]))
    taken = ledger.keep(
        taken, taken["occasion"].between(1, occasions.count), "in an occasion that is not whole"
    )
    if not len(taken):
        why = "; ".join(f"{n} {reason}" for reason, n in sorted(ledger.left.items())) or "there was none"
        raise UserError(
            f"no detection is left: {why}",
            cure="take in what you can trust, such as machine identities with `machine=True`",
        )
    taken = _described(taken)
    effort = effort_of(deployments, occasions, cameras_independent=design.cameras_independent)
    idle = [str(k) for k in effort if effort[k].sum() == 0]
    if idle:
        notes.append(f"nobody looked in occasion {', '.join(idle)}; not every model takes that")
    told = Told(design, frame, deployments, taken)
    places = told.deployments()
    notes += told.notes
    return Survey(
        name=name,
        model=model,
        photos=told.photos(taken),
        deployments=places,
        stations=told.stations(sorted(effort.index)),
        occasions=occasions,
        effort=effort.rename(index=told.names["station"]).sort_index(),
        design=design,
        identities=_identities(taken),
        counts={
            "came in": came,
            "written": len(taken),
            "left out": dict(sorted(ledger.left.items())),
            "nobody knows who, by station": _by_station(strangers, deployments, design, told),
        },
        notes=tuple(notes),
        dropped=told.dropped(dropped),
        hidden=told.hidden(),
        read=None if read is None else _by_row(taken, read),
        sizes=_sizes(taken, size),
    )


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


def _in_zone(rows: pd.DataFrame, deployments: pd.DataFrame, design: Design) -> pd.DataFrame:
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
        more = f" ({int(outside.sum()) - 1} others likewise)" if outside.sum() > 1 else ""
        raise UserError(
            f"'{bad['individual']}' was photographed at {place} on {bad['timestamp']}, when no camera of the "
            f"deployments was looking there{more}",
            where=str(bad["image"]),
            cure="mend the deployments or the date; `drop_outside=True` leaves such photos out and lists them",
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


def _described(rows: pd.DataFrame) -> pd.DataFrame:
    """Sex of each individual and number of each event, in the order of the files."""
    rows = rows.sort_values(["image", *BOX], kind="stable", ignore_index=True)
    sexes: dict[str, str] = {}
    for who, sex in zip(rows["individual"], rows["sex"].fillna(""), strict=True):
        known = SEXES.get(str(sex).strip().lower(), "")
        if known and sexes.setdefault(str(who), known) != known:
            raise UserError(
                f"'{who}' is female on some photos and male on others", cure="mend its sex in the data"
            )
    rows["sex"] = [sexes.get(str(who), "") for who in rows["individual"]]
    day = rows["timestamp"].dt.strftime("%Y-%m-%d")
    # what is no event of the source is one day, which an occasion that begins at noon may divide
    met = rows["event"].fillna(rows["visit"].fillna(day) + " in " + rows["occasion"].astype("string"))
    rows["event"] = pd.factorize(rows["deployment"].astype("string") + " | " + met.astype("string"))[0] + 1
    return rows


def _identities(rows: pd.DataFrame) -> str:
    """Who decided, in words without signs that any format minds; empty where no machine did."""
    machine = rows["method"].eq("machine").fillna(False).astype(bool)
    if not machine.any():
        return ""
    least = float(rows.loc[machine, "probability"].min())
    return (
        f"identities of {machine.sum()} photos by a machine, at probabilities from {least:.3g}, "
        f"and of {(~machine).sum()} by people"
    )


def _by_row(
    rows: pd.DataFrame, read: Callable[[str], NDArray[np.uint8]]
) -> Callable[[int], NDArray[np.uint8]]:
    images = list(rows["image"])
    return lambda row: read(images[row])


def _sizes(
    rows: pd.DataFrame, size: Callable[[str], tuple[int, int]] | None
) -> Callable[[int], tuple[int, int] | None]:
    if {"image_width", "image_height"} <= set(rows) and rows[["image_width", "image_height"]].notna().all(
        axis=None
    ):
        known = rows[["image_width", "image_height"]].to_numpy()
        return lambda row: (int(known[row, 0]), int(known[row, 1]))
    if size is None:
        return lambda row: None
    images = list(rows["image"])
    return lambda row: size(images[row])


def _by_station(
    strangers: pd.DataFrame, deployments: pd.DataFrame, design: Design, told: Told
) -> dict[str, int]:
    """How many photos that nobody could name each station has."""
    dated = strangers[strangers["timestamp"].notna()]
    at = placed(_in_zone(dated, deployments, design), deployments)
    names = told.names["station"]
    found = Counter(names[str(name)] for name in deployments["station"].to_numpy()[at[at >= 0]])
    elsewhere = len(strangers) - sum(found.values())
    return {**dict(sorted(found.items())), **({"elsewhere": elsewhere} if elsewhere else {})}
