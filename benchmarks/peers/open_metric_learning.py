"""open-metric-learning through its public API: run in its own environment by ``nox -s peers``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from benchmarks.peers.photos import listed, network, read_all, transform
from benchmarks.peers.serve import Work, serve
from oml.datasets import ImageLabeledDataset, ImageQueryGalleryLabeledDataset
from oml.inference import inference
from oml.losses.arcface import ArcFaceLoss
from oml.metrics import calc_retrieval_metrics_rr
from oml.retrieval import RetrievalResults
from oml.samplers import BalanceSampler


def dataset(folder: str, model: Any, size: int) -> ImageLabeledDataset:
    paths, labels = listed(folder)
    return ImageLabeledDataset(
        pd.DataFrame({"path": paths, "label": labels}), transform=transform(model, size)
    )


def load(folder: str, model: str, weights: str, size: int, batch: int, workers: int) -> Work:
    """Its data set in the loader that it makes itself in `inference`."""
    photos = dataset(folder, network(model, weights), size)
    return lambda: read_all(photos, batch, workers)


def embed(folder: str, model: str, weights: str, size: int, batch: int, workers: int) -> Work:
    made = network(model, weights)
    photos = dataset(folder, made, size)
    return lambda: inference(made, photos, batch_size=batch, num_workers=workers)


def train(folder: str, model: str, weights: str, size: int, batch: int, workers: int) -> Work:
    """One epoch a call of the loop that its README gives, since its trainer needs an old pytorch-lightning."""
    made = network(model, weights).train()
    photos = dataset(folder, made, size)
    labels = photos.get_labels()
    loss = ArcFaceLoss(made.num_features, int(labels.max()) + 1)
    optimizer = torch.optim.Adam([*made.parameters(), *loss.parameters()], lr=1e-4)
    # as many animals a batch as there are of four images each; its epoch asks each animal once
    sampler = BalanceSampler(labels, n_labels=batch // 4, n_instances=4)
    epochs = max(1, len(photos) // (batch * len(sampler)))

    def work() -> None:
        for _ in range(epochs):
            for one in torch.utils.data.DataLoader(photos, batch_sampler=sampler, num_workers=workers):
                optimizer.zero_grad()
                loss(made(one["input_tensors"]), one["labels"]).backward()
                optimizer.step()

    return work


def rank(file: str) -> Work:
    """CMC, precision and mAP over the full ranking, the query's own sequence left out."""
    data = np.load(file)
    vectors, labels = torch.from_numpy(data["embeddings"]), data["labels"]
    frame = pd.DataFrame(
        {
            "path": [str(Path(file))] * len(labels), "label": labels, "split": "validation",
            "is_query": True, "is_gallery": True, "sequence": data["encounters"],
        }
    )  # fmt: skip
    photos = ImageQueryGalleryLabeledDataset(frame)
    every = len(labels)

    def work() -> dict[str, float]:
        found = RetrievalResults.from_embeddings(vectors, photos, n_items=every)
        figures = calc_retrieval_metrics_rr(
            found, cmc_top_k=(1, 5, 10), precision_top_k=(), map_top_k=(every,), verbose=False
        )
        return {
            "image accuracy@1, cross-encounter": float(figures["cmc"][1]),
            "mAP, cross-encounter": float(figures["map"][every]),
        }

    return work


if __name__ == "__main__":
    serve(
        {"load": load, "embed": embed, "train": train, "rank": rank},
        "open-metric-learning", "numpy", "pandas", "torch",
    )  # fmt: skip
