"""wildreid in the same fashion as its peers: a process that is asked for one unit of work after the other."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.peers.photos import listed
from benchmarks.peers.serve import Timed, Work, serve
from made import micro
from made.tables import make_table

from wildreid.artefacts import Decision, Evidence
from wildreid.data.store import ImageStore, open_images
from wildreid.data.table import Table
from wildreid.evaluation.rank import rank as ranked
from wildreid.recipe.model import Recipe
from wildreid.training.embed import embed as embedded
from wildreid.training.embedder import build_embedder
from wildreid.training.loop import train as trained
from wildreid_plugins.metrics.accuracy_at_k import AccuracyAtK
from wildreid_plugins.metrics.auroc import AUROC
from wildreid_plugins.metrics.average_precision import AveragePrecision
from wildreid_plugins.metrics.dir_fpir import DirFpir
from wildreid_plugins.metrics.image_accuracy_at_k import ImageAccuracyAtK
from wildreid_plugins.metrics.mrr import MRR

METRICS = (AccuracyAtK(), ImageAccuracyAtK(k=(1,)), MRR(), AveragePrecision(), AUROC(), DirFpir())
DECISION = Decision(0.4, 0.05, "logistic", (-1.0, 1.0), (0.0, 1.0), (1, 1), (1, 1), False, "cross-encounter")


def recipe_of(model: str, weights: str, size: int, batch: int, workers: int) -> Recipe:
    """The recipe that says what the peers' scripts say in code."""
    return micro.recipe(
        images={"size": size, "fit": "squash"},
        backbone={"name": "timm", "model": model, "weights": weights},
        head="identity", loss={"name": "arcface", "margin": 28.6, "scale": 64}, miner="none",
        sampler="per-identity", scheduler="constant", transforms=[],
        optimizer={"name": "adam", "backbone_rate": 1e-4, "head_rate": 1e-4, "loss_rate": 1e-4},
        training={"epochs": 1, "batch": batch, "workers": workers},
    )  # fmt: skip


class Photos:
    """The photos of a folder, from a cache that is emptied before each work where it is cold."""

    def __init__(self, folder: str, recipe: Recipe, *, cold: bool) -> None:
        paths, labels = listed(folder)
        rows = {"image": [Path(path).name for path in paths], "identity": [f"animal {n:05}" for n in labels]}
        encounters = [str(n) for n in range(len(paths))]
        self.table = Table.of(pd.DataFrame({**rows, "encounter": encounters, "part": "train"}), Path(folder))
        self.recipe, self.cold = recipe, cold
        self.cache = Path(tempfile.mkdtemp(dir=folder))
        self.open()

    def open(self) -> ImageStore:
        return open_images(
            self.table, self.recipe.images, cache=self.cache, threads=max(1, self.recipe.training.workers)
        )

    def forget(self) -> None:
        if self.cold:
            shutil.rmtree(self.cache)


class Through:
    """What goes through the network in batches: the photos, and the network."""

    def __init__(
        self, folder: str, model: str, weights: str, size: int, batch: int, workers: int, cold: bool
    ) -> None:
        self.recipe = recipe_of(model, weights, size, batch, workers)
        self.photos = Photos(folder, self.recipe, cold=cold)
        self.network, self.batch, self.timed = build_embedder(self.recipe), batch, Timed()


class Load(Through):
    """All pixels, as the network is given them."""

    def __call__(self) -> None:
        import torch

        self.photos.forget()
        self.timed.begin()
        images = self.photos.open()
        for first in range(0, len(images), self.batch):
            rows = range(first, min(first + self.batch, len(images)))
            self.network.prepare(torch.from_numpy(images.take(rows)))
        self.timed.end()


class Embed(Through):
    """The engine's `embed`, the opening of the images included."""

    def __call__(self) -> Any:
        self.photos.forget()
        self.timed.begin()
        found = embedded(self.network, self.photos.open(), batch=self.batch, device="cpu")
        self.timed.end()
        return found


class Train:
    """One epoch of the engine's `train`: from the first image asked for to the epoch's end, as peers are timed.

    Cold, the opening of the images counts as well.
    """

    def __init__(
        self, folder: str, model: str, weights: str, size: int, batch: int, workers: int, cold: bool
    ) -> None:
        self.recipe = recipe_of(model, weights, size, batch, workers)
        self.photos, self.timed = Photos(folder, self.recipe, cold=cold), Timed()

    def __call__(self) -> None:
        self.photos.forget()
        opening = Timed()
        images = self.photos.open()
        opening.end()
        take, timed, begun = images.take, self.timed, list[bool]()

        def begin_and_take(rows: Any) -> Any:
            if not begun:
                begun.append(True)
                timed.begin()
            return take(rows)

        class End:
            def log(self, step: int, values: Any, pictures: Any = None) -> None:
                timed.end()

        images.take = begin_and_take  # type: ignore[method-assign, assignment]
        with tempfile.TemporaryDirectory() as run:
            trained(
                self.recipe, self.photos.table, images, Path(run), validate=None, device="cpu", logs=[End()]
            )
        if self.photos.cold:  # begin as much earlier as the opening took
            spent = zip(opening.began, opening.ended, strict=True)
            wall, processor = (after - before for before, after in spent)
            timed.began = (timed.began[0] - wall, timed.began[1] - processor)


def rank(file: str, protocol: str) -> Work:
    """Accuracy@k, MRR, mAP, AUROC and DIR/FPIR under a protocol."""
    data = np.load(file)
    rows = zip(data["labels"], data["encounters"], strict=True)
    table = make_table(
        [(f"{n:06}.jpg", f"animal {who:05}", f"{when}", "both") for n, (who, when) in enumerate(rows)]
    )
    embeddings = data["embeddings"]

    def work() -> dict[str, float]:
        ranking = ranked(embeddings, table, protocol=protocol)
        evidence = Evidence(ranking, table, embeddings, DECISION)
        found = {}
        for metric in METRICS:
            for name, value in metric.measure(evidence=evidence).items():
                if isinstance(value, np.ndarray) and np.isfinite(value).any():
                    found[f"{name}, {protocol}"] = float(np.nanmean(value))
        return found

    return work


if __name__ == "__main__":
    serve({"load": Load, "embed": Embed, "train": Train, "rank": rank}, "wildreid", "numpy", "torch")
