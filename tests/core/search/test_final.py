"""The test part: nothing of it before --final, once with it, and no say in who wins."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest

from wildreid.errors import UserError
from wildreid.pipeline import learn, scoring
from wildreid.search import final
from wildreid.search.ledger import best
from wildreid.search.load import Search
from wildreid.search.run import run_search

Searching = Callable[..., Search]
SPACE = """\
trials: 4
final: {seeds: 2}
space: {head: {width: {choice: [2, 8, 32, 64]}}}
"""


def test_final_touches_test_once(
    searching: Searching, micro: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ranked: list[str] = []
    monkeypatch.setattr(
        scoring, "rank", lambda *a, _rank=scoring.rank, **k: ranked.append(k["protocol"]) or _rank(*a, **k)
    )
    embedded: list[str] = []
    monkeypatch.setattr(
        learn, "embed", lambda *a, _embed=learn.embed, **k: embedded.append("") or _embed(*a, **k)
    )

    search = searching(SPACE)
    listed = run_search(search, out=micro / "runs")
    assert (ranked, embedded) == ([], []), "no trial ranks or embeds the test part"

    run_search(search, out=micro / "runs", final=True)
    folder = micro / "runs" / search.name
    found = json.loads((folder / "final.json").read_text())
    winner = best(listed)
    assert winner is not None
    assert found["trial"] == winner.number
    assert len(embedded) == 4, "the winner and the recipe as it is, two seeds each"
    once = list(ranked)

    # what is written is what the runs' own scores say
    for row in found["rows"]:
        scores = [json.loads((folder / run / "scores.json").read_text()) for run in row["runs"]]
        values = [one["protocols"]["cross-encounter"]["scores"]["accuracy@1"]["value"] for one in scores]
        assert row["values"] == pytest.approx(values)
        assert row["mean"] == pytest.approx(np.mean(values))
        assert row["over_seeds"][0] <= row["mean"] <= row["over_seeds"][1]
    assert found["difference"]["mean"] == pytest.approx(found["rows"][0]["mean"] - found["rows"][1]["mean"])
    recipe = (folder / found["rows"][0]["runs"][0] / "recipe.yaml").read_text()
    assert f"width: {winner.values['head.width']}" in recipe
    assert found["seeds"] == [1, 2], "other seeds than the search's"
    splits = {(folder / run / "split.parquet").read_bytes() for row in found["rows"] for run in row["runs"]}
    assert len(splits) == 1, "one split, whatever the seed"

    run_search(search, out=micro / "runs", final=True)
    assert ranked == once, "asked again, the test part is not touched"
    assert "not touched again" in capsys.readouterr().err
    page = (folder / "index.html").read_text()
    assert "has not been touched" not in page
    assert all(f"{row['mean']:.3f}" in page for row in found["rows"])


def test_the_winner_of_a_final_that_was_stopped_stays(
    searching: Searching, micro: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, study = searching(SPACE), optuna.create_study(direction="maximize")
    kinds = {"head.width": optuna.distributions.CategoricalDistribution((2, 8, 32, 64))}

    def add(width: int, value: float) -> None:
        attrs = {"key": str(width)}
        study.add_trial(
            optuna.create_trial(
                value=value, params={"head.width": width}, distributions=kinds, user_attrs=attrs
            )
        )

    add(8, 0.4)
    add(2, 0.1)

    def stopped(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(final, "run", stopped)
    with pytest.raises(KeyboardInterrupt):
        final.finish(search, study, micro)
    add(64, 0.9)  # meanwhile somebody adds a trial that looks better
    monkeypatch.setattr(final, "_measure", lambda search, number, values, folder: {"trial": number})
    assert final.finish(search, study, micro)["trial"] == 0


def test_final_needs_a_winner(searching: Searching, micro: Path) -> None:
    with pytest.raises(UserError, match="no trial is done"):
        run_search(searching(SPACE), out=micro / "runs", trials=0, final=True)


def test_permuting_the_test_labels_changes_no_trial(searching: Searching, micro: Path, photos: Path) -> None:
    other = micro / "photos"
    shutil.copytree(photos, other)
    table = pd.read_csv(other / "table.csv", dtype=str)
    test = table.index[table["part"] == "test"]
    shuffled = np.random.default_rng(0).permutation(table.loc[test, "identity"].to_numpy())
    assert (shuffled != table.loc[test, "identity"].to_numpy()).mean() > 0.5
    table.loc[test, "identity"] = shuffled
    table.to_csv(other / "table.csv", index=False)

    search = searching(SPACE)
    as_it_is = run_search(search, out=micro / "as-it-is")
    permuted = run_search(searching(SPACE, settings=[f"dataset.root={other}"]), out=micro / "permuted")
    assert [(entry.values, entry.value, entry.epoch) for entry in permuted] == [
        (entry.values, entry.value, entry.epoch) for entry in as_it_is
    ]
    assert len({entry.value for entry in as_it_is}) > 1, "else any winner would do"
    winners = best(as_it_is), best(permuted)
    assert winners[0] is not None
    assert winners[1] is not None
    assert winners[0].number == winners[1].number


def test_figures_are_the_formulas() -> None:
    hits = np.array([[1, 0, 1, np.nan], [1, 1, 1, np.nan], [0, 1, 1, np.nan]], float)
    found = final._figures(hits, final.Bootstrap(np.array([0, 0, 1, 2]), 2000, 0.95, 0))
    by_seed = [2 / 3, 1.0, 2 / 3]
    assert found["values"] == pytest.approx(by_seed)
    # Student's t with two degrees of freedom at 97.5 %: 4.3027
    half = 4.302652729911275 * np.std(by_seed, ddof=1) / np.sqrt(3)
    assert found["over_seeds"] == pytest.approx([np.mean(by_seed) - half, np.mean(by_seed) + half])
    # of the individuals, one is at 2/3 and one at 1; all resamples lie between
    assert found["by_individual"] == pytest.approx([2 / 3, 1.0])
