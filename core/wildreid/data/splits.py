"""Splits, and the one place where their invariants are checked, whoever made them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wildreid.data.groups import same_day
from wildreid.data.sets import codes
from wildreid.data.table import PARTS, ROLES, Failure, Table
from wildreid.errors import UserError
from wildreid.kinds import Splitter
from wildreid.registry import Registry


class SplitError(UserError):
    """A split that must not be used: what is divided, and which rows show it."""


@dataclass(frozen=True)
class Division:
    """Something that must stay whole and does not.

    Attributes:
        what: ``group``, ``encounter``, or ``identity and day``.
        sets: how many of them are divided.
        rows: how many rows these hold.
        example: two rows of the first one, in words.
    """

    what: str
    sets: int
    rows: int
    example: str

    def __str__(self) -> str:
        return f"{self.sets} × the same {self.what} in two parts ({self.rows} images), such as {self.example}"


def split(table: Table, splitter: Splitter | str, *, seed: int) -> Table:
    """Run a splitter and check what it returned.

    The rows come back sorted by id, so that the same rows and seed give the same table in whatever order
    they came. Rows without identity are in no part: they can be neither learnt from nor scored.

    Args:
        table: annotated by `wildreid.data.groups.annotate`.
        splitter: any splitter, ours or a third party's; a name is that one at its defaults.
        seed: of what it draws.

    Raises:
        SplitError: something is in two parts that must be in one, and the splitter is not ``leaky``; rows
            were lost, added or changed; a part or role that there is not; nothing to train on, to choose by
            or to test on.
        UserError: fewer than two identities.
    """
    if isinstance(splitter, str):
        splitter = Registry().option(Splitter, splitter)  # type: ignore[type-abstract]
    answer = assign(table, splitter, seed=seed)
    found = divisions(answer)
    if found and not splitter.leaky:
        listing = "".join(f"\n  {division}" for division in found)
        raise SplitError(
            f"the split leaks{listing}",
            where=f"splitter {splitter.name}",
            cure="keep the column 'group' whole (or divide by identity); a splitter that cannot declares "
            "itself leaky, and every output is then stamped",
        )
    return answer


def assign(table: Table, splitter: Splitter, *, seed: int) -> Table:
    """Run a splitter and check the form of its answer, but not whether it leaks (`reid audit` shows that).

    Raises:
        SplitError: the form is wrong; a part is empty.
        UserError: fewer than two identities.
    """
    if table.individuals < 2:
        raise UserError(
            f"the table has {table.individuals} identities; telling individuals apart needs at least two",
            cure="check the data set's identity column and root",
        )
    table = table.with_rows(table.rows.sort_values("id", kind="stable"))
    answer = splitter.split(table=table, seed=seed)
    where = f"splitter {splitter.name}"
    rows = answer.rows.sort_values("id", kind="stable").reset_index(drop=True)
    _check_form(table, rows, where)
    rows["part"] = rows["part"].astype("string").where(rows["identity"].notna())
    rows["role"] = rows["role"].astype("string")
    empty = [part for part in PARTS if not (rows["part"] == part).any()]
    if empty:
        raise SplitError(
            f"the part {' and the part '.join(empty)} of the split is empty"
            + ("; nothing may be chosen on test, so training needs val" if "val" in empty else ""),
            where=where,
            cure="change the splitter's shares, or take another splitter"
            if table.told_apart
            else "no image has a date, so an individual's images cannot be divided: take disjoint-set",
        )
    return answer.with_rows(rows)


def unreached(table: Table, splitter: Splitter) -> tuple[str, ...]:
    """What a splitter was asked for and did not reach, in words; empty where it reached all.

    A share of images counts as reached within a fifth of itself, one of individuals where as many are there.

    Args:
        table: the split table.
        splitter: that split it.
    """
    rows = table.rows[table["identity"].notna() & table["part"].notna()]
    parts = rows.groupby("identity")["part"].agg(
        lambda mine: mine.iloc[0] if mine.nunique() == 1 else "several"
    )
    found = []
    for name, share in splitter.asked().items():
        new, _, part = name.rpartition(" ")
        if new:
            wanted, got = max(1, round(share * len(parts))), int((parts == part).sum())
            if got < wanted:
                found.append(
                    f"{got} individuals are in {part} alone, asked for were {wanted} of {len(parts)}"
                )
        elif abs((got_share := float((rows["part"] == part).mean())) - share) > 0.2 * share:
            found.append(
                f"{part} has {100 * got_share:.0f} % of the images, asked for were {100 * share:.0f} %"
            )
    return tuple(found)


def divisions(table: Table) -> list[Division]:
    """All that must stay whole and is in two parts; empty where the split does not leak.

    Where no identity is in two parts (a disjoint-set split), groups may be divided. Near and exact
    duplicates of one identity share an encounter, so they are covered by it.
    """
    rows = table.rows
    parts = codes(rows["part"])
    who = codes(rows["identity"])
    if not _divided(who, parts).any():
        return []
    keys = {
        "group": codes(rows["group"]),
        "encounter": codes(rows["encounter"]),
        "identity and day": same_day(rows),
    }
    return [division for what, key in keys.items() for division in _division(what, key, parts, rows)]


def _division(
    what: str, key: NDArray[np.int64], parts: NDArray[np.int64], rows: pd.DataFrame
) -> Iterator[Division]:
    divided = _divided(key, parts)
    if not divided.any():
        return
    at = np.flatnonzero(divided & (key == key[divided.argmax()]))
    first = at[0]
    other = at[parts[at] != parts[first]][0]
    shown = rows["part"].astype(str) + " (" + rows["id"].astype(str) + ")"
    yield Division(
        what,
        sets=len(np.unique(key[divided])),
        rows=int(divided.sum()),
        example=f"{shown[first]} and {shown[other]}",
    )


def _divided(key: NDArray[np.int64], parts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows are in a set that has rows in two parts; rows in no part do not count."""
    used = (key >= 0) & (parts >= 0)
    low = np.full(key.max(initial=-1) + 1, np.iinfo(np.int64).max)
    high = np.full_like(low, -1)
    np.minimum.at(low, key[used], parts[used])
    np.maximum.at(high, key[used], parts[used])
    divided = np.zeros(len(key), bool)
    divided[used] = (low != high)[key[used]]
    return divided


def _check_form(table: Table, rows: pd.DataFrame, where: str) -> None:
    missing = [name for name in ("part", "role") if name not in rows]
    if missing:
        raise SplitError(f"the splitter did not set the column {' and '.join(missing)}", where=where)
    for column in ("id", "image", "identity", "group", "encounter"):
        if column in rows and len(rows) == len(table) and rows[column].equals(table[column]):
            continue
        if (
            column == "group" and column in rows
        ):  # a splitter may regroup; encounters and days are checked too
            continue
        raise SplitError(
            f"the splitter lost, added or changed rows: the column '{column}' is not what it was", where=where
        )
    for column, allowed in (("part", PARTS), ("role", ROLES)):
        wrong = rows[column].notna() & ~rows[column].isin(allowed)
        if wrong.any():
            raise SplitError(
                f"the {column} {rows[column][wrong].iloc[0]!r} of {rows['id'][wrong].iloc[0]} is not one of "
                f"{', '.join(allowed)}",
                where=where,
            )


def unused(table: Table) -> list[Failure]:
    """The rows that are in no part, as failures with their reason."""
    rows = table.rows[table["part"].isna()]
    reason = np.where(rows["identity"].isna(), "no identity", "in no part of the split")
    return [Failure(image, why) for image, why in zip(rows["image"], reason, strict=True)]
