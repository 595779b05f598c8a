"""How a table is shared out among shards, and for which model: what all shards of a folder have in common."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wildreid.errors import UserError
from wildreid.gallery.manifest import Mark
from wildreid.identification.models import BATCH

FORMAT = 1
PLAN = "shards.json"


@dataclass(frozen=True)
class Plan:
    """What all shards of a folder have in common; it stands in ``shards.json``.

    Attributes:
        model: whose embeddings they are.
        table: hash of the table's rows.
        rows: how many the table has.
        shards: into how many it is divided.
    """

    model: Mark
    table: str
    rows: int
    shards: int

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"format": FORMAT, **asdict(self), "model": self.model.model_dump()}

    @classmethod
    def of(cls, said: dict[str, Any], where: Path) -> Plan:
        """Read what `as_dict` wrote.

        Raises:
            UserError: it is something else.
        """
        try:
            if said["format"] != FORMAT:
                raise UserError(
                    f"shards of format {said['format']}", where=str(where), cure="update wildreid"
                )
            return cls(
                Mark.model_validate(said["model"]), str(said["table"]), int(said["rows"]), int(said["shards"])
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"not readable as a shard's plan: {error}", where=str(where)) from None

    def span(self, shard: int) -> tuple[int, int]:
        """The first row of a shard, and the one after its last: whole batches, except for the table's end."""
        blocks = -(-self.rows // BATCH)
        first, end = (BATCH * (blocks * at // self.shards) for at in (shard, shard + 1))
        return min(first, self.rows), min(end, self.rows)

    def check(self, other: Plan, where: Path) -> None:
        """Refuse what is not of this plan.

        Raises:
            UserError: of another model, way from image to input, table or number of shards.
        """
        ours, theirs = self.model, other.model
        for what, same in (
            (f"another model ('{theirs.name}', not '{ours.name}')",
             (ours.weights, ours.width) == (theirs.weights, theirs.width)),
            ("another way from image to network input", ours.transform == theirs.transform),
            ("another table", (self.table, self.rows) == (other.table, other.rows)),
            (f"a table in {other.shards} shards, not {self.shards}", self.shards == other.shards),
        ):  # fmt: skip
            if not same:
                raise UserError(
                    f"there are shards here of {what}", where=str(where),
                    cure="choose another folder, or remove what is in this one",
                )  # fmt: skip
