"""What the worker does with one epoch after another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from wildreid.projection import worker
from wildreid.projection.drawing import BETWEEN, CAPTION, PAPER, SIDE, UNKNOWN, colours_of, picture
from wildreid.projection.frames import Frame, load_frames
from wildreid.projection.worker import Painter

IDS = tuple(f"{n}.jpg" for n in range(9))
RIGHT = np.array([10.0, 0.0])
WHO = ("a", "b", "") * 3


def painter(folder: Path, ids: Sequence[str] = IDS) -> Painter:
    return Painter(folder, ids=ids, identity=WHO, note="all 9 validation photos", seed=0)


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Layouts that go ten to the right at each epoch; the list of where each began."""
    seen: list[Any] = []

    def layout(embeddings: Any, *, seed: int, start: Any = None) -> Any:
        seen.append(start)
        return np.arange(18.0).reshape(9, 2) if start is None else start + RIGHT

    monkeypatch.setattr(worker, "layout", layout)
    return seen


def seen(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def wait(folder: Path, epoch: int) -> Path:
    path = folder / f"waiting-{epoch}.npy"
    np.save(path, np.zeros((9, 4), np.float32))
    return path


def test_each_epoch_begins_where_the_one_before_lay(starts: list[Any], tmp_path: Path) -> None:
    one = painter(tmp_path)
    for epoch in (1, 2):
        assert one.epoch(epoch, wait(tmp_path, epoch)).name == f"epoch-000{epoch}.png"
    first, second = load_frames(tmp_path)
    assert starts[0] is None
    np.testing.assert_array_equal(starts[1], first.xy)
    np.testing.assert_array_equal(second.xy, first.xy + RIGHT)
    assert not list(tmp_path.glob("*.npy"))
    assert not list(tmp_path.glob("*.part"))

    resumed = painter(tmp_path)  # does the second again
    resumed.epoch(2, wait(tmp_path, 2))
    np.testing.assert_array_equal(starts[2], first.xy)
    np.testing.assert_array_equal(load_frames(tmp_path)[1].xy, second.xy)


def test_frames_of_other_photos_are_not_gone_on_from(starts: list[Any], tmp_path: Path) -> None:
    Frame(1, ("other.jpg", *IDS[1:]), np.zeros((9, 2))).save(tmp_path)
    painter(tmp_path).epoch(2, wait(tmp_path, 2))
    assert starts == [None]


def test_what_cannot_be_laid_out_is_not_tried_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ValueError("no")

    monkeypatch.setattr(worker, "layout", refuse)
    with pytest.raises(ValueError, match="no"):
        painter(tmp_path).epoch(1, wait(tmp_path, 1))
    assert not list(tmp_path.iterdir())


def test_in_the_end_all_pictures_share_one_window(starts: list[Any], tmp_path: Path) -> None:
    one = painter(tmp_path)
    for epoch in (1, 2, 3):
        one.epoch(epoch, wait(tmp_path, epoch))
    early = seen(tmp_path / "epoch-0001.png")
    animated = one.end()
    late = [seen(tmp_path / f"epoch-000{n}.png") for n in (1, 3)]
    assert early.shape == late[0].shape == (SIDE + CAPTION, SIDE, 3)
    assert not np.array_equal(early, late[0]), "the window has grown since"
    left, right = (
        float(np.nonzero((one < 200).any(axis=(0, 2)))[0].mean()) for one in (x[60:] for x in late)
    )
    assert left < right, "ten to the right at each epoch"
    with Image.open(animated) as image:
        assert getattr(image, "n_frames", 1) == 1 + 2 * (BETWEEN + 1)


def test_a_point_has_the_colour_of_its_individual_and_grey_without_one() -> None:
    colours = colours_of(WHO)
    assert colours[0] == colours[3] != colours[1]
    assert colours[2] == UNKNOWN
    drawn = picture(np.array([[0.0, 0.0]]), colours[:1], (0, 0, 2), title="epoch 1", note="one photo")
    assert drawn.getpixel((SIDE // 2, CAPTION + SIDE // 2)) == colours[0]
    assert drawn.getpixel((3, CAPTION + 3)) == PAPER
