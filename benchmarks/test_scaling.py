"""Time and memory of each stage of the pipeline as the number of images grows, with the fitted exponent.

Each point is one call in a process of its own; memory is what came with the call. Photos are noise of 32 × 32
pixels, embeddings are made up, the network is the micro one. An exponent is fitted by least squares through the
logarithms of all points; the slope between the two largest stands in brackets, since what costs the same at every
size makes the fit look better than it is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.fresh import cost
from benchmarks.record import Record
from benchmarks.timing import Seconds

STAGES = {
    "data": ("table_reading", "fingerprints", "fingerprints_again", "decoding", "opening", "encounters",
             "open_set_split", "disjoint_set_split", "auditing", "sampling_per_identity",
             "sampling_across_encounters"),
    "training": ("embedding",),
    "evaluation": ("ranking_a_block", "metrics", "decision", "bootstrap", "report"),
    "gallery": ("gallery_adding", "gallery_opening", "identifying", "one_query", "gallery_adding_a_hundred"),
}  # fmt: skip
"""The modules of `benchmarks.stages` and their functions."""
QUICK = ("table_reading", "encounters", "open_set_split", "metrics", "gallery_adding", "one_query")
"""What is measured with --quick too."""
MILLION = ("table_reading", "encounters", "open_set_split", "disjoint_set_split", "auditing",
           "sampling_per_identity", "sampling_across_encounters", "ranking_a_block", "metrics", "decision",
           "bootstrap", "gallery_adding", "gallery_adding_a_hundred", "gallery_opening", "identifying",
           "one_query")  # fmt: skip
"""Measured up to a million images: what touches no pixels."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """For all stages: photos once written are used again."""
    path = tmp_path_factory.mktemp("stages")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.parametrize(
    ("module", "stage"),
    [
        pytest.param(module, stage, marks=[] if stage in QUICK else pytest.mark.full)
        for module, stages in STAGES.items()
        for stage in stages
    ],
)
def test_stage(record: Record, folder: Path, quick: bool, module: str, stage: str) -> None:
    """Aim: no exponent above 1.1 in the number of images."""
    sizes = [1_000, 4_000] if quick else [1_000, 10_000, 100_000, *([1_000_000] if stage in MILLION else [])]
    grow(
        record,
        f"{module.capitalize()}, by images",
        f"{module}:{stage}",
        sizes,
        folder,
        aims={"exponent": ("<=", 1.1)},
    )


@pytest.mark.full
def test_ranking(record: Record, folder: Path) -> None:
    """As many queries as gallery images: the cost is of their product, so 2 is what it must be."""
    grow(
        record,
        "Ranking, by images on both sides",
        "evaluation:ranking",
        [1_000, 3_000, 10_000, 30_000],
        folder,
    )


LIMIT = 4 * 10**9
"""Bytes of memory that no file stands behind, which a million images must do with."""


def test_larger_than_memory(record: Record, folder: Path, quick: bool) -> None:
    """From a CSV to memory-mapped embeddings in one process, cold, under a limit of 4 GB.

    Table, fingerprints, decoded images, encounters, split, audit, embeddings of 512 numbers. The limit is the
    system's, on memory that no file stands behind; decoded images and embeddings are mapped from files, which a
    system short of memory gives up first. A million is reckoned from the slope between the two largest.
    """
    sizes = [500, 1_000] if quick else [10_000, 30_000, 100_000]
    table, found = "Larger than memory", {}

    def measure() -> None:
        for size in sizes:
            found[size] = cost("benchmarks.stages.whole:to_embeddings", size, str(folder), limit=LIMIT)

    record.benchmark.pedantic(measure, rounds=1)
    for size, spent in found.items():
        record.row(
            f"{table}, by images", {"stage": "table to embeddings"}, size=size,
            seconds={"wildreid": [Seconds(spent.wall, spent.processor)]},
            figures={"own memory, MB": spent.own / 1e6}, plot="own memory, MB", aims={"exponent": ("<=", 1.1)},
        )  # fmt: skip
    (small, less), (large, more) = list(found.items())[-2:]
    each = (more.own - less.own) / (large - small)
    figure = "own memory of a million, reckoned, GB"
    record.row(
        table, {"measured up to": large},
        figures={"own memory, GB": more.own / 1e9, "mapped files too, GB": more.peak / 1e9,
                 "bytes for each more image": round(each), figure: (more.own + each * (10**6 - large)) / 1e9},
        aims={figure: ("<=", LIMIT / 1e9)},
    )  # fmt: skip


def grow(
    record: Record, table: str, stage: str, sizes: list[int], folder: Path, aims: dict | None = None
) -> None:
    found = {}

    def measure() -> None:
        for size in sizes:
            found[size] = cost(f"benchmarks.stages.{stage}", size, str(folder))

    record.benchmark.pedantic(measure, rounds=1)
    name = {"stage": stage.partition(":")[2].replace("_", " ")}
    for size, spent in found.items():
        record.row(
            table, name, size=size, seconds={"wildreid": [Seconds(spent.wall, spent.processor)]},
            figures={"memory, MB": spent.added / 1e6}, plot="memory, MB", aims=aims,
        )  # fmt: skip
