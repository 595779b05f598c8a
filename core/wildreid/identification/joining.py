"""Joining shards: all of them are there, once each, of one model and table; then they are one file again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from wildreid.data.groups import annotate
from wildreid.data.held import HeldPhotos
from wildreid.data.table import Failure, Table
from wildreid.errors import UserError
from wildreid.files import put, put_text, read_json, write_json
from wildreid.gallery.manifest import Mark
from wildreid.identification.looking import Looked, visits
from wildreid.identification.shards import SAID, SUFFIX, VECTORS, said_of
from wildreid.identification.sharing import PLAN, Plan
from wildreid.pipeline.folder import write_failures
from wildreid.recipe.settings import Encounters, Images

if TYPE_CHECKING:
    from wildreid.artefacts import Floats

JOINED = "joined"
"""The folder, beside the shards, of what they are together."""
EMBEDDINGS, IDS, TABLE, FAILURES, DESCRIPTION = (
    "embeddings.npy", "ids.txt", "table.parquet", "failures.csv", "joined.json",
)  # fmt: skip


@dataclass(frozen=True)
class Embedded:
    """A table and its embeddings, joined from shards.

    Attributes:
        folder: that holds ``embeddings.npy``, ``ids.txt``, ``table.parquet`` and ``failures.csv``.
        model: whose embeddings they are.
        rows: how many there are.
        failures: how many rows of the table could not be embedded.
    """

    folder: Path
    model: Mark
    rows: int
    failures: int

    def vectors(self) -> Floats:
        """(rows, width) float32, mapped into memory."""
        found: Floats = np.load(self.folder / EMBEDDINGS, mmap_mode="r" if self.rows else None)
        return found

    def annotations(self) -> pd.DataFrame:
        """The table's rows, with ``content`` and ``key``."""
        return pd.read_parquet(self.folder / TABLE)

    def failed(self) -> list[Failure]:
        """What could not be embedded, and why."""
        rows = pd.read_csv(self.folder / FAILURES, dtype=str, keep_default_na=False)
        told = zip(rows["image"], rows["reason"], rows["row"], rows["record"], strict=True)
        return [Failure(image, why, int(row) if row else None, key or None) for image, why, row, key in told]

    def looked(self, encounters: Encounters, *, root: Path | None = None) -> Looked:
        """As photos are looked at whose animals are asked for; no photo is opened, and the embeddings are there.

        Args:
            encounters: what counts as one burst.
            root: the folder that the image paths are relative to; None: the one that holds the table.
        """
        rows = self.annotations()
        table = Table(rows, (root or self.folder).absolute(), tuple(self.failed()))
        unnamed = rows.assign(identity=pd.Series(pd.NA, rows.index, "string"))
        met = annotate(table.with_rows(unnamed), encounters)
        told = rows.assign(sequence=met["sequence"], visit=visits(rows, rows["key"].tolist()))
        usable, doubts = np.ones(len(rows), bool), np.full(len(rows), "")
        nothing = HeldPhotos(np.zeros((0, 1, 1, 3), np.uint8), [], [], [], Images())
        return Looked(table.with_rows(told), nothing, usable, {}, doubts, self.vectors())


def join(folder: str | Path) -> Embedded:
    """Join the shards of a folder into its ``joined/``, in the table's order; what was joined is written again.

    Raises:
        UserError: no shards, one that is missing, doubled, cut off or damaged, or of another model or table.
    """
    folder = Path(folder)
    plan, parts = _parts(folder)
    out = folder / JOINED
    (out / DESCRIPTION).unlink(missing_ok=True)  # until all of it is there again
    tables: list[pa.Table] = []
    rows = sum(pq.read_metadata(path).num_rows for path in parts)

    def fill(aside: Path) -> None:
        with aside.open("wb") as file:
            np.lib.format.write_array_header_1_0(
                file, {"descr": "<f4", "fortran_order": False, "shape": (rows, plan.model.width)}
            )
            for path in parts:
                table = _read(path)
                file.write(_numbers(table[VECTORS], plan.model.width, path).tobytes())
                tables.append(table.drop_columns([VECTORS]))

    put(out / EMBEDDINGS, fill)
    said = [said_of(path) for path in parts]
    unread = [failure for one in said for failure in one.unread]
    failures = [failure for one in said for failure in one.failures]
    plain = {key: value for key, value in (tables[0].schema.metadata or {}).items() if key != SAID}
    table = pa.concat_tables([one.replace_schema_metadata(plain) for one in tables]).combine_chunks()
    ids = table["id"].to_pylist()
    if len(set(ids)) < len(ids) or len(ids) + len(failures) != plan.rows:
        raise UserError(
            f"the shards hold {len(set(ids))} rows and {len(failures)} failures of a table with {plan.rows} rows",
            where=str(folder), cure="embed the table again into another folder",
        )  # fmt: skip
    put_text(out / IDS, "".join(f"{one}\n" for one in ids))
    put(out / TABLE, lambda aside: pq.write_table(table, aside))
    put(out / FAILURES, lambda aside: write_failures(aside, (*unread, *failures)))
    described = {
        "model": plan.model.model_dump(),
        "table": plan.table,
        "rows": rows,
        "failures": len(failures) + len(unread),
    }
    write_json(out / DESCRIPTION, described, lasting=True)
    return Embedded(out, plan.model, rows, described["failures"])


def joined(folder: str | Path) -> Embedded:
    """What `join` left in a folder of shards; or that folder ``joined`` itself, wherever it lies now.

    Raises:
        UserError: it is neither.
    """
    folder = Path(folder)
    if (folder / PLAN).is_file():
        if not (folder / JOINED / DESCRIPTION).is_file():
            raise UserError(
                "the shards are not joined yet",
                where=str(folder),
                cure=f"join them with `reid embed`, given `join={folder}`",
            )
        folder = folder / JOINED
    if not (folder / DESCRIPTION).is_file():
        raise UserError(
            "there are no embeddings here that `reid embed` joined", where=str(folder),
            cure="give the folder whose shards `reid embed` has joined",
        )  # fmt: skip
    said = read_json(folder / DESCRIPTION)
    try:
        found = Embedded(folder, Mark.model_validate(said["model"]), int(said["rows"]), int(said["failures"]))
        sizes = (found.vectors().shape, pq.read_metadata(folder / TABLE).num_rows)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise UserError(
            f"the joined embeddings are damaged: {error}", where=str(folder), cure="join the shards again"
        ) from None
    if sizes != ((found.rows, found.model.width), found.rows):
        raise UserError(
            "embeddings and table do not belong together", where=str(folder), cure="join the shards again"
        )
    return found


def _parts(folder: Path) -> tuple[Plan, list[Path]]:
    """The plan of a folder, and its shards' files in order."""
    if not (folder / PLAN).is_file():
        raise UserError(
            "there are no shards here", where=str(folder), cure="give the folder that `reid embed` wrote to"
        )
    plan = Plan.of(read_json(folder / PLAN), folder / PLAN)
    found: dict[int, list[Path]] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        one = said_of(path)
        plan.check(one.plan, path)
        found.setdefault(one.shard, []).append(path)
    twice = {number: paths for number, paths in found.items() if len(paths) > 1}
    if twice:
        number, paths = next(iter(twice.items()))
        raise UserError(
            f"shard {number} is there {len(paths)} times: {' and '.join(path.name for path in paths)}",
            where=str(folder),
            cure="its photos have changed since, or it was copied; remove all but the one that is right",
        )
    missing = [number for number in range(plan.shards) if number not in found]
    if missing:
        named = ", ".join(map(str, missing[:20])) + (" …" if len(missing) > 20 else "")
        raise UserError(
            f"{len(missing)} of {plan.shards} shards are missing: {named}",
            where=str(folder),
            cure="embed these; those that are there are not embedded again",
        )
    return plan, [found[number][0] for number in range(plan.shards)]


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path, page_checksum_verification=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(
            f"the shard is damaged: {str(error).splitlines()[0]}",
            where=str(path),
            cure="remove it, and embed that shard again",
        ) from None


def _numbers(vectors: pa.ChunkedArray, width: int, path: Path) -> Floats:
    """The rows × width float32 of a shard's column, one after another."""
    flat: Floats = np.concatenate(
        [np.zeros(0, "<f4"), *(chunk.flatten().to_numpy() for chunk in vectors.chunks)], dtype="<f4"
    )
    if len(flat) != len(vectors) * width:
        raise UserError(f"the embeddings are not {width} wide", where=str(path))
    return flat
