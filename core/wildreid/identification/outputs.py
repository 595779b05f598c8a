"""What was found out about some photos, as typed results, plain data, JSON and CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.data.table import BOX, OF_PHOTO, Failure, Table
from wildreid.files import cell, cells
from wildreid.identification.discover import Agreement
from wildreid.identification.identify import Answer, counts, rule_of, unreadable
from wildreid.identification.search import Search

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.data.held import HeldPhotos
    from wildreid.data.store import ImageStore
    from wildreid.gallery.rule import Rule
    from wildreid.identification.matched import Comparison

FORMAT = 1
CSV = (
    "image", "verdict", "individual", "probability", "score", "margin", "new_probability", "second",
    "second_probability", "date", "burst", "burst_verdict", "burst_individual", "burst_probability",
    "in_gallery", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Identified:
    """Answers to a set of photos; every photo that came in has one.

    Attributes:
        images: one answer a photo (an annotation, where the photo has boxes), in the order they came; a photo
            that came twice has two.
        encounters: one answer a burst; photos that could not be read are in none.
        notes: what one should know before trusting it.
        search: the state of the gallery that answered.
        rows: (queries,) the annotations that could be read: ``id``, ``key``, ``image``, ``timestamp``,
            ``burst`` and what else came along.
        embeddings: (queries, width) theirs.
        table: all photos, each once, for looking at them again.
        photos: their pixels, by row of `table`; None: they are not there.
        comparison: of the queries and the gallery, point by point; None: the embedding alone ranked.
    """

    images: tuple[Answer, ...]
    encounters: tuple[Answer, ...]
    notes: tuple[str, ...]
    search: Search = field(repr=False)
    rows: pd.DataFrame = field(repr=False)
    embeddings: Floats = field(repr=False)
    table: Table = field(repr=False)
    photos: ImageStore | HeldPhotos | None = field(repr=False, default=None)
    comparison: Comparison | None = field(repr=False, default=None)

    @property
    def rule(self) -> Rule | None:
        """By which the scores were answered."""
        return rule_of(self.search.state, self.comparison)

    def where(self, at: Sequence[int] | Ints) -> Ints:
        """The rows in `table` of the queries at these positions of `rows`."""
        found: Ints = pd.Index(self.table["id"]).get_indexer(pd.Index(self.rows["id"].iloc[np.asarray(at)]))
        return found

    def places(self, keys: Iterable[str]) -> Ints:
        """The rows of `table` that have these keys; of two alike the first."""
        keys = list(keys)
        there = np.flatnonzero(self.table["key"].isin(keys))[::-1]
        row = dict(zip(self.table["key"].iloc[there], there.tolist(), strict=True))
        return np.array([row[key] for key in keys], np.int64)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as the documentation of the JSON output describes it."""
        state, rule = self.search.state, self.rule
        return {
            "format": FORMAT,
            "gallery": {
                "name": state.folder.absolute().name,
                "model": state.manifest.model.name,
                "stamp": state.manifest.provenance.get("stamp", ""),
                "individuals": len(state.individuals),
                "images": state.images,
                "changes": len(state.changes),
            },
            "rule": None
            if rule is None
            else {
                "known_from": rule.decision.threshold,
                "new_below": rule.new_below,
                "new_called_known": rule.decision.target,
                "known_called_new": rule.known_called_new,
                "prior": rule.decision.prior,
                "source": rule.source,
            },
            "matching": None if self.comparison is None else self.comparison.as_dict(),
            "notes": list(self.notes),
            "counts": {"images": counts(self.images), "encounters": counts(self.encounters)},
            "images": [answer.as_dict() for answer in self.images],
            "encounters": [answer.as_dict() for answer in self.encounters],
        }

    def save_json(self, path: Path) -> None:
        """Write all of it."""
        text = json.dumps(self.as_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")

    def save_csv(self, path: Path) -> None:
        """Write one row for each photo: its own answer, and its burst's beside it."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, CSV)
            writer.writeheader()
            writer.writerows({name: cell(value) for name, value in row.items()} for row in self._csv())

    def _csv(self) -> Iterator[dict[str, Any]]:
        bursts = {answer.burst: answer for answer in self.encounters}
        for answer in self.images:
            first, second = (*answer.candidates[:2], None, None)[:2]
            burst = bursts.get(answer.burst)
            yield {
                "image": answer.query,
                "verdict": answer.verdict,
                "individual": answer.individual,
                "probability": first and first.probability,
                "score": first and first.score,
                "margin": answer.margin,
                "new_probability": answer.new_probability,
                "second": second and second.individual,
                "second_probability": second and second.probability,
                "date": answer.date,
                "burst": answer.burst,
                "burst_verdict": burst and burst.verdict,
                "burst_individual": burst and burst.individual,
                "burst_probability": burst.candidates[0].probability if burst and burst.candidates else None,
                "in_gallery": answer.in_gallery,
                "reason": answer.reason,
            }


@dataclass(frozen=True)
class Discovered:
    """Individuals proposed for photos of animals that the gallery does not know.

    Attributes:
        rows: one row for each photo: ``image``, ``identity`` (the known individual's name, or a proposed one such
            as ``new-1f3a9c``, missing where the photo is undecided or could not be read), ``proposed`` (whether
            it is that), ``burst``, ``timestamp``, ``box_…``, what else is known of the photo, and ``reason``.
            `reid gallery add` reads it as it is, once somebody has looked at it.
        agreement: with the labels that came with the photos; None where there were none.
        identified: the answers that came before: photos of known animals are not clustered.
    """

    rows: pd.DataFrame
    agreement: Agreement | None
    identified: Identified

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        rows = self.rows.assign(timestamp=self.rows["timestamp"].astype("string"))
        return {
            "format": FORMAT,
            "agreement": asdict(self.agreement) if self.agreement else None,
            "notes": list(self.identified.notes),
            "images": json.loads(rows.to_json(orient="records")),
        }

    def save_json(self, path: Path) -> None:
        """Write all of it."""
        path.write_text(json.dumps(self.as_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def save_csv(self, path: Path) -> None:
        """Write one row for each photo."""
        cells(self.rows).to_csv(path, index=False)


def _why_nobody(answer: Answer, burst: Answer | None) -> str:
    """Why a photo has neither a known nor a proposed individual."""
    if answer.verdict == "unreadable" or burst is None:
        return answer.reason
    nearest = f", nearest is {burst.candidates[0].individual}" if burst.candidates else ""
    return f"undecided{nearest}: {burst.reason}"


def proposals(found: Identified, who: pd.Series[str], unknown: NDArray[np.int64]) -> pd.DataFrame:
    """One row for each photo, readable or not, in a form that `reid gallery add` reads."""
    proposed = np.zeros(len(who), bool)
    proposed[unknown] = True
    said = found.rows[["id", "burst"]].assign(identity=who.to_numpy(), proposed=proposed).set_index("id")
    known = [
        "timestamp",
        "camera",
        *BOX,
        *(name for name in ("day_only", *OF_PHOTO) if name in found.table.rows),
    ]
    rows = found.table.rows.set_index("id")[["image", *known]].join(said)
    answers = {answer.query: answer for answer in found.images}  # a photo that came twice is one row
    out = rows.reindex(list(answers))
    out["image"] = out["image"].fillna(pd.Series({name: name for name in answers}))
    bursts = {answer.burst: answer for answer in found.encounters}
    out["reason"] = [_why_nobody(answer, bursts.get(answer.burst)) for answer in answers.values()]
    out.loc[out["identity"].notna(), "reason"] = ""
    out["burst"] = out["burst"].astype("Int64")
    out["proposed"] = out["proposed"].astype("boolean").fillna(False)
    return out[["image", "identity", "proposed", "burst", *known, "reason"]].reset_index(drop=True)


def in_order(images: list[Answer], table: Table) -> list[Answer]:
    """Answers and what could not be used: rows of a table in the order of its file, else at the end."""
    answers = [(failure, unreadable(_name(failure), failure.reason)) for failure in table.failures]
    rows = table.rows.get("table_row")
    if rows is None:  # files of a folder that are no photos of ours, records of somebody's file
        return [*images, *(answer for _, answer in answers)]
    told = list(zip(rows.tolist(), images, strict=True))
    told += [(failure.row or 0, answer) for failure, answer in answers]
    return [answer for _, answer in sorted(told, key=lambda one: one[0])]


def _name(failure: Failure) -> str:
    return failure.image or (f"row {failure.row}" if failure.key is None else failure.key)
