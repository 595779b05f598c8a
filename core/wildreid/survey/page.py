"""The page of a survey and the PNGs beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from PIL import Image

from wildreid.data.audit import WORDS, Audit, audit
from wildreid.data.groups import places
from wildreid.data.masks import Masks
from wildreid.data.table import PARTS, Table
from wildreid.files import put_text
from wildreid.page import Veil, render, thumbnail
from wildreid.survey import plots
from wildreid.survey.facts import Facts, facts
from wildreid.survey.outlined import Outlined
from wildreid.survey.pictures import Album, Pixels, sheet, when
from wildreid.survey.words import warnings

HERE = Path(__file__).parent
SECTIONS = (
    ("data", "Data"),
    ("individuals", "Individuals"),
    ("time", "Time"),
    ("bursts", "Bursts"),
    ("cameras", "Cameras"),
    ("images", "Images"),
    ("split", "Split"),
)
MOST_ROWS = 500


def write(
    table: Table,
    folder: Path,
    *,
    title: str,
    stamp: str = "",
    splitter: str,
    size: int,
    margin: float = 0.0,
    max_pixels: int = 120_000_000,
    private: bool = False,
    augmented: list[list[Pixels]] | None = None,
    masks: Masks | None = None,
) -> list[Path]:
    """Write ``index.html`` and PNGs, and return them, the page first.

    Args:
        table: annotated and split; its failures are what was left out.
        folder: made if it is not there.
        title: the recipe's name.
        stamp: a word that stands wherever a figure does.
        splitter: what made the split, in words.
        size: pixels a side that the network sees.
        margin: context around a box.
        max_pixels: of a file that is decoded.
        private: show the names of cameras and paths.
        augmented: rows of images (size, size, 3), the first as it is and the others as training sees it.
        masks: of the table's rows, where the recipe has a foreground.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found, shared = facts(table), audit(table)
    veil = Veil(places(table.rows), places=[table.root], private=private)
    album = Album(table, veil, margin, max_pixels)
    bars = _bars(found)
    outlined = Outlined(album, masks) if masks is not None else None
    if outlined is not None:
        bars["shares"] = outlined.bars()
    pictures = list(_saved(found, bars, augmented or (), folder))
    contact = thumbnail(sheet(augmented), 1400, quality=80) if augmented else None
    page = folder / "index.html"
    text = render(
        HERE / "survey.html",
        styles=[HERE / "survey.css"],
        title=f"{title}: the data",
        stamp=stamp,
        sections=_sections(masks=masks is not None, augmented=contact is not None),
        masks=outlined,
        made=_made(private),
        facts=found,
        bars=bars,
        tiles=_tiles(table, found),
        warnings=warnings(found, shared, size=size, failures=len(table.failures), masks=masks),
        notes=[veil.text(note) for note in table.notes],
        calendar=_calendar(found.calendar),
        undated=_undated(table.rows),
        faces=album.faces(found, 48),
        people=_people(found.individuals),
        bursts=album.bursts(found, 6, 7),
        cameras=_cameras(found.cameras, veil),
        sizes=_sizes(found.sizes),
        size=size,
        boxed=album.boxed(8) if found.boxes else [],
        twice={kind: album.doubles(pairs, 4) for kind, pairs in found.twice.items()},
        failures=[(veil.text(one.image), veil.text(one.reason)) for one in table.failures[:50]],
        left_out=len(table.failures),
        splitter=splitter,
        audit=shared,
        shared=_shared(shared),
        parts_of=_parts(table.rows, shared),
        columns=_columns(shared),
        hashed="phash" in table.rows,
        contact=contact,
        rows=len(table),
    )
    put_text(page, text)
    return [page, *pictures]


def _bars(found: Facts) -> dict[str, plots.Bars]:
    """The page's charts of counts."""
    return {
        "images": plots.by_part("individuals", "images an individual", "images", found.individuals),
        "encounters": plots.histogram(
            "encounters", "encounters an individual", "encounters", "individuals",
            found.individuals["encounters"], (1, 2, 3, 4, 5, 7, 10, 15, 20, 30),
        ),
        "bursts": plots.histogram(
            "bursts", "lengths of bursts", "images in a burst", "bursts",
            found.bursts["images"], (1, 2, 3, 4, 5, 7, 10, 20, 40),
        ),
        "crops": plots.histogram(
            "sizes", "longer side of what the network is given", "pixels", "annotations",
            found.crops[~np.isnan(found.crops)], (1, 64, 96, 128, 160, 224, 300, 448, 640, 1000, 2000, 4000),
        ),
    }  # fmt: skip


def _saved(
    found: Facts, bars: dict[str, plots.Bars], augmented: Sequence[Sequence[Pixels]], folder: Path
) -> Iterator[Path]:
    """Write the charts as pictures for a talk or an article, those that show something."""
    for one in bars.values():
        if one.labels:
            plots.save_bars(one, folder / f"{one.name}.png")
            yield folder / f"{one.name}.png"
    if len(found.calendar):
        plots.save_calendar(found.calendar, folder / "calendar.png")
        yield folder / "calendar.png"
    if augmented:
        Image.fromarray(sheet(augmented)).save(folder / "augmented.png")
        yield folder / "augmented.png"


def _sections(*, masks: bool, augmented: bool) -> list[tuple[str, str]]:
    added = {"masks": masks, "augmented": augmented}
    every = [*SECTIONS[:-1], ("masks", "Masks"), SECTIONS[-1], ("augmented", "Augmented")]
    return [section for section in every if added.get(section[0], True)]


def _columns(found: Audit) -> dict[str, list[dict[str, Any]]]:
    """The heads of the tables; all but names and dates are numbers."""
    heads = {
        "people": ("individual", "images", "encounters", "days", "first", "last", *PARTS),
        "cameras": ("camera", "images", "individuals", "encounters", "undated", "first", "last"),
        "parts": ("part", "images", "share", "individuals", "not in train", "encounters", "matched inside"),
        "shared": ("images with one …", *(f"{one.part} in {one.other}" for one in found.crossings)),
    }
    words = ("first", "last", *(row[0] for row in heads.values()))
    return {
        table: [{"words": head, "number": head not in words} for head in row] for table, row in heads.items()
    }


def _made(private: bool) -> str:
    told = "are shown" if private else "are numbered and withheld; private: true in the recipe shows them"
    return f"Written by reid data. Camera names and paths {told}. This page loads nothing from the network."


def _tiles(table: Table, found: Facts) -> list[tuple[str, str]]:
    rows = table.rows
    tiles = [
        (f"{len(rows):,}", "annotations" if found.boxes else "images"),
        (f"{table.individuals:,}", "individuals"),
        (f"{rows.loc[rows['identity'].notna(), 'encounter'].nunique():,}", "encounters"),
        (f"{len(found.calendar):,}", "days"),
    ]
    cameras = int(rows["camera"].nunique())
    tiles.append((f"{cameras or len(found.cameras):,}", "cameras" if cameras else "folders, no camera known"))
    if len(found.calendar):
        first, last = found.calendar.index[0], found.calendar.index[-1]
        years = (f"{first:%Y}–{last:%Y}", "years") if first.year != last.year else (f"{first:%Y}", "year")
        tiles.append(years)
    return tiles


def _calendar(calendar: pd.DataFrame) -> list[dict[str, Any]]:
    """A strip of weeks a year: cells as (x, y, depth of colour 1 to 4, words)."""
    if not len(calendar):
        return []
    deep = np.ceil(calendar["images"].rank(pct=True) * 4).astype(int)
    years = []
    for year in sorted({day.year for day in calendar.index}):
        begin = pd.Timestamp(year, 1, 1)
        every = pd.date_range(begin, periods=366 if begin.is_leap_year else 365)
        week = (every.day_of_year.to_numpy() - 1 + begin.day_of_week) // 7
        path = "".join(f"M{13 * x} {13 * y}h11v11h-11z" for x, y in zip(week, every.day_of_week, strict=True))
        cells = [
            (
                13 * int((day.day_of_year - 1 + begin.day_of_week) // 7),
                13 * day.day_of_week,
                int(deep[day]),
                f"{day:%Y-%m-%d}: {one.images:,} images of {one.individuals:,} individuals",
            )
            for day, one in zip(calendar.index, calendar.itertuples(), strict=True)
            if day.year == year
        ]
        months = [
            (13 * int(week[pd.Timestamp(year, month, 1).day_of_year - 1]), month) for month in range(1, 13)
        ]
        names = [(x, f"{pd.Timestamp(year, month, 1):%b}") for x, month in months]
        years.append({"year": year, "path": Markup(path), "cells": cells, "months": names})
    return years


def _undated(rows: pd.DataFrame) -> list[tuple[str, int, int]]:
    """Individuals with most undated images: name, undated, all."""
    by = rows.assign(missing=rows["timestamp"].isna()).groupby("identity")["missing"]
    found = pd.DataFrame({"missing": by.sum(), "all": by.size()})
    found = found[found["missing"] > 0].sort_values("missing", ascending=False, kind="stable").head(12)
    return [(str(who), int(one["missing"]), int(one["all"])) for who, one in found.iterrows()]


def _people(individuals: pd.DataFrame) -> list[list[Any]]:
    shown = individuals.head(MOST_ROWS)
    counts = shown[["images", "encounters", "days"]].to_numpy(int).tolist()
    dates = zip(shown["first"].map(_day), shown["last"].map(_day), strict=True)
    parts = shown[list(PARTS)].to_numpy(int).tolist()
    return [[str(w), *c, *d, *p] for w, c, d, p in zip(shown.index, counts, dates, parts, strict=True)]


def _cameras(cameras: pd.DataFrame, veil: Veil) -> list[list[Any]]:
    shown = cameras.head(MOST_ROWS)
    counts = shown[["images", "individuals", "encounters", "undated"]].to_numpy(int).tolist()
    dates = zip(shown["first"].map(_day), shown["last"].map(_day), strict=True)
    return [[veil.camera(str(w)), *c, *d] for w, c, d in zip(shown.index, counts, dates, strict=True)]


def _sizes(sizes: pd.DataFrame) -> list[tuple[str, int]]:
    """The commonest sizes of images."""
    words = sizes["width"].astype(int).astype(str) + " × " + sizes["height"].astype(int).astype(str)
    return [(str(size), int(count)) for size, count in words.value_counts().head(8).items()]


def _shared(found: Audit) -> list[list[Any]]:
    return [
        [f"{words} (near duplicate)" if key == "near_duplicate" else words]
        + ["no hashes" if one.counts[key] is None else f"{one.counts[key]:,}" for one in found.crossings]
        for key, words in WORDS.items()
    ]


def _parts(rows: pd.DataFrame, found: Audit) -> list[list[Any]]:
    """One row for each part: images, individuals, those not in train, encounters, who can be matched within."""
    train = set(rows.loc[rows["part"] == "train", "identity"].dropna())
    table = []
    for name, part in found.parts.items():
        mine = rows[(rows["part"] == name) & rows["identity"].notna()]
        often = mine.groupby("identity")["encounter"].nunique() > 1
        new = "–" if name == "train" else f"{len(set(mine['identity']) - train):,}"
        mated = int(mine["identity"].isin(often.index[often]).sum())
        share = f"{part.images / max(1, len(rows)):.0%}"
        table.append([name, part.images, share, part.individuals, new, part.encounters, mated])
    return table


def _day(time: pd.Timestamp) -> str:
    return "" if pd.isna(time) else when(time)[:10]
