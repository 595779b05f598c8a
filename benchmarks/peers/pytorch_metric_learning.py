"""pytorch-metric-learning's own trainer, tester and accuracy calculator, in the environment that is ours too."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import torch
from benchmarks.peers.photos import listed, network, read_all, transform
from benchmarks.peers.serve import Work, serve
from PIL import Image
from pytorch_metric_learning import losses, samplers, testers, trainers
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

logging.getLogger("PML").setLevel(logging.ERROR)


class Photos(torch.utils.data.Dataset):
    """It brings no data set; this is the one of its examples, torchvision's way."""

    def __init__(self, folder: str, model: Any, size: int) -> None:
        self.paths, self.labels = listed(folder)
        self.transform = transform(model, size)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.open(self.paths[row]).convert("RGB")), self.labels[row]


def load(folder: str, model: str, weights: str, size: int, batch: int, workers: int) -> Work:
    photos = Photos(folder, network(model, weights), size)
    return lambda: read_all(photos, batch, workers)


def embed(folder: str, model: str, weights: str, size: int, batch: int, workers: int) -> Work:
    made = network(model, weights)
    photos = Photos(folder, made, size)
    tester = testers.GlobalEmbeddingSpaceTester(
        batch_size=batch, dataloader_num_workers=workers, data_device=torch.device("cpu")
    )
    return lambda: tester.get_all_embeddings(photos, made)[0]


def train(folder: str, model: str, weights: str, size: int, batch: int, workers: int) -> Work:
    """One epoch of its trainer a call."""
    made = network(model, weights)
    photos = Photos(folder, made, size)
    loss = losses.ArcFaceLoss(max(photos.labels) + 1, made.num_features)
    trainer = trainers.MetricLossOnly(
        models={"trunk": made},
        optimizers={
            "trunk_optimizer": torch.optim.Adam(made.parameters(), lr=1e-4),
            "metric_loss_optimizer": torch.optim.Adam(loss.parameters(), lr=1e-4),
        },
        batch_size=batch,
        loss_funcs={"metric_loss": loss},
        dataset=photos,
        data_device=torch.device("cpu"),
        dataloader_num_workers=workers,
        sampler=samplers.MPerClassSampler(photos.labels, 4, length_before_new_iter=len(photos)),
    )
    return lambda: trainer.train(num_epochs=1)


def rank(file: str) -> Work:
    """Accuracy at 1, MRR and mAP over the full ranking; it knows no encounters, so only the query is left out."""
    data = np.load(file)
    vectors, labels = torch.from_numpy(data["embeddings"]), torch.from_numpy(data["labels"])
    names = {
        "precision_at_1": "image accuracy@1, image-loo",
        "mean_reciprocal_rank": "MRR of images, image-loo",
        "mean_average_precision": "mAP, image-loo",
    }
    calculator = AccuracyCalculator(include=tuple(names), k=len(labels) - 1, device=torch.device("cpu"))

    def work() -> dict[str, float]:
        found = calculator.get_accuracy(vectors, labels, vectors, labels, ref_includes_query=True)
        return {names[name]: value for name, value in found.items() if name in names}

    return work


if __name__ == "__main__":
    serve(
        {"load": load, "embed": embed, "train": train, "rank": rank},
        "pytorch-metric-learning", "numpy", "torch",
    )  # fmt: skip
