"""Divide groups of images among train, val and test by shares, rare and common individuals alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.data.sets import codes
from wildreid.data.table import PARTS, Table

TRAIN, VAL, TEST = range(3)
ROOM = 0.5
"""The share of a part's images that individuals may take which are in it alone."""


@dataclass(frozen=True)
class Pieces:
    """What may not be divided, and who is in it.

    Attributes:
        of: (rows,) the piece of each row, -1 for a row without identity.
        images: (pieces,) how many images each holds.
        pieces: for each individual, in the order of names, the pieces that show it.
        met: for each individual, how many encounters it has in each of these.
        seen: (individuals,) how many images each has.
    """

    of: NDArray[np.int64]
    images: NDArray[np.int64]
    pieces: list[NDArray[np.int64]]
    met: list[NDArray[np.int64]]
    seen: NDArray[np.int64]

    @classmethod
    def by(cls, table: Table, column: str) -> Pieces:
        """The sets of rows with one value in a column; their order is that of the values."""
        who = codes(table["identity"])
        of = codes(table[column].where(table["identity"].notna()))
        met = np.unique(np.column_stack((who, of, codes(table["encounter"])))[who >= 0], axis=0)
        pairs, count = np.unique(met[:, :2], axis=0, return_counts=True)
        bounds = np.searchsorted(pairs[:, 0], np.arange(1, who.max(initial=-1) + 1))
        return cls(
            of,
            np.bincount(of[of >= 0]),
            np.split(pairs[:, 1], bounds),
            np.split(count, bounds),
            np.bincount(who[who >= 0]),
        )

    def parts(self, part: NDArray[np.int64]) -> pd.Series[str]:
        """The part of each row by name, from the part of each piece."""
        named = np.array([*PARTS, None], dtype=object)
        return pd.Series(named[np.where(self.of >= 0, part[self.of], -1)], dtype="string")


def share_out(
    pieces: Pieces, *, val: float, test: float, new: Mapping[int, float], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Give each piece to a part.

    Individuals are taken from the rarest to the commonest, and the part that lacks most images so far is
    given the next piece: so each part gets its share of rare and of common individuals. One that is in val
    or test at all comes with two pieces where it has them, since one alone could never be matched there.

    Args:
        pieces: what may not be divided.
        val: share of images.
        test: share of images.
        new: share of individuals that are in one part alone, by part (`VAL`, `TEST`).
        rng: where chance comes from.

    Returns:
        (pieces,) `TRAIN`, `VAL` or `TEST`.
    """
    part = np.full(len(pieces.images), -1)
    budget = np.array([1 - val - test, val, test]) * pieces.images.sum()
    _newcomers(pieces, part, budget, new, rng)
    taken = np.bincount(part[part >= 0], pieces.images[part >= 0], minlength=3)
    purse = _Purse(np.maximum(budget - taken, 0))
    rarity = np.array([len(mine) for mine in pieces.pieces])
    for individual in np.lexsort((rng.random(len(rarity)), rarity)):
        mine = pieces.pieces[individual]
        free = [int(piece) for piece in rng.permutation(mine[part[mine] < 0])]
        known = set(part[mine]) - {-1}
        while free:
            chosen = purse.neediest(pieces.images[free[-1]]) if TRAIN in known else TRAIN
            for piece in [free.pop() for _ in range(1 if chosen in known or chosen == TRAIN else 2) if free]:
                part[piece] = chosen
                purse.spend(chosen, pieces.images[piece])
            known.add(chosen)
    for p in (TEST, VAL):
        if budget[p] > 0:
            _mend(pieces, part, p)
    return part


def close(pieces: Pieces, part: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same parts, except for an individual that is not in train its smallest piece moved there."""
    part = part.copy()
    for mine in pieces.pieces:
        if (part[mine] != TRAIN).all():
            part[mine[np.argmin(pieces.images[mine])]] = TRAIN
    return part


def share_individuals(
    encounters: Pieces, *, val: float, test: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Give each individual to a part, so that all get their share of rare and of common ones.

    Where there are enough of them, val and test have at least two individuals that can be matched across
    encounters.

    Args:
        encounters: by encounter; each belongs to one individual.
        val: share of images.
        test: share of images.
        rng: where chance comes from.

    Returns:
        (individuals,) `TRAIN`, `VAL` or `TEST`.
    """
    seen = encounters.seen
    part = np.full(len(seen), -1)
    budget = np.array([1 - val - test, val, test]) * seen.sum()
    often = np.flatnonzero([len(mine) >= 2 for mine in encounters.pieces])
    few = 2 if len(often) >= 6 else 1
    pool = often if len(often) >= 3 else np.arange(len(seen))
    small = pool[np.lexsort((rng.random(len(pool)), seen[pool]))][: max(2 * few, (3 * len(pool) + 3) // 4)]
    drawn = rng.permutation(small)
    part[drawn[:few]], part[drawn[few : 2 * few]] = VAL, TEST
    taken = np.bincount(part[part >= 0], seen[part >= 0], minlength=3)
    purse = _Purse(np.maximum(budget - taken, 0))
    scale = np.floor(np.log2(seen))
    for individual in np.lexsort((rng.random(len(seen)), -scale)):
        if part[individual] < 0:
            part[individual] = purse.neediest(seen[individual])
            purse.spend(part[individual], seen[individual])
    return part


class _Purse:
    """What each part may still have, spent evenly along the way."""

    def __init__(self, budget: NDArray[np.float64]) -> None:
        self.budget, self.have = budget, np.zeros(3)

    def neediest(self, size: int) -> int:
        """The part that lacks most of its share so far; train, where the others would have far too much."""
        share = self.budget / max(1.0, self.budget.sum())
        lack = share * (self.have.sum() + size) - self.have
        too_much = self.have + size > 1.25 * self.budget
        too_much[TRAIN] = False
        return int(np.argmax(np.where(too_much, -np.inf, lack)))

    def spend(self, part: int, size: int) -> None:
        self.have[part] += size


def _newcomers(
    pieces: Pieces,
    part: NDArray[np.int64],
    budget: NDArray[np.float64],
    new: Mapping[int, float],
    rng: np.random.Generator,
) -> None:
    """Set aside individuals for one part alone: one a stratum of rarity."""
    individuals = len(pieces.pieces)
    wanted = {p: max(1, round(share * individuals)) for p, share in new.items() if share > 0}
    while sum(wanted.values()) > individuals // 2 and wanted:
        fullest = max(wanted, key=lambda p: (wanted[p], p))
        wanted[fullest] -= 1
        wanted = {p: n for p, n in wanted.items() if n}
    turns = rng.permutation([p for p, n in sorted(wanted.items()) for _ in range(n)])
    have, met = dict.fromkeys(wanted, 0), dict.fromkeys(wanted, 0)
    ladder = np.lexsort((rng.random(individuals), pieces.seen))
    tries = [
        (p, rng.permutation(stratum), 0.5)
        for p, stratum in zip(turns, np.array_split(ladder, max(1, len(turns))), strict=False)
    ]
    # a stratum may hold nobody small enough; then the rarest may be the one newcomer of the part
    for p, candidates, most in [*tries, *((p, ladder, 1.0) for p in wanted)]:
        if most > 0.5 and have[p]:
            continue
        for individual in candidates:
            mine = pieces.pieces[individual]
            images = int(pieces.images[mine].sum())
            if (part[mine] < 0).all() and have[p] + images <= most * budget[p]:
                part[mine] = p
                have[p] += images
                met[p] += 1
                break
    # where a stratum had nobody to give, the rarest that are left make up the number, as long as there is room
    for p, count in wanted.items():
        for individual in ladder if met[p] < count else ():
            mine = pieces.pieces[individual]
            images = int(pieces.images[mine].sum())
            if met[p] < count and (part[mine] < 0).all() and have[p] + images <= ROOM * budget[p]:
                part[mine] = p
                have[p] += images
                met[p] += 1


def _mend(pieces: Pieces, part: NDArray[np.int64], p: int) -> None:
    """Move small pieces, so that a part is not empty and has a mated and a non-mated query."""
    if (part != p).all():  # every piece is too large for its share: two whole individuals must do
        weight = np.array([pieces.images[mine].sum() for mine in pieces.pieces])
        whole = [
            who for who in np.argsort(weight, kind="stable") if (part[pieces.pieces[who]] == TRAIN).all()
        ]
        for who in whole[: min(2, len(whole) - 2)]:
            if weight[who] < pieces.images.sum() / 4:
                part[pieces.pieces[who]] = p
    here = _met(pieces, part, p)
    if (here < 2).all():
        offers = []
        for who, spare in enumerate(_spare(pieces, part)):
            enough = np.flatnonzero(here[who] + np.cumsum(pieces.met[who][spare]) >= 2)
            if len(enough):
                offers.append(pieces.pieces[who][spare[: enough[0] + 1]])
        _move_lightest(pieces, part, p, offers)
    here = _met(pieces, part, p)
    if (here != 1).all():
        offers = [
            pieces.pieces[who][spare[pieces.met[who][spare] == 1][:1]]
            for who, spare in enumerate(_spare(pieces, part))
            if here[who] == 0
        ]
        if not _move_lightest(pieces, part, p, [offer for offer in offers if len(offer)]):
            _return_one(pieces, part, p)


def _met(pieces: Pieces, part: NDArray[np.int64], p: int) -> NDArray[np.int64]:
    """How many encounters each individual has in a part."""
    return np.array([met[part[mine] == p].sum() for mine, met in zip(pieces.pieces, pieces.met, strict=True)])


def _spare(pieces: Pieces, part: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """For each individual, which of its pieces train can do without: all but its largest, smallest first."""
    for mine in pieces.pieces:
        inside = np.flatnonzero(part[mine] == TRAIN)
        yield inside[np.argsort(pieces.images[mine[inside]], kind="stable")][:-1]


def _move_lightest(pieces: Pieces, part: NDArray[np.int64], p: int, offers: list[NDArray[np.int64]]) -> bool:
    """Move the offer with fewest images; whether there was one."""
    if not offers:
        return False
    part[min(offers, key=lambda offer: int(pieces.images[offer].sum()))] = p
    return True


def _return_one(pieces: Pieces, part: NDArray[np.int64], p: int) -> None:
    """Give train one of two encounters that an individual has in a part, if others stay matched there."""
    train = _met(pieces, part, TRAIN)
    for who in np.flatnonzero((_met(pieces, part, p) == 2) & (train > 0)):
        mine = pieces.pieces[who]
        single = mine[(part[mine] == p) & (pieces.met[who] == 1)]
        if len(single):
            part[single[0]] = TRAIN
            left = _met(pieces, part, p)
            if (left >= 2).any() and (left == 1).any():
                return
            part[single[0]] = p
