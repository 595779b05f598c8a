"""Films: which of their frames are looked at, and when they were taken."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from wildreid.data.frames import Moments, Opened, frame_name, keep, library, moments_of
from wildreid.data.table import Failure
from wildreid.errors import UserError

NOT_READ = "a film: not read; videos: sample takes frames"
MOST = 300
"""Frames of one film, at most."""

_STAMP = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)[T_ .-]{0,3}"
    r"([0-2]\d)[-_.:h]?([0-5]\d)[-_.:m]?([0-5]\d)(?!\d)"
)
Times = Literal["utc", "local"]


@dataclass(frozen=True)
class Film:
    """What a film's headers say, and the moment of each of its frames.

    Attributes:
        moments: (frames,) when each is shown, in seconds of the film's own clock, in order; a frame's number is
            its place.
        began: local time of the first frame, as far as it is known.
        utc_offset: of that time, in minutes.
    """

    moments: Moments
    began: pd.Timestamp | None
    utc_offset: float | None

    @property
    def seconds(self) -> Moments:
        """(frames,) seconds from the first frame to each."""
        seconds: Moments = self.moments - self.moments[0]
        return seconds

    def taken(self, number: int) -> pd.Timestamp | None:
        """Local time of a frame."""
        return None if self.began is None else self.began + pd.Timedelta(seconds=float(self.seconds[number]))

    def spread(self, *, every: float, most: int) -> list[int]:
        """Numbers of the first frames at 0, `every`, 2·`every` … seconds; of more than `most`, evenly some."""
        seconds = self.seconds
        wanted = np.arange(0, seconds[-1] + 1e-9, every)
        if len(wanted) > most:
            wanted = wanted[np.linspace(0, len(wanted) - 1, most).round().astype(int)]
        return [int(number) for number in np.unique(np.searchsorted(seconds, wanted - 1e-6))]


def sample(
    root: Path,
    films: Sequence[str],
    *,
    every: float = 1.0,
    most: int = 10,
    times: Times | None = None,
    numbers: Mapping[str, Sequence[int]] | None = None,
    threads: int = 2,
) -> tuple[pd.DataFrame, list[Failure]]:
    """Take frames of films, and keep their pixels among the caches.

    Args:
        root: the folder that the paths are relative to.
        films: paths with forward slashes.
        every: seconds between two frames.
        most: frames of a film, at most.
        times: what clock the films' headers were written by, where no name says when; None: unknown, so
            that such a film has no date.
        numbers: the numbers of the frames to take of each film, counted from 0, instead of `every` and `most`.
        threads: that decode.

    Returns:
        One row for each frame (``image``, ``event``: the film, ``timestamp``, ``utc_offset``), and what could not
        be read: films, or single frames.

    Raises:
        UserError: PyAV is not installed.
    """
    columns = ["image", "event", "timestamp", "utc_offset"]
    if films:
        library()

    def taken(film: str) -> tuple[list[dict[str, Any]], list[Failure]]:
        try:
            told = read_film(root / film, times=times)
            wanted = told.spread(every=every, most=most) if numbers is None else sorted({*numbers[film]})
            there = [number for number in wanted if number < len(told.seconds)][:MOST]
            kept = keep(root / film, told.moments, there)
        except UserError as error:
            return [], [Failure(film, error.what)]
        beyond = f"no such frame: the film has {len(told.seconds)}, and {MOST} are taken of one at most"
        failures = [Failure(frame_name(film, number), beyond) for number in wanted if number not in there]
        failures += [
            Failure(frame_name(film, number), reason) for number, reason in kept.items() if reason is not None
        ]
        rows = [
            {
                "image": frame_name(film, number),
                "event": film,
                "timestamp": told.taken(number),
                "utc_offset": told.utc_offset,
            }
            for number, reason in kept.items()
            if reason is None
        ]
        return rows, failures

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(taken, films))
    rows = pd.DataFrame([row for some, _ in found for row in some], columns=columns)
    rows["timestamp"] = pd.to_datetime(rows["timestamp"])
    rows["utc_offset"] = rows["utc_offset"].astype("Float64")
    return rows, [failure for _, some in found for failure in some]


def read_film(path: Path, *, times: Times | None = None) -> Film:
    """The moments of a film's frames and when it began; nothing is decoded.

    It began when its name says, in local time; else when its header says, which is universal time by the
    standard and local time in many cameras.

    Raises:
        UserError: it is no film that can be read, is too long or too large, or PyAV is not installed.
    """
    with Opened(path) as container:
        header = {**container.metadata, **container.streams.video[0].metadata}
        return Film(moments_of(path, container), *_began(path.name, header, times))


def _began(
    name: str, header: Mapping[str, str], times: Times | None
) -> tuple[pd.Timestamp | None, float | None]:
    """Local time of the first frame and its offset from universal time."""
    if (found := _STAMP.search(name)) and (moment := _moment("{}-{}-{} {}:{}:{}".format(*found.groups()))):
        return moment, None
    zoned = _moment(header.get("com.apple.quicktime.creationdate"))
    if zoned is not None and (offset := zoned.utcoffset()) is not None:
        return zoned.tz_localize(None), offset.total_seconds() / 60
    written = _moment(header.get("creation_time"))
    if times is None or written is None or written.year < 1980:  # a clock that was never set
        return None, None
    written = written.tz_localize(None)
    if times == "local":
        return written, None
    zone = re.fullmatch(r"([+-])(\d\d):?(\d\d)", header.get("com.samsung.android.utc_offset", ""))
    minutes = 0 if zone is None else (int(zone[2]) * 60 + int(zone[3])) * (-1 if zone[1] == "-" else 1)
    return written + pd.Timedelta(minutes=minutes), float(minutes)


def _moment(text: str | None) -> pd.Timestamp | None:
    try:
        return pd.Timestamp(text) if text else None
    except ValueError:
        return None
