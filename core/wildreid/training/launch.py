"""Start the processes of one run on this machine, one for each GPU, by torch's own launcher."""

from __future__ import annotations

import logging
import os
import signal
import sys
import uuid
from collections.abc import Sequence

import torch
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from wildreid.errors import Interrupted, UserError


def launch(processes: int, arguments: Sequence[str], *, device: str) -> None:
    """Run ``python -m wildreid ARGUMENTS`` in several processes that train together, and wait for them.

    It is what ``torchrun --standalone --nproc-per-node`` does, with the exit codes of `reid`.

    Args:
        processes: how many.
        arguments: of the command line, the same for each.
        device: ``cpu``, or else each process takes a GPU.

    Raises:
        UserError: there are fewer GPUs; a process failed or was killed.
        Interrupted: Ctrl-C; all is saved.
    """
    if device != "cpu" and torch.cuda.device_count() < processes:
        raise UserError(
            f"there are {torch.cuda.device_count()} GPUs here, not {processes}",
            where=f"`processes={processes}`",
            cure=f"with `device=cpu`, {processes} processes share the processor",
        )
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # we say it ourselves
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        local_addr="localhost",
        max_restarts=0,
    )
    try:
        elastic_launch(config, sys.executable)("-m", "wildreid", *arguments)
    except SignalException as stopped:
        raise Interrupted(
            "stopped; what was trained is saved", cure="go on with `resume=…` and the same `processes=…`"
        ) from stopped
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode == 130:
            raise Interrupted("stopped", cure="go on with `resume=…` and the same `processes=…`") from None
        if failure.exitcode == 2:
            raise UserError("a process stopped; its message is above") from None
        how = signal.Signals(-failure.exitcode).name if failure.exitcode < 0 else failure.exitcode
        raise UserError(
            f"process {rank} ended with {how}",
            cure="go on from the last checkpoint with `resume=…` and the same `processes=…`",
        ) from None
