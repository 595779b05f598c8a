"""Pictures made beside training: what is asked for, what comes back, and what may go wrong without harm."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from wildreid.projection import projector as module
from wildreid.projection.frames import load_frames
from wildreid.projection.projector import MOST, Projector


def unit(rows: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def projector(folder: Path, rows: int = 12, **wishes: Any) -> tuple[Projector, list[tuple[int, str]]]:
    """One that shows `rows` photos of three animals, and the pictures that it tells of."""
    told: list[tuple[int, str]] = []
    settings = {
        "ids": np.array([f"{n}.jpg" for n in range(rows)]),
        "identity": np.array([f"animal {n % 3}" for n in range(rows)]),
        "shown": np.ones(rows, bool),
        "seed": 0,
        "tell": lambda epoch, path: told.append((epoch, path.name)),
    }
    return Projector(folder, **(settings | wishes)), told


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A worker without UMAP, which takes seconds to import and compile."""
    monkeypatch.setattr(module, "WORKER", "tests.core.projection.stand_in")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    return monkeypatch


def states() -> tuple[Any, ...]:
    return random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()


def test_every_epoch_has_a_picture_and_nothing_random_is_drawn(
    quick: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = states()
    one, told = projector(tmp_path)
    with one:
        for epoch in (1, 2, 3):
            one(epoch, unit(12, epoch))
        one.finish()
    assert told == [(n, f"epoch-000{n}.png") for n in (1, 2, 3)]
    assert states() == before
    assert one.process is None
    assert sorted(path.name for path in (tmp_path / "umap").iterdir()) == [name for _, name in told]


def test_a_picture_that_is_just_being_written_is_left_alone(
    quick: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "umap"
    folder.mkdir()
    # of the worker now; of a run that was killed
    for name in ("epoch-0001.png.part", "epoch-0007.json.part"):
        (folder / name).touch()
    one, told = projector(tmp_path)
    with one:
        one(2, unit(12))
        one(3, unit(12))
        one.finish()
    assert [epoch for epoch, _ in told] == [2, 3]
    assert (folder / "epoch-0001.png.part").exists()
    assert not (folder / "epoch-0007.json.part").exists()
    assert "failed" not in capsys.readouterr().err


def test_every_second_epoch(quick: pytest.MonkeyPatch, tmp_path: Path) -> None:
    one, told = projector(tmp_path, every=2)
    with one:
        for epoch in range(1, 6):
            one(epoch, unit(12))
        one.finish()
    assert [epoch for epoch, _ in told] == [2, 4]


def test_of_many_photos_a_stated_sample_of_validation_alone(
    quick: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown = np.arange(3000) % 2 == 0
    one, _ = projector(tmp_path, rows=3000, shown=shown)
    with one:
        one(1, unit(3000))
        one.finish()
    assert shown[one.rows].all()
    said = (tmp_path / "umap/epoch-0001.png").read_text()
    assert said == f"({MOST}, 16) 1,000 of 1,500 validation photos, each individual in turn"


def test_too_few_photos_are_told_of_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, told = projector(tmp_path, rows=7)
    with one:
        one(1, unit(7))
        one(2, unit(7))
        one.finish()
    assert told == []
    assert capsys.readouterr().err.count("8 validation photos are the fewest for a picture, there are 7") == 1
    assert not (tmp_path / "umap").exists()


@pytest.mark.parametrize(
    ("wrong", "said"), [("dies", "has ended: no module named umap"), ("fails", "epoch 1: no layout")]
)
def test_a_failure_is_warned_of_once_and_never_raised(
    wrong: str, said: str, quick: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick.setenv("STAND_IN", wrong)
    one, told = projector(tmp_path)
    with one:
        for epoch in (1, 2, 3):
            one(epoch, unit(12))
        one.finish()
    assert told == []
    warned = capsys.readouterr().err
    assert said in warned
    assert warned.count("! a picture of the embeddings failed") == 1


def test_after_the_worker_was_killed_all_epochs_wait_for_the_next_run(
    quick: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, told = projector(tmp_path)
    with one:
        one(1, unit(12))
        one.hear(60)
        assert one.process is not None
        one.process.kill()
        one.process.wait()
        for epoch in (2, 3, 4):
            one(epoch, unit(12))
        one.finish()
    assert [epoch for epoch, _ in told] == [1]
    said = capsys.readouterr().err
    assert said.count("the same command again draws what waits") == 1
    again, told = projector(tmp_path)
    with again:
        again.finish()
    assert [epoch for epoch, _ in told] == [2, 3, 4]
    assert not (tmp_path / "umap/waiting").exists()


def test_what_was_not_drawn_in_time_is_drawn_by_the_next_run(
    quick: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick.setenv("STAND_IN", "hangs")
    one, told = projector(tmp_path)
    with one:
        for epoch in (1, 2, 3):
            one(epoch, unit(12))
        one.hear(60)  # the first is there
        one.finish(patience=0.5)
    assert told == [(1, "epoch-0001.png")]
    assert "2 pictures wait" in capsys.readouterr().err
    quick.delenv("STAND_IN")
    again, told = projector(tmp_path)
    with again:
        again.finish()
    assert [epoch for epoch, _ in told] == [2, 3]


def test_when_training_is_over_the_worker_gives_way_no_longer(
    quick: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    quick.setenv("STAND_IN", "starves")
    quick.setattr(module, "POLITE", 0.5)
    one, told = projector(tmp_path)
    with one:
        for epoch in (1, 2):
            one(epoch, unit(12))
        one.finish()
    assert [epoch for epoch, _ in told] == [1, 2]


def test_a_resumed_run_draws_what_waits_and_forgets_what_it_does_again(
    quick: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    waiting = tmp_path / "umap/waiting"
    waiting.mkdir(parents=True)
    for epoch in (2, 3, 4):
        np.save(waiting / f"epoch-{epoch:04d}.npy", unit(12))
    (tmp_path / "umap/epoch-0003.json").write_text("{}")
    one, told = projector(tmp_path)
    with one:
        one(3, unit(12))
        assert not (tmp_path / "umap/epoch-0003.json").exists()
        one.finish()
    assert [epoch for epoch, _ in told] == [2, 3]


def test_nothing_is_started_where_nothing_is_to_be_drawn(tmp_path: Path) -> None:
    one, _ = projector(tmp_path)
    with one:
        one.finish()
    assert not (tmp_path / "umap").exists()


def test_the_real_worker_draws_positions_pictures_and_an_animation(tmp_path: Path) -> None:
    one, told = projector(tmp_path)
    with one:
        for epoch in (1, 2):
            one(epoch, unit(12, epoch))
        one.finish()
    assert told == [(1, "epoch-0001.png"), (2, "epoch-0002.png")]
    frames = load_frames(tmp_path / "umap")
    assert [frame.epoch for frame in frames] == [1, 2]
    assert all(frame.xy.shape == (12, 2) and np.isfinite(frame.xy).all() for frame in frames)
    assert (tmp_path / "umap/epochs.gif").read_bytes().startswith(b"GIF89a")
