"""What the desk says in sum: how much is decided, how far two people agree, what has happened meanwhile."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from wildreid.review.agreement import agreement, twice
from wildreid.review.applying import owner
from wildreid.review.deciding import answer, as_data
from wildreid.review.settings import Lease
from wildreid.review.tasks import Task

if TYPE_CHECKING:
    from wildreid.review.desk import Desk


def of_all(desk: Desk) -> dict[str, Any]:
    """How many decisions stand and which wait, and how large the gallery is."""
    state = desk.gallery.state
    return {
        "decided": sum(line.decision != "viewpoint" for line in desk.standing()),
        "passed": desk.passed,
        "waiting": [f"decision {number}: {why}" if number else why for number, why in desk.waiting.items()],
        "individuals": len(state.individuals),
        "images": state.images,
        "change": len(state.changes),
    }


def agreeing(desk: Desk) -> dict[str, Any]:
    """How far first and second looks agree, over all and by station and side, and where they do not."""
    state, pairs = desk.gallery.state, twice(desk.standing())
    words = [(answer(state, a), answer(state, b)) for a, b in pairs]
    named = [(a.decision == "same", b.decision == "same") for a, b in pairs]
    groups: dict[str, list[int]] = {}
    for n, (first, _) in enumerate(pairs):
        for group in _groups(desk, first.task, first.keys):
            groups.setdefault(group, []).append(n)
    return {
        **asdict(agreement(words, named)),
        "by": {
            group: asdict(agreement([words[n] for n in own], [named[n] for n in own]))
            for group, own in sorted(groups.items())
        },
        "disagreements": [
            {"first": as_data(a), "second": as_data(b), "said": said}
            for (a, b), said in zip(pairs, words, strict=True)
            if said[0] != said[1]
        ],
    }


def _groups(desk: Desk, task: str, keys: tuple[str, ...]) -> list[str]:
    found = desk.tasks.get(task)
    rows = desk.newcomers.found.rows if desk.newcomers else None
    if found is None or rows is None:
        return []
    side = rows.loc[rows["key"].isin(list(keys)), "viewpoint"].dropna() if "viewpoint" in rows else ()
    groups = [f"station {found.station}"] if found.station else []
    return [*groups, *(f"side {one}" for one in sorted(set(side)))]


def happened(desk: Desk, task: Task, lease: Lease) -> str:
    """What has happened to a question since it was shown."""
    if lease.view["blind"]:
        return "something has changed since this was shown"
    state = desk.gallery.state
    told = []
    for key, before in lease.anchors.items():
        now = owner(state, [key])
        if now != before:
            told.append(f"'{before}' is " + (f"now '{now}'" if now else "no longer in the gallery"))
    told += [
        f"{line.reviewer} decided: {answer(state, line)}" for line in desk.standing() if line.task == task.id
    ]
    return "; ".join(dict.fromkeys(told)) or "something has changed since this was shown"
