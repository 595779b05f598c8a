"""How often the right animal comes first, and how much of that the bursts gave away.

Accuracy@k is by individual; seeds 0, 1 and 2 each draw the split, the first weights and the batches, and the
queries of the three runs are pooled. The interval is over resampled individuals, an animal that several runs test
being one animal; there are few of them, so it is wide. Rates, margins and epochs were
chosen on validation figures. Headline: across encounters, no photo of the query's own encounter may answer.
*Optimistic*: image-loo, where all but the query photo itself may answer, the next frame of its burst too. A random
split puts the frames of one burst into training and test; it would have claimed what its test photos get against
the training photos, nothing masked. Drawn bears say nothing about real ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.accuracy import (
    FIXED,
    HEADLINE,
    LOO,
    SAYS,
    UNMASKED,
    Answers,
    cells,
    compared,
    measured,
    published,
    trained,
)
from benchmarks.record import Record
from benchmarks.trials import BEARS, BY_LOSS, BY_MINER, COWS, SEEDS, UNTRAINED, on_heads, on_photos

MODELS = ("recipe", "baseline", "untrained")
SPLITS = ("random", "open-set", "disjoint-set")


def test_bursts(record: Record, quick: bool) -> None:
    """Drawn bears, profile sample: 36 bears; networks begin with random weights.

    Untrained is recipe.yaml without an epoch.
    """
    seeds = SEEDS[:1] if quick else SEEDS
    trials = {(name, split): trial for (name, split), trial in BEARS.items()}
    trials |= {("untrained", split): trial for split, trial in UNTRAINED.items()}
    if quick:
        trials = {key: trials[key].smoke() for key in (("recipe", "random"), ("recipe", "open-set"))}
    runs = trained(record, trials, seeds)
    table = "Drawn bears, eight of them, two epochs" if quick else "Drawn bears"
    shown = sorted(runs, key=lambda key: (MODELS.index(key[0]), SPLITS.index(key[1])))
    for name, split in shown:
        for protocol in (UNMASKED, LOO, HEADLINE) if split == "random" else (LOO, FIXED, HEADLINE):
            answers = Answers.of(runs[name, split], protocol)
            if not answers.n:  # disjoint-set: nobody of test is in train
                continue
            says = "the split leaks" if split == "random" else SAYS[protocol]
            record.row(
                table, {"model": name, "split": split, "protocol": protocol},
                figures=cells(answers, says, seeds), plot="accuracy@1",
            )  # fmt: skip
    for name, split in shown:
        if split == "random":
            continue
        loo, honest = (Answers.of(runs[name, split], protocol) for protocol in (LOO, HEADLINE))
        claimed = runs.get((name, "random"))
        record.row(
            "What bursts were worth: accuracy@1", {"model": name, "split": split},
            figures={
                "a random split would have claimed": claimed and Answers.of(claimed, UNMASKED).figure(1),
                "image-loo": loo.figure(1),
                "across encounters": honest.figure(1),
                "bursts were worth": loo.less(honest, 1),
            },
            plot="bursts were worth",
        )  # fmt: skip


@pytest.mark.full
def test_losses(record: Record) -> None:
    """The losses that the article compared, by the profiles of recipe.yaml, without a miner.

    One split for all of a seed, so the difference from ArcFace is paired by individual. Rates are those of the
    sample, which were chosen for ArcFace; others that were tried did no better on validation, whose best epoch's
    figure stands here.
    """
    runs = trained(record, {"arcface": BEARS["recipe", "open-set"], **BY_LOSS}, SEEDS)
    compared(record, "Drawn bears by loss", "loss", runs, "arcface", {}, SEEDS)


@pytest.mark.full
def test_miners(record: Record) -> None:
    """The triplet loss, its margin 0.2, with the pairs that each miner chooses; one seed, else as the losses."""
    runs = trained(record, BY_MINER, SEEDS[:1])
    compared(record, "Drawn bears by miner", "miner", runs, "none", {"loss": "triplet"}, SEEDS[:1])


@pytest.mark.full
def test_cows(record: Record, roots: dict[str, Path | None]) -> None:
    """OpenCows2020 by species/cows/recipe.yaml, cows that were never trained on, seed 0.

    The photos have no dates, so across encounters nothing can be measured and every figure is optimistic:
    neighbouring frames of one film may answer. The difference from frozen is paired by cow, as in reid compare.
    """
    table, split = "Cows", {"split": "disjoint-set", "protocol": LOO}
    if roots["cows"] is None:
        record.missing(table, split, "no photos: give --cows FOLDER or WILDREID_COWS")
        return
    trials = {name: trial.at(roots["cows"]) for name, trial in COWS.items()}
    runs = trained(record, trials, SEEDS[:1])
    frozen = Answers.of(runs["frozen"], LOO)
    for name, its in runs.items():
        answers = Answers.of(its, LOO)
        figures = cells(answers, "optimistic: no dates", SEEDS[:1])
        figures["less frozen"] = answers.less(frozen, 1) if name != "frozen" else None
        record.row(table, {"model": name, **split}, figures=figures, plot="accuracy@1")


@pytest.mark.full
@pytest.mark.parametrize("recipe", ["recipe", "baseline"])
@pytest.mark.parametrize("splitter", ["open-set", "disjoint-set"])
def test_bearid(
    record: Record, roots: dict[str, Path | None], large: bool, recipe: str, splitter: str
) -> None:
    """Published figures match the test photos against one another, as image-loo does, on parts of their own.

    What is measured here is on the given photos by our splits.
    """
    row = {"data": "BearID", "model": f"{recipe}.yaml", "split": splitter}
    trial = on_photos(recipe, splitter)
    measured(record, row, trial, roots["bearid"], "--bearid FOLDER or WILDREID_BEARID", large)


@pytest.mark.full
@pytest.mark.parametrize("split", ["iid", "ood"])
def test_brown_bear_heads(record: Record, roots: dict[str, Path | None], large: bool, split: str) -> None:
    """BrownBearHeads (Zenodo 17822054) by recipe.yaml and the splits that come with it."""
    row = {"data": "BrownBearHeads", "model": "recipe.yaml", "split": split}
    given = "--brown-bear-heads FOLDER or WILDREID_HEADS"
    measured(record, row, on_heads(split), roots["brown-bear-heads"], given, large)


@pytest.fixture
def large(pytestconfig: pytest.Config, device: str) -> bool:
    """Whether networks are trained that take a GPU an hour."""
    return device == "cuda" or bool(pytestconfig.getoption("--large"))


def test_published(record: Record) -> None:
    """Published cells are as printed, divided by a hundred."""
    record.benchmark.pedantic(lambda: published(record), rounds=1)
