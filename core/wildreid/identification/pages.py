"""The pages of a gallery: photos beside those they may show, and who was seen when."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.gallery import thumbnails
from wildreid.gallery.history import by_station, encounters, individuals, together
from wildreid.gallery.state import State
from wildreid.identification.identify import Answer, Candidate, counts
from wildreid.identification.lined import LINED, exemplars, pair
from wildreid.identification.outputs import Discovered, Identified
from wildreid.page import Larger, render, thumbnail, timeline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Read = Callable[[str], NDArray[np.uint8] | None]

TEMPLATES = Path(__file__).with_name("templates")
STRIPS = 150
"""Encounters shown with pictures, so that the page stays under 8 MB; the table has them all."""
CANDIDATES, EXEMPLARS = 3, 2
SHOWN = 12
"""Photos of one burst or proposed individual that are shown."""


def identified_page(found: Identified, read: Read, *, larger: Larger | None = None) -> str:
    """One HTML page: each encounter beside its candidates, with exemplars from different encounters.

    Args:
        found: the answers.
        read: gives the pixels (h, w, 3) of a query image by its id; None where it cannot be read.
        larger: keeps the size that a photo opens in; None: photos do not open. `read` gives that size then.
    """
    state = found.search.state
    shown = found.encounters[:STRIPS]
    return render(
        TEMPLATES / "identify.html",
        beside=larger is not None and larger.beside,
        styles=[TEMPLATES / "gallery.css"],
        title=f"Who is this? {state.folder.absolute().name}",
        gallery=state.folder.absolute().name,
        stamp=state.manifest.provenance.get("stamp", ""),
        sections=[("answer", "Answer"), ("strips", "Photos"), ("all", "All")],
        made=_made(),
        state=state,
        rule=found.rule,
        notes=found.notes,
        total=counts(found.encounters),
        photos=len(found.images),
        encounters=len(found.encounters),
        unreadable=[answer for answer in found.images if answer.verdict == "unreadable"],
        strips=[
            {"answer": answer, "words": said(answer), **_strip(found, answer, read, larger, n < LINED)}
            for n, answer in enumerate(shown)
        ],
        matched="" if found.comparison is None else found.comparison.words,
        lined=LINED,
        rows=[_line(answer) for answer in found.images],
    )


def discovered_page(found: Discovered, read: Read, *, larger: Larger | None = None) -> str:
    """One HTML page: the photos of each proposed individual, and the undecided beside their candidates.

    Args:
        found: the proposals.
        read: gives the pixels (h, w, 3) of a photo by its id; None where it cannot be read.
        larger: as for `identified_page`.
    """
    identified, rows = found.identified, found.rows
    state = identified.search.state
    ids = dict(zip(identified.rows["image"], identified.rows["id"], strict=True))
    new = rows[rows["proposed"]]
    groups = [
        {
            "name": name,
            "photos": len(own),
            "bursts": own["burst"].nunique(),
            "first": _day(own["timestamp"].min()),
            "last": _day(own["timestamp"].max()),
            "pictures": [
                _photo(str(ids[image]), when, read, larger)
                for image, when in zip(own["image"][:SHOWN], own["timestamp"], strict=False)
            ],
        }
        for name, own in new.groupby("identity", sort=True)
    ]
    proposed = set(new["burst"].dropna())
    undecided = [
        answer
        for answer in identified.encounters
        if answer.individual is None and answer.burst not in proposed
    ]
    return render(
        TEMPLATES / "discover.html",
        beside=larger is not None and larger.beside,
        styles=[TEMPLATES / "gallery.css"],
        title=f"Who is new? {state.folder.absolute().name}",
        gallery=state.folder.absolute().name,
        stamp=state.manifest.provenance.get("stamp", ""),
        sections=[("answer", "Answer"), ("groups", "Proposed"), ("undecided", "Undecided")],
        made=_made(),
        notes=identified.notes,
        total=len(rows),
        new=len(new),
        known=int((~rows["proposed"] & rows["identity"].notna()).sum()),
        unreadable=[answer for answer in identified.images if answer.verdict == "unreadable"],
        groups=groups[:STRIPS],
        more=max(0, len(groups) - STRIPS),
        undecided=len(undecided),
        strips=[
            {"answer": answer, "words": said(answer), **_strip(identified, answer, read, larger)}
            for answer in undecided[:STRIPS]
        ],
    )


def _photo(name: str, when: Any, read: Read, larger: Larger | None) -> dict[str, Any]:
    image = read(name)
    return {
        "uri": None if image is None else thumbnail(image),
        "large": larger(image) if larger else None,
        "alt": f"the photo {name}, {_day(when) or 'no date'}",
        "words": [name, _day(when) or "no date"],
    }


def said(answer: Answer) -> str:
    """An answer in a few words."""
    first = answer.candidates[0] if answer.candidates else None
    if answer.verdict == "unreadable":
        return f"not read: {answer.reason}"
    if answer.verdict == "known" and first:
        return f"{first.individual}{_chance(first.probability)}"
    if answer.verdict == "new":
        return f"a new individual{_chance(answer.new_probability)}"
    nearest = f"; nearest is {first.individual}{_chance(first.probability)}" if first else ""
    return f"undecided{nearest}"


def history_page(state: State, *, coordinates: bool = False) -> str:
    """One HTML page: a timeline for each individual, and the table of encounters."""
    table, people = encounters(state, coordinates=coordinates), individuals(state)
    dated = table.dropna(subset=["first"])
    low, high = (dated["first"].min(), dated["last"].max()) if len(dated) else (None, None)
    by_individual = dict(list(dated.groupby("individual")))
    undated = table[table["first"].isna()].groupby("individual").size()
    return render(
        TEMPLATES / "history.html",
        styles=[TEMPLATES / "gallery.css"],
        title=f"Who was seen when? {state.folder.absolute().name}",
        stamp=state.manifest.provenance.get("stamp", ""),
        sections=[
            ("timelines", "Timelines"),
            ("stations", "Stations"),
            ("together", "Together"),
            ("encounters", "Encounters"),
        ],
        made=_made(),
        state=state,
        low=low,
        high=high,
        width=timeline.WIDTH,
        ticks=timeline.ticks(low, high),
        people=[
            {
                "name": row.individual,
                "images": row.images,
                "encounters": row.encounters,
                "first": _day(row.first_seen),
                "last": _day(row.last_seen),
                "undated": int(undated.get(row.individual, 0)),
                "dots": _dots(by_individual.get(row.individual), low, high),
            }
            for row in _each(people)
        ],
        table=[
            [
                row.individual,
                row.encounter,
                _day(row.first),
                _day(row.last),
                row.images,
                *((_degrees(row.latitude), _degrees(row.longitude)) if coordinates else ()),
            ]
            for row in _each(table)
        ],
        coordinates=coordinates,
        stations=[
            [row.individual, row.station, row.encounters, row.images, _day(row.first_seen), _day(row.last_seen)]
            for row in _each(by_station(state))
        ],
        pairs=[
            [
                row.individual, row.other, row.together, row.on_one_photo, _day(row.first), _day(row.last),
                f"{row.ratio:.2f}",
            ]
            for row in _each(together(state))
        ],
    )  # fmt: skip


def _strip(
    found: Identified, answer: Answer, read: Read, larger: Larger | None, lines: bool = False
) -> dict[str, Any]:
    """The photo nearest to its first candidate, the candidates' exemplars, and with `lines` what matches."""
    search = found.search
    shown = answer.rows[0]
    name = str(found.rows["id"].iloc[shown])
    image = read(name)
    query = {
        "uri": None if image is None else thumbnail(image),
        "large": larger(image) if larger else None,
        "alt": f"the photo {name}",
        "who": f"burst of {len(answer.rows)}" if len(answer.rows) > 1 else "photo",
        "words": [name, (answer.date or "no date").replace("T", " ")],
        "mark": "query",
    }
    nearest, lined = [], []
    for candidate in answer.candidates[:CANDIDATES]:
        pictures = exemplars(found, shown, candidate.individual, EXEMPLARS)
        for number, (row, score) in enumerate(pictures):
            nearest.append(_exemplar(search.state, candidate, row, score, first=number == 0))
        if pictures and image is not None and lines:
            lined += pair(found, shown, pictures[0][0], candidate.individual, image)
    others = [str(found.rows["id"].iloc[row]) for row in answer.rows[1:]]
    burst = [_photo(other, found.rows["timestamp"].iloc[row], read, larger)
             for other, row in zip(others[:SHOWN], answer.rows[1:], strict=False)]  # fmt: skip
    return {"query": query, "nearest": nearest, "own": None, "burst": burst, "more": len(others) - len(burst),
            "lines": lined}  # fmt: skip


def _exemplar(state: State, candidate: Candidate, row: int, score: float, *, first: bool) -> dict[str, Any]:
    pixels = thumbnails.load(state.folder, str(state.rows["key"].iloc[row]))
    when = state.rows["timestamp"].iloc[row]
    words = [f"score {score:.2f}, {_day(when) or 'no date'}"]
    if first:
        seen = f", last {candidate.last_seen[:10]}" if candidate.last_seen else ""
        encounters = f"{candidate.encounters} encounter{'s' if candidate.encounters != 1 else ''}"
        words.append(f"{candidate.images} images, {encounters}{seen}")
    return {
        "uri": None if pixels is None else thumbnail(pixels),
        "alt": f"{candidate.individual} in the gallery",
        "who": candidate.individual + (_chance(candidate.probability) if first else ""),
        "words": words,
        "mark": "",
    }


def _line(answer: Answer) -> list[Any]:
    """One row of the table of all photos."""
    first = answer.candidates[0] if answer.candidates else None
    chance = first.probability if first else None
    return [
        answer.query,
        answer.verdict,
        answer.individual or (first.individual if first else ""),
        {"words": "" if chance is None else f"{chance:.2f}", "sort": -1 if chance is None else chance},
        {"words": f"{first.score:.3f}" if first else "", "sort": first.score if first else -2},
        (answer.date or "").replace("T", " "),
        answer.reason,
    ]


def _dots(table: pd.DataFrame | None, low: Any, high: Any) -> list[dict[str, Any]]:
    """Where an individual's encounters lie on its timeline."""
    return (
        [] if table is None else timeline.dots(zip(table["first"], table["images"], strict=True), low, high)
    )


def _each(table: pd.DataFrame) -> Iterable[Any]:
    return table.itertuples()


def _chance(probability: float | None) -> str:
    return "" if probability is None else f" ({100 * probability:.0f} %)"


def _day(when: Any) -> str:
    return "" if pd.isna(when) else f"{when:%Y-%m-%d}"


def _degrees(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.5f}"


def _made() -> str:
    return f"wildreid {version('wildreid')}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
