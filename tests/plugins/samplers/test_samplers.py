"""Samplers: what is in a batch, how often, and what cannot be filled."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.kinds import Batches, Sampler
from wildreid_plugins.samplers.encounter_aware import EncounterAware
from wildreid_plugins.samplers.identity_balanced import IdentityBalanced
from wildreid_plugins.samplers.per_identity import PerIdentity
from wildreid_plugins.samplers.uniform import Uniform

GROUPED = [PerIdentity, IdentityBalanced, EncounterAware]


def herd(counts: list[int], encounters: int = 3) -> Table:
    """Animals with so many images each, dealt over encounters of uneven length."""
    who = [f"animal {a}" for a, count in enumerate(counts) for _ in range(count)]
    when = [f"{a}/{min(n, encounters - 1)}" for a, count in enumerate(counts) for n in range(count)]
    rows = pd.DataFrame({"image": [f"{n}.jpg" for n in range(len(who))], "identity": who, "encounter": when})
    return Table.of(rows, Path("/nowhere"))


def epochs(batches: Batches, count: int) -> list[list[int]]:
    found = []
    for epoch in range(count):
        batches.set_epoch(epoch)
        drawn = list(batches)
        assert len(drawn) == len(batches)
        found.extend(drawn)
    return found


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(1, 12), min_size=2, max_size=9).filter(lambda counts: max(counts) > 1),
    images=st.integers(2, 5),
    batch=st.integers(2, 12),
    option=st.sampled_from(GROUPED),
    seed=st.integers(0, 5),
)
def test_batches_keep_their_promises(
    counts: list[int], images: int, batch: int, option: type[Sampler], seed: int
) -> None:
    table = herd(counts)
    most = sum(min(images, count) for count in counts)
    sampler = option(images=images)  # type: ignore[call-arg]
    if most < batch:
        with pytest.raises(UserError, match=f"a batch of {batch} cannot be filled.* give {most} images"):
            sampler.build(table=table, batch=batch, seed=seed)
        return
    batches = sampler.build(table=table, batch=batch, seed=seed)
    assert len(batches) == max(1, len(table) // batch)
    who = table["identity"].to_numpy(str)
    for drawn in epochs(batches, 2):
        assert len(drawn) == len(set(drawn)) == batch
        held = Counter(who[drawn])
        cut = sum(held[name] < min(images, counts[int(name.split()[1])]) for name in held)
        assert max(held.values()) <= images
        assert cut <= 1  # the last hand alone


@pytest.mark.parametrize("option", [*GROUPED, Uniform])
def test_the_same_seed_and_epoch_draw_the_same_and_others_do_not(option: type[Sampler]) -> None:
    table = herd([9, 8, 7, 6, 5])
    first = epochs(option().build(table=table, batch=8, seed=1), 3)
    assert first == epochs(option().build(table=table, batch=8, seed=1), 3)
    assert first != epochs(option().build(table=table, batch=8, seed=2), 3)
    for before, after in pairwise(first):
        assert before != after


def test_per_identity_shows_every_image_about_equally_often() -> None:
    table = herd([40, 20, 12, 9, 8, 6, 5, 4, 4, 3, 2, 1])
    drawn = epochs(PerIdentity().build(table=table, batch=12, seed=0), 60)
    shown = np.bincount(np.concatenate(drawn), minlength=len(table)) / 60
    assert shown.mean() == pytest.approx(len(drawn) * 12 / 60 / len(table))
    assert shown.min() > 0.5
    assert shown.max() < 2


def test_balanced_shows_every_individual_equally_often() -> None:
    counts = [60, 30, 10, 8, 4, 4]
    table = herd(counts)
    for option in (IdentityBalanced(), EncounterAware(balanced=True)):
        drawn = epochs(option.build(table=table, batch=8, seed=0), 40)
        who = table["identity"].to_numpy(str)
        in_batches = Counter(name for batch in drawn for name in set(who[batch]))
        assert max(in_batches.values()) - min(in_batches.values()) < 0.1 * max(in_batches.values())


def test_images_of_one_animal_come_from_different_encounters() -> None:
    # four encounters of 12, 4, 2 and 2 images; hands of four
    rows = pd.DataFrame(
        {
            "image": [f"{n}.jpg" for n in range(40)],
            "identity": ["a"] * 20 + ["b"] * 20,
            "encounter": [f"{who}{e}" for who in "ab" for e, n in enumerate((12, 4, 2, 2)) for _ in range(n)],
        }
    )
    table = Table.of(rows, Path("/nowhere"))
    when = table["encounter"].to_numpy(str)

    def different(option: Sampler) -> float:
        drawn = epochs(option.build(table=table, batch=8, seed=0), 30)
        return float(np.mean([len(set(when[batch])) for batch in drawn]))

    # of five hands an encounter of twelve must put its images into all: 2.4 a hand, and no hand repeats another
    assert different(EncounterAware()) == pytest.approx(2 * (1 + (4 + 2 + 2) / 5), abs=0.35)
    assert different(EncounterAware()) > different(PerIdentity()) + 0.3


def test_undated_images_are_encounters_of_their_own() -> None:
    table = herd([6, 6])
    undated = table.with_rows(table.rows.assign(encounter=pd.NA))
    assert len(epochs(EncounterAware().build(table=undated, batch=8, seed=0), 1)) == 1
    without = table.with_rows(table.rows.drop(columns="encounter"))
    with pytest.raises(UserError, match="the table has no encounters"):
        EncounterAware().build(table=without, batch=8, seed=0)


def test_uniform_shows_each_image_at_most_once_an_epoch() -> None:
    table = herd([5, 6, 7])
    drawn = epochs(Uniform().build(table=table, batch=4, seed=0), 1)
    flat = [row for batch in drawn for row in batch]
    assert len(flat) == len(set(flat)) == 16
    with pytest.raises(UserError, match="a batch of 19 cannot be filled: there are 18"):
        Uniform().build(table=table, batch=19, seed=0)


@pytest.mark.parametrize("option", GROUPED)
def test_one_image_an_individual_is_nothing_to_learn_from(option: type[Sampler]) -> None:
    with pytest.raises(UserError, match="no individual has two training images"):
        option().build(table=herd([1] * 30), batch=8, seed=0)
