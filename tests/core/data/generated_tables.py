"""Tables with everything that makes grouping hard, and the rules of grouping once more, pair by pair."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from wildreid.data.groups import annotate
from wildreid.data.table import Table
from wildreid.recipe.settings import Encounters

ROOT = Path("/photos")


def generated(seed: int, *, individuals: int = 12, visits: int = 6, dates: float = 0.9) -> Table:
    """Bursts, some over midnight, missing dates and cameras, one file under two names, time zones."""
    random = np.random.default_rng(seed)
    rows = []
    for who in range(individuals):
        for _ in range(int(random.integers(1, visits + 1))):
            camera = random.choice(["north", "south", "pond", None])
            folder = random.choice(["spring", "autumn"])
            begin = pd.Timestamp("2021-05-01") + pd.Timedelta(days=int(random.integers(0, 40)))
            begin += pd.Timedelta(minutes=int(random.choice([7, 12 * 60, 23 * 60 + 52, 18 * 60])))
            company = random.random() < 0.2
            for frame in range(int(random.integers(1, 6))):
                taken = begin + pd.Timedelta(seconds=int(frame * random.choice([2, 20, 200])))
                image = f"{folder}/{len(rows):04d}.jpg"
                row = {
                    "image": image,
                    "identity": None if random.random() < 0.03 else f"who{who:02d}",
                    "camera": camera,
                    "timestamp": taken if random.random() < dates else pd.NaT,
                    "utc_offset": {"north": 120, "south": -480}.get(camera),
                    "content": f"{len(rows):032x}",
                    "phash": f"{int(random.integers(0, 2**63)):016x}",
                }
                rows.append(row)
                if company:  # another animal in the same frame
                    rows.append({**row, "identity": f"who{(who + 1) % individuals:02d}", "box_left": 5})
                if random.random() < 0.03:  # the same file, copied elsewhere
                    rows.append({**row, "image": f"copies/{len(rows):04d}.jpg", "timestamp": pd.NaT})
                if random.random() < 0.03:  # nearly the same image, days later
                    look = f"{int(row['phash'], 16) ^ 0b1011:016x}"
                    again = {
                        "image": f"{folder}/{len(rows):04d}.jpg",
                        "phash": look,
                        "content": f"{len(rows):032x}",
                    }
                    rows.append({**row, **again, "timestamp": taken + pd.Timedelta(days=90)})
    frame_of = pd.DataFrame(rows)
    boxed = frame_of.get("box_left", pd.Series(np.nan, index=frame_of.index)).notna()
    for name in ("box_left", "box_top", "box_width", "box_height"):
        frame_of[name] = pd.Series(10.0, index=frame_of.index).where(boxed)
    return Table.of(frame_of, ROOT)


@functools.cache
def annotated(seed: int, **kinds: object) -> Table:
    return annotate(generated(seed, **kinds), Encounters())  # type: ignore[arg-type]


class Plain:
    """The columns as lists, and what the rules need of each row."""

    def __init__(self, rows: pd.DataFrame, midnight: float) -> None:
        self.who = [name if isinstance(name, str) else None for name in rows["identity"]]
        self.camera = [name if isinstance(name, str) else None for name in rows["camera"]]
        self.image, self.content = rows["image"].tolist(), rows["content"].tolist()
        self.look = [int(text, 16) for text in rows["phash"]]
        self.place = [c or i.rpartition("/")[0] for c, i in zip(self.camera, self.image, strict=True)]
        self.time = [None if pd.isna(time) else time for time in rows["timestamp"]]
        self.day = [time and time.date() for time in self.time]
        nights = {name: self._nights(name, midnight) for name in set(self.place)}
        self.night = [day and nights[place][day] for day, place in zip(self.day, self.place, strict=True)]

    def _nights(self, place: str, midnight: float) -> dict:
        """The first date of the run of dates that are linked over midnight, for each date at a place."""
        moments = sorted(time for time, at in zip(self.time, self.place, strict=True) if time and at == place)
        first: dict = {}
        for before, after in zip([None, *moments], moments, strict=False):
            linked = before is not None and (after - before) < pd.Timedelta(minutes=midnight)
            if after.date() not in first:
                first[after.date()] = first[before.date()] if linked else after.date()
        return first


def same_encounter(rows: pd.DataFrame, *, bits: int = 4, midnight: float = 30) -> np.ndarray:
    """(rows, rows) whether two rows are of one encounter, by the rules of the design, pair by pair."""
    it = Plain(rows, midnight)
    linked = np.eye(len(rows), dtype=bool)
    for a in range(len(rows)):
        for b in range(a):
            if it.who[a] is None or it.who[a] != it.who[b]:
                continue
            dated = it.time[a] is not None and it.time[b] is not None
            here = it.place[a] == it.place[b]
            nowhere = it.camera[a] is None and it.camera[b] is None
            together = here and (not dated or it.night[a] == it.night[b])
            wandered = nowhere and dated and it.day[a] == it.day[b]
            alike = (it.look[a] ^ it.look[b]).bit_count() <= bits or it.content[a] == it.content[b]
            linked[a, b] = linked[b, a] = together or wandered or alike
    for name in {name for name in it.who if name}:  # an animal that walks from folder to folder at midnight
        mine = [n for n, who in enumerate(it.who) if who == name and it.camera[n] is None and it.time[n]]
        mine.sort(key=lambda n: it.time[n])
        for a, b in itertools.pairwise(mine):
            if it.day[a] != it.day[b] and it.time[b] - it.time[a] < pd.Timedelta(minutes=midnight):
                linked[a, b] = linked[b, a] = True
    return closed(linked)


def same_group(rows: pd.DataFrame, *, midnight: float = 30, by_camera: bool = True) -> np.ndarray:
    """(rows, rows) whether two rows must be in one part; `by_camera`: also one camera's date."""
    it = Plain(rows, midnight)
    linked = same_encounter(rows, midnight=midnight)
    for a in range(len(rows)):
        for b in range(a):
            dated = it.time[a] is not None and it.time[b] is not None
            here = by_camera and dated and it.place[a] == it.place[b] and it.night[a] == it.night[b]
            day = dated and it.who[a] is not None and it.who[a] == it.who[b] and it.day[a] == it.day[b]
            if here or day or it.image[a] == it.image[b] or it.content[a] == it.content[b]:
                linked[a, b] = linked[b, a] = True
    return closed(linked)


def closed(linked: np.ndarray) -> np.ndarray:
    while True:
        further = (linked.astype(np.float32) @ linked.astype(np.float32)) > 0
        if (further == linked).all():
            return linked
        linked = further
