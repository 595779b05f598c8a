"""The golden survey (CC0, see golden/LICENCE.md): five animals, three stations, four occasions of five days."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from wildreid.population.deployments import deployments_of, read_deployments
from wildreid.population.design import Design
from wildreid.population.locations import Frame
from wildreid.population.survey import Survey
from wildreid.population.take import take_survey

GOLDEN = Path(__file__).with_name("golden")
FRAME = Frame("0123456789abcdef" * 2)


def detections() -> pd.DataFrame:
    rows = pd.read_csv(GOLDEN / "detections.csv")
    return rows.assign(image=[f"m{n:03d}.jpg" for n in range(1, len(rows) + 1)], species="Ursus arctos")


def as_given(rows: pd.DataFrame | None = None, **design: Any) -> Survey:
    """With the metres of its own deployments, for its owner."""
    rows = detections() if rows is None else rows
    return take_survey(
        rows, read_deployments(GOLDEN / "deployments.csv"), Design(private=True, **design), name="golden"
    )


def decided() -> pd.DataFrame:
    """The last animal was named by a machine; every photo has a box."""
    rows = detections()
    last = len(rows) - 1
    return rows.assign(
        method=["human"] * last + ["machine"],
        decided_by=["reviewer-1"] * last + ["wildreid demo-model"],
        decided_at=["2024-06-01T09:00:00Z"] * last + ["2024-06-01T08:00:00Z"],
        probability=[None] * last + [0.87],
        box_left=16.0,
        box_top=12.0,
        box_width=32.0,
        box_height=24.0,
        image_width=64,
        image_height=48,
    )


def places() -> pd.DataFrame:
    """Its deployments with degrees, finer than two decimals, in place of metres."""
    table = pd.read_csv(GOLDEN / "deployments.csv", dtype=str, keep_default_na=False)
    for name in ("start", "end", "problem1_from", "problem1_to"):
        table[name] = [text and f"{text}+02:00" for text in table[name]]
    degrees = {
        "latitude": ["50.00123", "49.99876", "50.01234"],
        "longitude": ["4.00123", "4.01877", "4.01234"],
    }
    return table.drop(columns=["x", "y"]).assign(**degrees)


def in_public(rows: pd.DataFrame | None = None, **design: Any) -> Survey:
    """Rounded, with the stations' names, which are codes."""
    given: dict[str, Any] = {"machine": True, "min_probability": 0.8, "station_names": True, **design}
    rows = decided() if rows is None else rows
    return take_survey(
        rows, deployments_of(places()), Design(**given), name="golden", model="demo-model", frame=FRAME
    )
