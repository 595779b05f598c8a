"""Several species as one data set: rows, names, and scores by species equal to those of each alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import wildreid
from wildreid.data.table import Table
from wildreid.kinds import Dataset
from wildreid.pipeline import evaluate_embeddings
from wildreid.registry import Registry
from wildreid.testing import draw_photos
from wildreid_plugins.samplers.by_species import BySpecies

CONTEXT = {"registry": Registry()}


def union(folder: Path, **of: Any) -> Dataset:
    return Dataset.model_validate({"name": "union", "of": of}, context={**CONTEXT, "base": folder})


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders of drawn photos with tables of the same names."""
    folder = tmp_path_factory.mktemp("union")
    for name in ("bears", "cows"):
        (folder / name).mkdir()
        draw_photos(folder / name, individuals=4, encounters=6, burst=2)
    return folder


def table(folder: str) -> dict[str, str]:
    return {"name": "table", "root": folder, "file": "photos.csv"}


def test_rows_keep_their_files_and_get_their_species_before_their_names(photos: Path) -> None:
    both = union(photos, bear=table("bears"), cow=table("cows")).table()
    assert both.root == photos
    assert all((both.root / image).is_file() for image in both["image"])
    assert both["species"].value_counts().to_dict() == {"bear": len(both) // 2, "cow": len(both) // 2}
    assert both.individuals == 8
    assert both["identity"].str.startswith("bear ").sum() == len(both) // 2
    assert set(both["camera"].str.partition(" ")[0]) == {"bear", "cow"}
    (photos / "bears" / "bad.csv").write_text("image,identity\n,a\n0.jpg,b\n")
    told = union(photos, bear={**table("bears"), "file": "bad.csv"}, cow=table("cows")).table()
    assert [failure.reason for failure in told.failures] == ["bear: the row names no image"]
    with pytest.raises(Exception, match="at least 2"):
        union(photos, bear=table("bears"))


def test_scores_by_species_are_those_of_each_alone(photos: Path, tmp_path: Path) -> None:
    both = union(photos, bear=table("bears"), cow=table("cows")).table()
    draw = np.random.default_rng(0)
    who = pd.factorize(both["identity"])[0]
    vectors = draw.normal(size=(8, 6))[who] + 0.8 * draw.normal(size=(len(both), 6))
    order = both["timestamp"].rank(method="dense")
    part = np.select([order <= order.quantile(0.3), order <= order.quantile(0.6)], ["train", "val"], "test")
    rows = both.rows.assign(part=part)
    settings = {
        "reporters": [],
        "evaluation.bootstrap": 50,
        "splitter": {"name": "given", "accept_leaks": True},
    }
    together = evaluate_embeddings(
        vectors, Table(rows, both.root), out=tmp_path / "both", ids=rows["id"].tolist(), settings=settings
    )
    for protocol, block in together.scores["protocols"].items():
        assert set(block["species"]) == {"bear", "cow"}
        ranking = together.rankings[protocol]
        kinds = together.table["species"].to_numpy(str)
        seen = ranking.top_images >= 0
        assert (kinds[ranking.top_images] == kinds[ranking.queries][:, None])[seen].all()
    for species in ("bear", "cow"):
        mine = (rows["species"] == species).to_numpy()
        alone = evaluate_embeddings(
            vectors[mine], Table(rows[mine].reset_index(drop=True), both.root), out=tmp_path / species,
            ids=rows["id"][mine].tolist(), settings=settings,
        )  # fmt: skip
        for protocol, block in alone.scores["protocols"].items():
            assert block["species"] == {}
            found = together.scores["protocols"][protocol]["species"][species]
            assert json.dumps(found["scores"]) == json.dumps(block["scores"])  # intervals too


def test_one_run_of_two_species_shows_both(photos: Path, tmp_path: Path) -> None:
    recipe = """\
name: both
dataset:
  name: union
  of: {bear: {name: table, root: bears, file: photos.csv}, cow: {name: table, root: cows, file: photos.csv}}
encounters: {near_duplicates: false}
splitter: closed-set
images: {size: 32}
backbone: {name: timm, model: test_resnet}
head: {name: linear, width: 8}
loss: triplet
miner: semi-hard
sampler: {name: by-species, of: {name: per-identity, images: 2}}
optimizer: adam
scheduler: constant
training: {epochs: 1, batch: 4, umap_every: null}
evaluation: {bootstrap: 0}
metrics: [accuracy-at-k]
reporters: [{name: html, umap: false}]
"""
    (photos / "recipe.yaml").write_text(recipe)
    results = wildreid.run(photos / "recipe.yaml", out=tmp_path)
    assert set(results.scores["protocols"]["cross-encounter"]["species"]) == {"bear", "cow"}
    page = (results.folder / "report" / "index.html").read_text()
    assert "By species" in page
    wildreid.export(results.folder, tmp_path / "package")
    assert "| cow | accuracy@1 |" in (tmp_path / "package" / "README.md").read_text()


def test_a_batch_shows_one_species() -> None:
    rows = pd.DataFrame(
        {"image": [f"{n}.jpg" for n in range(60)], "identity": [f"{n // 4}" for n in range(60)]}
    )
    rows["species"] = np.where(np.arange(60) < 40, "bear", "cow")
    made = wildreid.annotate(Table.of(rows, Path("/p")))
    batches = BySpecies().build(table=made, batch=8, seed=0)
    drawn = {}
    for epoch in (0, 1, 0):
        batches.set_epoch(epoch)
        lists = list(batches)
        assert len(lists) == len(batches)
        assert all(made["species"].iloc[batch].nunique() == 1 for batch in lists)
        assert drawn.setdefault(epoch, lists) == lists
    assert drawn[0] != drawn[1]
    assert {made["species"].iloc[batch[0]] for batch in drawn[0]} == {"bear", "cow"}
    with pytest.raises(wildreid.UserError, match="of the species 'cow'"):
        BySpecies().build(table=made, batch=32, seed=0)
