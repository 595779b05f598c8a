"""A search that runs in a second: coloured noise for photos, their pixels for features, a small head."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from made import noise

from wildreid.search.load import Search, load_search

RECIPE = """\
name: micro
dataset: {name: table, root: ROOT, file: table.csv}
encounters: {near_duplicates: false}
splitter: given
images: {size: 16}
backbone: {name: pixels, size: 8}
head: {name: mlp, width: 16, hidden: 32, depth: 1}
loss: triplet
miner: none
sampler: {name: per-identity, images: 2}
optimizer: {name: adam, head_rate: 0.003}
scheduler: constant
training: {epochs: 2, batch: 8, workers: 0, umap_every: null}
evaluation: {bootstrap: 50}
metrics: [accuracy-at-k]
reporters: []
profiles:
  longer: {training: {epochs: 3}}
"""

SIX = """\
trials: 10
final: {seeds: 2}
space:
  loss: {choice: [triplet, circle, arcface]}
  head: {depth: {choice: [0, 1]}}
"""


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A third of twelve individuals in each part, on three days, two frames a day."""
    folder = tmp_path_factory.mktemp("photos")
    noise.noise(folder, individuals=12, size=16, spread=60, patterned=True)
    return folder


@pytest.fixture
def micro(tmp_path: Path, photos: Path) -> Path:
    """A folder with a recipe for these photos; a test puts a space beside it."""
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("ROOT", str(photos)))
    return tmp_path


@pytest.fixture
def searching(micro: Path) -> Callable[..., Search]:
    """Loads a search from the text of a space, put beside the micro recipe."""

    def load(space: str = SIX, **settings: object) -> Search:
        path = micro / "search.yaml"
        path.write_text(space)
        return load_search(path, **settings)  # type: ignore[arg-type]

    return load
