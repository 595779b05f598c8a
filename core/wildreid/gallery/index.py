"""An inverted-file index for galleries too large to compare with whole: derived, checked, rebuildable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from wildreid.files import written
from wildreid.gallery.fold import GONE
from wildreid.gallery.manifest import Segment
from wildreid.gallery.segments import lasting
from wildreid.gallery.state import State

if TYPE_CHECKING:
    from wildreid.artefacts import Floats, Ints

FOLDER = "index"
RECALL = 0.99
"""The share of sampled images whose nearest other image the index must find; else it looks at more lists."""
SAMPLE = 256
NEAREST = 256
"""Images that the index gives for each query."""


@dataclass(frozen=True)
class Facts:
    """What stands beside an index file.

    Attributes:
        segments: hash of the segments that it covers.
        rows: how many rows that is; later ones are compared exactly.
        lists: how many lists the embeddings are divided into.
        probe: how many of them are looked at for a query.
        recall: the share of `sample` images whose nearest other image was found so.
        sample: how many were tried.
    """

    segments: str
    rows: int
    lists: int
    probe: int
    recall: float
    sample: int


@dataclass(frozen=True, eq=False)
class Inverted:
    """An opened index, its lists mapped into memory."""

    lists: Any
    facts: Facts

    @property
    def rows(self) -> int:
        """The first so many rows of the gallery are in it."""
        return self.facts.rows

    def raise_to(self, best: Floats, queries: Floats, codes: NDArray[np.int32]) -> None:
        """Raise `best` (Q, individuals) to what the index finds; the others to the least that it found."""
        count = min(NEAREST, self.rows)
        found_scores, found = self.lists.search(queries, count, params=_looking_at(self.facts.probe))
        for query, (scores, rows) in enumerate(zip(found_scores, found, strict=True)):
            rows, scores = rows[rows >= 0], scores[rows >= 0]
            there = codes[rows] != GONE
            if len(scores):
                best[query] = np.maximum(best[query], scores.min())
            np.maximum.at(best[query], codes[rows[there]], scores[there])


def open_index(state: State) -> Inverted | None:
    """The index of this gallery; None where there is none, or it is of other segments."""
    folder = state.folder / FOLDER
    try:
        facts = Facts(**json.loads((folder / "index.json").read_text(encoding="utf-8")))
        covered = lasting(state.manifest.segments)
        # where segments were added since, the index still holds for those that it was made of
        if facts.segments not in [_hash(covered[:n]) for n in range(len(covered) + 1)]:
            return None
        flags = faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY
        return Inverted(faiss.read_index(str(folder / f"{facts.segments}.faiss"), flags), facts)
    except (OSError, ValueError, TypeError, RuntimeError):
        return None


def build_index(state: State) -> Facts | None:
    """Make the index again, with as many probes as the recall needs.

    None where there are too few rows for one. The last segment is left out while it may still grow; its
    rows are compared exactly.
    """
    covered = lasting(state.manifest.segments)
    rows = sum(segment.rows for segment in covered)
    lists = int(4 * np.sqrt(rows))
    if rows < 39 * lists:  # faiss's own least number of points for a list
        lists = rows // 39
    if lists < 2:
        return None
    matrices = state.matrices[: len(covered)]
    generator = np.random.default_rng(0)
    some = np.sort(generator.choice(rows, min(rows, 64 * lists), replace=False))
    width = state.manifest.model.width
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed = 0
    index.train(state.embeddings(some))
    for matrix in matrices:
        for start in range(0, len(matrix), 65_536):
            index.add(np.ascontiguousarray(matrix[start : start + 65_536]))
    sample = np.sort(generator.choice(rows, min(rows, SAMPLE), replace=False))
    probe, recall = _probe(index, state.embeddings(sample), sample, matrices)
    facts = Facts(_hash(covered), rows, lists, probe, recall, len(sample))
    _keep(state.folder / FOLDER, index, facts)
    return facts


def _keep(folder: Path, index: Any, facts: Facts) -> None:
    """Write the index, then the facts that name it, then delete older ones; one process at a time."""
    folder.mkdir(exist_ok=True)
    with FileLock(folder / ".lock"):
        with written(folder / f"{facts.segments}.faiss") as file:
            faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))  # type: ignore[attr-defined]
        with written(folder / "index.json") as file:
            file.write(json.dumps(asdict(facts), indent=1).encode())
        for old in folder.glob("*.faiss*"):
            if old.name != f"{facts.segments}.faiss":
                old.unlink()


def stale(state: State) -> bool:
    """Whether a gallery that is large enough for an index has none, or one of less than nine tenths of it."""
    if state.manifest.rows <= state.manifest.exact_up_to:
        return False
    index = open_index(state)
    return index is None or index.rows < 0.9 * sum(
        segment.rows for segment in lasting(state.manifest.segments)
    )


def _probe(index: Any, queries: Floats, own: Ints, matrices: tuple[Floats, ...]) -> tuple[int, float]:
    """The fewest lists, by doubling, that find the nearest other image often enough."""
    best = np.full(len(queries), -np.inf, np.float32)
    start = 0
    for matrix in matrices:
        for low in range(0, len(matrix), 65_536):
            scores = queries @ matrix[low : low + 65_536].T
            mine = np.flatnonzero((own >= start + low) & (own < start + low + scores.shape[1]))
            scores[mine, own[mine] - start - low] = -np.inf
            best = np.maximum(best, scores.max(axis=1))
        start += len(matrix)
    probe, recall = 1, 0.0
    while recall < RECALL:
        scores, rows = index.search(queries, 2, params=_looking_at(probe))
        scores[rows == own[:, None]] = -np.inf
        recall = float(np.mean(scores.max(axis=1) >= best - 1e-6))
        if recall >= RECALL or probe >= index.nlist:
            break
        probe = min(2 * probe, index.nlist)
    return probe, recall


def _looking_at(probe: int) -> Any:
    return faiss.SearchParametersIVF(nprobe=probe)  # type: ignore[call-arg]


def _hash(covered: Sequence[Segment]) -> str:
    names = "".join(segment.embeddings for segment in covered)
    return hashlib.blake2b(names.encode(), digest_size=8).hexdigest()
