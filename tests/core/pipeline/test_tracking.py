"""Trackers that fail, at any moment, are told of once and never stop a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wildreid.errors import UserError
from wildreid.kinds import Log, Run, Tracker
from wildreid.pipeline.tracking import RunFacts, Tracking

BEGUN = RunFacts(Path("runs/one"), "one", {"name": "one"}, {"inputs": "c0ffee"})
MOMENTS = ("open", "log", "report", "close")
RESULTS: Any = SimpleNamespace()


class Frail(Tracker):
    """Fails at one moment, and remembers what it was told and how it was closed."""

    name = "frail"
    at: str = "never"
    seen: list[Any]

    @contextmanager
    def open(self, *, run: Run) -> Iterator[Log]:
        def come(moment: str, *told: Any) -> None:
            if moment == self.at:
                raise ConnectionError(f"gone at [{moment}]")
            self.seen.append((moment, *told))

        come("open", run.hashes["inputs"])
        try:
            yield SimpleNamespace(
                log=lambda step, values, pictures=None: come("log", step, values, pictures),
                report=lambda results, paths: come("report", paths),
            )
        except BaseException as error:
            self.seen.append(("closed with", type(error).__name__))
            raise
        come("close")


def tell(*trackers: Tracker, logs: Any = ()) -> None:
    with Tracking(trackers, BEGUN, logs) as tracking:
        for step in (1, 2):
            tracking.log(step, {"loss": 0.5})
        tracking.log(1, {}, {"umap": Path("one.png")})
        tracking.report(RESULTS, [Path("index.html")])


def test_all_are_told_of_everything() -> None:
    trackers = [Frail(seen=[]), Frail(seen=[])]
    tell(*trackers)
    assert trackers[0].seen == trackers[1].seen
    assert trackers[0].seen == [
        ("open", "c0ffee"),
        ("log", 1, {"loss": 0.5}, None),
        ("log", 2, {"loss": 0.5}, None),
        ("log", 1, {}, {"umap": Path("one.png")}),
        ("report", [Path("index.html")]),
        ("close",),
    ]


@pytest.mark.parametrize("moment", MOMENTS)
def test_one_that_fails_is_told_of_once_and_the_others_go_on(
    moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    frail, sound = Frail(at=moment, seen=[]), Frail(seen=[])
    tell(frail, sound)
    assert len(sound.seen) == 6
    said = capsys.readouterr().err
    assert said.count("the tracker 'frail' failed and is left out from now on") == 1
    assert f"gone at [{moment}]" in said
    if moment in ("log", "report"):
        assert frail.seen[-1] == ("closed with", "ConnectionError"), "it can see why it is closed"


def test_what_ends_a_run_is_told_to_those_that_are_open() -> None:
    frail = Frail(seen=[])
    with pytest.raises(UserError, match="no space"), Tracking([frail], BEGUN):
        raise UserError("no space")
    assert frail.seen[-1] == ("closed with", "UserError")


def test_a_log_without_a_report_need_not_hear_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[int] = []
    plain = SimpleNamespace(log=lambda step, values, pictures=None: told.append(step))
    tell(logs=[plain])
    assert told == [1, 2, 1]
    assert capsys.readouterr().err == ""
