"""wildlife-tools through its public API: run in its own environment by ``nox -s peers``."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from benchmarks.peers.photos import listed, network, read_all, transform
from benchmarks.peers.serve import Work, serve
from wildlife_tools.data import FeatureDatabase, WildlifeDataset
from wildlife_tools.features import DeepFeatures
from wildlife_tools.inference import KnnMatcher
from wildlife_tools.train import ArcFaceLoss, BasicTrainer


def dataset(folder: str, model: Any, size: int) -> WildlifeDataset:
    paths, labels = listed(folder)
    frame = pd.DataFrame({"path": paths, "identity": [str(label) for label in labels]})
    return WildlifeDataset(frame, transform=transform(model, size))


def load(folder: str, model: str, weights: str, size: int, batch: int, workers: int) -> Work:
    """Its data set in the loader that it makes itself in `DeepFeatures`."""
    photos = dataset(folder, network(model, weights), size)
    return lambda: read_all(photos, batch, workers)


def embed(folder: str, model: str, weights: str, size: int, batch: int, workers: int) -> Work:
    made = network(model, weights)
    photos, extract = dataset(folder, made, size), DeepFeatures(made, batch_size=batch, num_workers=workers)
    return lambda: extract(photos)


def train(folder: str, model: str, weights: str, size: int, batch: int, workers: int) -> Work:
    """One epoch of its trainer a call."""
    made = network(model, weights)
    photos = dataset(folder, made, size)
    loss = ArcFaceLoss(num_classes=photos.num_classes, embedding_size=made.num_features)
    optimizer = torch.optim.Adam(itertools.chain(made.parameters(), loss.parameters()), lr=1e-4)
    trainer = BasicTrainer(
        photos, made, loss, optimizer, epochs=1, device="cpu", batch_size=batch, num_workers=workers
    )
    return trainer.train


def rank(file: str) -> Work:
    """Its majority vote of the ten nearest images, for every image; it masks nothing, not even the query itself."""
    data = np.load(file)
    frame = pd.DataFrame({"identity": data["labels"].astype(str)})
    match = KnnMatcher(FeatureDatabase(data["embeddings"], frame), k=10)

    def work() -> dict[str, float]:
        return {"right, itself included": float(np.mean(match(data["embeddings"]) == frame["identity"]))}

    return work


if __name__ == "__main__":
    works: dict[str, Callable[..., Work]] = {"load": load, "embed": embed, "train": train, "rank": rank}
    serve(works, "wildlife-tools", "numpy", "pandas", "torch")
