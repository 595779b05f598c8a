"""What one change of a recipe is worth: drawn bears, a drawn striped herd and cows, three seeds, validation alone.

Run as ``python -m benchmarks.changes [HERD…]``: it trains what is not there yet, one run after the other, and
prints the tables of what is there. ``--minutes 4`` begins no run after that, ``--table`` none at all, so that a
long list is worked off in pieces. A seed draws the herd (of the cows: the split alone) and the training. Nothing
chooses weights: the last ones count, so that validation judges nothing that it has chosen. ``--test HERD CHANGE``
asks the test part of what was trained: once, when all is decided. ``WILDREID_COWS`` names the cows' photos.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.herds import BASE, CHANGES, HERDS, LEARNING, SEEING, settings_of
from benchmarks.new_bears import Seen, less
from benchmarks.trials import ROOT, SEEDS, libraries

import wildreid
from wildreid.data.pixels import HeldImages, ImageRows
from wildreid.files import read_json, write_json
from wildreid.pipeline.provenance import hash_of
from wildreid.recipe.decides import FIGURES as MEASURED
from wildreid.recipe.decides import NOTHING, all_but

RUNS = ROOT / ".benchmarks" / "changes"
FIGURES = {"right": "accuracy@1", "precision": "mAP"}


@dataclass(frozen=True)
class Run:
    """One training: a herd, one change, one seed; kept in a folder with ``seen.json``."""

    herd: str
    change: str
    seed: int

    @property
    def loaded(self) -> wildreid.Loaded:
        """Its recipe."""
        herd = HERDS[self.herd]
        return wildreid.load_recipe(
            ROOT / herd.recipe,
            profiles=herd.profiles,
            settings=settings_of(herd, CHANGES[self.change], self.seed),
        )

    @property
    def folder(self) -> Path:
        """Where it is kept; another recipe or library has another folder."""
        recipe = all_but(
            self.loaded.recipe, NOTHING, MEASURED, defaults=False
        )  # a later field changes nothing
        recipe["dataset"].pop("root", None)
        words = self.change.replace(",", "").replace(" ", "-")
        key = hash_of(recipe, libraries(), HERDS[self.herd].most)[:8]
        return RUNS / f"{self.herd}-{words}-{self.seed}-{key}"

    def seen(self) -> Seen | None:
        """What it made of the validation photos; None: it was not trained yet."""
        file = self.folder / "seen.json"
        if not file.is_file():
            return None
        kept = read_json(file)
        return Seen(
            np.array(kept["names"], str),
            np.array(kept["right"], float),
            np.array(kept["precision"], float),
        )

    def train(self) -> None:
        """Train it, and ask it about the validation photos."""
        began, recipe = time.monotonic(), self.loaded.recipe
        table, images = self._photos()
        rows: ImageRows = images
        learned = table
        if CHANGES[self.change].mirrored:
            learned, rows = with_mirrored(table, images)
        self.folder.mkdir(parents=True, exist_ok=True)
        wildreid.train(recipe, learned, rows, self.folder, validate=None)
        seen = self._asked("val", table, images)
        write_json(
            self.folder / "seen.json",
            {
                "names": seen.names.tolist(),
                "right": [None if np.isnan(one) else one for one in seen.right.tolist()],
                "precision": [None if np.isnan(one) else one for one in seen.precision.tolist()],
                "seconds": round(time.monotonic() - began, 1),
            },
        )

    def test(self) -> Seen:
        """What it makes of the test photos."""
        return self._asked("test", *self._photos())

    def _photos(self) -> tuple[wildreid.Table, Any]:
        """The split table and its pixels."""
        herd, recipe, cache = HERDS[self.herd], self.loaded.recipe, wildreid.cache_folder()
        table = recipe.dataset.table()
        if herd.most:
            table = table.with_rows(at_most(table.rows, herd.most))
        table = wildreid.fingerprint(table, cache=cache, perceptual=True)
        table = wildreid.split(
            wildreid.annotate(table, recipe.encounters), recipe.splitter, seed=recipe.seed_of_split
        )
        return table, wildreid.open_images(table, recipe.images, cache=cache, foreground=recipe.foreground)

    def _asked(self, part: str, table: wildreid.Table, images: Any) -> Seen:
        """One part matched against itself, by the herd's protocol."""
        held = np.flatnonzero(table["part"].eq(part).to_numpy(bool, na_value=False))
        asked = table.with_rows(table.rows.iloc[held].assign(part="test", role="both"))
        registry = wildreid.Registry(packs=[ROOT / Path(HERDS[self.herd].recipe).parent])
        embedder = wildreid.load_embedder(self.folder, registry)
        ranking = wildreid.rank(
            wildreid.embed(embedder, images, held), asked, protocol=HERDS[self.herd].protocol
        )
        rows = asked.rows.iloc[ranking.queries]
        order = np.argsort(rows["id"].to_numpy(str))
        right = np.where(ranking.mated, ranking.own_rank == 1, np.nan)
        precision = ranking.mean_over_true(ranking.true_positions / ranking.true_ranks)
        names = rows["identity"].to_numpy(str)
        if HERDS[self.herd].drawn:  # the first bear of another seed is another bear
            names = np.array([f"{self.seed} {name}" for name in names])
        return Seen(names[order], right[order], precision[order])


def at_most(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """So many photos of each individual at most, evenly over its photos by id."""
    rows = rows.sort_values("id", kind="stable")
    place = rows.groupby("identity").cumcount()
    count = rows.groupby("identity")["id"].transform("size")
    kept = np.minimum(count, most)
    # a photo is taken where the even steps pass to the next whole number
    return rows[(place * kept) // count != ((place + 1) * kept) // count]


def with_mirrored(table: wildreid.Table, images: Any) -> tuple[wildreid.Table, HeldImages]:
    """Table and pixels with each training photo once more, mirrored: its individual is another one then."""
    learned = np.flatnonzero(table["part"].eq("train").to_numpy(bool, na_value=False))
    pixels = images.take(np.arange(len(images)))
    other = table.rows.iloc[learned]
    other = other.assign(
        **{name: other[name].astype("string") + " mirrored" for name in ("id", "identity", "encounter")}
    )
    rows = pd.concat([table.rows, other], ignore_index=True)
    return table.with_rows(rows), HeldImages(np.concatenate([pixels, pixels[learned][:, :, ::-1]]))


def plan(herds: Sequence[str]) -> Iterator[Run]:
    """All runs: a seed after the other, so that every change is seen early; what is seen of the photos last."""
    for group in (LEARNING, SEEING):
        for seed in SEEDS:
            for change in group:
                yield from (Run(herd, change, seed) for herd in herds)


def table_of(herd: str, seen: Mapping[tuple[str, int], Seen]) -> Iterator[str]:
    """The lines of a herd's table, in Markdown; differences are over the seeds that both have."""
    base = {seed: seen[BASE, seed] for seed in SEEDS if (BASE, seed) in seen}
    if not base:
        return
    names = np.concatenate([one.names for one in base.values()])
    counted = np.concatenate([one.right for one in base.values()])
    asked = int(np.isfinite(counted).sum())
    people = len(set(names[np.isfinite(counted)]))
    yield f"\n{herd}: {asked} queries of {people} individuals, {HERDS[herd].protocol}\n"
    yield "| | " + " | ".join(f"{words} | less the base" for words in FIGURES.values()) + " | seeds |"
    yield "|---" * (2 * len(FIGURES) + 2) + "|"
    for change in CHANGES:
        both = [seed for seed in base if (change, seed) in seen]
        if not both:
            continue
        mine = [seen[change, seed] for seed in both]
        cells = []
        for figure in FIGURES:
            cells.append(f"{np.nanmean(np.concatenate([getattr(one, figure) for one in mine])):.3f}")
            value, low, high = less(mine, [base[seed] for seed in both], figure)
            cells.append("" if change == BASE else f"{value:+.3f} [{low:+.3f}, {high:+.3f}]")
        yield f"| {change} | {' | '.join(cells)} | {len(both)} |"


def together(seen: Mapping[str, Mapping[tuple[str, int], Seen]], figure: str) -> Iterator[str]:
    """One table of all herds: how much a change is worth in one figure, and over how many seeds."""
    yield f"\n{FIGURES[figure]}, less the base, over the seeds in brackets\n"
    yield f"| | {' | '.join(seen)} |"
    yield "|---" * (len(seen) + 1) + "|"
    for change in CHANGES:
        cells = []
        for mine in seen.values():
            both = [seed for seed in SEEDS if (BASE, seed) in mine and (change, seed) in mine]
            if not both:
                cells.append("")
                continue
            sides = [[mine[name, seed] for seed in both] for name in (change, BASE)]
            value, low, high = less(sides[0], sides[1], figure)
            mean = np.nanmean(np.concatenate([getattr(one, figure) for one in sides[1]]))
            differs = f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"
            cells.append(f"{mean:.3f} ({len(both)})" if change == BASE else f"{differs} ({len(both)})")
        if any(cells):
            yield f"| {change} | {' | '.join(cells)} |"


def main(given: argparse.Namespace) -> None:
    """Train what there is time for, and print the tables."""
    began, herds = time.monotonic(), given.herds or [*HERDS]
    if given.test:
        herd, change = given.test
        kept = {(name, seed): Run(herd, name, seed).test() for name in (BASE, change) for seed in SEEDS}
        print("\n".join(table_of(herd, kept)), flush=True)
        return
    seen: dict[str, dict[tuple[str, int], Seen]] = {herd: {} for herd in herds}
    for run in plan(herds):
        if (
            (found := run.seen()) is None
            and not given.table
            and time.monotonic() - began < 60 * given.minutes
        ):
            run.train()
            found = run.seen()
            print(f"{time.monotonic() - began:5.0f} s  {run.folder.name}", flush=True)
        if found is not None:
            seen[run.herd][run.change, run.seed] = found
    for herd in herds:
        print("\n".join(table_of(herd, seen[herd])), flush=True)
    for figure in FIGURES:
        print("\n".join(together(seen, figure)), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("WILDREID_PLUGINS", "builtin")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("herds", nargs="*", choices=[[], *HERDS], help="all where none is named")
    parser.add_argument("--minutes", type=float, default=1e9, help="after which no run is begun")
    parser.add_argument("--table", action="store_true", help="what is there, and train nothing")
    parser.add_argument("--test", nargs=2, metavar=("HERD", "CHANGE"), help="the base and this, on test")
    main(parser.parse_args())
