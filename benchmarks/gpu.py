"""A GPU in eight minutes, the most wanted figures first; without one, ``--rehearse`` runs the same in miniature.

Networks are not pretrained, since their speed is the same. Training is an epoch of ArcFace with Adam from the warm
cache, embedding is all images once; the bare loop is the same network, neither compiled nor folded, in the same
process and precision, on tensors that are on the device already. What there was no time for says so.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from benchmarks.kept import ROOT, Kept
from benchmarks.loops import DEVICE, Embedding, Training, recipe_of
from benchmarks.record import Record
from benchmarks.smoke import smoke
from benchmarks.timing import Seconds, interleave
from benchmarks.watching import waiting

from wildreid.files import hash_of_file

SIZE = 224


@dataclass(frozen=True)
class Scale:
    """How much is done: what a GPU does in minutes, or a rehearsal of it.

    Attributes:
        models: backbones, with the steps of an epoch.
        batch: images a step.
        pairs: how often two sides are timed in turns.
        modes: precision and whether compiled, the most wanted first.
        pixels: a side of the smoke test's images, for networks that take any; None: the network's own.
        large: backbones, and modes, that are left out, since only a GPU has the time for them.
        profile: of the bear recipe, whose accuracy is awaited.
        compiling: seconds that must be left for what is compiled; a busy processor takes minutes for it.
    """

    models: Mapping[str, int]
    batch: int
    pairs: int
    modes: tuple[tuple[str, bool], ...]
    pixels: int | None
    large: tuple[str, ...]
    profile: str
    compiling: float


MODES = (("bf16", False), ("fp32", False), ("bf16", True))
GPU = Scale(
    {"resnet18": 24, "resnet50": 16, "convnext_tiny": 12, "convnext_large": 6},
    64,
    3,
    MODES,
    None,
    (),
    "sample",
    0.0,
)
REHEARSED = Scale(
    {"test_convnext": 4, "resnet18": 4, "resnet50": 4, "convnext_tiny": 4, "convnext_large": 4},
    4, 1, MODES, 64, ("resnet50", "convnext_tiny", "convnext_large"), "smoke", 300.0,
)  # fmt: skip
"""Each row once, and as small as shows that it works: two busy cores have minutes for all of them."""


def main() -> int:
    """Measure; 1 where a row failed, 2 where there is no GPU and nobody asked for a rehearsal."""
    parser = argparse.ArgumentParser(prog="bash benchmarks/gpu.sh", description=__doc__)
    parser.add_argument("--rehearse", action="store_true", help="in miniature, on whatever there is")
    parser.add_argument(
        "--out", type=Path, default=ROOT / ".benchmarks" / "gpu", help="folder of JSON and page (%(default)s)"
    )
    options = parser.parse_args()
    if DEVICE != "cuda" and not options.rehearse:
        print("there is no GPU that torch can use; --rehearse runs the same in miniature", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    scale = REHEARSED if options.rehearse else GPU
    kept = Kept(options.out, __doc__ or "", rehearsed=options.rehearse)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        try:
            smoke(kept, folder, pixels=scale.pixels)
            for precision, compiled in scale.modes[:2]:
                speed(kept, scale, precision, compiled, folder)
            accuracy(kept, scale, folder)
            for precision, compiled in scale.modes[2:]:
                speed(kept, scale, precision, compiled, folder)
        except KeyboardInterrupt:
            print("cut off; what was measured is on the page", flush=True)
    print(f"the page is in {options.out}, its JSON is gpu.json; "
          "python -m benchmarks.page gpu.json writes it into benchmarks/results")  # fmt: skip
    if kept.failed:
        print(f"failed, as the page says: {', '.join(kept.failed)}", file=sys.stderr)
    return int(bool(kept.failed))


def speed(kept: Kept, scale: Scale, precision: str, compiled: bool, folder: Path) -> None:
    """Training and embedding of each backbone in one precision, compiled or not."""
    for model, steps in scale.models.items():
        row = {
            "backbone": model,
            "size": SIZE,
            "batch": scale.batch,
            "precision": precision,
            "compiled": compiled,
        }
        rehearsed = model == "test_convnext" or (precision, compiled) == ("fp32", False)
        left_out = model in scale.large or (bool(scale.large) and not rehearsed)
        name = f"{model}-{precision}{'-compiled' if compiled else ''}"
        for measure, table in ((_training, "Training"), (_embedding, "Embedding")):
            if table == "Embedding" and compiled:
                continue  # what is compiled is the training step
            work = partial(measure, row=row, scale=scale, steps=steps, folder=folder)
            if left_out:
                work = partial(_left_out, table=table, row=row)
            needs = scale.compiling if compiled and not left_out else 0.0
            kept.row(f"{table.lower()}[{name}]", measure.__doc__ or "", work, table, row, needs=needs)


def _left_out(record: Record, table: str, row: Mapping[str, Any]) -> None:
    record.missing(table, row, "left out of the rehearsal: only a GPU has the time for it")


def _recipe(row: Mapping[str, Any], **training: Any) -> Any:
    return recipe_of(row["backbone"], SIZE, batch=row["batch"], precision=row["precision"], **training)


def _training(record: Record, row: Mapping[str, Any], scale: Scale, steps: int, folder: Path) -> None:
    """The last of two epochs, from its first image asked for to its end. Waiting: on a GPU the share of the
    time in which its stream had nothing to do until the next images were there, else that in which the loop stood
    still for them; of both epochs. The peak on the GPU includes the bare loop's network and images."""
    count = steps * row["batch"]
    with tempfile.TemporaryDirectory(dir=folder) as own:
        training = Training.of(_recipe(row, epochs=2, compile=row["compiled"]), Path(own), count)
        shares: list[float] = []
        peaks: list[float] = []

        def ours() -> Seconds:
            if DEVICE == "cuda":
                torch.cuda.reset_peak_memory_stats()
            with waiting() as idle:
                seconds = training.through_the_engine()
                shares.append(50 * idle() / seconds.wall)
            if DEVICE == "cuda":
                peaks.append(torch.cuda.max_memory_allocated() / 1e9)
            return seconds

        bare = Training(_recipe(row), training.table, training.images, training.folder).bare()
        found = interleave({"wildreid": ours, "bare loop": bare}, pairs=scale.pairs)
        record.row(
            "Training", row, seconds=found, count=count, unit="images",
            aims={"bare loop": (">=", 0.9), "waiting, % of the time": ("<=", 5.0)},
            figures={"waiting, % of the time": statistics.median(shares[1:])}
            | ({"peak on the GPU, GB": max(peaks)} if peaks else {}),
        )  # fmt: skip


def _embedding(record: Record, row: Mapping[str, Any], scale: Scale, steps: int, folder: Path) -> None:
    """Twice as many images once, from the warm cache."""
    count = 2 * steps * row["batch"]
    with tempfile.TemporaryDirectory(dir=folder) as own:
        embedding = Embedding.of(_recipe(row), Path(own), count)
        sides = {"wildreid": embedding.through_the_engine(), "bare loop": embedding.bare()}
        found = interleave(sides, pairs=scale.pairs)
        record.row(
            "Embedding", row, seconds=found, count=count, unit="images", aims={"bare loop": (">=", 0.9)}
        )


def accuracy(kept: Kept, scale: Scale, folder: Path) -> None:
    """The bear recipe on drawn bears, from the command to the report."""
    about = """`reid run` of the bear recipe on drawn bears in a process of its own, from its start to its
    report. Within 1 % of the best: training until what it watches on val first came so near to its best."""
    row = {"recipe": f"bears, {scale.profile}"}

    def work(record: Record) -> None:
        began = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "wildreid",
            "run",
            "species/bears/recipe.yaml",
            "--profile",
            scale.profile,
        ]
        command += ["--out", str(folder / "runs"), "--device", DEVICE]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=max(30.0, kept.left)
        )
        took = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError((done.stderr.strip().splitlines() or ["no reason was given"])[-1])
        (run,) = (folder / "runs").iterdir()
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        watched = [(line["watched"], line["seconds"]) for line in lines if line.get("watched") is not None]
        best = max(value for value, _ in watched)
        near = next(at for at, (value, _) in enumerate(watched) if value >= 0.99 * best)
        record.row(
            "Time to accuracy", row, seconds={"wildreid": [Seconds(took, took)]},
            figures={
                "best on val": best,
                "training until within 1 % of it, s": sum(seconds for _, seconds in watched[: near + 1]),
                "all training, s": sum(seconds for _, seconds in watched),
                "weights": hash_of_file(run / "model.safetensors")[:12],
            },
        )  # fmt: skip

    kept.row("accuracy", about, work, "Time to accuracy", row)


if __name__ == "__main__":
    sys.exit(main())
