"""Where a table came from: what its records became, and those that were not used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """A row or image that was not used, and why. It stands in ``failures.csv``.

    Attributes:
        image: its path, as far as it is known.
        reason: why, in words; what comes after a colon speaks of this one alone.
        row: the row of the file, as spreadsheet programs count (the header is row 1); else the record, from 1.
        key: what the source itself calls the record: its id or line.
    """

    image: str
    reason: str
    row: int | None = None
    key: str | None = None

    @property
    def kind(self) -> str:
        """The reason without what speaks of this record alone, to be counted."""
        return self.reason.partition(":")[0]


@dataclass(frozen=True)
class Origin:
    """What a table was read from, and where each of its records went; the numbers add up.

    Attributes:
        form: what it was taken for, in words.
        records: how many there were.
        rows: those that became rows of the table.
        failures: those that could not, by the kind of their reason.
        counted: those that are no row for a good reason (blank, human), by it.
        notes: what else one should know, in sentences.
    """

    form: str
    records: int
    rows: int
    failures: Mapping[str, int]
    counted: Mapping[str, int]
    notes: tuple[str, ...] = ()

    def says(self) -> list[str]:
        """The counts and notes in sentences."""
        failed, others = sum(self.failures.values()), sum(self.counted.values())
        told = [
            f"read as {self.form}: {_many(self.records, 'record')} = {_many(self.rows, 'row')} + "
            f"{_many(failed, 'failure')} + {_many(others, 'other')}"
        ]
        for name, counts in (("failures", self.failures), ("others", self.counted)):
            if counts:
                listed = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
                told.append(f"{name}: " + " · ".join(f"{number:,} × {what}" for what, number in listed))
        return [*told, *self.notes]


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
