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
from wildreid.identification.search import Search

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints


@dataclass(frozen=True)
class Candidate:
    """An individual that the animal may be.

    Attributes:
        individual: its name.
        probability: calibrated, that it is this one; None where the gallery has no calibration.
        score: cosine similarity: the best of the individual's images; of a burst, the mean over its images.
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
    search: Search, rows: pd.DataFrame, embeddings: Floats, *, top: int = 5
) -> tuple[list[Answer], list[Answer]]:
    """Answer each image, and each burst once: an individual's score is the mean over the burst's images.

    Args:
        search: a gallery.
        rows: ``id``, ``key``, ``timestamp`` and ``burst`` (see `bursts`) of the query images.
        embeddings: (rows, width) unit length.
        top: candidates to name.

    Returns:
        the answers to the images, in their order, and to the bursts, by the order of their first image.
    """
    state = search.state
    if not len(rows):
        return [], []
    similarity = search.similarity(embeddings, rows)
    _rule_out(state, rows["key"].tolist(), rows["burst"].to_numpy(), similarity)
    ids = rows["id"].tolist()
    dates = [None if pd.isna(when) else when.isoformat() for when in rows["timestamp"]]
    known = [state.row_of.get(key) for key in rows["key"]]
    names = [None if row is None else state.individuals[state.codes[row]] for row in known]
    alone = _verdicts(state, similarity, top)
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
    verdicts = _verdicts(state, means, top, bursts=sizes > 1)
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


TORN = "answered apart: the photos of its burst look like different animals"


def disagreeing(burst: Ints, known: Sequence[str | None]) -> tuple[Ints, NDArray[np.bool_]]:
    """Divide each burst whose photos, each by itself, are known as different individuals.

    Args:
        burst: (rows,) as `bursts` gave them.
        known: (rows,) the individual that each photo by itself is known as.

    Returns:
        (rows,) the numbers of bursts, each photo of such a burst on its own, and which photos these are.
    """
    names = pd.Series(list(known), dtype="object").groupby(burst).transform("nunique")
    torn = (names > 1).to_numpy()
    divided = burst.copy()
    divided[torn] = burst.max(initial=-1) + 1 + np.arange(np.count_nonzero(torn))
    return divided, torn


def _nearest_first(
    rows: Ints, state: State, similarity: Floats, candidates: Sequence[Candidate]
) -> tuple[int, ...]:
    if candidates:
        code = state.code(candidates[0].individual)
        rows = rows[np.argsort(-similarity[rows, code], kind="stable")]
    return tuple(rows.tolist())


def bursts(rows: pd.DataFrame, *, joined: bool = True) -> Ints:
    """(rows,) numbers of bursts: what is answered once, since it shows one animal.

    Images of one ``sequence`` are one burst, unless any of its images shows several animals: then it cannot
    be told which is which, and each annotation is on its own. So is an undated image, and every image where
    bursts are not to be `joined`.
    """
    if not joined:
        return np.arange(len(rows))
    several = rows["image"].duplicated(keep=False)
    crowded = several.groupby(rows["sequence"]).transform("any")
    alone = crowded | rows["timestamp"].isna()
    label = rows["sequence"].astype("object").where(~alone, rows["id"])
    return pd.factorize(label)[0].astype(np.int64)


def unreadable(name: str, reason: str) -> Answer:
    """The answer for an image that could not be looked at."""
    return Answer(name, (name,), "unreadable", reason=reason)


def _verdicts(
    state: State, similarity: Floats, top: int, bursts: NDArray[np.bool_] | None = None
) -> list[dict[str, Any]]:
    """The parts of an answer that follow from (queries, individuals) scores; which are of bursts of several."""
    people = similarity.shape[1]
    keep = min(max(top, 2), people)
    best = np.argpartition(-similarity, keep - 1, axis=1)[:, :keep] if keep < people else _all(similarity)
    scores = np.take_along_axis(similarity, best, axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")
    best, scores = np.take_along_axis(best, order, axis=1), np.take_along_axis(scores, order, axis=1)
    rule = state.rule
    chances = rule.probabilities(scores[:, :top], bursts) if rule and people else None
    return [
        _verdict(state, rule, best[n, :top], scores[n], None if chances is None else chances[n])
        for n in range(len(similarity))
    ]


def _rule_out(state: State, keys: Sequence[str], burst: Ints, similarity: Floats) -> None:
    """An individual that a person said a photo does not show is no candidate for its burst."""
    for row, key in enumerate(keys):
        for change in state.different.get(key, ()):
            other = "others" if key in change.what["keys"] else "keys"
            there = [state.row_of[one] for one in change.what[other] if one in state.row_of]
            similarity[np.ix_(burst == burst[row], np.unique(state.codes[there]))] = -np.inf


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


def cautions(state: State, answers: Sequence[Answer] = ()) -> tuple[str, ...]:
    """What one should know before trusting the answers to some images."""
    rule = state.rule
    notes = []
    if rule is None:
        notes.append(
            "the gallery is not calibrated: scores, but no probabilities; see reid gallery calibrate"
        )
    elif wrong := _misfit(rule, len(state.individuals), state.images):
        notes.append(wrong)
    if rule is not None and "optimistic" in rule.source:
        notes.append(f"the thresholds come from {rule.source}")
    if torn := sum(TORN in answer.reason for answer in answers):
        notes.append(f"{torn} photos are {TORN}")
    if rule is not None and not rule.decision.tells:
        notes.append(
            f"{rule.decision.in_words}: nobody is called known or new; candidates are ranked all the same"
        )
    if held := sum(answer.in_gallery is not None for answer in answers):
        notes.append(f"{held} of the photos are in the gallery: they find themselves, which proves nothing")
    return tuple(notes)


def _misfit(rule: Rule, individuals: int, images: int) -> str | None:
    """How a gallery of this size fares with a rule that was fitted on another."""
    if rule.outgrown(individuals, images):
        fares = "takes unknown animals for known ones"
    elif rule.thinned(individuals, images):
        fares = "calls known animals new"
    else:
        return None
    known_individuals, known_images = rule.decision.gallery
    return (
        f"the rule was fitted on a gallery of {known_individuals} individuals and {known_images} images; this one "
        f"has {individuals} and {images}, and so {fares} more often than asked; calibrate it again with "
        "reid gallery calibrate"
    )
