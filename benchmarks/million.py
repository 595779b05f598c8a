"""A gallery of many photos, from shards to an answer, by the commands themselves.

No photo is there but one. The embeddings are made up, each individual's around a direction of its own; those of one
individual are around what the model makes of the one photo, so that the right answer is known.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from benchmarks.stages.data import rows as visits
from PIL import Image

import wildreid
from wildreid import testing
from wildreid.data.fingerprints import fingerprint
from wildreid.data.store import open_images
from wildreid.data.table import Table
from wildreid.identification.models import load_model
from wildreid.identification.shards import USUAL, Sharding
from wildreid.identification.sharing import PLAN, Plan
from wildreid.pipeline.provenance import hash_of_rows
from wildreid.places import cache_folder

RECIPE = """\
name: million
dataset: {{name: table, root: photos, file: photos.csv}}
splitter: disjoint-set
images: {{size: 64}}
backbone: {{name: timm, model: test_convnext, pretrained: false}}
head: {{name: linear, width: {width}}}
loss: arcface
miner: none
sampler: uniform
optimizer: adam
scheduler: constant
training: {{epochs: 0}}
evaluation: {{bootstrap: 0}}
metrics: [accuracy-at-k]
"""
NOISE = 0.6
"""Length of what an embedding has beside its individual's direction, which has length 1."""
WHO = "the one that is asked"


def made(folder: Path, rows: int, width: int) -> None:
    """Model, photo and shards of embeddings that are made up, in `folder`."""
    testing.draw_photos(folder / "photos")
    (folder / "recipe.yaml").write_text(RECIPE.format(width=width), encoding="utf-8")
    run = wildreid.run(folder / "recipe.yaml", out=folder, name="run").folder
    photo = folder / "asked.png"
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (64, 64, 3), np.uint8)).save(photo)
    model = load_model(run, device="cpu")
    images = open_images(fingerprint(_alone(photo), cache=cache_folder()), model.images, cache=cache_folder())
    (asked,) = model.embed(images, np.arange(1))

    frame = visits(rows).drop(columns=["content", "phash"])
    code, names = pd.factorize(frame["identity"])
    own = np.random.default_rng(1).standard_normal((len(names), width), np.float32)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    own[names.get_loc("w00100")] = asked
    frame["identity"] = frame["identity"].replace("w00100", WHO)
    table = Table.of(frame, folder)
    plan = Plan(model.mark, hash_of_rows(table.rows), rows, -(-rows // USUAL))
    work = Sharding(
        model, table, plan, folder / "shards", pa.Schema.from_pandas(table.rows, preserve_index=False)
    )
    for shard in range(plan.shards):
        first, end = plan.span(shard)
        draw = np.random.default_rng(shard)
        beside = draw.standard_normal((end - first, width), np.float32) * (NOISE / width**0.5)
        vectors = own[code[first:end]] + beside
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        some = table.rows.iloc[first:end].assign(content=[f"{row:032x}" for row in range(first, end)])
        work.write(work.folder / f"{shard:05d}.parquet", shard, some, vectors, ())
    (work.folder / PLAN).write_text(json.dumps(plan.as_dict()), encoding="utf-8")


def _alone(photo: Path) -> Table:
    return Table.of(pd.DataFrame({"image": [photo.name], "identity": [None]}), photo.parent)


def command(*arguments: str) -> Callable[[], Any]:
    """`reid` with these arguments, for a process of its own; what it says is nobody's."""

    def work() -> None:
        from wildreid.cli import app

        with contextlib.redirect_stdout(io.StringIO()):
            app(list(arguments), standalone_mode=False)

    return work


def answer(file: Path) -> dict[str, Any]:
    """The first candidate of the one photo, from the JSON of `reid identify`."""
    (image,) = json.loads(file.read_text(encoding="utf-8"))["images"]
    first: dict[str, Any] = image["candidates"][0]
    return first
