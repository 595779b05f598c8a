"""Who are the new ones? Unknown encounters become proposed individuals with stable names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints
    from wildreid.gallery.journal import Change
    from wildreid.gallery.rule import Rule
    from wildreid.identification.hinges import Hinges
    from wildreid.identification.identify import Answer

    Cluster = Callable[..., NDArray[np.int64]]


@dataclass(frozen=True)
class Agreement:
    """How proposals agree with labels, over the encounters that have one.

    Attributes:
        encounters: how many were compared.
        ari: adjusted Rand index (Hubert and Arabie 1985); None where all are one animal, or each another.
        b_cubed_precision: B³ (Bagga and Baldwin 1998): the mean share of an encounter's cluster that is of
            its own individual.
        b_cubed_recall: the mean share of an encounter's individual that is in its cluster.
        b_cubed: their harmonic mean.
        ghosts: Σ over individuals of (clusters that hold it − 1): individuals that do not exist.
        false_merges: Σ over clusters of (individuals in it − 1).
        proposed: how many individuals were proposed.
        real: how many there are.
        count_error: proposed − real.
    """

    encounters: int
    ari: float | None
    b_cubed_precision: float
    b_cubed_recall: float
    b_cubed: float
    ghosts: int
    false_merges: int
    proposed: int
    real: int
    count_error: int


def discover(
    rows: pd.DataFrame,
    embeddings: Floats,
    cluster: Cluster,
    *,
    cut: float,
    different: Mapping[str, Sequence[Change]] = MappingProxyType({}),
    hinges: Hinges | None = None,
) -> pd.Series[str]:
    """Propose an individual for each row.

    Images of one burst are one animal; two annotations of one image are two. Encounters are compared by
    `encounter_similarity` and clustered by the option; a cluster that holds two that cannot be one animal is
    divided.

    Args:
        rows: ``key``, ``image``, ``timestamp`` and ``burst`` (see `wildreid.identification.identify.bursts`).
        embeddings: (rows, width) unit length.
        cluster: an option's ``cluster``.
        cut: the similarity at which two groups of encounters are as likely one animal as not; see `fit_cut`.
        different: what people said is two animals, as `State.different` has it.
        hinges: matches the rows' photos of those pairs of encounters that it hinges on; None: nothing is matched.

    Returns:
        (rows,) names such as ``new-1f3a9c``. A name is that of its earliest image, so that photos which are
        added later leave it as it is.
    """
    if not len(rows):
        return pd.Series([], index=rows.index, dtype="string")
    # the same order whatever the order of the rows, so that ties fall alike
    order = np.lexsort([rows["key"].to_numpy(str)])
    burst = pd.factorize(rows["burst"].to_numpy()[order])[0].astype(np.int64)
    similarity = encounter_similarity(embeddings[order], burst)
    similarity[apart(rows["image"].to_numpy()[order], burst)] = -np.inf
    similarity[_told_apart(rows["key"].to_numpy()[order], burst, different)] = -np.inf
    if hinges is not None:
        similarity = hinges.settled(similarity, embeddings[order], burst, order, cut=cut)
    labels = cluster(similarity=similarity.copy(), cut=cut)
    labels = separate(labels, similarity)
    ordered = rows.iloc[order]
    names = _names(ordered, labels[burst])
    return names.reindex(rows.index)


def encounter_similarity(embeddings: Floats, burst: Ints) -> Floats:
    """(encounters, encounters) similarity: the mean over the images of one of the best match in the other.

    Both directions are averaged. It is the score by which `identify` compares a burst with an individual, so
    the calibration holds for it.
    """
    order = np.argsort(burst, kind="stable")
    starts = np.searchsorted(burst[order], np.arange(burst.max() + 1))
    sizes = np.diff([*starts, len(burst)])
    sorted_embeddings = np.ascontiguousarray(embeddings[order])
    best = np.empty((len(embeddings), len(starts)), np.float32)
    for low in range(0, len(embeddings), 1024):
        scores = sorted_embeddings[low : low + 1024] @ sorted_embeddings.T
        best[low : low + 1024] = np.maximum.reduceat(scores, starts, axis=1)
    similarity = np.add.reduceat(best, starts, axis=0) / sizes[:, np.newaxis]
    return ((similarity + similarity.T) / 2).astype(np.float32)


def fit_cut(embeddings: Floats, burst: Ints, identities: NDArray[np.object_]) -> float | None:
    """The similarity at which a merge of two groups of encounters is as likely right as wrong.

    The encounters of known individuals are merged by average linkage up to the last pair. A merge is right
    where most of the pairs that it joins are of one individual. A logistic curve of that over the similarity
    of the merge is the calibrated probability; the answer is where it is one half.

    Args:
        embeddings: (rows, width) unit length.
        burst: (rows,) numbers 0, 1, 2 … of their encounters.
        identities: (rows,) who they show; one encounter shows one individual.

    Returns:
        the similarity; None where there are no right or no wrong merges to learn from.
    """
    if len(burst) == 0 or burst.max() < 2:
        return None
    who = pd.factorize(pd.Series(identities).groupby(burst).first())[0]
    return cut_of(encounter_similarity(embeddings, burst), who)


def cut_of(similarity: Floats, who: Ints) -> float | None:
    """The same, of (encounters, encounters) similarities, and the number of the individual that each shows."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform
    from sklearn.linear_model import LogisticRegression

    distance = 1 - np.minimum(similarity.astype(float), 1)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), method="average")
    held = [*np.eye(who.max() + 1, dtype=np.int64)[who]]  # of each cluster, how many encounters of each
    right = np.empty(len(tree), bool)
    for number, (left, other, _, _) in enumerate(tree):
        a, b = held[int(left)], held[int(other)]
        right[number] = 2 * (a @ b) >= a.sum() * b.sum()
        held.append(a + b)
    if right.all() or not right.any():
        return None
    similarity = 1 - tree[:, 2]
    fitted = LogisticRegression(C=1e6).fit(similarity[:, np.newaxis], right)
    slope, level = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return float(np.clip(-level / slope, -1, 1)) if slope > 0 else None


def apart(images: NDArray[np.object_], burst: Ints) -> tuple[Ints, Ints]:
    """Pairs of encounters that share a frame: two animals in one frame are not the same."""
    frames = pd.DataFrame({"image": images, "burst": burst}).drop_duplicates()
    pairs = frames.merge(frames, on="image")
    pairs = pairs[pairs["burst_x"] != pairs["burst_y"]]
    return pairs["burst_x"].to_numpy(np.int64), pairs["burst_y"].to_numpy(np.int64)


def _told_apart(
    keys: NDArray[np.object_], burst: Ints, different: Mapping[str, Sequence[Change]]
) -> tuple[Ints, Ints]:
    """Pairs of encounters that a person said are two animals, each in both directions."""
    at = dict(zip(keys, burst, strict=True))
    pairs = [
        (burst, at[other])
        for key, burst in at.items()
        for change in different.get(key, ())
        for other in change.what["others" if key in change.what["keys"] else "keys"]
        if other in at
    ]
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return np.concatenate([both[:, 0], both[:, 1]]), np.concatenate([both[:, 1], both[:, 0]])


def separate(labels: Ints, similarity: Floats) -> Ints:
    """Give each encounter without a cluster its own, and divide clusters that hold a forbidden pair.

    Within such a cluster, each encounter in turn joins the part that it is most like on average among those
    that hold nothing it must not be with, else it begins one.
    """
    out = np.full(len(labels), -1, np.int64)
    count = 0
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if label < 0:
            parts = [[member] for member in members]
        elif not np.isneginf(similarity[np.ix_(members, members)]).any():
            parts = [list(members)]
        else:
            parts = []
            for member in members:
                means = [float(np.mean(similarity[member, part])) for part in parts]
                at = int(np.argmax(means)) if means else 0
                if means and means[at] > -np.inf:
                    parts[at].append(member)
                else:
                    parts.append([member])
        for part in parts:
            out[part] = count
            count += 1
    return out


def agreement(proposed: pd.Series[str], labels: pd.Series[str], burst: pd.Series[int]) -> Agreement | None:
    """Compare proposals with labels, an encounter each; None where no row has a label."""
    from sklearn.metrics import adjusted_rand_score

    frame = pd.DataFrame({"cluster": proposed, "who": labels, "burst": burst}).dropna(subset=["who"])
    frame = frame.drop_duplicates("burst")
    if frame.empty:
        return None
    table = pd.crosstab(frame["cluster"], frame["who"]).to_numpy()
    total = table.sum()
    precision = float((table**2 / table.sum(axis=1, keepdims=True)).sum() / total)
    recall = float((table**2 / table.sum(axis=0, keepdims=True)).sum() / total)
    clusters, people = table.shape
    there = table > 0
    trivial = people in (1, total)
    return Agreement(
        encounters=int(total),
        ari=None if trivial else float(adjusted_rand_score(frame["who"], frame["cluster"])),
        b_cubed_precision=precision,
        b_cubed_recall=recall,
        b_cubed=2 * precision * recall / (precision + recall),
        ghosts=int((there.sum(axis=0) - 1).sum()),
        false_merges=int((there.sum(axis=1) - 1).sum()),
        proposed=clusters,
        real=people,
        count_error=clusters - people,
    )


def _names(rows: pd.DataFrame, labels: Ints) -> pd.Series[str]:
    """A name for each row: six letters of the hash of its cluster's earliest image, undated ones last."""
    first = rows.assign(label=labels).sort_values(["timestamp", "key"], na_position="last")
    keys = first.drop_duplicates("label").set_index("label")["key"]
    names: dict[int, str] = {}
    for length in range(6, 33):  # longer where two would have one name
        hashes = [hashlib.blake2b(key.encode(), digest_size=16).hexdigest()[:length] for key in keys]
        names = {int(label): f"new-{text}" for label, text in zip(keys.index, hashes, strict=True)}
        if len(set(hashes)) == len(hashes):
            break
    return pd.Series([names[int(label)] for label in labels], index=rows.index, dtype="string")


def is_new(answer: Answer, rule: Rule | None, cut: float) -> bool:
    """Whether an animal may be proposed as a new individual."""
    if rule is not None and rule.decision.tells:
        return answer.verdict == "new"
    return not answer.candidates or answer.candidates[0].score < cut
