"""The design of a survey: what counts as an occasion, whose word counts, and what may be shown of places."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pandas as pd

from wildreid.errors import UserError

Side = Literal["left", "right", "both", "linked"]


@dataclass(frozen=True)
class Design:
    """How a gallery is read as a survey.

    Attributes:
        occasion_days: length of an occasion.
        start_hour: of the day, at which occasions begin; 12 keeps a night whole.
        since: leave out what was before this local time; text in ISO 8601, empty for no bound.
        until: leave out what was from this local time on.
        timezone: of the cameras' clocks, such as ``Europe/Brussels``; empty: as the times say.
        partial: keep a last occasion that is not complete.
        cameras_independent: two cameras of a station that look at once count twice.
        drop_outside: leave out photos for which no camera was looking, and list them; else they are an error.
        machine: take identities that a machine gave, too.
        min_probability: those of at least this probability.
        species: take this one alone; photos that name none are taken to be of it.
        side: ``left`` or ``right``: photos of this side alone; ``linked``: only individuals that were photographed
            from both; ``both``: all.
        private: tell places as they are, and the names of stations, cameras and files.
        precision: decimals of a degree that a public export gives; None: it gives no degrees at all.
        station_names: keep the names of stations, cameras, deployments and files in a public export, since they are
            codes that tell nobody a place.
    """

    occasion_days: int = 5
    start_hour: int = 0
    since: str = ""
    until: str = ""
    timezone: str = ""
    partial: bool = False
    cameras_independent: bool = False
    drop_outside: bool = False
    machine: bool = False
    min_probability: float = 0.95
    species: str = ""
    side: Side = "both"
    private: bool = False
    precision: int | None = 2
    station_names: bool = False

    def __post_init__(self) -> None:
        for name, low, high in (("occasion_days", 1, 36500), ("start_hour", 0, 23), ("precision", 1, 3)):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UserError(f"{name} is {value}, not from {low} to {high}")
        if not 0 <= self.min_probability <= 1:
            raise UserError(f"min_probability is {self.min_probability}, not from 0 to 1")
        if self.side not in ("left", "right", "both", "linked"):
            raise UserError(f"there is no side '{self.side}'; there are left, right, both and linked")
        for name in ("since", "until"):
            self.moment(name)

    def moment(self, name: str) -> pd.Timestamp | None:
        """``since`` or ``until`` as a time; None where there is no bound."""
        text = getattr(self, name)
        if not text:
            return None
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            when = None
        if when is None or when.tzinfo is not None:
            raise UserError(
                f"{name} is '{text}', no local time", cure="write 2024-05-01, or 2024-05-01T12:00"
            )
        return pd.Timestamp(when).as_unit("us")

    def filters(self) -> dict[str, Any]:
        """What decides which photos are taken, for ``export.json``."""
        return dict(vars(self))
