"""The journal played over the rows of the segments: who is on each image."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import TypeAdapter

from wildreid.errors import UserError
from wildreid.gallery.journal import Change
from wildreid.gallery.rule import Rule

if TYPE_CHECKING:
    from wildreid.artefacts import Ints

GONE = -1


Folded = tuple[tuple[str, ...], NDArray[np.int32], Rule | None, Rule | None]


def fold(changes: Sequence[Change], rows: pd.DataFrame, *, after: Folded | None = None) -> Folded:
    """Play the changes that count over the rows, in their order.

    Args:
        changes: all of them; or those that came after others, if none of them withdraws one of these.
        rows: (N, …) the annotations.
        after: what the others gave; its rows are the first of `rows`.

    Returns:
        the names there are, sorted; each row's position among them or `GONE`; the rule, and that for fused scores.

    Raises:
        ValueError: a change names somebody who is not there.
    """
    people, before, *known = after or ((), np.empty(0, np.int32), None, None)
    first = len(before)
    added, labels = pd.factorize(rows["identity"].iloc[first:], sort=False)
    order = rows["change"].to_numpy()
    codes = np.full(len(rows), GONE, np.int32)
    codes[:first] = before
    # every name that stands for somebody now, and its number
    names = {name: code for code, name in enumerate(people)}
    count = len(names)
    keys: pd.Index | None = None
    ruling: tuple[Any, ...] = tuple(known)

    def number(name: str) -> int:
        nonlocal count
        if name not in names:
            names[name] = count
            count += 1
        return names[name]

    def gone(name: str, change: Change) -> int:
        if name not in names:
            raise ValueError(f"change {change.number} names '{name}', who is not there")
        return names.pop(name)

    def rows_with(wanted: list[str]) -> Ints:
        nonlocal keys
        if keys is None:
            keys = pd.Index(rows["key"])
        found = np.flatnonzero(keys.isin(wanted))
        there: Ints = found[codes[found] != GONE]
        return there

    withdrawn = {change.what["change"] for change in changes if change.kind == "withdraw"}
    for change in changes:
        what = change.what
        if change.number in withdrawn or change.kind in ("different", "withdraw", "features"):
            continue  # none of these says who is on an image
        if change.kind == "add":
            low, high = np.searchsorted(order, [change.number, change.number + 1])
            own = added[low - first : high - first]
            new = np.unique(own)
            lookup = np.zeros(len(labels), np.int32)
            lookup[new] = [number(str(labels[one])) for one in new]
            codes[low:high] = lookup[own]
        elif change.kind == "rename":
            names[what["to"]] = gone(what["individual"], change)
        elif change.kind == "merge":
            codes[codes == gone(what["individual"], change)] = number(what["into"])
        elif change.kind == "split":
            codes[rows_with(what["keys"])] = number(what["into"])
        elif change.kind == "remove":
            if what.get("keys"):
                codes[rows_with(what["keys"])] = GONE
            else:
                codes[codes == gone(what["individual"], change)] = GONE
        elif change.kind in ("create", "calibrate"):
            ruling = what["rule"], what.get("fused")
        else:
            raise UserError(
                f"the journal's change {change.number} is of an unknown kind, '{change.kind}'",
                cure="install the version of wildreid that wrote it, or a later one",
            )
    rule, fused = (_rules().validate_python(one) if one else None for one in ruling)
    return *_sorted(names, codes, count), rule, fused


@cache
def _rules() -> TypeAdapter[Rule]:
    """Reads a rule; making it takes longer than all else here."""
    return TypeAdapter(Rule)


def _sorted(
    names: dict[str, int], codes: NDArray[np.int32], count: int
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The names that stand for somebody, sorted, and each row's position among them."""
    used = np.bincount(codes[codes != GONE], minlength=count) > 0
    people = tuple(sorted(name for name, code in names.items() if used[code]))
    final = np.full(count + 1, GONE, np.int32)
    final[[names[name] for name in people]] = np.arange(len(people), dtype=np.int32)
    return people, final[codes]
