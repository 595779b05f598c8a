"""Shards: one model's embeddings of one table, made in parts by processes that know nothing of one another.

A shard is a run of whole batches of the table's rows, so that a row is computed in the same company however many
shards there are. Each is one Parquet file that takes its name once it is whole, and the name says what it is of.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from wildreid.data.columns import is_table
from wildreid.data.fingerprints import fingerprint
from wildreid.data.store import ImageStore, open_images
from wildreid.data.table import Failure, Table, numbers
from wildreid.errors import UserError
from wildreid.files import put, read_json, write_json
from wildreid.gallery.manifest import Mark
from wildreid.identification.looking import keys
from wildreid.identification.models import BATCH, Model, load_model
from wildreid.identification.photos import read_data, read_photos
from wildreid.pipeline.provenance import hash_of, hash_of_rows
from wildreid.places import cache_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = 1
PLAN, SUFFIX, SAID = "shards.json", ".parquet", b"wildreid"
VECTORS = "embedding"
"""The column of a shard that holds them."""
USUAL = 4096
"""Rows of a shard, where nobody says how many shards there are to be."""
_OURS = ("key", "content", "phash", VECTORS)


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


@dataclass(frozen=True)
class Sharding:
    """A model and a table that are ready to be embedded, any shard at a time.

    Attributes:
        model: what embeds.
        table: all its rows.
        plan: how it is divided.
        folder: where the shards are written.
        schema: of the table's rows, whichever of them a shard has.
    """

    model: Model
    table: Table
    plan: Plan
    folder: Path
    schema: pa.Schema

    def embed(self, shard: int) -> tuple[Path, bool]:
        """Embed one shard, unless it is there.

        Returns:
            Its file, and whether it was made now.

        Raises:
            UserError: there is no such shard; it cannot be written.
        """
        if not 0 <= shard < self.plan.shards:
            raise UserError(
                f"there is no shard {shard}: they are numbered 0 to {self.plan.shards - 1}", where="`shard=…`"
            )
        first, end = self.plan.span(shard)
        part = Table(self.table.rows.iloc[first:end].reset_index(drop=True), self.table.root)
        part = fingerprint(part, cache=cache_folder(), perceptual=False)
        of = hash_of(*(getattr(self.plan.model, name) for name in ("weights", "transform")), self.plan.table,
                     self.plan.shards, shard, part["content"].tolist())  # fmt: skip
        path = self.folder / f"{shard:05d}-of-{self.plan.shards:05d}-{of}{SUFFIX}"
        if path.is_file() and whole(path):
            return path, False
        model = self.model
        images = open_images(
            part, model.images, cache=cache_folder(), foreground=model.foreground, device=model.device
        )
        usable = np.flatnonzero(images.usable)
        vectors = np.zeros((0, model.mark.width), np.float32)
        if len(usable):
            # a row without an image is given its neighbour's, so that batches stay as they are in the whole
            stand_in = usable[np.clip(np.searchsorted(usable, np.arange(len(part))), 0, len(usable) - 1)]
            vectors = model.embed(_Filled(images, stand_in), np.arange(len(part)), total=self.plan.rows)[
                usable
            ]
        own = self.table.rows.iloc[first:end].iloc[usable]
        rows = pa.Table.from_pandas(own, schema=self.schema, preserve_index=False)
        seen = part.rows.iloc[usable]
        for name, texts in (("content", seen["content"]), ("key", keys(seen))):
            rows = rows.append_column(name, pa.array([str(text) for text in texts], pa.string()))
        flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
        rows = rows.append_column(VECTORS, pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]))
        called = numbers(part.rows)
        said = {
            "plan": self.plan.as_dict(), "shard": shard,
            "unread": [asdict(one) for one in (self.table.failures if shard == 0 else ())],
            "failures": [{**asdict(one), "row": called[one.row or 0]} for one in images.failures],
        }  # fmt: skip
        rows = rows.replace_schema_metadata({**(rows.schema.metadata or {}), SAID: json.dumps(said).encode()})
        _put_alone(
            path,
            lambda file: pq.write_table(
                rows, file, compression="none", use_dictionary=False, write_page_checksum=True
            ),
        )
        return path, True


class _Filled:
    """Images in which another row stands where one cannot be read; what comes of those is thrown away."""

    def __init__(self, images: ImageStore, stand_in: NDArray[np.int64]) -> None:
        self._images, self._stand_in = images, stand_in
        self.usable, self.keys = np.ones(len(stand_in), bool), images.keys

    def __len__(self) -> int:
        return len(self._stand_in)

    def take(self, rows: Sequence[int] | NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
        return self._images.take(self._stand_in[np.asarray(rows)])


def sharding(
    model: str | Path,
    table: str | Path,
    out: str | Path,
    *,
    shards: int | None = None,
    root: str | Path | None = None,
    device: str = "auto",
) -> Sharding:
    """Read model and table, and see that the folder is theirs.

    Args:
        model: a run's folder, or a package that ``reid export`` wrote.
        table: photos: a table (CSV or Parquet), what a data set recognises, a folder, a run, or a recipe.
        out: the folder of shards; it is made.
        shards: how many; None: as many as the folder has already, else one for each 4096 rows.
        root: the folder that a table's paths are relative to; None: the table's own.
        device: to embed on.

    Raises:
        UserError: model or table cannot be read; the folder holds shards of others.
    """
    loaded, read, out = load_model(Path(model), device=device), _photos(Path(table), root), Path(out)
    read = Table(
        read.rows.drop(columns=[name for name in _OURS if name in read.rows]), read.root, read.failures
    )
    known = Plan.of(read_json(out / PLAN), out / PLAN) if (out / PLAN).is_file() else None
    if shards is None:
        shards = known.shards if known else max(1, -(-len(read) // USUAL))
    if shards < 1:
        raise UserError(f"a table cannot be divided into {shards} shards", where="`shards=…`")
    plan = Plan(loaded.mark, hash_of_rows(read.rows), len(read), shards)
    if known is not None:
        known.check(plan, out)
    else:
        _put_alone(out / PLAN, lambda path: write_json(path, plan.as_dict()))
    return Sharding(loaded, read, plan, out, pa.Schema.from_pandas(read.rows, preserve_index=False))


def whole(path: Path) -> bool:
    """Whether a shard's file has its end: one that was cut off, as when a copy of it was, has none."""
    try:
        pq.read_metadata(path)
    except (pa.ArrowInvalid, OSError):
        return False
    return True


@dataclass(frozen=True)
class Said:
    """What a shard says of itself.

    Attributes:
        plan: what it is a part of.
        shard: its number.
        unread: what was left out when the table was read; the first shard alone says it.
        failures: the rows whose image could not be read.
    """

    plan: Plan
    shard: int
    unread: tuple[Failure, ...]
    failures: tuple[Failure, ...]


def said_of(path: Path) -> Said:
    """What a shard is of.

    Raises:
        UserError: the file was cut off, or is no shard.
    """
    try:
        said = json.loads((pq.read_schema(path).metadata or {})[SAID])
        unread, failures = (tuple(Failure(**one) for one in said[name]) for name in ("unread", "failures"))
        return Said(Plan.of(said["plan"], path), int(said["shard"]), unread, failures)
    except (pa.ArrowInvalid, OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"not readable as a shard, cut off perhaps: {str(error).splitlines()[0]}",
            where=str(path),
            cure="remove it, and embed that shard again",
        ) from None


def _photos(path: Path, root: str | Path | None) -> Table:
    """Photos whose animals may be unknown, or those of a run or a recipe."""
    if (path / "split.parquet").is_file() or path.suffix.lower() in (".yaml", ".yml"):
        return read_data(path)
    if path.is_dir() or is_table(path) or path.is_file():
        return read_photos([path], root=root)
    raise UserError(f"there is nothing at {path}", cure="give a table of photos, or a folder of them")


def _put_alone(path: Path, write: Any) -> None:
    """As `put`, safe from another process that writes the same file at the same moment."""
    mine = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    put(mine, write, lasting=True)
    mine.replace(path)
