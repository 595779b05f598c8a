"""What options that work on tables must give: data sets, splitters, samplers."""

from __future__ import annotations

from typing import Any

from wildreid.data.splits import assign, divisions
from wildreid.data.table import PARTS, ROLES, Table
from wildreid.errors import UserError
from wildreid.testing.hold import built, hold
from wildreid.testing.material import tiny_table


def check_dataset(option: Any) -> None:
    """A table that is the same each time, with an absolute root and unique ids."""
    table = option.table()
    hold(
        isinstance(table, Table),
        option,
        f"gave {type(table).__name__}, not a Table; build it with Table.of(…)",
    )
    hold(len(table), option, "gave a table without rows")
    hold(
        "id" in table.rows and table["id"].is_unique,
        option,
        "gave ids that repeat; build it with Table.of(…)",
    )
    hold(
        table.root.is_absolute(),
        option,
        f"gave a root that is not absolute: {table.root}; type the field as wildreid.option.Location",
    )
    again = option.table()
    hold(table.rows.equals(again.rows), option, "gave another table when asked again; it must not be random")


def check_splitter(option: Any) -> None:
    """A part and role for each row, by rows and seed alone, with no group divided."""
    table = tiny_table()
    first = option.split(table=table, seed=0)
    hold(
        isinstance(first, Table), option, f"gave {type(first).__name__}, not a Table; use table.with_rows(…)"
    )
    for column, allowed in (("part", PARTS), ("role", ROLES)):
        hold(column in first.rows, option, f"gave a table without the column '{column}'")
        odd = set(first[column].dropna().unique()) - set(allowed)
        hold(not odd, option, f"gave {column} {', '.join(map(str, odd))}; there are {', '.join(allowed)}")
    hold(set(first["id"]) == set(table["id"]), option, "lost or added rows; unused rows have a missing part")
    try:
        answer = assign(table, option, seed=0)
    except UserError as error:
        raise AssertionError(f"splitter {option.name} gave a split that cannot be used: {error}") from error
    divided = divisions(answer)
    hold(
        option.leaky or not divided,
        option,
        f"divided a group: {divided[0] if divided else ''}; keep the column 'group' whole, divide by "
        "identity, "
        "or declare leaky = True",
    )
    mixed = table.with_rows(table.rows.sample(frac=1, random_state=1))
    hold(
        answer.rows.equals(assign(mixed, option, seed=0).rows),
        option,
        "split the same rows otherwise when they came in another order; sort by 'id' and draw from the seed",
    )


def check_sampler(option: Any) -> None:
    """Full batches of rows of the table, the same for one seed and epoch."""
    table = tiny_table()
    batches = option.build(table=table, batch=8, seed=0)
    built(batches, option, members="__iter__ __len__ set_epoch")
    batches.set_epoch(0)
    first = [list(batch) for batch in batches]
    hold(
        first and len(first) == len(batches),
        option,
        f"gave {len(first)} batches but a length of {len(batches)}",
    )
    hold(all(len(batch) == 8 for batch in first), option, "gave a batch of another size than was asked for")
    hold(
        all(0 <= row < len(table) for batch in first for row in batch),
        option,
        "gave a row that the table has not",
    )
    again = option.build(table=table, batch=8, seed=0)
    again.set_epoch(0)
    hold(first == [list(batch) for batch in again], option, "drew otherwise with the same seed and epoch")
