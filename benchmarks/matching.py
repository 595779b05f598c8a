"""What matching gives: the embedding alone, re-ranked, matched points alone, and all fused, on the same queries.

Run as ``python -m benchmarks.matching bears``, ``places`` or ``cows`` (whose photos ``WILDREID_COWS`` names). It
trains what is not there yet, as the accuracy tables do, and prints a table for each run with what the gate says.
``--minutes 4`` begins no run after that, so that a list is worked off in pieces; ``--queries`` is for the cows.

- ``bears``: the sample's drawn bears with their true masks, three seeds, across encounters; a head is trained on
  frozen ImageNet features (profile ``laptop``).
- ``places``: two drawn striped herds, one of which its places give away, with and without true masks, three seeds;
  ImageNet features as they come.
- ``cows``: test queries of OpenCows2020's official split against its training part; validation queries are of that
  part. Once more with look-alikes removed: no photo of a query's own burst answers, as ``bursts.csv`` has them.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from benchmarks.trials import ROOT, SEEDS, Trial

import wildreid
from wildreid.artefacts import Results
from wildreid.matching.trial import costs

MATCHED: dict[str, Any] = {"matchers": ["mutual"], "reranker": "k-reciprocal", "training.umap_every": None}
KS = ("accuracy@1", "accuracy@5")
BEARS = Trial(
    "bears-matched",
    profiles=("sample", "laptop"),
    settings={**MATCHED, "images.size": 128, "foreground": "table", "images.background": "keep"},
)
"""The network sees whole photos; masks say where points may lie."""


def places(seed: int) -> dict[str, Trial]:
    """The herds of one seed: each flank at a place of the day or at home, seen with its place or without."""
    herd = {
        **MATCHED, "dataset.size": 128, "dataset.seed": seed, "images.size": 128,
        "backbone": "efficientnet-lite", "head": "identity", "training.epochs": 0,
    }  # fmt: skip
    seen = {"whole photos": {}, "the animal alone": {"foreground": "table"}}
    return {
        f"{where}, {how}": Trial(
            f"place-{int(homes)}{int(bool(masks))}-{seed}",
            recipe="../docs/examples/stripes/recipe.yaml",
            profiles=(),
            settings={**herd, **masks, "dataset.homes": homes},
        )
        for where, homes in (("places of the day", False), ("homes", True))
        for how, masks in seen.items()
    }


def cows(root: Path, queries: int, *, bursts: bool) -> Trial:
    """The official split, so many test and validation queries of it, drawn by seed 0."""
    file = ROOT / ".benchmarks" / f"opencows-{queries}{'-bursts' if bursts else ''}.csv"
    file.parent.mkdir(exist_ok=True)
    official(root, queries, bursts=bursts).to_csv(file, index=False)
    return Trial(
        file.stem,
        recipe="cows/recipe.yaml",
        profiles=("matching",),
        settings={
            **MATCHED, "dataset.root": str(root), "dataset.file": str(file), "splitter": "given",
            "evaluation.protocols": ["fixed-gallery"],
        },
    )  # fmt: skip


def official(root: Path, queries: int, *, bursts: bool) -> pd.DataFrame:
    """The table of `cows`: path, identity, part, and with `bursts` what stands for an encounter."""
    rows = pd.read_csv(root / "bursts.csv", dtype=str)
    asked = {
        part: rows[rows["split"] == split].sample(
            min(queries, (rows["split"] == split).sum()), random_state=0
        )
        for part, split in (("test", "test"), ("val", "train"))
    }
    part = rows["split"].where(rows["split"] == "train")
    for name, chosen in asked.items():
        part[chosen.index] = name
    rows = rows.assign(part=part)[part.notna()].reset_index(drop=True)
    return rows[["path", "identity", "part", *(["burst"] if bursts else [])]].rename(
        columns={"burst": "encounter"}
    )


def told(run: Results) -> Mapping[str, Any]:
    """What the run says of matching under its headline, or else under the first protocol that could be used."""
    blocks = run.scores["protocols"]
    found: Mapping[str, Any] = next(
        blocks[name]["matching"] for name in (run.scores["headline"], *blocks) if "matching" in blocks[name]
    )
    return found


def lines(run: Results) -> Iterator[str]:
    """A run's table, in Markdown, and what the gate and the control for the place say."""
    said = told(run)
    yield "\n| ranked by | accuracy@1 | less the embedding | accuracy@5 | less the embedding |"
    yield "|---|---|---|---|---|"
    for name, found in said["figures"].items():
        cells = []
        for k in KS:
            one = found[k]
            cells.append(_percent(one["value"], one["low"], one["high"]))
            ends = one.get("difference_low"), one.get("difference_high")
            cells.append(_percent(one["difference"], *ends, sign="+") if "difference" in one else "")
        yield f"| {name}{' (stands)' if name == said['stands'] else ''} | {' | '.join(cells)} |"
    yield f"\n{said['figures']['embedding']['accuracy@1']['n']} queries, {said['protocol']}."
    yield from said["says"]


def _percent(value: float | None, low: float | None, high: float | None, *, sign: str = "") -> str:
    if value is None:
        return ""
    ends = "" if low is None or high is None else f" [{100 * low:{sign}.1f}, {100 * high:{sign}.1f}]"
    return f"{100 * value:{sign}.1f}{ends}"


def plan(given: argparse.Namespace) -> Iterator[tuple[str, Trial, int]]:
    """What is asked for: words, trial and seed of each run."""
    for seed in SEEDS[: given.seeds]:
        if given.animals == "bears":
            yield f"drawn bears, seed {seed}", BEARS, seed
        elif given.animals == "places":
            for words, trial in places(seed).items():
                yield f"{words}, seed {seed}", trial, seed
    if given.animals == "cows":
        root = Path(os.environ["WILDREID_COWS"])
        for bursts in (False, True):
            words = "look-alikes removed" if bursts else "official split"
            yield f"cows, {words}", cows(root, given.queries, bursts=bursts), 0


def main(given: argparse.Namespace) -> None:
    """Train what there is time for, and print."""
    began, left = time.monotonic(), 0
    for words, trial, seed in plan(given):
        run = trial.kept(seed)
        if run is None and time.monotonic() - began > 60 * given.minutes:
            left += 1
            continue
        print(f"\n## {words}", flush=True)
        print("\n".join(lines(run or trial.run(seed))), flush=True)
    recipe = wildreid.load_recipe(ROOT / "species/cows/recipe.yaml", profiles=["matching"]).recipe
    print("\n" + "\n".join(costs(recipe, device="cpu")))
    if left:
        print(f"\n{left} runs are not trained yet: say it again.")


if __name__ == "__main__":
    os.environ.setdefault("WILDREID_PLUGINS", "builtin")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("animals", choices=["bears", "places", "cows"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no run after that")
    parser.add_argument("--queries", type=int, default=100, help="of the cows, test and validation each")
    main(parser.parse_args())
