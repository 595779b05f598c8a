from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pytest

from wildreid.search.board import final_note, ranked, summary, table, write_csv
from wildreid.search.drawing import distribution, draw_new
from wildreid.search.ledger import Entry, best, entries
from wildreid.search.load import Search
from wildreid.search.page import write_page
from wildreid.search.parallel import parallel

Searching = Callable[..., Search]
SPACE = """\
about: "<b>bold</b> claims from /home/somebody/bears"
space:
  loss: {choice: [{name: triplet, margin: {uniform: [0.1, 0.5]}}, circle]}
  head: {width: {choice: [4, 8]}}
  optimizer: {head_rate: {loguniform: [1.0e-4, 1.0e-1]}}
"""


@pytest.fixture
def searched(searching: Searching) -> tuple[Search, optuna.Study]:
    """40 trials whose figure is their width's doing, and one that failed."""
    search, study = searching(SPACE), optuna.create_study(direction="maximize")
    noise = np.random.default_rng(0)
    for number in range(40):
        values = draw_new(search, study, number, ())
        kinds = {one.name: distribution(one) for one in search.space.draws if one.name in values}
        failed = number == 7
        reason = (
            {"reason": "no <space> left in /home/somebody/photos"} if failed else {"epoch": 2, "epochs": 3}
        )
        study.add_trial(
            optuna.create_trial(
                state=optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE,
                value=None if failed else 0.05 * float(values["head.width"]) + 0.1 * noise.random(),  # type: ignore[arg-type]
                params=values,
                distributions=kinds,
                user_attrs={"key": search.key(values), **reason},
            )
        )
    return search, study


def test_the_page(searched: tuple[Search, optuna.Study], tmp_path: Path) -> None:
    search, study = searched
    (tmp_path / "trials/0003").mkdir(parents=True)
    page = write_page(search, study, tmp_path, None).read_text()
    winner = best(entries(study))
    assert winner is not None
    assert f"{100 * (winner.value or 0):.1f}\N{NO-BREAK SPACE}%" in page
    assert 'href="trials/0003/"' in page
    assert 'href="trials/0004/"' not in page, "a run on another machine has no link"
    assert "The test part has not been touched" in page
    assert "no &lt;space&gt; left" in page
    assert "/home/somebody" not in page
    assert "<b>bold</b>" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    # the field that decides is said to
    shares = dict(re.findall(r"<span>([\w.:]+)</span><i .*?></i><span>(\d+)", page))
    assert max(shares, key=lambda name: int(shares[name])) == "head.width"


def test_a_page_without_trials_and_with_few(searching: Searching, tmp_path: Path) -> None:
    search, study = searching(SPACE), optuna.create_study(direction="maximize")
    assert "No trial is finished yet" in write_page(search, study, tmp_path, None).read_text()
    assert "There is no trial yet." in summary(entries(study))


def test_the_page_with_what_test_said(searched: tuple[Search, optuna.Study], tmp_path: Path) -> None:
    row = {"values": [0.5, 0.6], "mean": 0.55, "over_seeds": [-0.08, 1.18], "by_individual": [0.3, 0.8]}
    found = {
        "trial": 3, "stamp": "sample", "protocol": "image-loo", "optimistic": "no dates", "seeds": [1, 2],
        "queries": 40, "individuals": 9,
        "rows": [{"who": "best", "runs": [], **row}, {"who": "default", "runs": [], **row}],
        "difference": {**row, "mean": 0.0, "over_seeds": [-0.1, 0.1], "by_individual": [0.01, 0.2]},
    }  # fmt: skip
    page = write_page(*searched, tmp_path, found).read_text()
    assert "0.300 to 0.800" in page
    assert "optimistic: no dates" in page
    assert "Under 30 individuals" in page
    assert "may be chance" in final_note(found)
    apart = {**found, "difference": {**found["difference"], "over_seeds": [0.02, 0.1]}}  # type: ignore[dict-item]
    assert "exclude zero" in final_note(apart)


def test_parallel_coordinates_show_every_trial_and_leave_gaps(searched: tuple[Search, optuna.Study]) -> None:
    search, study = searched
    listed = entries(study)
    drawing = ET.fromstring(str(parallel(search.space.draws, listed, "accuracy@1", best=5)))
    groups = drawing.findall(".//g")
    assert len(groups) == 39
    assert [group.get("class") for group in groups].count("best") == 1
    assert groups[-1].get("class") == "best", "drawn last, so that nothing hides it"
    for group in groups:
        number = int(re.match(r"trial (\d+)", group.findtext("title") or "")[1])  # type: ignore[index]
        path = group.find("path")
        assert path is not None
        pieces = (path.get("d") or "").count("M")
        circle = listed[number].values["loss"] == "circle"
        # the axes: loss, its margin, width, rate, value; without a margin the loss stands alone
        assert pieces == 1
        assert len(group.findall("circle")) == (1 if circle else 0)
        for y in re.findall(r" (-?[\d.]+)", path.get("d") or ""):
            assert 62 <= float(y) <= 362


def test_the_leaderboard(searched: tuple[Search, optuna.Study], tmp_path: Path) -> None:
    from rich.console import Console

    search, study = searched
    listed = entries(study)
    order = ranked(listed)
    values = [entry.value for entry in order if entry.value is not None]
    assert values == sorted(values, reverse=True)
    assert order[-1].state == "failed"
    console = Console(width=150, record=True, file=open(tmp_path / "out", "w"))  # noqa: SIM115
    console.print(table(search, listed))
    text = console.export_text()
    console.file.close()
    assert text.split("\n")[2].split()[0] == str(order[0].number)
    assert "39 done, 1 failed" in text
    write_csv(tmp_path / "board.csv", search, listed)
    assert len((tmp_path / "board.csv").read_text().splitlines()) == 41


def test_equals_are_won_by_the_earlier() -> None:
    def entry(number: int, value: float | None, state: str = "done") -> Entry:
        return Entry(number, state, value, 1, 1, 1.0, {}, "", "")  # type: ignore[arg-type]

    assert best([entry(0, 0.2), entry(3, 0.5), entry(2, 0.5), entry(4, 0.9, "stopped early")]) == entry(
        2, 0.5
    )
    assert best([entry(1, None, "failed")]) is None
