"""The audit of a split, anyone's: what test shares with train that it should not."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wildreid.data.apart import lost, words_of
from wildreid.data.duplicates import near_duplicates
from wildreid.data.groups import same_day
from wildreid.data.sets import codes, join
from wildreid.data.table import PARTS, Table

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

Codes = NDArray[np.int64]

WORDS = {
    "encounter": "of the same encounter",
    "identity_and_day": "of the same individual and day",
    "sequence": "of the same sequence (burst)",
    "near_duplicate": "that nearly equals it",
    "group": "of the same group",
}


@dataclass(frozen=True)
class Part:
    """What is in one part: counts of images, individuals, encounters, undated images."""

    images: int
    individuals: int
    encounters: int
    undated: int


@dataclass(frozen=True)
class Crossing:
    """How many images of one part have something of another part beside them.

    Attributes:
        part: whose images are counted, such as test.
        other: where the same is looked for, such as train.
        images: how many images the part has.
        individuals: how many individuals both parts show.
        counts: by `WORDS`; a near duplicate is None where there are no hashes.
        leaks: whether that must not be. Parts that show no individual in common (disjoint sets) may share
            groups and sequences.
    """

    part: str
    other: str
    images: int
    individuals: int
    counts: dict[str, int | None]
    leaks: bool


@dataclass(frozen=True)
class Audit:
    """What `audit` found.

    Attributes:
        parts: by name.
        crossings: test against train, test against val, val against train.
        queries: test images that may be queries.
        beside: how many of them have another gallery image of test of their own encounter, which only
            masking keeps from being found.
        warnings: what else one should know, in words.
    """

    parts: dict[str, Part]
    crossings: tuple[Crossing, ...]
    queries: int
    beside: int
    warnings: tuple[str, ...]

    @property
    def leaks(self) -> bool:
        """Whether an image is in another part than one that shows the same scene."""
        return any(crossing.leaks for crossing in self.crossings)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for ``audit.json`` and ``--json``."""
        return {"format": 1, "leaks": self.leaks, "says": self.says(), **asdict(self)}

    def says(self) -> list[str]:
        """The verdict in sentences."""
        verdict = "The split leaks." if self.leaks else "No leak was found."
        return [verdict, *(sentence for crossing in self.crossings for sentence in _sentences(crossing))]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Tables for a terminal."""
        from rich.table import Table as Grid
        from rich.text import Text

        parts = Grid("part", title="what is in each part", title_justify="left", box=None, header_style="dim")
        for name in ("images", "individuals", "encounters", "undated"):
            parts.add_column(name, justify="right")
        for name, part in self.parts.items():
            parts.add_row(name, *(f"{number:,}" for number in asdict(part).values()))
        yield parts
        yield ""
        shared = Grid(
            "images with one in another part …", title="what parts share", title_justify="left", box=None
        )
        for crossing in self.crossings:
            shared.add_column(f"{crossing.part} in {crossing.other}", justify="right")
        for key, words in WORDS.items():
            cells = [_cell(crossing.counts[key], crossing.images) for crossing in self.crossings]
            shared.add_row(words, *cells)
        yield shared
        yield ""
        yield Text(
            f"{self.beside:,} of {self.queries:,} test queries have a gallery image of their own encounter; "
            "they are masked across encounters and counted in image-loo."
        )
        for warning in self.warnings:
            yield Text(f"! {warning}", style="yellow")
        style = "bold red" if self.leaks else "bold green"
        yield Text(self.says()[0], style=style)
        for sentence in self.says()[1:4]:
            yield Text(f"  {sentence}")


def audit(table: Table) -> Audit:
    """Count what the parts of a split share.

    Args:
        table: annotated by `wildreid.data.groups.annotate`, with a column ``part``; ``phash`` and
            ``content`` (see `wildreid.data.fingerprints`) are used where they are there.
    """
    rows = table.rows
    part = {name: (rows["part"] == name).to_numpy(bool, na_value=False) for name in PARTS}
    who = codes(rows["identity"])
    keys: dict[str, Codes | None] = {
        "encounter": codes(rows["encounter"]),
        "identity_and_day": same_day(rows),
        "sequence": codes(rows["sequence"]),
        "near_duplicate": _looks(table, who),
        "group": codes(rows["group"]),
    }
    crossings = tuple(
        _crossing(a, b, part, who, keys) for a, b in (("test", "train"), ("test", "val"), ("val", "train"))
    )
    role = rows["role"].fillna("both") if "role" in rows else np.full(len(rows), "both")
    query = part["test"] & np.isin(role, ("query", "both"))
    gallery = part["test"] & np.isin(role, ("gallery", "both"))
    encounter = codes(rows["encounter"])
    beside = np.bincount(encounter[gallery], minlength=encounter.max(initial=0) + 1)[encounter] - gallery > 0
    return Audit(
        parts={
            name: Part(
                int(here.sum()),
                len(np.unique(who[here & (who >= 0)])),
                len(np.unique(encounter[here])),
                int(rows["timestamp"].isna().to_numpy()[here].sum()),
            )
            for name, here in part.items()
        },
        crossings=crossings,
        queries=int(query.sum()),
        beside=int((query & beside).sum()),
        warnings=tuple(_warnings(table, part, who)),
    )


def _crossing(
    a: str, b: str, part: dict[str, NDArray[np.bool_]], who: Codes, keys: dict[str, Codes | None]
) -> Crossing:
    counts = {name: None if key is None else _shared(key, part[a], part[b]) for name, key in keys.items()}
    both = np.intersect1d(who[part[a] & (who >= 0)], who[part[b] & (who >= 0)])
    counted = counts if len(both) else {k: v for k, v in counts.items() if k not in ("group", "sequence")}
    return Crossing(
        a, b, int(part[a].sum()), len(both), counts, leaks=any(count for count in counted.values() if count)
    )


def _shared(key: Codes, here: NDArray[np.bool_], there: NDArray[np.bool_]) -> int:
    """How many rows here have a row there with the same key."""
    found = np.zeros(key.max(initial=-1) + 1, bool)
    found[key[there & (key >= 0)]] = True
    mine = key[here & (key >= 0)]
    return int(found[mine].sum())


def _looks(table: Table, who: Codes) -> Codes | None:
    """A number for each set of exact or near duplicates of one individual; None where there are no hashes."""
    rows = table.rows
    if "phash" not in rows or rows["phash"].isna().all():
        return None
    alike = join(len(rows), edges=[near_duplicates(who, rows["phash"], bits=4)])
    return np.where(who >= 0, alike, -1)


def _warnings(table: Table, part: dict[str, NDArray[np.bool_]], who: Codes) -> list[str]:
    rows = table.rows
    found = []
    empty = [name for name, here in part.items() if not here.any()]
    if empty:
        found.append(f"There is nothing in {' and '.join(empty)}; nothing may be chosen on test.")
    undated = int(rows["timestamp"].isna().sum())
    if undated == len(rows) and not table.told_apart:
        found.append("No image has a date: encounters cannot be told apart, every figure is optimistic.")
    elif undated and table.dated:
        found.append(
            f"{undated:,} of {len(rows):,} images have no date; each joins all images of its individual at "
            "its camera."
        )
    if words := words_of(rows):
        mated, gone = lost(table)
        found.append(
            f"Rows are kept apart by {words}: none is matched to one that is known to differ. {gone:,} of "
            f"{mated:,} test images with another encounter of their individual have none left."
        )
    known = rows[who >= 0]
    single = int((known.groupby("identity")["encounter"].nunique() == 1).sum())
    if single:
        found.append(
            f"{single:,} of {table.individuals:,} individuals have a single encounter: they can never be "
            "matched across encounters."
        )
    if "content" in rows:
        owners = known.dropna(subset=["content"]).groupby("content")["identity"].nunique()
        images = known.groupby("content")["image"].nunique().reindex(owners.index)
        twice = int(((owners > 1) & (images > 1)).sum())
        if twice:
            found.append(f"{twice:,} files lie under two names and two individuals: which is right?")
    return found


def _sentences(crossing: Crossing) -> list[str]:
    return [
        f"{count:,} of {crossing.images:,} {crossing.part} images ({count / crossing.images:.1%}) have a "
        f"{crossing.other} image {WORDS[key]}."
        for key, count in crossing.counts.items()
        if count and crossing.leaks
    ]


def _cell(count: int | None, images: int) -> str:
    if count is None:
        return "no hashes"
    return f"{count:,}  {count / images:.1%}" if images else "–"
