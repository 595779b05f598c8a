"""3000 draws of the bears' space, without training: independent, spread as asked, true to conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import optuna
import pytest
from numpy.typing import NDArray
from scipy import stats

from wildreid.search.draw import Choice, Draw, Int, LogUniform, Scalar, Uniform
from wildreid.search.drawing import draw_new
from wildreid.search.load import Search, load_search

DRAWS = 3000
LEVEL = 0.001
Column = NDArray[np.float64]
"""What was drawn in each trial: a number, or the position of a choice; NaN where it was not drawn."""


@pytest.fixture(scope="module")
def search(checkout: Path) -> Search:
    # a root that is there keeps the recipe from falling back to its sample
    return load_search(checkout / "species/bears/search.yaml", settings=[f"dataset.root={checkout}"])


@pytest.fixture(scope="module")
def drawn(search: Search) -> list[dict[str, Scalar]]:
    study = optuna.create_study()
    return [draw_new(search, study, number, ()) for number in range(DRAWS)]


def column(one: Draw, drawn: list[dict[str, Scalar]]) -> Column:
    listed = one.values()
    return np.array(
        [
            np.nan if one.name not in values
            else listed.index(values[one.name]) if listed
            else float(values[one.name])  # type: ignore[arg-type]
            for values in drawn
        ]
    )  # fmt: skip


def p_of_pair(one: Draw, x: Column, other: Draw, y: Column) -> float | None:
    """The p-value of independence, by the types of the two; None where they never vary together."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if len(np.unique(x)) < 2 or len(np.unique(y)) < 2:
        return None
    match (one.values() is not None, other.values() is not None):
        case (True, True):
            return float(stats.chi2_contingency(stats.contingency.crosstab(x, y).count).pvalue)
        case (True, False):
            return float(stats.kruskal(*(y[x == value] for value in np.unique(x))).pvalue)
        case (False, True):
            return float(stats.kruskal(*(x[y == value] for value in np.unique(y))).pvalue)
    # monotone dependence by ranks, any other by quarters: each gets half of the pair's level
    quarters = [np.digitize(values, np.quantile(values, [0.25, 0.5, 0.75])) for values in (x, y)]
    by_quarters = stats.chi2_contingency(stats.contingency.crosstab(*quarters).count).pvalue
    return float(min(1.0, 2 * min(stats.spearmanr(x, y).pvalue, by_quarters)))


def p_of_pairs(draws: tuple[Draw, ...], columns: Mapping[str, Column]) -> Iterator[tuple[str, float]]:
    for one, other in combinations(draws, 2):
        p = p_of_pair(one, columns[one.name], other, columns[other.name])
        if p is not None:
            yield f"{one.name} and {other.name}", p
    for one in draws:  # a trial and the next one
        p = p_of_pair(one, columns[one.name][:-1], one, columns[one.name][1:])
        if p is not None:
            yield f"{one.name} and the next trial's", p


def p_of_spread(one: Draw, values: Column) -> float:
    values = values[np.isfinite(values)]
    match one.form:
        case Choice() | Int():
            listed = one.values()
            assert listed is not None
            return float(stats.chisquare(np.bincount(values.astype(int), minlength=len(listed))).pvalue)
        case Uniform(uniform=(low, high)):
            return float(stats.kstest((values - low) / (high - low), "uniform").pvalue)
        case LogUniform(loguniform=(low, high)):
            return float(stats.kstest(np.log(values / low) / np.log(high / low), "uniform").pvalue)


def test_the_space_is_the_article_s(search: Search) -> None:
    ends = {one.name: one.ends() for one in search.space.draws}
    assert ends["backbone.model"] == ("resnet18", "resnet50", "convnext_tiny", "convnext_large")
    assert ends["loss"] == ("triplet", "circle", "arcface", "contrastive")
    assert ends["miner"] == ("easy", "semi-hard", "hard")
    assert ends["optimizer.name"] == ("adam", "adamw", "sgd")
    assert ends["head.width"] == (512, 1024, 2048)
    assert ends["head.depth"] == (0, 3)
    assert ends["optimizer.head_rate:ratio"] == (1, 100)  # its winner has 1
    assert {"optimizer.backbone_rate", "optimizer.backbone_decay"} < ends.keys()
    assert {"transforms.rotation.degrees", "transforms.color.hue"} < ends.keys()
    assert search.plan.sampler == "random"


def test_where_the_photos_are_not_the_sample_is_searched(checkout: Path) -> None:
    sample = load_search(checkout / "species/bears/search.yaml")
    assert "not there" in sample.base.notes[0]
    assert sample.base.recipe.dataset.name == "drawn-bears"
    assert "sample" in sample.name
    names = {one.name for one in sample.space.draws}
    assert {"loss.arcface.margin", "head.hidden", "transforms.color.hue"} < names


def test_draws_are_independent(search: Search, drawn: list[dict[str, Scalar]]) -> None:
    columns = {one.name: column(one, drawn) for one in search.space.draws}
    tested = dict(p_of_pairs(search.space.draws, columns))
    assert len(tested) > 200
    level = LEVEL / len(tested)
    assert {pair: p for pair, p in tested.items() if p < level} == {}


def test_draws_are_spread_as_asked(search: Search, drawn: list[dict[str, Scalar]]) -> None:
    tested = {one.name: p_of_spread(one, column(one, drawn)) for one in search.space.draws}
    assert {name: p for name, p in tested.items() if p < LEVEL / len(tested)} == {}


def test_conditions_hold(search: Search, drawn: list[dict[str, Scalar]]) -> None:
    for values in drawn:
        names = {one.name for one in search.space.draws if one.happens(values)}
        assert names == values.keys()
        losses = {name.split(".")[1] for name in values if name.startswith("loss.")}
        assert losses <= {values["loss"]}
        assert ("head.hidden" in values) == (values["head.depth"] != 0)
    for values in drawn[:200]:
        optimizer = search.recipe(values).recipe.optimizer.model_dump()
        ratio = optimizer["head_rate"] / optimizer["backbone_rate"]
        assert ratio == pytest.approx(values["optimizer.head_rate:ratio"])


def test_hardly_a_draw_comes_twice(search: Search, drawn: list[dict[str, Scalar]]) -> None:
    assert len({search.key(values) for values in drawn}) == DRAWS


def test_the_article_s_own_draws_would_be_caught(search: Search) -> None:
    """Every value of a trial from one generator, seeded again for each: the tests above must see that."""

    def correlated(number: int) -> dict[str, Scalar]:
        def suggest(one: Draw) -> Scalar:
            share = np.random.default_rng(number).random()
            listed = one.values()
            if listed is not None:
                return listed[int(share * len(listed))]
            low, high = (float(end) for end in one.ends())  # type: ignore[arg-type]
            return low + share * (high - low)

        return search.space.draw(suggest)

    drawn = [correlated(number) for number in range(300)]
    columns = {one.name: column(one, drawn) for one in search.space.draws}
    tested = dict(p_of_pairs(search.space.draws, columns))
    caught = {pair for pair, p in tested.items() if p < LEVEL / len(tested)}
    assert "head.depth and miner" in caught
    assert "optimizer.backbone_rate and optimizer.backbone_decay" in caught
    assert "head.width and transforms.rotation.degrees" in caught
