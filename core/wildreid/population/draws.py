"""Uncertain identities: whole assignments drawn by their probabilities, and what is estimated from them pooled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wildreid.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SWEEPS = 50
POOL = Path(__file__).with_name("pool.R")
"""R code that pools what was estimated from each draw."""


@dataclass(frozen=True)
class Uncertain:
    """Encounters whose individual is not certain; nothing is certain about E of them.

    Attributes:
        rows: (E,) the rows of each encounter.
        names: (E,) its candidates, the last one None: somebody else, whom nobody knows.
        chances: (E,) their probabilities, which add up to 1.
        apart: (E,) encounters that share a frame with it: two animals on one photo are two.
    """

    rows: tuple[NDArray[np.int64], ...]
    names: tuple[tuple[str | None, ...], ...]
    chances: tuple[NDArray[np.float64], ...]
    apart: tuple[tuple[int, ...], ...]

    def draw(self, seed: int, number: int) -> list[str | None]:
        """(E,) an individual for each encounter, or None.

        Gibbs sampling: `SWEEPS` times over the encounters in a random order, each is drawn from its candidates
        but those that an encounter in the same frame has. It is drawn together with one of these, since two
        that may only change places would never move alone. Where no two share a frame, that is a draw of each
        by its probabilities.

        Args:
            seed: of all draws.
            number: of this one.
        """
        random = np.random.default_rng([seed, number])
        now: list[str | None] = [None] * len(self.rows)
        for _ in range(SWEEPS if any(self.apart) else 1):
            for at in random.permutation(len(self.rows)):
                others = self.apart[at]
                block = (int(at), others[random.integers(len(others))]) if others else (int(at),)
                for one, name in zip(block, self._together(block, now, random), strict=True):
                    now[one] = name
        return now

    def _together(
        self, block: tuple[int, ...], now: Sequence[str | None], random: np.random.Generator
    ) -> tuple[str | None, ...]:
        """Names for one encounter or two that share a frame, given those of all others."""
        taken = [{now[other] for other in self.apart[one] if other not in block} - {None} for one in block]
        free = [
            [
                (name, p)
                for name, p in zip(self.names[one], self.chances[one], strict=True)
                if name not in used and p > 0
            ]
            for one, used in zip(block, taken, strict=True)
        ]
        choices, chances = [], []
        for chosen in product(*free):
            names = tuple(name for name, _ in chosen)
            if len(block) == 1 or names[0] is None or names[0] != names[1]:
                choices.append(names)
                chances.append(math.prod(p for _, p in chosen))
        if not choices:  # somebody unknown is always possible, also where its probability came out as 0
            return (None,) * len(block)
        return choices[random.choice(len(choices), p=np.array(chances) / sum(chances))]


def uncertain_of(rows: pd.DataFrame) -> Uncertain:
    """The encounters of a machine, with their candidates.

    Args:
        rows: annotations with a plain index, as `wildreid.population.take.take_survey` takes them. Those with
            ``method`` machine are uncertain: each encounter's individual with its least ``probability``, and
            with the rest nobody known. Where ``candidates`` has a mapping from names to probabilities, these
            are its candidates, and rows with one ``encounter`` are one.

    Raises:
        UserError: probabilities that add up to more than 1.
    """
    method = rows["method"] if "method" in rows else pd.Series("", rows.index)
    candidates = rows["candidates"] if "candidates" in rows else pd.Series(None, rows.index, dtype=object)
    loose = candidates.map(lambda one: isinstance(one, dict)).to_numpy(bool)
    machine = method.eq("machine").fillna(False).to_numpy(bool)
    probability = (
        pd.to_numeric(rows["probability"]) if "probability" in rows else pd.Series(np.nan, rows.index)
    )
    keys = _encounters(rows, loose)
    groups = pd.Series(range(len(rows)))[machine | loose].groupby(keys[machine | loose], sort=True)
    members, names, chances = [], [], []
    for _, own in groups:
        at = own.to_numpy(np.int64)
        first = int(at[0])
        if loose[first]:
            given = {str(name): float(p) for name, p in candidates.iloc[first].items() if p > 0}
        else:
            least = float(probability.iloc[at].astype(float).min(skipna=False))
            given = {str(rows["individual"].iloc[first]): least} if least > 0 else {}
        total = sum(given.values())
        if total > 1 + 1e-6:
            raise UserError(
                f"the probabilities of its candidates add up to {total:.3f}",
                where=str(rows["image"].iloc[first]),
            )
        members.append(at)
        names.append((*given, None))
        chances.append(np.array([*given.values(), max(0.0, 1 - total)]))
    return Uncertain(tuple(members), *_apart(rows, members, names, chances))


def drawn(rows: pd.DataFrame, uncertain: Uncertain, seed: int, number: int) -> pd.DataFrame:
    """The annotations with one draw's individuals in the place of the uncertain ones."""
    who = rows["individual"].astype(object).copy()
    sure = (
        pd.to_numeric(rows["probability"]).astype(float)
        if "probability" in rows
        else pd.Series(np.nan, rows.index)
    )
    method = rows["method"].astype(object).copy()
    for at, names, chances, name in zip(
        uncertain.rows, uncertain.names, uncertain.chances, uncertain.draw(seed, number), strict=True
    ):
        who.iloc[at] = pd.NA if name is None else name
        method.iloc[at] = "machine"
        if name is not None and sure.iloc[at].isna().any():
            sure.iloc[at] = chances[names.index(name)]
    return rows.assign(individual=who, probability=sure, method=method)


@dataclass(frozen=True)
class Pooled:
    """Estimates from several draws as one (Rubin 1987).

    Attributes:
        estimate: the mean.
        within: the mean of their variances, W.
        between: the variance of the estimates, B.
        variance: W + (1 + 1/M) B.
        df: degrees of freedom of its t distribution; infinite where all draws agree.
    """

    estimate: float
    within: float
    between: float
    variance: float
    df: float

    @property
    def se(self) -> float:
        """The standard error."""
        return math.sqrt(self.variance)


def pool(estimates: Sequence[float], variances: Sequence[float]) -> Pooled:
    """Rubin's rules for (M,) estimates and their variances, M at least 2."""
    count = len(estimates)
    if count < 2 or len(variances) != count:
        raise UserError("at least two draws are pooled, each with its estimate and variance")
    within, between = float(np.mean(variances)), float(np.var(estimates, ddof=1))
    extra = (1 + 1 / count) * between
    df = (count - 1) * (1 + within / extra) ** 2 if extra > 0 else math.inf
    return Pooled(float(np.mean(estimates)), within, between, within + extra, df)


def _encounters(rows: pd.DataFrame, loose: NDArray[np.bool_]) -> pd.Series[str]:
    """What makes rows one encounter: the one that is given, or event (or camera and day) and individual."""
    blank = pd.Series("", rows.index)

    def text(name: str) -> pd.Series[str]:
        return rows[name].astype("string").fillna("") if name in rows else blank.astype("string")

    met = text("event").where(text("event") != "", text("visit"))
    place = text("station") + "/" + text("camera") + "/" + text("deployment")
    day = (
        pd.to_datetime(rows["timestamp"], format="ISO8601")
        .dt.strftime("%Y-%m-%d")
        .astype("string")
        .fillna("")
    )
    met = met.where(met != "", day)
    named = "named " + place + " " + met + " " + text("individual")
    given = text("encounter").where(text("encounter") != "", text("image"))
    return named.where(~loose, "open " + given).reset_index(drop=True)


def _apart(
    rows: pd.DataFrame,
    members: list[NDArray[np.int64]],
    names: list[tuple[str | None, ...]],
    chances: list[NDArray[np.float64]],
) -> tuple[tuple[tuple[str | None, ...], ...], tuple[NDArray[np.float64], ...], tuple[tuple[int, ...], ...]]:
    """Who shares a frame with whom; candidates whom a person named on the same frame are struck out."""
    images = rows["image"].astype(str).to_numpy()
    of_row = {int(row): number for number, own in enumerate(members) for row in own}
    on_image: dict[str, list[int]] = {}
    for row, image in enumerate(images):
        on_image.setdefault(image, []).append(row)
    who, apart, left = rows["individual"].astype("string").to_numpy(object), [], []
    for number, own in enumerate(members):
        frames = {row for at in own for row in on_image[images[at]]} - set(map(int, own))
        fixed = {who[row] for row in frames if row not in of_row}
        apart.append(tuple(sorted({of_row[row] for row in frames if row in of_row} - {number})))
        kept = np.array([name is None or name not in fixed for name in names[number]])
        chance = np.where(kept, chances[number], 0.0)
        left.append(chance / chance.sum() if chance.sum() > 0 else kept / kept.sum())
    return tuple(names), tuple(left), tuple(apart)
