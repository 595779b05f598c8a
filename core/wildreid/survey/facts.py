"""The figures of a survey: plain counts over an annotated and split table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.data.duplicates import near_duplicates
from wildreid.data.frames import file_of
from wildreid.data.groups import days, places
from wildreid.data.images import measure_all
from wildreid.data.sets import codes
from wildreid.data.table import BOX, PARTS, Table

Pairs = list[tuple[int, int]]


@dataclass(frozen=True)
class Facts:
    """What a survey counts.

    Attributes:
        individuals: a row each, most images first: images, encounters, days, cameras, first, last, and
            images in each part.
        calendar: one row for each day with a date: images, individuals.
        cameras: one row for each camera, or source folder where it is not known: images, individuals, encounters,
            undated, first, last.
        bursts: one row for each sequence of dated images, longest first: images, seconds, individuals, and
            its rows.
        sizes: one row for each image that could be opened: width and height of the upright image.
        crops: (rows,) the longer side of what a box shows, else of the image; NaN where it is not known.
        twice: pairs of rows by what is odd about them: one file under ``two names`` or for ``two
            individuals``, images of one individual ``alike`` on two days.
        boxes: rows that have a box.
        undated: rows without a date.
        unnamed: rows without an identity.
    """

    individuals: pd.DataFrame
    calendar: pd.DataFrame
    cameras: pd.DataFrame
    bursts: pd.DataFrame
    sizes: pd.DataFrame
    crops: NDArray[np.float64]
    twice: Mapping[str, Pairs]
    boxes: int
    undated: int
    unnamed: int


def facts(table: Table) -> Facts:
    """Count what is in a table that is annotated and split; sizes are read from headers."""
    rows = table.rows
    sizes = _sizes(rows, table.root)
    return Facts(
        individuals=_individuals(rows),
        calendar=_calendar(rows),
        cameras=_cameras(rows),
        bursts=_bursts(rows),
        sizes=sizes,
        crops=_crops(rows, sizes),
        twice=_twice(rows),
        boxes=int(rows[list(BOX)].notna().all(axis=1).sum()),
        undated=int(rows["timestamp"].isna().sum()),
        unnamed=int(rows["identity"].isna().sum()),
    )


def _individuals(rows: pd.DataFrame) -> pd.DataFrame:
    known = rows[rows["identity"].notna()].assign(day=rows["timestamp"].dt.normalize())
    by = known.groupby("identity")
    found = pd.DataFrame(
        {
            "images": by.size(),
            "encounters": by["encounter"].nunique(),
            "days": by["day"].nunique(),
            "cameras": by["camera"].nunique(),
            "first": by["timestamp"].min(),
            "last": by["timestamp"].max(),
        }
    )
    for part in PARTS:
        found[part] = known[known["part"] == part].groupby("identity").size().reindex(found.index).fillna(0)
    return found.sort_values(["images", "encounters"], ascending=False, kind="stable")


def _calendar(rows: pd.DataFrame) -> pd.DataFrame:
    dated = rows[rows["timestamp"].notna()]
    by = dated.groupby(dated["timestamp"].dt.normalize())
    return pd.DataFrame({"images": by.size(), "individuals": by["identity"].nunique()})


def _cameras(rows: pd.DataFrame) -> pd.DataFrame:
    by = rows.assign(missing=rows["timestamp"].isna()).groupby(places(rows))
    return pd.DataFrame(
        {
            "images": by.size(),
            "individuals": by["identity"].nunique(),
            "encounters": by["encounter"].nunique(),
            "undated": by["missing"].sum(),
            "first": by["timestamp"].min(),
            "last": by["timestamp"].max(),
        }
    ).sort_values("images", ascending=False, kind="stable")


def _bursts(rows: pd.DataFrame) -> pd.DataFrame:
    dated = rows[rows["timestamp"].notna()].sort_values(["timestamp", "id"])
    by = dated.groupby("sequence")
    found = pd.DataFrame(
        {
            "images": by["image"].nunique(),
            "seconds": (by["timestamp"].max() - by["timestamp"].min()).dt.total_seconds(),
            "individuals": by["identity"].nunique(),
        }
    )
    return found.sort_values(["images", "seconds"], ascending=False, kind="stable")


def _sizes(rows: pd.DataFrame, root: Path) -> pd.DataFrame:
    images = rows["image"].drop_duplicates()
    sizes = measure_all([file_of(root, image) for image in images])
    return pd.DataFrame(sizes, index=pd.Index(images), columns=["width", "height"]).dropna()


def _crops(rows: pd.DataFrame, sizes: pd.DataFrame) -> NDArray[np.float64]:
    whole = sizes.max(axis=1).reindex(rows["image"]).to_numpy("float64", na_value=np.nan)
    box = rows[["box_width", "box_height"]].astype("float64").max(axis=1).to_numpy()
    return np.where(np.isnan(box), whole, box)


def _twice(rows: pd.DataFrame) -> dict[str, Pairs]:
    found: dict[str, Pairs] = {"two individuals": [], "two names": [], "alike": []}
    if "content" in rows:
        same = rows[rows["content"].notna() & rows.duplicated("content", keep=False)]
        for _, mine in same.groupby("content"):
            if mine["image"].nunique() > 1:
                kind = "two individuals" if mine["identity"].nunique() > 1 else "two names"
                found[kind].append((int(mine.index[0]), int(mine.index[-1])))
    if "phash" in rows:
        day, content = codes(days(rows)), codes(rows["content"])
        a, b = near_duplicates(codes(rows["identity"]), rows["phash"], bits=4)
        apart = (day[a] != day[b]) & (content[a] != content[b])
        found["alike"] = list(zip(a[apart].tolist(), b[apart].tolist(), strict=True))
    return found
