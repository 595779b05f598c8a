"""Training runs for the accuracy tables: trained once, kept in ``.benchmarks/accuracy``.

Run as ``python -m benchmarks.trials [TRIAL…]`` to train, one after the other, what is not there yet.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import wildreid
from wildreid.artefacts import Results
from wildreid.errors import UserError
from wildreid.files import read_json, write_json
from wildreid.pipeline.folder import RunFolder
from wildreid.pipeline.provenance import hash_of, versions
from wildreid.recipe import Recipe

ROOT = Path(__file__).parent.parent
RUNS = ROOT / ".benchmarks" / "accuracy"
SEEDS = (0, 1, 2)
CODE = ("torch", "timm", "pytorch-metric-learning", "kornia", "numpy")
"""A run is made again where one of these has another version, or the recipe has changed."""


@dataclass(frozen=True)
class Trial:
    """A recipe with its profiles and settings, to be trained with several seeds.

    The seed draws the split too: that the test animals were lucky ones is part of what a reader must know. Trials
    of one splitter have the same split for the same seed, so that their differences are paired.
    """

    name: str
    recipe: str = "bears/recipe.yaml"
    profiles: tuple[str, ...] = ("sample",)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def run(self, seed: int) -> Results:
        """The finished run, trained now or before; ``trained.json`` in its folder says by what commit."""
        if (found := self.kept(seed)) is not None:
            return found
        loaded = self.loaded(seed)
        folder = (
            RUNS / f"{self.name}-{seed}-{hash_of(loaded.recipe.model_dump(mode='json'), libraries())[:8]}"
        )
        shutil.rmtree(folder, ignore_errors=True)  # begun and not ended, perhaps by other code
        wildreid.run(loaded, out=RUNS, name=folder.name)
        write_json(folder / "trained.json", {"commit": _commit()})
        return wildreid.load_results(folder)

    def kept(self, seed: int) -> Results | None:
        """The run, if it was finished before."""
        recipe = self.loaded(seed).recipe
        for folder in RUNS.glob(f"{self.name}-{seed}-*"):
            if (folder / "trained.json").is_file() and _same(folder, recipe):
                return wildreid.load_results(folder)
        return None

    def loaded(self, seed: int) -> wildreid.Loaded:
        """Its recipe with this seed."""
        settings = {**self.settings, "seed": seed, "reporters": [], "trackers": ["jsonl"]}
        return wildreid.load_recipe(ROOT / "species" / self.recipe, profiles=self.profiles, settings=settings)

    def at(self, root: Path) -> Trial:
        """The same on the photos in this folder."""
        return replace(self, settings={**self.settings, "dataset.root": str(root)})

    def smoke(self) -> Trial:
        """The same with eight bears and two epochs."""
        return replace(self, name=f"{self.name}-smoke", profiles=("smoke",))


def pooled(trial: Trial, seeds: Sequence[int] = SEEDS) -> list[Results]:
    """The trial's runs, one a seed."""
    return [trial.run(seed) for seed in seeds]


def traced(runs: Sequence[Results]) -> list[dict[str, Any]]:
    """Where the figures of a row come from: of each run its seed, hashes, machine, versions and scores."""
    found = []
    for run in runs:
        protocols = run.scores["protocols"]
        found.append(
            {
                "run": run.folder.name,
                "seed": run.run["seed"],
                **{name: run.run[name] for name in ("hashes", "versions", "machine")},
                **(read_json(file) if (file := run.folder / "trained.json").is_file() else {}),
                "scores": {
                    protocol: {
                        name: score for name, score in block["scores"].items() if name.startswith("accuracy@")
                    }
                    for protocol, block in protocols.items()
                },
            }
        )
    return found


PROTOCOLS = {"evaluation.protocols": ["cross-encounter", "image-loo", "fixed-gallery"]}
LOSSES = ("contrastive", "triplet", "circle")
MINERS = ("none", "easy", "semi-hard", "hard")

RECIPES = {"recipe": "bears/recipe.yaml", "baseline": "bears/baseline.yaml"}
BEARS = {
    (name, splitter): Trial(f"{name}-{splitter}", recipe=file, settings={"splitter": splitter, **PROTOCOLS})
    for splitter in ("open-set", "random", "disjoint-set")
    for name, file in RECIPES.items()
}
UNTRAINED = {
    splitter: Trial(
        f"untrained-{splitter}", settings={"splitter": splitter, "training.epochs": 0, **PROTOCOLS}
    )
    for splitter in ("open-set", "disjoint-set")
}
BY_LOSS = {loss: Trial(loss, profiles=("sample", loss), settings=PROTOCOLS) for loss in LOSSES}
BY_MINER = {
    miner: Trial(
        "triplet" if miner == "none" else f"triplet-{miner}",
        profiles=("sample", "triplet"),
        settings={"miner": miner, "loss.margin": 0.2, **PROTOCOLS},
    )
    for miner in MINERS
}
"""With the margin of FaceNet, for which semi-hard triplets were thought out."""
COWS = {
    "trained": Trial("cows", recipe="cows/recipe.yaml", profiles=()),
    "frozen": Trial("cows-frozen", recipe="cows/recipe.yaml", profiles=("frozen",)),
    "pixels": Trial("cows-pixels", recipe="cows/recipe.yaml", profiles=("pixels",)),
}


def on_photos(name: str, splitter: str) -> Trial:
    """A bear recipe on BearID's photos, in its full form."""
    settings = {"splitter": splitter, **PROTOCOLS}
    return Trial(f"bearid-{name}-{splitter}", recipe=RECIPES[name], profiles=(), settings=settings)


def on_heads(split: str) -> Trial:
    """The bear recipe on BrownBearHeads, by one of the splits that come with it."""
    dataset = {"name": "brown-bear-heads", "root": ".", "split": split}
    settings = {"dataset": dataset, "splitter": "given", **PROTOCOLS}
    return Trial(f"heads-{split}", profiles=(), settings=settings)


def plan() -> Iterator[tuple[Trial, int]]:
    """All trials with their seeds, what matters most first; the cows where ``WILDREID_COWS`` names their photos."""
    first = (BEARS["recipe", "open-set"], UNTRAINED["open-set"], BEARS["recipe", "random"])
    others = (trial for trial in (*BEARS.values(), *UNTRAINED.values()) if trial not in first)
    for trial in (*first, *BY_LOSS.values(), *others):
        yield from ((trial, seed) for seed in SEEDS)
    yield from ((trial, SEEDS[0]) for trial in BY_MINER.values())
    if cows := os.environ.get("WILDREID_COWS"):
        yield from ((trial.at(Path(cows)), SEEDS[0]) for trial in COWS.values())


def _same(folder: Path, recipe: Recipe) -> bool:
    """Whether a run was made by this recipe and these libraries; a field added since is as by default."""
    packs = [str(pack) for pack in recipe.packs]
    try:
        kept = RunFolder(folder).load_recipe({"packs": packs}).recipe
    except UserError:  # a recipe that is no longer valid is another recipe
        return False
    named = {"name": recipe.name, "about": recipe.about}
    had = read_json(RunFolder(folder).provenance)["versions"]
    return kept.model_copy(update=named) == recipe and libraries().items() <= had.items()


def libraries() -> dict[str, str]:
    return {name: number for name, number in versions().items() if name in CODE}


def _commit() -> str | None:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None


if __name__ == "__main__":
    os.environ.setdefault("WILDREID_PLUGINS", "builtin")
    wanted = set(sys.argv[1:])
    for one, seed in plan():
        if not wanted or wanted & {one.name, f"{one.name}-{seed}"}:
            scores = one.run(seed).scores["protocols"]
            said = {name: block["scores"]["accuracy@1"]["value"] for name, block in scores.items()}
            print(one.name, seed, json.dumps(said), flush=True)
