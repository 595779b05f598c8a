"""Several processes come to what one alone would come to; one that dies leaves a run to go on with."""

from __future__ import annotations

import json
import os
import signal
import socket
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
import torch
from made import micro
from safetensors.torch import load_file

from wildreid.errors import UserError
from wildreid.training import embed as embedding
from wildreid.training import loop
from wildreid.training.embedder import load_embedder
from wildreid.training.world import ALONE, World, together

PLAIN: dict[str, Any] = {
    "backbone": {"name": "timm", "model": "test_convnext"},  # layer norm
    "head": {"name": "linear", "width": 8, "norm": "none"},  # batch statistics are each process's own
    "optimizer": {"name": "sgd", "backbone_rate": 0.05, "head_rate": 0.05, "loss_rate": 0.05},
    "scheduler": "constant",
    "transforms": [],
}
LIVELY: dict[str, Any] = {  # draws random numbers of its own in each process
    "loss": "arcface",
    "training": {"epochs": 2, "batch": 8, "checkpoint_every": 1, "freeze": 1, "thaw": 1, "accumulate": 2},
}


def run(
    rank: int, size: int, port: int, folder: Path, changes: dict[str, Any], die: int, resume: bool
) -> None:
    """One process of a run; process 1 kills itself when it reads its batch number `die`."""
    os.environ |= {
        "RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_RANK": str(rank),
        "MASTER_ADDR": "localhost", "MASTER_PORT": str(port),
    }  # fmt: skip
    torch.set_num_threads(1)
    table, images = micro.herd()
    take, taken = images.take, [0]

    def counted(rows: Any) -> Any:
        taken[0] += 1
        if rank == 1 and taken[0] == die:
            os.kill(os.getpid(), signal.SIGKILL)
        return take(rows)

    images.take = counted  # type: ignore[method-assign]
    try:
        with together(torch.device("cpu")) as world:
            assert (world.rank, world.size) == (rank, size)
            loop.train(
                micro.recipe(**changes), table, images, folder, validate=micro.validator(table),
                device="cpu", resume=resume, world=world,
            )  # fmt: skip
            embedder = load_embedder(folder, micro.REGISTRY)
            whole = embedding.embed(
                embedder, images, device="cpu", batch=8, out=folder / "embeddings.npy", world=world
            )
            alone = embedding.embed(embedder, images, device="cpu", batch=8)
            assert (whole == alone).all()
    except UserError as error:
        (folder / f"said by {rank}").write_text(str(error))
        os._exit(2)


def trained(
    context: ForkServerContext,
    folder: Path,
    size: int,
    changes: dict[str, Any],
    *,
    die: int = 0,
    resume: bool = False,
) -> list[int | None]:
    """The exit codes of the processes of one run."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    folder.mkdir(exist_ok=True)
    several = [
        context.Process(target=run, args=(rank, size, port, folder, changes, die, resume))
        for rank in range(size)
    ]
    for process in several:
        process.start()
    for process in several:
        process.join()
    return [process.exitcode for process in several]


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "history.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("loss", "miner"), [("triplet", "hard"), ({"name": "arcface", "margin": 15, "scale": 8}, "none")]
)
def test_two_processes_train_what_one_would(
    loss: Any, miner: str, children: ForkServerContext, tmp_path: Path
) -> None:
    changes = PLAIN | {"loss": loss, "miner": miner, "training": {"epochs": 1, "batch": 8}}
    assert trained(children, tmp_path / "one", 1, changes) == [0]
    assert trained(children, tmp_path / "two", 2, changes) == [0, 0]
    steps = json.loads((tmp_path / "one/history.jsonl").read_text().splitlines()[0])["step"]
    assert steps >= 3
    one, two = (torch.load(tmp_path / name / "checkpoints/last.pt") for name in ("one", "two"))
    start = micro.recipe(**changes)
    torch.manual_seed(start.seed)
    before = loop.build_embedder(start).state_dict()
    moved = max(float((one["embedder"][name] - before[name]).abs().max()) for name in before)
    assert moved > 1e-3  # there is something to be equal in
    for part in ("embedder", "objective"):
        assert one[part].keys() == two[part].keys()
        for name, weights in one[part].items():
            torch.testing.assert_close(two[part][name], weights, atol=1e-5, rtol=0)
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), abs=1e-5)


def test_a_process_that_dies_leaves_a_run_to_go_on_with(children: ForkServerContext, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert trained(children, whole, 2, LIVELY) == [0, 0]
    assert trained(children, broken, 2, LIVELY, die=6) == [2, -signal.SIGKILL]
    assert "process 0 lost the others" in (broken / "said by 0").read_text()
    assert trained(children, broken, 2, LIVELY, resume=True) == [0, 0]
    first, second = (load_file(folder / "model.safetensors") for folder in (whole, broken))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert losses(whole) == losses(broken)


def test_a_run_of_two_goes_on_alone(children: ForkServerContext, tmp_path: Path) -> None:
    assert trained(children, tmp_path, 2, LIVELY, die=6) == [2, -signal.SIGKILL]
    assert trained(children, tmp_path, 1, LIVELY, resume=True) == [0]
    assert len(losses(tmp_path)) == 2


def test_a_batch_that_is_too_small_to_share(tmp_path: Path) -> None:
    table, images = micro.herd()
    with pytest.raises(UserError, match="cannot be shared by 9 processes"):
        loop.train(micro.recipe(), table, images, tmp_path, validate=None, device="cpu", world=World(0, 9))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9])
def test_shares_are_all_of_a_batch_in_its_order(count: int) -> None:
    shares = [list(World(rank, 4).share(range(count))) for rank in range(4)]
    assert [one for share in shares for one in share] == list(range(count))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_alone_nothing_is_asked_of_anybody() -> None:
    rows = torch.rand(3, 2)
    assert ALONE.first
    assert ALONE.gather(rows, 3) is rows
    assert ALONE.tell(lambda: 7) == 7
    assert ALONE.ask(7) == [7]
    assert not ALONE.any(False)
    asked = [False]
    vote = ALONE.vote(lambda: asked[0])
    asked[0] = True
    assert vote()  # asked for meanwhile, it is heard at once
