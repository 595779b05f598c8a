"""A survey as an exporter sees it: who was met where, on which occasion, and how long was looked for them.

What stands here may be written: where a survey is public, its coordinates, names of places and files are
replaced already, so that no exporter can tell what its owner keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.errors import UserError
from wildreid.population.deployments import zone_of
from wildreid.population.design import Design
from wildreid.population.effort import Occasions

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Survey:
    """Detections, deployments, occasions and effort; treat its frames as read-only.

    Attributes:
        name: of the gallery.
        model: the name of the run whose model the gallery uses; empty where there is none.
        photos: one row for each annotation, in the order of its file: ``individual`` and ``code`` (its plain name),
            ``sex`` (F, M or empty), ``life_stage``, ``species``, ``station``, ``camera``, ``deployment``,
            ``event`` (a number, from 1), ``occasion`` (from 1), ``timestamp`` (local wall-clock), ``utc_offset``
            (minutes or missing), ``file`` (a flat name for the photo), ``box_left`` … (pixels or missing),
            ``viewpoint``, ``method`` (human, machine, import or empty), ``decided_by``, ``decided_at`` (UTC or
            missing), ``probability`` (or missing), ``withheld`` (its owner shows the photo to nobody). A text
            that is not known is empty.
        deployments: ``deployment``, ``station``, ``camera``, ``start``, ``end``, ``periods`` (when it worked),
            ``start_offset``, ``end_offset`` (minutes from UTC, or missing), ``latitude``, ``longitude``,
            ``coordinate_uncertainty`` (metres), and covariates.
        stations: ``x`` and ``y`` in metres (or missing) and covariates that are numbers, by station, sorted.
        occasions: when.
        effort: (stations, occasions) camera-days.
        design: what was taken and what may be told; where it is ``private``, places are as they are.
        identities: who decided who is who, in a few words, where a machine did; else empty.
        counts: how many annotations came in, were written, and were left out for what reason.
        notes: what one should know of it.
        dropped: annotations for which no camera was looking, where these are left out.
        hidden: what the owner alone may know: ``sort``, ``name``, ``code``; nothing an exporter may write.
        read: gives the upright photo of row n of `photos` (h, w, 3), whole; None where photos are not there.
        sizes: (width, height) of row n's upright photo; None where it is not known.
    """

    name: str
    model: str
    photos: pd.DataFrame
    deployments: pd.DataFrame
    stations: pd.DataFrame
    occasions: Occasions
    effort: pd.DataFrame
    design: Design = field(default_factory=Design)
    identities: str = ""
    counts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    dropped: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    hidden: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    read: Callable[[int], NDArray[np.uint8]] | None = field(default=None, repr=False)
    sizes: Callable[[int], tuple[int, int] | None] = field(default=lambda row: None, repr=False)

    @property
    def open_names(self) -> bool:
        """Whether stations, cameras, deployments and files go by their own names."""
        return self.design.private or self.design.station_names

    @cached_property
    def encounters(self) -> pd.DataFrame:
        """One row for each individual's encounter: one event, one animal; in the order of the events.

        ``event``, ``individual``, ``code``, ``sex``, ``life_stage``, ``species``, ``station``, ``camera``,
        ``deployment``, ``occasion``, ``first``, ``last``, ``utc_offset``, ``photos`` (how many), ``method``
        (machine only where no photo of it was named otherwise), ``decided_by``, ``decided_at``, ``probability``
        (the least of its photos').
        """
        ordered = self.photos.sort_values(["event", "timestamp", "file"], kind="stable")
        # where a person named one photo of an encounter, the person's word counts for all of it
        ordered = ordered.assign(machine=ordered["method"] == "machine")
        ordered = ordered.sort_values(["event", "code", "machine"], kind="stable")
        grouped = ordered.groupby(["event", "individual"], sort=False)
        table = grouped.agg(
            code=("code", "first"), sex=("sex", "first"), life_stage=("life_stage", "first"),
            species=("species", "first"), station=("station", "first"), camera=("camera", "first"),
            deployment=("deployment", "first"), first=("timestamp", "min"), last=("timestamp", "max"),
            occasion=("occasion", "min"), photos=("code", "size"), utc_offset=("utc_offset", "first"),
            method=("method", "first"), decided_by=("decided_by", "first"), decided_at=("decided_at", "max"),
            probability=("probability", "min"),
        )  # fmt: skip
        return table.reset_index().sort_values(["event", "code"], kind="stable", ignore_index=True)

    @cached_property
    def detections(self) -> pd.DataFrame:
        """The encounters by individual, station and time, as capture files list them."""
        return self.encounters.sort_values(
            ["code", "station", "first", "event"], kind="stable", ignore_index=True
        )

    @cached_property
    def individuals(self) -> pd.DataFrame:
        """One row for each individual, by code.

        ``individual``, ``code``, ``sex``, ``species``, ``first``, ``last``, ``encounters`` (how many).
        """
        table = self.encounters.groupby("individual", sort=False).agg(
            code=("code", "first"), sex=("sex", "first"), species=("species", "first"), first=("first", "min"),
            last=("last", "max"), encounters=("event", "size"),
        )  # fmt: skip
        return table.reset_index().sort_values("code", ignore_index=True)

    @cached_property
    def histories(self) -> pd.DataFrame:
        """(individuals, occasions) encounters, by ``code``; occasions from 1."""
        counts = pd.crosstab(self.encounters["code"], self.encounters["occasion"])
        return counts.reindex(
            index=self.individuals["code"], columns=range(1, self.occasions.count + 1), fill_value=0
        )

    def zoned(self, when: pd.Timestamp, offset: float | None) -> str:
        """A local time with its zone: ``2024-05-01T12:00:00+02:00``.

        Args:
            when: wall-clock time.
            offset: minutes from UTC where they are known.

        Raises:
            UserError: they are not, and no time zone was given.
        """
        zone = zone_of(self.design.timezone)
        if zone is not None:
            return when.to_pydatetime().replace(tzinfo=zone, microsecond=0).isoformat()
        if offset is None or pd.isna(offset):
            raise UserError(
                f"nobody knows in which zone the clock said {when}",
                where="timezone",
                cure="give that of the cameras' clocks, such as `timezone=Europe/Brussels`",
            )
        sign, minutes = "-" if offset < 0 else "+", abs(round(offset))
        return f"{when:%Y-%m-%dT%H:%M:%S}{sign}{minutes // 60:02d}:{minutes % 60:02d}"

    def days(self, station: str) -> list[float]:
        """(occasions,) camera-days at a station."""
        return [float(one) for one in self.effort.loc[station].to_numpy()]

    def metres(self) -> dict[str, tuple[float, float]]:
        """Where each station is: x and y in metres.

        Raises:
            UserError: the deployments give no positions.
        """
        if self.stations[["x", "y"]].isna().any(axis=None):
            raise UserError(
                "this form needs the stations' positions, and the deployments give none",
                where="deployments",
                cure="add the columns x and y in metres, or latitude and longitude",
            )
        places = self.stations[["x", "y"]].to_numpy(float)
        return {
            str(name): (float(x), float(y)) for name, (x, y) in zip(self.stations.index, places, strict=True)
        }
