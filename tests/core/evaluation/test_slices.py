from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made.tables import simulated

from wildreid.artefacts import Evidence
from wildreid.evaluation.rank import rank
from wildreid.evaluation.slices import slices


def dated():
    """Encounters of each animal on days 0, 3, 33 and 800, by two cameras, from two sides."""
    table, embeddings = simulated(individuals=15, encounters=4, burst=2, noise=2.5)
    rows = table.rows
    meeting = np.arange(len(rows)) // 2 % 4
    rows["timestamp"] = pd.Timestamp("2021-03-01 23:00") + pd.to_timedelta(
        np.array([0, 3, 33, 800])[meeting], "D"
    )
    rows["camera"] = np.array(["north", "south"])[meeting // 2]
    rows["viewpoint"] = np.where(np.arange(len(rows)) % 2 == 0, "left", None)
    rows.loc[0, "timestamp"] = pd.NaT
    return table, embeddings


@pytest.mark.parametrize("protocol", ["cross-encounter", "image-loo"])
def test_each_slice_equals_a_plain_recount(protocol):
    table, embeddings = dated()
    ranking = rank(embeddings, table, protocol=protocol)
    found = slices(Evidence(ranking, table, embeddings))
    rows = table.rows
    right = dict(zip(ranking.queries.tolist(), ranking.own_rank == 1, strict=True))
    expected = {}
    edges = [(0, "same day"), (7, "1 to 7"), (30, "8 to 30"), (365, "31 to 365"), (np.inf, "over 365")]
    several = [(1, "1"), (2, "2"), (4, "3 to 4"), (9, "5 to 9"), (np.inf, "10 or more")]
    for q in ranking.queries.tolist():
        others = rows[(rows["identity"] == rows["identity"][q]) & (rows.index != q)]
        if protocol == "cross-encounter":
            others = others[others["encounter"] != rows["encounter"][q]]
        days = (others["timestamp"].dt.normalize() - rows["timestamp"].dt.normalize()[q]).dt.days.abs().min()
        values = {"camera": rows["camera"][q], "viewpoint": rows["viewpoint"][q]}
        if pd.notna(rows["timestamp"][q]):
            values["year"] = str(rows["timestamp"][q].year)
            values["days since the nearest gallery image"] = next(
                name for edge, name in edges if days <= edge
            )
        count = others["encounter"].nunique()
        values["gallery encounters"] = next(name for edge, name in several if count <= edge)
        for by, value in values.items():
            if pd.notna(value):
                expected.setdefault((by, value), []).append(right[q])
    assert {(one["by"], one["value"]): (one["n"], one["accuracy@1"]) for one in found} == {
        key: (len(hits), pytest.approx(np.mean(hits))) for key, hits in expected.items()
    }
    assert all(one["too_few"] == (one["n"] < 20) for one in found)
    assert any(one["too_few"] for one in found) == (protocol == "image-loo")


def test_bins_stand_in_their_order():
    table, embeddings = dated()
    found = slices(Evidence(rank(embeddings, table, protocol="cross-encounter"), table, embeddings))
    days = [one["value"] for one in found if one["by"].startswith("days")]
    assert days == ["1 to 7", "8 to 30", "over 365"]
