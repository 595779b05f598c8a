"""A gallery's matchers, built once, and the local features of its rows and of photos that are asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from pydantic import ValidationError

from wildreid.errors import UserError, bare
from wildreid.gallery.features import CURE, HEAD, Points
from wildreid.gallery.fold import GONE
from wildreid.kinds import Fusion, LocalMatcher, Matcher, Reranker
from wildreid.matching.curve import PairCurve
from wildreid.matching.local import Enlargeable, Local, open_local, record_size, unpacked
from wildreid.places import cache_folder
from wildreid.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats, Ints, LocalFeatures
    from wildreid.gallery.manifest import Matching
    from wildreid.gallery.state import State

FEW = 32
"""Photos up to which looking at them is quicker than asking a cache; they are held in memory."""
WITHOUT = "or do without: `matching=False`"


class Placed(Enlargeable, Protocol):
    """Images as a matcher looks at them, of which it is known where they lie in their pictures."""

    def placed(self, row: int, size: int) -> NDArray[np.float32]:
        """(4,) where the square of `enlarged` lies in the picture, as `wildreid.gallery.features.HEAD` has it."""
        ...


@dataclass(frozen=True)
class Matchers:
    """What matches and fuses for a gallery.

    Attributes:
        options: the matchers.
        built: what they built, in the same order.
        fusion: what makes one score of all.
        reranker: what orders the nearest again before they are matched; None: the cosine similarity stands.
        curves: from each score, the embedding's first, to the probability that a pair is one animal.
        pairs: gallery images that each photo is matched to, at most.
        device: on which points are found and compared.
    """

    options: tuple[Matcher, ...]
    built: tuple[LocalMatcher, ...]
    fusion: Fusion
    reranker: Reranker | None
    curves: tuple[PairCurve, ...]
    pairs: int
    device: str

    def look(self, images: Enlargeable, rows: Ints) -> list[Local]:
        """The local features of some images, by each matcher; those of many are kept in a cache, or found there."""
        how: dict[str, Any] = {"device": self.device, "cache": cache_folder() if len(rows) > FEW else None}
        return [
            open_local(option, images, rows, matcher=matcher, **how)
            for option, matcher in zip(self.options, self.built, strict=True)
        ]

    def points(self, images: Placed, rows: Ints) -> list[Points]:
        """The same in the form in which a gallery keeps them."""
        return [_kept(local, images, rows) for local in self.look(images, rows)]

    def beside(
        self, state: State, asked: Sequence[Local] = (), at: Ints | None = None, *, rows: Ints | None = None
    ) -> list[Beside]:
        """The features of a gallery's rows, and behind them those of the photos that are asked about, by matcher.

        Args:
            state: the gallery.
            asked: features of the photos, by matcher.
            at: which rows of these are asked about.
            rows: of the gallery; None: all.

        Raises:
            UserError: the gallery's features are damaged.
        """
        found = []
        for number, option in enumerate(self.options):
            kept = state.local[option.name]
            kept = kept if rows is None else kept.select(rows)
            one = Beside(option, self.built[number], kept, asked[number] if asked else None, at)
            one.check(str(state.folder))
            found.append(one)
        return found


class Beside:
    """Local features by one matcher: of a gallery's rows, and then of photos. It is a `Featured`.

    Args:
        option: the matcher.
        matcher: what it built.
        kept: of the gallery.
        asked: of the photos; None: there are none.
        at: which rows of these follow the gallery's.
    """

    def __init__(
        self, option: Matcher, matcher: LocalMatcher, kept: Points, asked: Local | None, at: Ints | None
    ) -> None:
        self.option, self.matcher, self.kept = option, matcher, kept
        self._asked, self._at = asked, np.empty(0, np.int64) if at is None else at
        own = np.empty(0, np.int64) if asked is None else asked.counts[self._at]
        self.counts: Ints = np.concatenate([kept.heads["count"].astype(np.int64), own])

    def check(self, where: str) -> None:
        """Refuse features that cannot be this matcher's."""
        counts = self.kept.heads["count"]
        if (
            self.kept.record != record_size(self.matcher)
            or not ((counts >= 0) & (counts <= self.matcher.points)).all()
        ):
            raise UserError(
                f"the local features of '{self.option.name}' are damaged, or not this matcher's", where=where,
                cure=CURE,
            )  # fmt: skip

    def key(self, row: int) -> bytes:
        """What the features of a row depend on, as a hash; 0 for a row without features."""
        if row < len(self.kept):
            return bytes(self.kept.heads["key"][row])
        assert self._asked is not None
        return self._asked.key(int(self._at[row - len(self.kept)]))

    def take(self, rows: Sequence[int] | Ints) -> LocalFeatures:
        """The features of these rows, in this order."""
        rows = np.asarray(rows, np.int64)
        own = rows < len(self.kept)
        records = np.empty((len(rows), self.kept.record), np.uint8)
        if own.any():
            records[own] = self.kept.take(rows[own])
        if not own.all():
            assert self._asked is not None
            records[~own] = self._asked.records(self._at[rows[~own] - len(self.kept)])
        return unpacked(records, self.matcher)


def build_matchers(
    matching: Matching, *, device: str, where: str, registry: Registry | None = None
) -> Matchers:
    """Build what a gallery matches with.

    Args:
        matching: the gallery's.
        device: to find and compare points on.
        where: the gallery, for errors.
        registry: of the plugins; None: those that are installed.

    Raises:
        UserError: a plugin is not there, or what it needs; a matcher finds other points than the gallery's are.
    """
    context = {"registry": registry or Registry()}
    try:
        options = tuple(Matcher.model_validate(one, context=context) for one in matching.matchers)
        fusion = Fusion.model_validate(matching.fusion, context=context)
        reranker = matching.reranker and Reranker.model_validate(matching.reranker, context=context)
    except ValueError as error:
        raise UserError(
            f"the gallery matches by {' and '.join(matching.known)}, which is not available: {reason(error)}",
            where=where,
            cure=f"install the plugin that offers it; {WITHOUT}",
        ) from None
    for option in options:
        if option.fingerprint() != matching.known[option.name]:
            raise UserError(
                f"the matcher '{option.name}' finds other points here than those that the gallery keeps",
                where=where,
                cure=f"install the version that they were made with; {WITHOUT}",
            )
    try:
        built = tuple(option.build(device=device) for option in options)
    except UserError as error:
        cure = "; ".join(filter(None, (error.cure, WITHOUT)))
        raise UserError(error.what, where=where, cure=cure) from None
    curves = tuple(
        PairCurve(one["slope"], one["intercept"], tuple(one["scores"]), tuple(one["probabilities"]))
        for one in matching.curves
    )
    return Matchers(options, built, fusion, reranker or None, curves, matching.pairs, device)


def reason(error: ValueError) -> str:
    """Why an option is none, without what pydantic writes around it."""
    first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
    return bare(first)


def matches(state: State) -> bool:
    """Whether photos are matched point by point: validation proved that it helps, and there are features."""
    return state.manifest.matching is not None and not why_not(state)


def why_not(state: State) -> str:
    """Why a gallery does not match; empty where it does, or where its model's run knew no matchers."""
    matching = state.manifest.matching
    if matching is None:
        return ""
    if not matching.counts:
        return " ".join(("photos are not matched point by point.", *matching.says))
    if set(state.local) == set(matching.known):
        return ""
    others = {one.fingerprint for own in state.points for one in own} - set(matching.known.values())
    lacks = "its local features are of another matcher" if others else "it has no local features"
    return (
        f"the gallery could match by {' and '.join(matching.known)}, and {lacks}: it ranks by the embedding alone. "
        "They are added with reid gallery features"
    )


def described(state: State) -> str:
    """How a gallery matches and how many of its images have local features; or why it does not match."""
    if why := why_not(state):
        return f"{why[0].upper()}{why[1:]}"
    there = state.codes != GONE
    kept = [int((one.there & there).sum()) for one in state.local.values()]
    names = " and ".join(state.local)
    return f"matches by {names}: {min(kept, default=0)} of {state.images} images have local features"


def in_picture(place: NDArray[np.float32], lines: Floats, start: int) -> NDArray[np.float64]:
    """(M, 2) ends of matched points as shares of a picture's width and height.

    Args:
        place: (4,) as in `HEAD`.
        lines: (M, 5) as `wildreid.kinds.LocalMatcher.lines`.
        start: the column of x.
    """
    where = np.asarray(place, np.float64)
    found: NDArray[np.float64] = where[:2] + lines[:, start : start + 2].astype(np.float64) * where[2:]
    return found


def _kept(local: Local, images: Placed, rows: Ints) -> Points:
    heads = np.zeros(len(rows), HEAD)
    if len(rows):
        keys = b"".join(local.key(int(row)) for row in rows)
        heads["key"] = np.frombuffer(keys, np.uint8).reshape(-1, 16)
        heads["count"] = local.counts[rows]
        heads["place"] = [images.placed(int(row), local.matcher.size) for row in rows]
    option = local.option
    return Points(
        option.name, option.fingerprint(), record_size(local.matcher), heads,
        lambda positions: local.records(rows[positions]),
    )  # fmt: skip
