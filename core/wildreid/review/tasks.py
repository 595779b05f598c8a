"""What is asked: who is on an encounter of new photos, and whether two encounters of the gallery are one animal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from wildreid.review.agreement import drawn

if TYPE_CHECKING:
    from wildreid.identification.outputs import Identified

ORDERS = ("likely", "date", "station", "random")


@dataclass(frozen=True)
class Task:
    """One question.

    Attributes:
        id: hash of the keys of both sides, so that it is the same whenever it is asked.
        mode: identify or compare.
        keys: the annotations it is about, the best photo first.
        others: of `compare` the other side.
        tier: 1 likely merges, 2 undecided, 3 known and drawn for an audit, 4 new, 5 merges that are not likely.
        value: within its tier, the larger the sooner.
        date: ISO 8601, for those who want them in order.
        station: likewise.
        together: of `compare`, whether both sides had one name when it was found.
    """

    id: str
    mode: str
    keys: tuple[str, ...]
    others: tuple[str, ...] = ()
    tier: int = 2
    value: float = 0.0
    date: str = ""
    station: str = ""
    together: bool = False


def task_id(*sides: Iterable[str]) -> str:
    """The hash of the keys of both sides."""
    text = "|".join(",".join(sorted(side)) for side in sorted(map(sorted, sides)))
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


def of_photos(found: Identified, *, audit: float, salt: str) -> tuple[list[Task], int]:
    """The encounters of new photos to decide, and how many known ones were not drawn for the audit.

    Those whose photos the gallery holds already are no question.
    """
    tasks, passed = [], 0
    rows, state = found.rows, found.search.state
    for answer in found.encounters:
        own = rows.iloc[list(answer.rows)]
        keys = tuple(own["key"])
        if any(key in state.row_of for key in keys):
            continue
        number = task_id(keys)
        first = answer.candidates[0].probability if answer.candidates else None
        near = 0.25 if first is None else 0.5 - abs(first - 0.5)
        tier = {"undecided": 2, "known": 3}.get(answer.verdict, 4)
        if tier == 3 and not drawn(number, f"audit {salt}", audit):
            passed += 1
            continue
        place = own["station"].iloc[0] if "station" in own and pd.notna(own["station"].iloc[0]) else None
        place = place or own["camera"].iloc[0]
        tasks.append(
            Task(
                number, "identify", keys, tier=tier, value=near * len(keys), date=answer.date or "9999",
                station="" if pd.isna(place) else str(place),
            )
        )  # fmt: skip
    return tasks, passed


def ordered(tasks: Sequence[Task], order: str, salt: str) -> list[Task]:
    """Tasks in the order they are asked; random is the only honest one for a study of agreement."""
    keys = {
        "likely": lambda task: (task.tier, -task.value, task.id),
        "date": lambda task: (task.date, task.id),
        "station": lambda task: (task.station, task.date, task.id),
        "random": lambda task: task_id([salt, task.id]),
    }
    return sorted(tasks, key=keys[order])  # type: ignore[arg-type]
