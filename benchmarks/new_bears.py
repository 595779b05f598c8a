"""How well a trained network knows bears that were drawn after it was trained: what heads and recipes are worth.

Run as ``python -m benchmarks.new_bears`` for the sample as it was and as it is, or with ``--all`` for heads, sizes
and losses too; ``--seed N`` draws other bears, ``--seeds N`` trains each so often. Weights are chosen on each run's
own validation photos. Runs are kept as those of the accuracy tables are.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.trials import ROOT, Trial
from numpy.typing import NDArray

import wildreid
from wildreid.artefacts import Results
from wildreid.data.fingerprints import fingerprint
from wildreid.data.store import ImageStore
from wildreid.data.table import Table
from wildreid.evaluation.intervals import Bootstrap, bounds

RESAMPLES = 2000
SAMPLE = ROOT / "species" / "bears" / "recipe.yaml"
WAS: dict[str, Any] = {
    "dataset.individuals": 24, "splitter": {"name": "open-set", "val": 0.1, "new_val": 0.05}, "images.size": 96,
    "head": {"name": "linear", "width": 256, "norm": "none"}, "training.watch": "accuracy@1", "training.smooth": 1,
    "training.umap_every": None,
}  # fmt: skip
"""What the profile sample was before its heads were normalised."""
HEADS = {
    "linear": {"name": "linear", "width": 256, "norm": "none"},
    "linear, norm before": {"name": "linear", "width": 256},
    "mlp": {"name": "mlp", "width": 256, "hidden": 512},
    "bnneck": {"name": "bnneck", "width": 256},
}
LOSSES = {
    "ArcFace": {}, "triplet": {"loss": "triplet"}, "circle": {"loss": "circle"},
    "contrastive": {"loss": "contrastive"}, "SupCon": {"loss": "supcon"},
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What one run made of the new bears.

    Attributes:
        names: (Q,) each query's bear, in the order of the photos' ids.
        right: (Q,) whether its own bear came first; NaN where it has no other encounter.
        precision: (Q,) average precision; NaN likewise.
    """

    names: NDArray[np.str_]
    right: NDArray[np.float64]
    precision: NDArray[np.float64]


@cache
def new_bears(seed: int, size: int) -> tuple[Table, ImageStore]:
    """Bears that no run has trained on, as one test part, and their pixels."""
    loaded = wildreid.load_recipe(
        SAMPLE,
        profiles=["sample"],
        settings={"dataset.seed": seed, "dataset.individuals": 24, "images.size": size},
    )
    table = loaded.recipe.dataset.table()
    table = fingerprint(
        table.with_rows(table.rows.sort_values("id")), cache=wildreid.cache_folder(), perceptual=True
    )
    images = wildreid.open_images(table, loaded.recipe.images, cache=wildreid.cache_folder(), threads=1)
    table = wildreid.annotate(table, loaded.recipe.encounters)
    return table.with_rows(table.rows.assign(part="test", role="both")), images


def seen_by(run: Results, seed: int) -> Seen:
    """Match the new bears' photos against one another, across encounters."""
    table, images = new_bears(seed, run.recipe["images"]["size"])
    registry = wildreid.Registry(packs=[SAMPLE.parent])
    embeddings = wildreid.embed(wildreid.load_embedder(run.folder, registry), images)
    ranking = wildreid.rank(embeddings, table, protocol="cross-encounter")
    asked = table.rows.iloc[ranking.queries]
    order = np.argsort(asked["id"].to_numpy(str))
    right = np.where(ranking.mated, ranking.own_rank == 1, np.nan)
    precision = ranking.mean_over_true(ranking.true_positions / ranking.true_ranks)
    return Seen(asked["identity"].to_numpy(str)[order], right[order], precision[order])


def less(one: Sequence[Seen], other: Sequence[Seen], figure: str) -> tuple[float, float, float]:
    """How much more a figure is over all seeds, with a 95 % interval, both from the same resampled bears."""
    names = np.concatenate([seen.names for seen in one])
    if not np.array_equal(names, np.concatenate([seen.names for seen in other])):
        raise ValueError("the two sides ask different photos")
    draws = Bootstrap(pd.factorize(names)[0], RESAMPLES, 0.95, 0)
    values = [np.concatenate([getattr(seen, figure) for seen in side]) for side in (one, other)]
    low, high = bounds(draws.means(values[0]) - draws.means(values[1]), 0.95, draws.effective(values[0])) or (
        np.nan,
        np.nan,
    )
    return float(np.nanmean(values[0]) - np.nanmean(values[1])), low, high


def rows(everything: bool) -> Iterator[tuple[str, Trial]]:
    """What is trained, the reference first."""
    yield "sample as it was", Trial("new-was", settings=WAS)
    yield "sample", Trial("new-is", settings={"training.umap_every": None})  # the pictures say nothing here
    if everything:
        for size in (96, 64):
            for head, fields in HEADS.items():
                for loss, change in LOSSES.items():
                    settings = {**WAS, "images.size": size, "head": fields, **change}
                    name = f"new-{size}-{head}-{loss}".replace(", ", "-").replace(" ", "-").lower()
                    yield f"{size} px, {head}, {loss}", Trial(name, settings=settings)


def table(seed: int, seeds: int, *, everything: bool) -> Iterator[str]:
    """The lines of the table, in Markdown, each as soon as it is known."""
    said: Mapping[str, str] = {"right": "accuracy@1", "precision": "mAP"}
    first: list[Seen] = []
    for name, trial in rows(everything):
        mine = [seen_by(trial.run(one), seed) for one in range(seeds)]
        if not first:
            first = mine
            photos, bears = int(np.isfinite(mine[0].right).sum()), len(set(mine[0].names))
            yield f"{photos} queries of {bears} newly drawn bears (seed {seed}), across encounters, by run"
            yield "\n| | " + " | ".join(f"{words} | less the first" for words in said.values()) + " |"
            yield "|---|---|---|---|---|"
        cells = []
        for figure in said:
            each = " ".join(f"{np.nanmean(getattr(seen, figure)):.3f}" for seen in mine)
            value, low, high = less(mine, first, figure)
            cells += [each, "" if mine is first else f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"]
        yield f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    os.environ.setdefault("WILDREID_PLUGINS", "builtin")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=101, help="of the new bears")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each row")
    parser.add_argument("--all", action="store_true", help="heads, sizes and losses too")
    given = parser.parse_args()
    for line in table(given.seed, given.seeds, everything=given.all):
        print(line, flush=True)
