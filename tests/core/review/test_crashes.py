"""SIGKILL at any moment: what was told is there, and the gallery is what the decisions make of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.core.review.doubled import doubled

from wildreid.errors import UserError
from wildreid.gallery.store import Gallery
from wildreid.review.desk import Conflict, Desk
from wildreid.review.journal import FILE, read
from wildreid.review.settings import Settings

TRIALS = 30


@pytest.mark.skipif(os.name != "posix", reason="it forks and sends SIGKILL")
def test_killed_at_thirty_moments(tmp_path: Path) -> None:
    fresh = doubled(tmp_path / "fresh", animals=12).folder
    folders = [tmp_path / f"trial {n}" for n in range(TRIALS)]
    moments = np.random.default_rng(0).uniform(0.1, 0.6, TRIALS)
    for folder in folders:
        shutil.copytree(fresh, folder)
    asked = "".join(f"{moment:.3f} {folder}\n" for moment, folder in zip(moments, folders, strict=True))
    program = subprocess.run(
        [sys.executable, Path(__file__).with_name("decider.py")],
        input=asked, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    trials = program.stdout.split("killed\n")[:-1]
    assert len(trials) == TRIALS, program.stderr
    decided = 0
    for folder, said in zip(folders, trials, strict=True):
        # a child may die in the middle of a line to us; what it has said whole it was told
        told = [line.split()[1:] for line in said.split("\n")[:-1] if line.startswith("told ")]
        lines = read(folder / FILE)[0]
        by_number = {str(line.number): line.decision for line in lines}
        undone = {str(line.undoes) for line in lines if line.decision == "undo"}
        for decision, number in told:
            assert number in undone if decision == "undo" else by_number[number] == decision
        decided += len(told)
        desk = Desk(Gallery(folder), Settings(hold=True))
        assert desk.apply() == {}, "what was decided is carried out at the next start"
        after = desk.gallery.state
        desk.close()
        copy = folder.with_name(f"{folder.name} again")
        shutil.copytree(fresh, copy)
        if lines:
            shutil.copy(folder / FILE, copy / FILE)
        again = Desk(Gallery(copy), Settings(hold=True))
        assert again.apply() == {}
        assert again.gallery.state.digest() == after.digest()
        assert {frozenset(one) for one in pairs(again)} == {frozenset(one) for one in pairs(desk)}
        again.close()
    assert decided > TRIALS, "it was killed while it worked"


def pairs(desk: Desk) -> list[tuple[str, str]]:
    """Which individuals a person told apart, by name."""
    state = desk.gallery.state
    return [
        (one, other)
        for one in state.individuals
        for other in state.individuals
        if one < other and state.told_apart(state.keys_of(one), other)
    ]


def test_an_unfinished_line_is_cut_off(tmp_path: Path) -> None:
    gallery = doubled(tmp_path / "g")
    desk = Desk(gallery)
    desk.compare()
    view = desk.next("Ann")
    said = {"task": view["lease"], "revision": view["revision"], "decision": "same"}
    desk.decide("Ann", said)
    desk.close()
    with (gallery.folder / FILE).open("ab") as file:
        file.write(b'{"number": 2, "time"')
    desk = Desk(Gallery(gallery.folder))
    with pytest.raises(Conflict, match="started again"):
        desk.decide("Ann", said)
    assert desk.undo("Ann")["undone"] == [1]
    with pytest.raises(UserError, match="nothing to undo"):
        desk.undo("Ann")
    desk.close()
    assert [line.decision for line in read(gallery.folder / FILE)[0]] == ["same", "undo"]
