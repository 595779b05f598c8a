"""Photos that are kept apart by side or species: masks, classes, slices, species' own scores; recounted naively."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from wildreid.apart import apart_of, own_encounter_masked
from wildreid.artefacts import Evidence, Missing
from wildreid.data.apart import SIDE, SPECIES, keep_apart, lost, sides_of
from wildreid.data.audit import audit
from wildreid.data.groups import annotate
from wildreid.data.pairs import draw_pairs
from wildreid.data.table import Table
from wildreid.evaluation.protocols import PROTOCOLS
from wildreid.evaluation.rank import mated, rank
from wildreid.evaluation.score import score
from wildreid.training.rows import training_rows

WORDS = ("left", "Right", "front", None, "rear-left", "left and right", "R")


def herd(seed: int = 0, *, species: bool = False, individuals: int = 8) -> tuple[Table, Any]:
    """A drawn herd in all parts: some encounters an individual, photos of any side."""
    draw = np.random.default_rng(seed)
    rows = []
    for who in range(individuals):
        for meeting in range(6):
            for photo in range(draw.integers(1, 4)):
                rows.append(
                    {
                        "image": f"{who}-{meeting}-{photo}.jpg",
                        "identity": f"who{who}" if draw.random() < 0.95 else None,
                        "camera": "gate",
                        "timestamp": pd.Timestamp("2024-05-01")
                        + pd.Timedelta(days=9 * meeting + who, minutes=photo),
                        "viewpoint": WORDS[draw.integers(len(WORDS))],
                        "part": ("train", "val", "test")[meeting // 2],
                    }
                )
                if species:
                    rows[-1]["species"] = ("Bear", "cow", None)[min(who % 3, 2)]
    table = annotate(Table.of(pd.DataFrame(rows), Path("/photos")))
    vectors = draw.normal(size=(len(rows), 6))
    return table, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_sides_by_the_words_that_people_use() -> None:
    told = pd.Series(
        ["left", "L", "Front-Left", "rightside", "r", "front", "up", "left,right", None, "", "lateral"]
    )
    expected = ["left", "left", "left", "right", "right", None, None, None, None, None, None]
    assert [None if pd.isna(side) else side for side in sides_of(told)] == expected


@pytest.mark.parametrize("sides", [["side"], []])
def test_own_encounters_are_told_from_what_is_kept_apart(sides: list[str]) -> None:
    """Both are masked, and `masked` counts them together; under image-loo the own encounter may answer."""
    table, vectors = herd()
    table = keep_apart(table, sides)
    rankings = {name: rank(vectors, table, protocol=name) for name in PROTOCOLS}
    across = [name for name, one in rankings.items() if own_encounter_masked(one, apart_of(table.rows))]
    assert sorted(across) == ["cross-encounter", "time-cutoff"], "the others know no encounters here"
    assert bool(rankings["image-loo"].masked.any()) == bool(sides)


@pytest.mark.parametrize("most", [1000, 10**6])
def test_no_pair_of_verification_crosses_what_is_kept_apart(most: int) -> None:
    """Every pair by a plain loop; of a drawn sample, that it holds scores of such pairs alone."""
    table, vectors = herd(individuals=12)
    table = keep_apart(table, ["side"])
    evidence = Evidence(rank(vectors, table, protocol="cross-encounter"), table, vectors)
    side, rows = table[SIDE].fillna("").tolist(), table.rows
    right: dict[bool, list[float]] = {True: [], False: []}
    queries = [row for row in evidence.ranking.queries if pd.notna(rows["identity"].iloc[row])]
    for one in queries:
        for other in queries:
            same = rows["identity"].iloc[one] == rows["identity"].iloc[other]
            met = rows["encounter"].iloc[one] == rows["encounter"].iloc[other]
            crosses = "" not in (side[one], side[other]) and side[one] != side[other]
            if one < other and not crosses and not (same and met):
                right[same].append(float(vectors[one] @ vectors[other]))
    drawn = draw_pairs(evidence, most=most)
    assert not isinstance(drawn, Missing)
    scores, of_one = drawn
    for same in (True, False):
        found = np.sort(scores[of_one == same])
        expected = np.sort(right[same])
        if most > 1000:
            np.testing.assert_allclose(found, expected, atol=1e-6)
        nearest = np.abs(found[:, None] - expected).min(axis=1)
        assert nearest.max() < 1e-6


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("species", [False, True])
def test_no_match_crosses_what_is_kept_apart(protocol: str, species: bool) -> None:
    for seed in range(3):
        table, vectors = herd(seed, species=species)
        bare, table = table, keep_apart(table, ["side", "species"])
        keys = [SIDE, *([SPECIES] if species else [])]
        texts = table.rows[keys].astype(object).where(table.rows[keys].notna(), None).to_numpy()
        ranking = rank(vectors, table, protocol=protocol, keep=5, block=7)
        assert np.array_equal(
            mated(table, protocol, part="test", gallery=sorted(set(table["part"].iloc[ranking.gallery]))),
            ranking.mated,
        )
        plain = rank(vectors, bare, protocol=protocol, keep=5)
        who, met = table["identity"].fillna("").to_numpy(), table["encounter"].to_numpy()
        across = protocol != "image-loo"
        for q, row in enumerate(ranking.queries):
            valid = []
            for other in ranking.gallery:
                if any(
                    a is not None and b is not None and a != b
                    for a, b in zip(texts[row], texts[other], strict=True)
                ):
                    continue
                if other == row or (
                    across and who[other] == who[row] and who[row] and met[other] == met[row]
                ):
                    continue
                valid.append(other)
            assert set(ranking.top_images[q][ranking.top_images[q] >= 0]) <= set(valid)
            assert set(ranking.top_rows[q][ranking.top_rows[q] >= 0]) <= set(valid)
            assert ranking.valid[q] == len(valid)
            own = [other for other in valid if who[row] and who[other] == who[row]]
            assert ranking.mated[q] == bool(own)
            best = {
                name: max(float(vectors[row] @ vectors[o]) for o in valid if who[o] == name)
                for name in {who[o] for o in valid}
            }
            if own:
                rank_ = 1 + sum(best[name] >= best[who[row]] - 1e-6 for name in best if name != who[row])
                assert ranking.own_rank[q] == rank_
                assert len(own) == ranking.true_offsets[q + 1] - ranking.true_offsets[q]
            assert ranking.masked[q] - plain.masked[q] == plain.valid[q] - ranking.valid[q]


def test_audit_and_scores_say_how_many_lost_all_their_matches() -> None:
    table, vectors = herd(1)
    bare, table = table, keep_apart(table, ["side"])
    ranking, plain = (rank(vectors, one, protocol="cross-encounter") for one in (table, bare))
    gone = int((plain.mated & ~ranking.mated).sum())
    assert 0 < gone < plain.mated.sum()
    assert lost(table) == (int(plain.mated.sum()), gone)
    assert any(f"{gone} of {plain.mated.sum()} test images" in one for one in audit(table).warnings)
    assert not any("kept apart" in one for one in audit(bare).warnings)
    block = score(Evidence(ranking, table, vectors), ["accuracy-at-k"], bootstrap=0, confidence=0.95, seed=0)
    assert block["counts"]["lost"] == gone
    assert block["label"].endswith("left and right apart")
    slices = {piece["by"]: 0 for piece in block["slices"]}
    assert {"side", "matches of the other side, left out"} <= slices.keys()
    by_side = [piece for piece in block["slices"] if piece["by"] == "side"]
    assert sum(piece["n"] for piece in by_side) == int(ranking.mated.sum())
    other = score(Evidence(plain, bare, vectors), ["accuracy-at-k"], bootstrap=0, confidence=0.95, seed=0)
    assert "lost" not in other["counts"]


def test_sides_are_classes_of_their_own_in_training() -> None:
    table, _ = herd(2)
    rows, labels = training_rows(table)
    sided = keep_apart(table, ["side"])
    kept, classes = training_rows(sided)
    names = table["identity"].iloc[kept] + " " + sided[SIDE].iloc[kept].fillna("")
    assert len(np.unique(classes)) == names.nunique() > len(np.unique(labels))
    assert all(names[classes == one].nunique() == 1 for one in np.unique(classes))
    told = sided[SIDE].notna()
    of_sided = set(table["identity"][told & table["part"].eq("train")].dropna())
    left_out = set(rows) - set(kept)
    assert left_out == {row for row in rows if not told[row] and table["identity"][row] in of_sided}


def test_species_are_apart_only_where_there_are_two_and_an_individual_is_of_one() -> None:
    table, _ = herd(0, species=True)
    assert apart_of(keep_apart(table, ["species"]).rows) is not None
    alone = table.with_rows(
        table.rows.assign(species=["Bear", "bear "] * (len(table) // 2) + ["BEAR"] * (len(table) % 2))
    )
    assert apart_of(keep_apart(alone, ["species"]).rows) is None
    mixed = table.with_rows(
        table.rows.assign(species=np.where(table["image"] == "0-0-0.jpg", "cow", table["species"]))
    )
    kept = keep_apart(mixed, ["species"])
    assert kept[SPECIES][kept["identity"].eq("who0").fillna(False)].isna().all()
    again = keep_apart(kept, [])
    assert not [name for name in again.rows if str(name).startswith("apart_")]
