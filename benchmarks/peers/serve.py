"""A side of a benchmark in a process and an environment of its own: one line of JSON in, one line out.

Each peer's script hands its works to `serve`; ours does so too, so that all sides pay the same. Only the standard
library is imported here, since a peer's environment has not what ours has.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from benchmarks.timing import rest

Work = Callable[[], Any]
"""One unit of work. What it returns is kept until it is asked for; a dict of numbers, or (rows, width) numbers."""


class Timed:
    """Lets a work say from when to when it counts; without, it is from call to return."""

    def __init__(self) -> None:
        self.began = self.ended = moment()

    def begin(self) -> None:
        self.began = moment()

    def end(self) -> None:
        self.ended = moment()


def moment() -> tuple[float, float]:
    """Wall time, and the processor time of this process and of its children that have ended."""
    return time.perf_counter(), sum(os.times()[:4])


def serve(works: Mapping[str, Callable[..., Work]], *packages: str) -> None:
    """Answer until standard input ends.

    ``{"prepare": NAME, "with": {...}}`` makes ready what is not timed, ``{"run": true}`` does it once and says wall
    and processor seconds, ``{"keep": FILE}`` writes what came of it, ``{"versions": true}`` names the packages.

    Args:
        works: by name, from plain arguments to a work; a work may have an attribute ``timed``.
        packages: whose versions are told.
    """
    answers, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    os.dup2(2, 1)  # what a peer prints is no answer
    work: Any = None
    found: Any = None
    for line in sys.stdin:
        asked = json.loads(line)
        answer: dict[str, Any] = {}
        try:
            if "prepare" in asked:
                work = works[asked["prepare"]](**asked["with"])
            elif "run" in asked:
                began = moment()
                found = work()
                ended = moment()
                timed = getattr(work, "timed", None)
                if timed is not None:
                    began, ended = timed.began, timed.ended
                answer["seconds"] = [after - before for before, after in zip(began, ended, strict=True)]
                rest()  # so that its threads are in nobody's way once it has answered
            elif "keep" in asked:
                keep(found, asked["keep"])
            elif "versions" in asked:
                answer["versions"] = {name: version(name) for name in packages}
            else:
                raise ValueError(f"not understood: {asked}")
        except Exception as error:
            traceback.print_exc()
            answer["error"] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        print(json.dumps(answer), file=answers, flush=True)


def keep(found: Any, path: str) -> None:
    """Write numbers as JSON, rows of numbers as ``.npy``."""
    if isinstance(found, Mapping):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({name: float(value) for name, value in found.items()}, file)
    else:
        import numpy as np

        np.save(path, np.asarray(found, dtype=np.float32))
