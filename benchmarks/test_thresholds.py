"""Whether as many known animals are called new, and new ones known, as a gallery was asked for.

Individuals that the model has not trained on are drawn, again and again: some are known and half of what there is
of each is in the gallery, the other half asks; the rest of the individuals are strangers. The thresholds are those
that the gallery fits on itself (`reid gallery calibrate`), and beside them those of the run's own validation, which
had a gallery of another size. A share is the mean over the draws, with the middle nine tenths of them; as few
individuals decide a draw, and draws have individuals in common, that is how far one gallery may be off, not an
interval of the mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmarks.record import Record
from benchmarks.trials import BEARS, COWS, ROOT

import wildreid
from wildreid.gallery.rule import Rule
from wildreid.gallery.store import Gallery
from wildreid.identification import create_gallery
from wildreid.identification.calibration import rule_of_gallery, rule_of_run
from wildreid.identification.looking import look
from wildreid.identification.photos import read_data
from wildreid.identification.search import Search

DRAWS = 40
ASKED = (0.05, 0.15)


@pytest.mark.full
def test_bears(record: Record, tmp_path: Path) -> None:
    """Three times 60 newly drawn bears, by the model of the sample's run of seed 0; encounters are halved."""
    trial = BEARS["recipe", "open-set"]
    run = trial.run(0)
    opened = create_gallery(tmp_path / "empty", run.folder)
    drawn = []
    for seed in (11, 12, 13):
        settings = {"dataset.individuals": 60, "dataset.seed": seed}
        loaded = wildreid.load_recipe(
            ROOT / "species" / trial.recipe, profiles=trial.profiles, settings=settings
        )
        looked = look(
            loaded.recipe.dataset.table(),
            opened.model.images,
            opened.state.manifest.encounters,
            named=True,
        )
        whose = looked.table["identity"] + f" {seed}"
        rows = looked.table.rows.assign(identity=whose, image=f"{seed}/" + looked.table["image"])
        drawn.append((rows, opened.model.embed(looked.images, np.arange(len(rows)))))
    rows = pd.concat([one for one, _ in drawn], ignore_index=True)
    vectors = np.concatenate([one for _, one in drawn])
    half = halves(rows["identity"] + " | " + rows["visit"], rows["identity"])
    shares(record, "drawn bears", opened.gallery, run.folder, rows, vectors, half, (12, 24, 48, 96), tmp_path)


@pytest.mark.full
def test_cows(record: Record, roots: dict[str, Path | None], tmp_path: Path) -> None:
    """The 14 test cows of OpenCows2020 by ImageNet features (profile frozen); without dates, images are halved."""
    if roots["cows"] is None:
        record.missing("Thresholds", {"data": "cows"}, "no photos: give --cows FOLDER or WILDREID_COWS")
        return
    run = COWS["frozen"].at(roots["cows"]).run(0)
    opened = create_gallery(tmp_path / "empty", run.folder)
    table = read_data(run.folder, parts=["test"])
    looked = look(table, opened.model.images, opened.state.manifest.encounters, named=True)
    rows = looked.table.rows
    vectors = opened.model.embed(looked.images, np.arange(len(rows)))
    half = halves(rows["image"], rows["identity"])
    shares(record, "cows", opened.gallery, run.folder, rows, vectors, half, (9,), tmp_path)


def halves(unit: pd.Series, whose: pd.Series) -> np.ndarray:
    """(rows,) whether the row is in the gallery: a random half of each individual's units, one more if odd."""
    units = pd.DataFrame({"unit": unit, "whose": whose}).drop_duplicates().sample(frac=1, random_state=0)
    place = units.groupby("whose").cumcount()
    kept = units["unit"][2 * place < units.groupby("whose")["unit"].transform("size")]
    return unit.isin(kept).to_numpy()


def shares(
    record: Record,
    data: str,
    empty: Gallery,
    run: Path,
    rows: pd.DataFrame,
    vectors: np.ndarray,
    half: np.ndarray,
    sizes: tuple[int, ...],
    folder: Path,
) -> None:
    """Leave a row for each number of individuals and each share that is asked for."""
    whose = rows["identity"].to_numpy(str)
    asking = np.array(sorted({*whose[half]} & {*whose[~half]}))
    draw = np.random.default_rng(0)
    fitted = {asked: rule_of_run(run, false_new=asked) for asked in ASKED}
    theirs = {
        asked: rule
        for asked, rule in fitted.items()
        if isinstance(rule, Rule) and rule.decision.target == asked
    }

    def work() -> None:
        for size in sizes:
            drawn = [measured(size, draw.permutation(asking)) for _ in range(DRAWS)]
            for asked in ASKED:
                found = pd.DataFrame([one[asked] for one in drawn])
                figures: dict[str, Any] = {
                    str(name): {
                        "value": values.mean(),
                        "low": values.quantile(0.05),
                        "high": values.quantile(0.95),
                    }
                    for name, values in found.items()
                }
                record.row("Thresholds", {"data": data, "known": size, "asked": asked}, figures=figures)

    def measured(size: int, people: np.ndarray) -> dict[float, dict[str, float]]:
        known = np.isin(whose, people[:size])
        unknown = ~known & np.isin(whose, people)
        gallery = Gallery.create(
            folder / f"{draw.integers(2**62):x}", empty.state.manifest.model,
            encounters=empty.state.manifest.encounters,
        )  # fmt: skip
        gallery.add(rows[known & half], vectors[known & half], model=empty.state.manifest.model)
        search = Search(gallery.state)
        mates = search.similarity(vectors[known & ~half]).max(axis=1)
        strangers = search.similarity(vectors[unknown]).max(axis=1)

        def mistakes(rule: Rule) -> dict[str, float]:
            return {
                "known called new": float(np.mean(mates < rule.new_below)),
                "new called known": float(np.mean(strangers >= rule.decision.threshold)),
            }

        found = {}
        for asked in ASKED:
            own, _ = rule_of_gallery(gallery.state, false_accepts=asked, false_new=asked)
            assert isinstance(own, Rule), own.reason
            found[asked] = mistakes(own)
            if asked in theirs:
                found[asked] |= {
                    f"{name}, by the run's": one for name, one in mistakes(theirs[asked]).items()
                }
        return found

    record.benchmark.pedantic(work, rounds=1)
