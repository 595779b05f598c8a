"""Rows of a benchmark that may be cut off at any moment: all that is there is in the JSON, and on the page."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import torch
from benchmarks.loops import DEVICE
from benchmarks.record import Record

from benchmarks import page
from wildreid.files import put_text
from wildreid.pipeline.provenance import machine, versions
from wildreid.training.device import pick_precision

ROOT = Path(__file__).parent.parent
ENOUGH = 420.0
"""Seconds after which nothing new is begun; gpu.sh ends at 465."""


class Kept:
    """The rows so far, in the JSON that the page reads, and the page; both are written again with each row."""

    def __init__(self, out: Path, words: str, *, rehearsed: bool) -> None:
        half = pick_precision("auto", torch.device(DEVICE))
        self.out, self.words, self.began = out, words, time.monotonic()
        self.failed: list[str] = []
        self.run: dict[str, Any] = {
            "machine_info": {
                **machine(DEVICE),
                "memory_gb": round(psutil.virtual_memory().total / 1e9),
                "precision": str(half or torch.float32).removeprefix("torch."),
                "quick": rehearsed,
                "python": ".".join(map(str, sys.version_info[:3])),
                "versions": versions(),
            },
            "commit_info": _commit(),
            "datetime": datetime.now(UTC).isoformat(),
            "version": "5",
            "benchmarks": [],
        }

    @property
    def left(self) -> float:
        """Seconds in which something new may be begun."""
        return ENOUGH - (time.monotonic() - self.began)

    def row(
        self,
        name: str,
        about: str,
        work: Callable[[Record], object],
        table: str,
        row: Mapping[str, Any],
        *,
        needs: float = 0.0,
    ) -> None:
        """Do some work that leaves rows, or leave one that says why not: fewer seconds are left than it needs."""
        extra: dict[str, Any] = {"section": {"name": "gpu", "words": " ".join(self.words.split())}}
        stand_in = type("Benchmark", (), {"extra_info": extra, "has_error": True})()
        record = Record(stand_in, " ".join(about.split()), DEVICE)
        if self.left <= needs:
            record.missing(table, row, "no time was left")
        else:
            try:
                work(record)
            except Exception as error:  # one that fails takes no other's figures along
                self.failed.append(name)
                record.missing(
                    table,
                    row,
                    f"failed: {type(error).__name__}: {(str(error).splitlines() or [''])[0][:300]}",
                )
        gc.collect()
        if DEVICE == "cuda":
            torch.cuda.empty_cache()
        self.run["benchmarks"].append(
            {
                "group": None,
                "name": name,
                "fullname": f"benchmarks/gpu.py::{name}",
                "params": None,
                "extra_info": extra,
            }
        )
        put_text(self.out / "gpu.json", json.dumps(self.run) + "\n")
        page.write([self.run], self.out)
        print(f"{time.monotonic() - self.began:5.0f} s  {name}", flush=True)


def _commit() -> dict[str, Any]:
    """The checkout's commit, where git says one."""
    try:
        ask = [["git", "rev-parse", "HEAD"], ["git", "status", "--porcelain"]]
        said = [
            subprocess.run(one, cwd=ROOT, capture_output=True, text=True, check=True).stdout for one in ask
        ]
    except (OSError, subprocess.CalledProcessError):
        return {"id": None, "dirty": False}
    return {"id": said[0].strip(), "dirty": bool(said[1].strip())}
