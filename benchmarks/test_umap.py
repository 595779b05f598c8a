"""What pictures of the embedding space cost training, once the first of them is drawn.

A network learns on images in memory; after each epoch the other side hands its validation embeddings to the process
that draws, which lays them out from the last positions and paints them while the next epoch trains. Import and
compilation are over before the clock starts: they take seconds of one core at low priority, once in a run.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import numpy as np
import torch
from benchmarks.record import Record
from made import micro

from wildreid.projection.projector import Projector
from wildreid.training.embedder import build_embedder

POINTS, WIDTH, GROUPS = 1000, 512, 50
EPOCH = 5.0
MINUTE = 60.0


def test_pictures_beside_training(record: Record, tmp_path: Path) -> None:
    """1000 photos of 50 animals, 512 dimensions, new noise at each epoch; an epoch of five seconds of a very small
    network's training steps at 32 pixels. *Share of a minute's epoch* is the time that an epoch takes longer with a
    picture, handing over included, by sixty seconds."""
    torch.manual_seed(0)
    network = build_embedder(micro.recipe()).to(record.device).train()
    pixels = torch.randint(0, 255, (32, 3, 32, 32), device=record.device).float() / 255
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        network(pixels).square().mean().backward()
        optimizer.step()

    def steps(count: int) -> None:
        for _ in range(count):
            step()

    steps(10)
    began = time.perf_counter()
    steps(20)
    count = round(20 * EPOCH / (time.perf_counter() - began))

    whose = np.arange(POINTS) % GROUPS
    draw = np.random.default_rng(0)
    middles = draw.normal(size=(GROUPS, WIDTH))
    epoch = 0
    with Projector(
        tmp_path,
        ids=np.array([f"{n}.jpg" for n in range(POINTS)]),
        identity=np.array([f"animal {n}" for n in whose]),
        shown=np.ones(POINTS, bool),
        seed=0,
    ) as projector:

        def hand_over() -> None:
            nonlocal epoch
            epoch += 1
            vectors = middles[whose] + 2 * draw.normal(size=(POINTS, WIDTH))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            projector(epoch, vectors.astype(np.float32))

        def with_picture() -> None:
            hand_over()
            steps(count)

        hand_over()
        while projector.under_way and not projector.over:
            time.sleep(0.1)
            projector.hear()
        assert not projector.over, "the first picture failed"
        found = record.turns({"with a picture": with_picture, "without": lambda: steps(count)})
    longer = [ours.wall - bare.wall for ours, bare in zip(*found.values(), strict=True)]
    share = statistics.median(longer) / MINUTE
    record.row(
        "An epoch with a picture of the embedding space",
        {"points": POINTS},
        seconds=found,
        compare="time",
        figures={
            "share of a minute's epoch": {
                "value": share, "low": min(longer) / MINUTE, "high": max(longer) / MINUTE
            }
        },
        aims={"share of a minute's epoch": ("<=", 0.05)},
    )  # fmt: skip
