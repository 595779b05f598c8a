"""wildreid beside its peers on the same work: each in a process of its own, asked in turns.

nox -s peers makes the peers' environments. All sides have the same JPEG files, the same timm network with the
same weights, the same transform (squashed to a square, normalised), batch 32, float32 and the same number of
threads; their embeddings are compared before anything is timed. A peer's loader has the number of worker processes
of 0 and 2 that was faster in one pass each. Warm: our cache holds the decoded images, from the second epoch or
run on; cold: it is empty, and the hashing of the files and the filling of the cache count. Peers keep no decoded
images, so for them there is no such difference: the operating system has the files in memory for every side.
Processor time is of the process and its workers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from benchmarks.peer import OURS, PEERS, Known, Peer, PeerError, alike
from benchmarks.photos import KINDS, photos
from benchmarks.record import Aims, Record
from benchmarks.timing import Seconds
from made.tables import simulated

pytestmark = pytest.mark.full
BATCH = 32
WORKERS = (0, 2)
THREADS = torch.get_num_threads()
NETWORKS = [("resnet18", 224), ("test_convnext", 96)]
COUNTS = {("resnet18", "chips"): 64, ("test_convnext", "chips"): 256, "frames": 32}
AGREE = 0.999


@pytest.fixture(scope="module")
def running() -> Iterator[Callable[[Known], Peer]]:
    """Starts a peer once for the whole file."""
    with ExitStack() as stack:
        started: dict[str, Peer] = {}

        def start(known: Known) -> Peer:
            if known.name not in started:
                started[known.name] = stack.enter_context(Peer(known, THREADS))
            return started[known.name]

        yield start


Running = Callable[[Known], Peer]
by_network = pytest.mark.parametrize(("model", "size"), NETWORKS)
by_kind = pytest.mark.parametrize("kind", list(KINDS))


def material(folder: Path, model: str, kind: str) -> tuple[dict[str, Any], int]:
    """JPEGs with their list, and weights that tell images apart, since untrained networks hardly do."""
    count = COUNTS.get((model, kind)) or COUNTS[kind]
    table = photos(folder / "photos", count, KINDS[kind])
    listed = [{"image": f"{name}", "label": n // 8} for n, name in enumerate(table["image"])]
    (folder / "photos" / "photos.json").write_text(json.dumps(listed))
    torch.manual_seed(0)
    network = timm.create_model(model, num_classes=0).train()
    with torch.no_grad():  # the statistics of batch norms, from images as varied as these
        for _ in range(10):
            network(torch.randn(16, 3, 1, 1) + torch.randn(16, 3, 64, 64))
    torch.save(network.state_dict(), folder / "weights.pt")
    return {"folder": str(folder / "photos"), "model": model, "weights": str(folder / "weights.pt")}, count


@by_kind
def test_loading(record: Record, running: Running, tmp_path: Path, kind: str) -> None:
    """Files to normalised batches of 224 pixels a side, without a network."""
    given, count = material(tmp_path, "resnet18", kind)
    given |= {"size": 224, "batch": BATCH}
    beside(record, running, "Peers: loading", {"files": kind, "size": 224}, "load", given, count)


@by_kind
@by_network
def test_embedding(
    record: Record, running: Running, tmp_path: Path, model: str, size: int, kind: str
) -> None:
    """Files to embeddings; chips are 300 × 300, frames 2000 × 1500 pixels."""
    given, count = material(tmp_path, model, kind)
    given |= {"size": size, "batch": BATCH}
    row = {"network": model, "size": size, "files": kind}
    beside(record, running, "Peers: embedding", row, "embed", given, count, agree=True)


@pytest.mark.parametrize("peer", PEERS, ids=[known.name for known in PEERS])
def test_training(record: Record, running: Running, tmp_path: Path, peer: Known) -> None:
    """One epoch of two batches: ArcFace, Adam, chips of 300 × 300, no augmentation, nothing validated or saved.

    wildlife-tools and pytorch-metric-learning by their trainers, open-metric-learning by the loop of its README.
    """
    given, count = material(tmp_path, "resnet18", "chips")
    given |= {"size": 224, "batch": BATCH}
    row = {"network": "resnet18", "size": 224, "files": "chips", "peer": peer.name}
    beside(record, running, "Peers: training", row, "train", given, count, only=peer)


def test_ranking(record: Record, running: Running, tmp_path: Path) -> None:
    """5,000 images against 5,000 by 512 numbers: 250 animals, each in four encounters of five images.

    wildreid: accuracy@k of individuals and images, MRR, mAP, AUROC and DIR/FPIR with the encounter mask.
    open-metric-learning: CMC and mAP over the full ranking with its mask of sequences. pytorch-metric-learning:
    accuracy at 1, MRR and mAP over the full ranking, without a mask. wildlife-tools: the vote of the ten nearest
    images alone, which is less work: one product, its ten largest, no mask, no rank and no figure. Accuracy and mAP
    were compared with ours first.
    """
    table, embeddings = simulated(individuals=250, encounters=4, burst=5, noise=2.0, encounter=1.0, width=512)
    who, when = (np.unique(table[name], return_inverse=True)[1] for name in ("identity", "encounter"))
    file = tmp_path / "ranking.npz"
    np.savez(file, embeddings=embeddings, labels=who, encounters=when)
    ours = running(OURS)
    expected: dict[str, float] = {}
    for protocol in ("image-loo", "cross-encounter"):  # the last one stays prepared
        ours.prepare("rank", file=str(file), protocol=protocol)
        ours.run()
        expected |= ours.figures()
    sides: dict[str, Callable[[], Seconds]] = {ours.title: ours.run}
    row, missing = {"images": len(who), "width": 512}, dict[str, str]()
    for known in PEERS:
        try:
            peer = started(running, known)
            peer.prepare("rank", file=str(file))
            peer.run()
        except PeerError as error:
            missing[known.name] = str(error)
            continue
        for name, value in peer.figures().items():
            if (mine := expected.get(ALIKE.get(name, name))) is not None:
                assert value == pytest.approx(mine, abs=2e-4), f"{known.name} says {name}"
        sides[peer.title] = peer.run
    aims = dict.fromkeys(list(sides)[1:], (">=", 8.0))
    record.beside("Peers: ranking", row, sides, warm=False, aims=aims)
    leave_out(record, "Peers: ranking", row, missing)


ALIKE = {
    f"{theirs}, {protocol}": f"{ours}, {protocol}"
    for theirs, ours in (("image accuracy@1", "image-accuracy@1"), ("mAP", "mAP"))
    for protocol in ("image-loo", "cross-encounter")
}


def beside(
    record: Record,
    running: Running,
    table: str,
    row: Mapping[str, Any],
    work: str,
    given: dict[str, Any],
    count: int,
    *,
    agree: bool = False,
    only: Known | None = None,
) -> None:
    """Time ours, warm and cold, and the peers in turns, and leave a row each for warm and cold."""
    ours = running(OURS)
    cold = Peer(OURS, THREADS)
    with cold:
        ours.prepare(work, **given, workers=2, cold=False)
        cold.prepare(work, **given, workers=2, cold=True)
        sides: dict[str, Callable[[], Seconds]] = {ours.title: ours.run, "cold": cold.run}
        figures: dict[str, Any] = {}
        missing: dict[str, str] = {}
        mine = None
        if agree:
            ours.run()
            mine = ours.vectors()
        for known in PEERS:
            if only not in (None, known):
                continue
            try:
                peer = started(running, known)
                workers = fastest(peer, work, given)
                peer.prepare(work, **given, workers=workers)
                peer.run()
            except PeerError as error:
                missing[known.name] = str(error)
                continue
            if mine is not None:
                least = float(alike(mine, peer.vectors()).min())
                assert least > AGREE, f"{known.name}: a cosine of {least}"
                figures[f"{known.name}, least cosine"] = f"{least:.5f}"
            figures[f"{known.name}, workers"] = workers
            sides[peer.title] = peer.run
        found = record.turns(sides)
    others = {name: seconds for name, seconds in found.items() if name not in (ours.title, "cold")}
    aims: Aims = dict.fromkeys(others, (">=", 1.0))
    for state, name in (("warm", ours.title), ("cold", "cold")):
        record.row(
            table, {**row, "cache": state}, seconds={ours.title: found[name], **others},
            count=count, unit="images", figures=figures, aims=aims,
        )  # fmt: skip
    leave_out(record, table, row, missing)


def leave_out(record: Record, table: str, row: Mapping[str, Any], missing: Mapping[str, str]) -> None:
    """A row for each peer that could not be measured, with its reason."""
    for name, reason in missing.items():
        record.missing(table, {**row, "peer": name}, reason)


def started(running: Running, known: Known) -> Peer:
    """The running peer; a `PeerError` says why there is none."""
    if known.missing:
        raise PeerError(known.missing)
    return running(known)


def fastest(peer: Peer, work: str, given: Mapping[str, Any]) -> int:
    """The number of worker processes that its loader is fastest with, after one pass that is not counted.

    A pass of training takes so long that what is loaded once by the first does not matter.
    """
    walls: dict[int, float] = {}
    for workers in WORKERS:
        peer.prepare(work, **given, workers=workers)
        if not walls and work != "train":
            peer.run()
        walls[workers] = peer.run().wall
    return min(walls, key=lambda workers: walls[workers])
