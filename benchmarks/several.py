"""One epoch by the processes that torchrun started; the first prints its seconds.

Run as ``torchrun … -m benchmarks.several MODEL SIZE BATCH IMAGES FOLDER``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import torch
from benchmarks.fresh import ROOT
from benchmarks.loops import made_up, recipe_of
from benchmarks.timing import Seconds

from wildreid.training.device import keep_freed_memory
from wildreid.training.world import together


def epoch(
    processes: int, threads: int, model: str, size: int, batch: int, images: int, folder: Path
) -> Seconds:
    """One epoch in `processes` processes of so many threads each: the slowest's wall, the sum of processor time.

    Raises:
        RuntimeError: a process failed; with what was said.
    """
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    environment = dict(os.environ, PYTHONPATH=path, OMP_NUM_THREADS=str(threads))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command += ["-m", "benchmarks.several", model, str(size), str(batch), str(images), str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-2000:])
    return Seconds(*json.loads(next(line for line in done.stdout.splitlines() if line.startswith("["))))


def main(model: str, size: str, batch: str, images: str, folder: str) -> None:
    """Train two epochs, and tell of the second."""
    rank = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", rank) if torch.cuda.is_available() else torch.device("cpu")
    keep_freed_memory(device)
    with together(device) as world:
        training = made_up(recipe_of(model, int(size), batch=int(batch)), Path(folder), int(images))
        training.device = str(device)
        training.through_the_engine(world)
        spent = world.ask(training.through_the_engine(world))
        if world.first:
            print(json.dumps([max(one.wall for one in spent), sum(one.processor for one in spent)]))


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # as wildreid's own __main__ does, and for its reason
