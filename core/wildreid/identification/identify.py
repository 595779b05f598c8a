"""Who is this? Ranked individuals for each image and each burst, and whether the animal is a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wildreid.artefacts import Verdict
from wildreid.gallery.rule import Rule
from wildreid.gallery.state import State
from wildreid.identification.bursts import TORN, disagreeing
from wildreid.identification.search import Search

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.identification.matched import Comparison


@dataclass(frozen=True)
class Candidate:
    """An individual that the animal may be.

    Attributes:
        individual: its name.
        probability: calibrated, that it is this one; None where the gallery has no calibration.
        score: cosine similarity, or where photos were matched the fused score: the best of the individual's images;
            of a burst, the mean over its images.
        images: how many the gallery has of it.
        encounters: on how many encounters they were taken.
        last_seen: date and time of the latest, ISO 8601 local time; None where none is dated.
    """

    individual: str
    probability: float | None
    score: float
    images: int
    encounters: int
    last_seen: str | None


@dataclass(frozen=True)
class Answer:
    """What is said of one image, or of one burst.

    Attributes:
        query: the image's id, or of a burst the id of its first image.
        images: the ids of all images that it is about.
        verdict: known, new, undecided, or unreadable.
        individual: the name, where it is known.
        new_probability: calibrated, that the animal is none of the gallery's.
        margin: by how much the first candidate's score exceeds the second's.
        candidates: best first.
        date: when the (first) image was taken, ISO 8601 local time.
        burst: number of the burst that the image belongs to; None for one that cannot be read.
        in_gallery: who the gallery says is on this very image, where it holds it.
        reason: why there is no answer, or none that is certain.
        rows: positions of its images in the rows that were asked about, the one that is most like the first
            candidate first; empty for one that cannot be read.
    """

    query: str
    images: tuple[str, ...]
    verdict: Verdict
    individual: str | None = None
    new_probability: float | None = None
    margin: float | None = None
    candidates: tuple[Candidate, ...] = ()
    date: str | None = None
    burst: int | None = None
    in_gallery: str | None = None
    reason: str = ""
    rows: tuple[int, ...] = field(default=(), repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain data: all but the positions, which mean nothing outside."""
        return {name: value for name, value in asdict(self).items() if name != "rows"}


def identify(
    search: Search,
    rows: pd.DataFrame,
    embeddings: Floats,
    *,
    top: int = 5,
    comparison: Comparison | None = None,
) -> tuple[list[Answer], list[Answer]]:
    """Answer each image, and each burst once: an individual's score is the mean over the burst's images.

    Args:
        search: a gallery.
        rows: ``id``, ``key``, ``timestamp`` and ``burst`` (see `bursts`) of the query images.
        embeddings: (rows, width) unit length.
        top: candidates to name.
        comparison: of the same images, point by point: its scores answer, by the rule for them.

    Returns:
        the answers to the images, in their order, and to the bursts, by the order of their first image.
    """
    state = search.state
    if not len(rows):
        return [], []
    similarity = search.similarity(embeddings, rows) if comparison is None else comparison.scores.copy()
    similarity[ruled_out(state, rows["key"].tolist(), rows["burst"].to_numpy())] = -np.inf
    rule = rule_of(state, comparison)
    ids = rows["id"].tolist()
    dates = [None if pd.isna(when) else when.isoformat() for when in rows["timestamp"]]
    known = [state.row_of.get(key) for key in rows["key"]]
    names = [None if row is None else state.individuals[state.codes[row]] for row in known]
    alone = _verdicts(state, rule, similarity, top)
    burst, torn = disagreeing(rows["burst"].to_numpy(), [one.get("individual") for one in alone])
    for n in np.flatnonzero(torn):
        alone[n]["reason"] = "; ".join(filter(None, [alone[n].get("reason", ""), TORN]))
    images = [
        Answer(
            ids[n], (ids[n],), date=dates[n], burst=int(burst[n]), in_gallery=names[n], rows=(n,), **verdict
        )
        for n, verdict in enumerate(alone)
    ]
    numbers, first, member = np.unique(burst, return_index=True, return_inverse=True)
    sizes = np.bincount(member, minlength=len(numbers))
    means = _means(similarity, member, sizes)
    verdicts = _verdicts(state, rule, means, top, bursts=sizes > 1)
    members = np.split(np.argsort(member, kind="stable"), np.cumsum(sizes)[:-1])
    encounters = [
        Answer(
            ids[first[n]],
            tuple(ids[at] for at in members[n]),
            date=min((date for at in members[n] if (date := dates[at])), default=None),
            burst=int(numbers[n]),
            in_gallery=names[first[n]],
            rows=_nearest_first(members[n], state, similarity, verdicts[n].get("candidates", ())),
            **(alone[first[n]] if torn[first[n]] else verdicts[n]),
        )
        for n in np.argsort(first)
    ]
    return images, encounters


def _means(similarity: Floats, member: Ints, sizes: Ints) -> Floats:
    """(bursts, individuals) mean similarity over a burst's images that may be matched to the individual."""
    sums = np.zeros((len(sizes), similarity.shape[1]), np.float32)
    finite = np.isfinite(similarity)
    if finite.all():
        np.add.at(sums, member, similarity)
        return sums / sizes.astype(np.float32)[:, np.newaxis]
    counts = np.zeros_like(sums)
    np.add.at(sums, member, np.where(finite, similarity, 0))
    np.add.at(counts, member, finite)
    return np.divide(sums, counts, out=np.full_like(sums, -np.inf), where=counts > 0)


def _nearest_first(
    rows: Ints, state: State, similarity: Floats, candidates: Sequence[Candidate]
) -> tuple[int, ...]:
    if candidates:
        code = state.code(candidates[0].individual)
        rows = rows[np.argsort(-similarity[rows, code], kind="stable")]
    return tuple(rows.tolist())


def unreadable(name: str, reason: str) -> Answer:
    """The answer for an image that could not be looked at."""
    return Answer(name, (name,), "unreadable", reason=reason)


def rule_of(state: State, comparison: Comparison | None) -> Rule | None:
    """By which rule scores are answered; None where none was fitted for them."""
    return state.rule if comparison is None else state.fused


def _verdicts(
    state: State, rule: Rule | None, similarity: Floats, top: int, bursts: NDArray[np.bool_] | None = None
) -> list[dict[str, Any]]:
    """The parts of an answer that follow from (queries, individuals) scores; which are of bursts of several."""
    people = similarity.shape[1]
    keep = min(max(top, 2), people)
    best = np.argpartition(-similarity, keep - 1, axis=1)[:, :keep] if keep < people else _all(similarity)
    scores = np.take_along_axis(similarity, best, axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")
    best, scores = np.take_along_axis(best, order, axis=1), np.take_along_axis(scores, order, axis=1)
    chances = rule.probabilities(scores[:, :top], bursts) if rule and people else None
    return [
        _verdict(state, rule, best[n, :top], scores[n], None if chances is None else chances[n])
        for n in range(len(similarity))
    ]


def ruled_out(state: State, keys: Sequence[str], burst: Ints) -> NDArray[np.bool_]:
    """(photos, individuals) whom a person said that a photo, and so its burst, does not show: no candidates."""
    found = np.zeros((len(keys), len(state.individuals)), bool)
    for row, key in enumerate(keys):
        for change in state.different.get(key, ()):
            other = "others" if key in change.what["keys"] else "keys"
            there = [state.row_of[one] for one in change.what[other] if one in state.row_of]
            found[np.ix_(burst == burst[row], np.unique(state.codes[there]))] = True
    return found


def _all(similarity: Floats) -> Ints:
    return np.tile(np.arange(similarity.shape[1]), (len(similarity), 1))


def _verdict(
    state: State, rule: Rule | None, best: Ints, scores: Floats, chances: NDArray[np.float64] | None
) -> dict[str, Any]:
    if not len(best):
        return {"verdict": "new", "new_probability": 1.0, "reason": "the gallery is empty"}
    candidates = tuple(
        Candidate(
            individual=state.individuals[code],
            probability=None if chances is None else float(chances[place]),
            score=float(scores[place]),
            images=int(state.sizes[code]),
            encounters=int(state.encounters[code]),
            last_seen=_text(state.last_seen[code]),
        )
        for place, code in enumerate(best)
        if np.isfinite(scores[place])
    )
    if not candidates:
        apart = "no image of the gallery may be matched to it: another side or species, or a person said so"
        return {"verdict": "new", "new_probability": 1.0, "reason": apart}
    said: dict[str, Any] = {
        "candidates": candidates,
        "margin": float(scores[0] - scores[1]) if len(scores) > 1 and np.isfinite(scores[1]) else None,
    }
    if rule is None:
        return {**said, "verdict": "undecided", "reason": "the gallery is not calibrated"}
    verdict, reason = rule.verdict(float(scores[0]), chances)
    said |= {"verdict": verdict, "reason": reason}
    if chances is not None:
        said["new_probability"] = float(chances[-1])
    if verdict == "known":
        said["individual"] = candidates[0].individual
    return said


def _text(when: np.datetime64) -> str | None:
    return None if np.isnat(when) else str(when.astype("datetime64[s]"))


def counts(answers: Sequence[Answer]) -> dict[Verdict, int]:
    """How many answers there are of each verdict."""
    verdicts: tuple[Verdict, ...] = ("known", "new", "undecided", "unreadable")
    return {verdict: sum(answer.verdict == verdict for answer in answers) for verdict in verdicts}
