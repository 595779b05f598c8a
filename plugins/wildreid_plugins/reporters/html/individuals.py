"""The table of individuals, the slices, and the summary of data and split."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from wildreid.page import percent
from wildreid_plugins.reporters.html.view import UNKNOWN, View

if TYPE_CHECKING:
    from wildreid.artefacts import Ranking

PARTS = ("train", "val", "test")


def individuals(view: View) -> list[list[Any]]:
    """One row for each individual among the queries; cells are texts, or ``words`` with a ``sort`` value."""
    ranking = view.ranking
    names = (*ranking.individuals, "")  # the last is for a query without any valid gallery image: -1
    queries: dict[str, list[int]] = {}
    for query, name in enumerate(view.identity[ranking.queries].tolist()):
        queries.setdefault(name, []).append(query)
    queries.pop(UNKNOWN, None)
    photos = Counter(view.identity.tolist())
    trained = set(view.identity[view.part == "train"].tolist())
    return [
        [
            name,
            len(asked),
            len(set(view.encounter[ranking.queries[asked]].tolist())),
            photos[name],
            "yes" if name in trained else "no",
            *_how_it_went(ranking, [query for query in asked if ranking.own_rank[query] > 0], names),
        ]
        for name, asked in sorted(queries.items())
    ]


def _how_it_went(ranking: Ranking, mated: list[int], names: tuple[str, ...]) -> tuple[Any, ...]:
    """How many queries had a match, how many were named right, and whom the others were taken for."""
    if not mated:
        return 0, {"words": "no match possible", "sort": ""}, ""
    wrong = Counter(names[ranking.top[query, 0]] for query in mated if ranking.own_rank[query] > 1)
    share = 1 - wrong.total() / len(mated)
    taken = f"{wrong.most_common(1)[0][0]} ({wrong.most_common(1)[0][1]} of {len(mated)})" if wrong else ""
    return len(mated), {"words": percent(share, 0), "sort": share}, taken


COLUMNS = (
    {"words": "individual", "number": False},
    {"words": "photos asked", "number": True},
    {"words": "encounters", "number": True},
    {"words": "photos in all", "number": True},
    {"words": "in training", "number": False},
    {"words": "with a match", "number": True},
    {"words": "named right", "number": True},
    {"words": "most often taken for", "number": False},
)


def slices(view: View) -> dict[str, list[dict[str, Any]]]:
    """Accuracy@1 by camera, year and so on, as the evaluation measured it."""
    by: dict[str, list[dict[str, Any]]] = {}
    for piece in view.block.get("slices") or []:
        by.setdefault(str(piece["by"]), []).append(
            {
                "value": str(piece["value"]),
                "n": piece["n"],
                "accuracy": percent(piece["accuracy@1"]),
                "share": piece["accuracy@1"],
                "too_few": piece.get("too_few", False),
            }
        )
    return by


def split_summary(view: View) -> list[list[Any]]:
    """Photos, individuals and encounters of each part, and what is odd about them."""
    import pandas as pd

    frame = pd.DataFrame(
        {
            "part": np.where(view.part == "", "not used", view.part),
            "name": view.identity,
            "encounter": view.encounter,
            "undated": view.date == "undated",
        }
    )
    rows = []
    for part in (*PARTS, "not used"):
        these = frame[frame["part"] == part]
        if part == "not used" and these.empty:
            continue
        known = these[these["name"] != UNKNOWN]
        alone = known.groupby("name")["encounter"].nunique().eq(1).sum()
        rows.append(
            [
                part,
                len(these),
                known["name"].nunique(),
                these["encounter"].nunique(),
                int(alone),
                len(these) - len(known),
                int(these["undated"].sum()),
            ]
        )
    return rows
