"""The table of individuals, the slices, and the summary of data and split."""

from __future__ import annotations

from typing import Any

import numpy as np

from wildreid.page.render import percent
from wildreid_plugins.reporters.html.view import UNKNOWN, View

PARTS = ("train", "val", "test")


def individuals(view: View) -> list[list[Any]]:
    """One row for each individual among the queries; cells are texts, or ``words`` with a ``sort`` value."""
    import pandas as pd

    ranking = view.ranking
    names = np.array([*ranking.individuals, ""])
    frame = pd.DataFrame(
        {
            "name": view.identity[ranking.queries],
            "encounter": view.encounter[ranking.queries],
            "mated": ranking.mated,
            "right": ranking.own_rank == 1,
            "taken": names[ranking.top[:, 0]],
        }
    )
    frame = frame[frame["name"] != UNKNOWN]
    photos = pd.Series(view.identity).value_counts()
    trained = set(view.identity[view.part == "train"].tolist())
    rows = []
    for name, queries in frame.groupby("name", sort=True):
        mated = queries[queries["mated"]]
        wrong = mated.loc[~mated["right"] & (mated["taken"] != ""), "taken"].value_counts()
        accuracy = float(mated["right"].mean()) if len(mated) else None
        mistaken = f"{wrong.index[0]} ({wrong.iloc[0]} of {len(mated)})" if len(wrong) else ""
        rows.append(
            [
                name,
                len(queries),
                queries["encounter"].nunique(),
                int(photos[name]),
                "yes" if name in trained else "no",
                len(mated),
                {
                    "words": percent(accuracy, 0) if accuracy is not None else "no match possible",
                    "sort": "" if accuracy is None else accuracy,
                },
                {"words": mistaken, "sort": mistaken},
            ]
        )
    return rows


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
