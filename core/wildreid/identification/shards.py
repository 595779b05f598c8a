"""Shards: one model's embeddings of one table, made in parts by processes that know nothing of one another.

A shard is a run of whole batches of the table's rows, so that a row is computed in the same company however many
shards there are. Each is one Parquet file that takes its name once it is whole, and the name says what it is of.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from wildreid.data.columns import is_table
from wildreid.data.fingerprints import fingerprint
from wildreid.data.store import ImageStore, open_images
from wildreid.data.table import Failure, Table, numbers
from wildreid.errors import UserError
from wildreid.files import put, read_json, write_json
from wildreid.identification.looking import keys
from wildreid.identification.models import Model, load_model
from wildreid.identification.photos import read_data, read_photos
from wildreid.identification.sharing import PLAN, Plan
from wildreid.pipeline.provenance import hash_of, hash_of_rows
from wildreid.places import cache_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wildreid.artefacts import Floats

SUFFIX, SAID = ".parquet", b"wildreid"
VECTORS = "embedding"
"""The column of a shard that holds them."""
USUAL = 4096
"""Rows of a shard, where nobody says how many shards there are to be."""
_OURS = ("key", "content", "phash", VECTORS)


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
        model, every = self.model, np.arange(len(part))
        images = open_images(
            part, model.images, cache=cache_folder(), foreground=model.foreground, device=model.device
        )
        usable = np.flatnonzero(images.usable)
        vectors = np.zeros((len(part), model.mark.width), np.float32)
        if len(usable):
            # a row without an image is given its neighbour's, so that batches stay as they are in the whole
            stand_in = usable[np.clip(np.searchsorted(usable, every), 0, len(usable) - 1)]
            vectors = model.embed(_Filled(images, stand_in), every, total=self.plan.rows)
        called = numbers(part.rows)
        failures = [replace(one, row=called[one.row or 0]) for one in images.failures]
        self.write(path, shard, part.rows.iloc[usable], vectors[usable], failures)
        return path, True

    def write(
        self, path: Path, shard: int, rows: pd.DataFrame, vectors: Floats, failures: Sequence[Failure] = ()
    ) -> None:
        """Write a shard.

        Args:
            path: its file.
            shard: its number.
            rows: what was embedded, with ``content``.
            vectors: (rows, width) of them.
            failures: what was not.
        """
        table = pa.Table.from_pandas(rows, schema=self.schema, preserve_index=False)
        for name, texts in (("content", rows["content"]), ("key", keys(rows))):
            table = table.append_column(name, pa.array([str(text) for text in texts], pa.string()))
        flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
        table = table.append_column(VECTORS, pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]))
        said = {
            "plan": self.plan.as_dict(), "shard": shard,
            "unread": [asdict(one) for one in (self.table.failures if shard == 0 else ())],
            "failures": [asdict(one) for one in failures],
        }  # fmt: skip
        table = table.replace_schema_metadata(
            {**(table.schema.metadata or {}), SAID: json.dumps(said).encode()}
        )
        options = {"compression": "none", "use_dictionary": False, "write_page_checksum": True}
        _put_alone(path, lambda file: pq.write_table(table, file, **options))


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
    read = Table(read.rows.drop(columns=list(_OURS), errors="ignore"), read.root, read.failures)
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
