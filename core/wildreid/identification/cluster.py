"""Shards by Dask: a cluster that is there already, or workers of this machine; Dask starts again what dies."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from wildreid.errors import UserError, first_line
from wildreid.identification.shards import SUFFIX, Sharding, sharding, whole
from wildreid.progress import bar, say

RETRIES = 2
"""How often a shard is tried again that failed, beside those whose worker died."""
PATIENCE = 60.0
"""Seconds to wait for a cluster, and for its first worker."""


def embed_on(
    work: Sharding, model: str | Path, table: str | Path, *,
    dask: str | None = None, workers: int | None = None, root: str | Path | None = None, device: str = "auto",
    patience: float = PATIENCE,
) -> int:  # fmt: skip
    """Embed all shards on a cluster; those that are there are not embedded again. Return how many were made.

    Args:
        work: what is to be embedded, from `wildreid.identification.shards.sharding`.
        model: the model, where the workers see it.
        table: the table, where they see it.
        dask: the address of a cluster's scheduler; None: of `workers` processes of this machine.
        workers: how many.
        root: as for `sharding`.
        device: on which they embed.
        patience: seconds to wait for the cluster, and for its first worker.

    Raises:
        UserError: Dask is not installed; the cluster does not answer, or has no workers; a worker lacks wildreid,
            the model or the table; workers die again and again.
    """
    there = {path.name for path in work.folder.glob(f"*{SUFFIX}") if whole(path)}
    given = [
        None if path is None else str(Path(path).absolute()) for path in (model, table, work.folder, root)
    ]
    with _client(dask, workers, patience) as client:
        from distributed import as_completed

        futures = [
            client.submit(_embed, *given, work.plan.shards, device, shard, pure=False, retries=RETRIES)
            for shard in range(work.plan.shards)
        ]
        done = as_completed(futures)  # type: ignore[no-untyped-call]
        for future in bar(done, "shards", total=len(futures)):
            _check(future)
    # by the files, since a worker that died may have taken along what it had to say of a shard
    return len({path.name for path in work.folder.glob(f"*{SUFFIX}")} - there)


def _embed(model: str, table: str, out: str, root: str | None, shards: int, device: str, shard: int) -> Any:
    """On a worker: one shard. What a user can correct is no failure that another try would correct."""
    from distributed import get_worker

    try:
        _work(model, table, out, root, shards, device).embed(shard)
    except UserError as error:
        return error.what, error.where, error.cure, get_worker().address
    return None


@lru_cache(maxsize=1)
def _work(model: str, table: str, out: str, root: str | None, shards: int, device: str) -> Sharding:
    """Model and table, read once by each worker."""
    return sharding(model, table, out, shards=shards, root=root, device=device)


def _check(future: Any) -> None:
    """Raise what a worker says went wrong."""
    from distributed import KilledWorker

    try:
        found = future.result()
    except KilledWorker as error:
        raise UserError(
            f"workers died again and again at one shard: {first_line(error)}",
            cure="give them more memory, or make smaller shards (`shards=…`); what is done is kept",
        ) from None
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"a worker lacks what it needs: {first_line(error)}",
            cure="install the same wildreid and the same plugins on all of them",
        ) from None
    if found is not None:
        what, where, cure, address = found
        raise UserError(f"the worker {address} says: {what}", where=where, cure=cure)


@contextmanager
def _client(address: str | None, workers: int | None, patience: float) -> Iterator[Any]:
    """A client of the cluster; one of this machine's own is closed in the end."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise UserError("Dask is not installed", cure="pip install 'wildreid[cluster]'") from None
    if address is None:
        cluster = LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers or 1,
            threads_per_worker=1,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        )
        with cluster, Client(cluster) as client:  # type: ignore[no-untyped-call]
            yield client
        return
    try:
        client = Client(address, timeout=patience)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        raise UserError(
            f"the cluster does not answer: {first_line(error)}", where=address,
            cure="see that its scheduler runs, and that this machine can reach it",
        ) from None  # fmt: skip
    with client:
        try:
            client.wait_for_workers(1, timeout=patience)
        except TimeoutError:
            raise UserError(
                f"the cluster has had no worker for {patience:g} seconds", where=address,
                cure="start its workers first",
            ) from None  # fmt: skip
        say(f"cluster {address}: {len(client.scheduler_info(n_workers=-1)['workers'])} workers")
        yield client
