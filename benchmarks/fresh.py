"""Time and memory of one call in a process of its own, where nothing else has grown the memory before.

A child's ``ru_maxrss`` begins at its parent's peak on Linux, which is why it is not used there.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.timing import took

ROOT = Path(__file__).parent.parent


class Cost(NamedTuple):
    """What a call took.

    Attributes:
        wall: seconds.
        processor: seconds of processor time, of all threads.
        peak: bytes of memory that the process held at most during the call, its libraries included.
        added: how much of it came with the call.
        gpu: bytes that torch held on a GPU at most.
        own: bytes at most that no file stands behind, which a system short of memory cannot give up; looked at
            twenty times a second, and only under a limit.
    """

    wall: float
    processor: float
    peak: int
    added: int
    gpu: int
    own: int


def cost(prepare: str, *arguments: Any, threads: int | None = None, limit: int | None = None) -> Cost:
    """Call ``prepare(*arguments)`` in a fresh process, then measure what it returns, called once.

    Args:
        prepare: ``"package.module:function"``, which returns the work to measure: a call without arguments.
        arguments: plain data for `prepare`.
        threads: of the libraries; None: as here.
        limit: bytes of memory of its own (`Cost.own`) that the process may have; None: as many as there are.

    Raises:
        RuntimeError: the process failed; with what it said.
    """
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(ROOT), *filter(None, sys.path)]))
    if threads is not None:
        environment |= {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    task = json.dumps({"prepare": prepare, "arguments": arguments, "limit": limit})
    command = [sys.executable, "-m", "benchmarks.fresh", task]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{prepare}{arguments} failed: {done.stderr.strip()[-2000:]}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def _measure(task: dict[str, Any]) -> Cost:
    module, _, name = task["prepare"].partition(":")
    prepare: Callable[..., Callable[[], object]] = getattr(importlib.import_module(module), name)
    work = prepare(*task["arguments"])
    if task["limit"]:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (task["limit"], task["limit"]))
    gc.collect()
    _forget_peak()
    before = _held()
    with _watched(bool(task["limit"])) as own:
        wall, processor = took(work)
    peak = _peak()
    torch = sys.modules.get("torch")
    gpu = torch.cuda.max_memory_allocated() if torch and torch.cuda.is_initialized() else 0
    return Cost(wall, processor, peak, max(0, peak - before), gpu, max(own, default=0))


@contextlib.contextmanager
def _watched(wanted: bool) -> Iterator[list[int]]:
    """Fill a list with the memory that no file stands behind, from /proc, while the work goes on."""
    seen: list[int] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            seen.append(_status("RssAnon"))

    thread = threading.Thread(target=watch)
    if wanted:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        if wanted:
            thread.join()


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _held() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def _peak() -> int:
    import psutil

    if Path("/proc/self/status").is_file():
        return _status("VmHWM")
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes, on macOS


if __name__ == "__main__":
    print(json.dumps(_measure(json.loads(sys.argv[1]))._asdict()))
