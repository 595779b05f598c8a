"""Occasions and effort: the one place that says which day belongs to which occasion, and who looked how long."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from wildreid.population.deployments import Period

DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Occasions:
    """Spans of equal length, one after another, in local wall-clock time; each is half-open.

    Wall-clock days have 24 hours here, also where summer time begins or ends.

    Attributes:
        start: when the first begins.
        days: length of each.
        count: how many.
    """

    start: pd.Timestamp
    days: int
    count: int

    @property
    def end(self) -> pd.Timestamp:
        """When the last ends."""
        return self.start + self.days * self.count * DAY

    def number(self, times: pd.Series[pd.Timestamp]) -> NDArray[np.int64]:
        """(N,) the occasion of each time, from 1; below 1 and above `count` where it lies outside.

        A time at a border belongs to the later one.
        """
        whole = (times - self.start) // (self.days * DAY)
        return np.asarray(whole, np.int64) + 1

    def borders(self) -> list[pd.Timestamp]:
        """(count + 1,) where one ends and the next begins."""
        return [self.start + number * self.days * DAY for number in range(self.count + 1)]

    def words(self) -> str:
        """``4 occasions of 5 days from 2024-05-01``."""
        days = "day" if self.days == 1 else "days"
        occasions = "occasion" if self.count == 1 else "occasions"
        hour = f" {self.start:%H:%M}" if self.start != self.start.normalize() else ""
        return f"{self.count} {occasions} of {self.days} {days} from {self.start:%Y-%m-%d}{hour}"


def occasions_of(
    deployments: pd.DataFrame,
    days: int,
    *,
    start_hour: int = 0,
    partial: bool = False,
    since: pd.Timestamp | None = None,
    until: pd.Timestamp | None = None,
) -> tuple[Occasions, str]:
    """Divide the time from the first deployment's start to the last one's end.

    Args:
        deployments: as `wildreid.population.deployments.deployments_of` gives them.
        days: length of an occasion.
        start_hour: of the day, at which occasions begin; 12 keeps a night whole.
        partial: keep a last occasion that is not complete.
        since: begin here.
        until: end here.

    Returns:
        the occasions, and a sentence where a last one was dropped.

    Raises:
        UserError: there is no whole occasion.
    """
    first = deployments["start"].min() if since is None else since
    last = deployments["end"].max() if until is None else until
    start = first.normalize() + pd.Timedelta(hours=start_hour)
    if start > first:
        start -= DAY
    whole, rest = divmod(last - start, days * DAY)
    count = int(whole) + int(partial and rest > pd.Timedelta(0))
    if count < 1:
        raise UserError(
            f"from {first} to {last} there is no whole occasion of {days} days",
            where="deployments",
            cure="make occasions shorter with `occasion_days=…`, or keep one that is not whole with `partial=True`",
        )
    note = ""
    if rest > pd.Timedelta(0) and not partial:
        note = (
            f"the last {rest / DAY:.3g} days, from {start + count * days * DAY:%Y-%m-%d %H:%M}, "
            "make no whole occasion and are left out"
        )
    return Occasions(start, days, count), note


def effort_of(
    deployments: pd.DataFrame, occasions: Occasions, *, cameras_independent: bool = False
) -> pd.DataFrame:
    """(stations, occasions) camera-days: stations sorted, occasions from 1.

    Each day counts with the share of it that was looked at, problems taken out.

    Args:
        deployments: with ``station`` and ``periods``.
        occasions: when.
        cameras_independent: add the cameras of a station; else two that look at once count once.
    """
    borders = occasions.borders()
    rows = {}
    for station, own in deployments.groupby("station", sort=True):
        spans = [period for periods in own["periods"] for period in periods]
        if not cameras_independent:
            spans = united(spans)
        rows[str(station)] = [
            sum(max(min(high, to) - max(low, since), pd.Timedelta(0)) / DAY for low, high in spans)
            for since, to in pairwise(borders)
        ]
    return pd.DataFrame.from_dict(rows, orient="index", columns=range(1, occasions.count + 1)).astype(float)


def united(spans: Iterable[Period]) -> list[Period]:
    """The same time as spans that neither overlap nor touch, in their order."""
    out: list[Period] = []
    for low, high in sorted(spans):
        if out and low <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return out


def placed(photos: pd.DataFrame, deployments: pd.DataFrame) -> NDArray[np.int64]:
    """(N,) the row of the deployment that took each photo; -1 where no camera was looking then and there.

    Args:
        photos: ``timestamp``, and what is known of ``deployment``, ``station`` and ``camera``. All that is known
            must fit; a camera that the table does not name as one may be the name of its station.
        deployments: the table, with a plain index.
    """
    found = np.full(len(photos), -1, np.int64)
    times = photos["timestamp"].to_numpy("datetime64[us]")
    for name, at in _places(photos).items():
        meant = _meant(deployments, *name)
        for row, periods in zip(meant.index.to_numpy(int), meant["periods"], strict=True):
            for low, high in periods:
                inside = (times[at] >= low.to_datetime64()) & (times[at] < high.to_datetime64())
                chosen = at[inside & (found[at] < 0)]
                found[chosen] = row
    return found


def _meant(deployments: pd.DataFrame, deployment: str, station: str, camera: str) -> pd.DataFrame:
    """The deployments that a photo with these names may be of."""
    own, named = deployments, False
    if deployment and (own["deployment"] == deployment).any():
        own, named = own[own["deployment"] == deployment], True
    if station:
        own, named = own[own["station"] == station], True
    if camera and (deployments["camera"] == camera).any():
        own, named = own[own["camera"] == camera], True
    elif camera and not named:
        own, named = own[own["station"] == camera], True
    return own if named else own.iloc[:0]


def _places(photos: pd.DataFrame) -> dict[tuple[str, str, str], NDArray[np.int64]]:
    """The rows of each (deployment, station, camera); an empty text for what is not known."""
    known = pd.DataFrame(
        {name: photos[name].astype("string").fillna("") for name in ("deployment", "station", "camera")}
    ).reset_index(drop=True)
    groups: Any = known.groupby(list(known), sort=True).indices
    return {tuple(map(str, key)): np.asarray(rows, np.int64) for key, rows in groups.items()}  # type: ignore[misc]
