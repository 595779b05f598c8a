from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from tests.core.identification.test_shards import contents

from wildreid.errors import UserError
from wildreid.identification import cluster
from wildreid.identification.cluster import embed_on
from wildreid.identification.joining import join
from wildreid.identification.shards import sharding

SHARDS = 8  # as many as there are batches
pytest.importorskip("distributed", reason="Dask is not installed")


def test_two_workers_of_which_one_is_killed_make_what_one_process_makes(
    tiny: Path, many: Path, tmp_path: Path
) -> None:
    table = many
    alone = sharding(tiny, table, tmp_path / "alone", shards=1)
    alone.embed(0)
    join(tmp_path / "alone")
    from distributed import LocalCluster

    there: list[int] = []
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as made:
        folder = tmp_path / "shared"
        work = sharding(tiny, table, folder, shards=SHARDS)

        def kill() -> None:
            until = time.monotonic() + 60
            while not [*folder.glob("*.parquet")] and time.monotonic() < until:
                time.sleep(0.01)
            os.kill(made.workers[0].pid, signal.SIGKILL)
            there.append(len([*folder.glob("*.parquet")]))

        watcher = threading.Thread(target=kill)
        watcher.start()
        assert embed_on(work, tiny, table, dask=made.scheduler_address) == SHARDS
        watcher.join()
        assert 0 < there[0] < SHARDS
        assert embed_on(work, tiny, table, dask=made.scheduler_address) == 0  # nothing is done twice
        # a worker that cannot see the model says so, and which it is
        with pytest.raises(UserError, match=r"the worker tcp://.* says: there is no"):
            embed_on(work, tmp_path / "nowhere", table, dask=made.scheduler_address)
    join(folder)
    assert contents(folder / "joined") == contents(tmp_path / "alone" / "joined")


def test_a_cluster_that_does_not_answer_is_said(tiny: Path, photos: Path, tmp_path: Path) -> None:
    work = sharding(tiny, photos / "table.csv", tmp_path, shards=2)
    with pytest.raises(UserError, match="does not answer"):
        embed_on(work, tiny, photos / "table.csv", dask="tcp://127.0.0.1:9", patience=0.5)
    assert not [*tmp_path.glob("*.parquet")]


def test_without_dask_the_cure_is_named(
    tiny: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import builtins

    real = builtins.__import__

    def none_of_it(name: str, *given, **named):
        if name == "distributed":
            raise ImportError(name)
        return real(name, *given, **named)

    work = sharding(tiny, photos / "table.csv", tmp_path, shards=2)
    monkeypatch.setattr(builtins, "__import__", none_of_it)
    with pytest.raises(UserError, match="Dask is not installed") as said, cluster._client(None, 2, 1.0):
        pass
    assert "wildreid[cluster]" in said.value.cure
    assert work.plan.shards == 2
