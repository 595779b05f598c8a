from __future__ import annotations

import pickle
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from wildreid.artefacts import Missing
from wildreid.data.foreground import DOUBTS, behind, doubt, the_animal
from wildreid.data.held import photos_of_arrays
from wildreid.data.images import square
from wildreid.data.store import open_images
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.kinds import Segmenter
from wildreid.recipe.settings import Images


class Bright(Segmenter):
    """What is brighter than 150; counts the crops that it is asked about."""

    name = "bright"
    longest = 64
    several = True
    asked: ClassVar[list[tuple[int, int]]] = []

    def build(self, *, device):
        def segment(crops):
            self.asked.extend(crop.shape for crop in crops)
            return [255 * (crop.pixels.min(axis=2) > 150).astype(np.uint8) for crop in crops]

        return segment


class Nothing(Bright):
    """No mask at all."""

    name = "nothing"

    def build(self, *, device):
        return lambda crops: [Missing("nobody drew it") for _ in crops]


@pytest.fixture
def asked() -> list[tuple[int, int]]:
    Bright.asked.clear()
    return Bright.asked


def photo(width: int = 80, height: int = 60) -> np.ndarray:
    """Noise in the dark, and a white animal in its right upper quarter."""
    pixels = np.random.default_rng(0).integers(0, 90, (height, width, 3)).astype(np.uint8)
    pixels[height // 8 : height // 2, width // 2 : -width // 8] = 240
    return pixels


def table_of(folder: Path, *pictures: np.ndarray, **columns: object) -> Table:
    folder.mkdir(exist_ok=True)
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    names = [f"{number}.png" for number in range(len(pictures))]
    return Table.of(pd.DataFrame({"image": names, "identity": "a"}).assign(**columns), folder)


def settings(**changes: object) -> Images:
    return Images(**{"size": 64, "background": "grey", **changes})  # type: ignore[arg-type]


def test_the_place_is_grey_and_the_animal_as_it_was(tmp_path: Path) -> None:
    table = table_of(tmp_path / "photos", photo())
    images = open_images(table, settings(), cache=tmp_path / "cache", foreground=Bright())
    plain = square(tmp_path / "photos/0.png", size=64)
    seen, mask = images.take([0])[0], images.masks([0])[0]
    animal = (plain > 200).all(axis=2)
    assert ((mask > 127) == animal).mean() > 0.97
    assert (seen[mask == 255] == plain[mask == 255]).all()
    assert (seen[mask == 0] == 127).all()
    assert images.doubts.tolist() == [""]


def test_without_a_foreground_nothing_changes(tmp_path: Path) -> None:
    table = table_of(tmp_path / "photos", photo())
    plain = open_images(table, Images(size=64), cache=tmp_path / "cache")
    kept = open_images(table, settings(background="keep"), cache=tmp_path / "cache", foreground=Bright())
    assert plain.keys != kept.keys
    assert (plain.take([0]) == kept.take([0])).all()
    assert not plain.doubts.any()
    with pytest.raises(ValueError, match="without a foreground"):
        plain.masks([0])


def test_masks_are_asked_for_once(tmp_path: Path, asked: list[tuple[int, int]]) -> None:
    table = table_of(tmp_path / "photos", photo(), photo()[::-1].copy(), photo())
    open_images(table, settings(), cache=tmp_path / "cache", foreground=Bright())
    assert len(asked) == 2  # two photos have the same bytes
    asked.clear()
    for changes in ({}, {"background": "noise"}, {"tighten": True}, {"size": 32}, {"fit": "squash"}):
        open_images(table, settings(**changes), cache=tmp_path / "cache", foreground=Bright())
    assert asked == []
    open_images(table, settings(margin=0.2), cache=tmp_path / "cache", foreground=Bright())
    assert len(asked) == 2
    boxed = Table.of(table.rows.assign(box_left=20, box_top=5, box_width=50, box_height=40), table.root)
    open_images(boxed, settings(), cache=tmp_path / "cache", foreground=Bright())
    assert len(asked) == 4


def test_tightened_to_the_animal_with_a_margin(tmp_path: Path) -> None:
    table = table_of(tmp_path / "photos", photo(128, 64))  # the animal: x 64 to 112, y 8 to 32
    cache = tmp_path / "cache"
    for margin, box in ((0.0, (64, 8, 48, 24)), (0.1, (59, 3, 58, 34))):
        images = open_images(
            table, settings(background="keep", tighten=True, margin=margin), cache=cache, foreground=Bright()
        )
        expected = square(tmp_path / "photos/0.png", size=64, box=box)
        assert np.abs(images.take([0])[0].astype(int) - expected).mean() < 6
    (mask,) = images.masks([0])
    shown = np.flatnonzero((mask > 127).any(axis=0))
    assert shown[0] == pytest.approx(64 * 5 / 58, abs=2)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [(np.zeros((60, 80, 3), np.uint8), DOUBTS[1]), (np.full((60, 80, 3), 250, np.uint8), DOUBTS[2])],
    ids=["empty", "full"],
)
def test_an_empty_or_full_mask_leaves_the_image_whole(
    tmp_path: Path, picture: np.ndarray, reason: str
) -> None:
    table = table_of(tmp_path / "photos", picture, photo())
    images = open_images(table, settings(tighten=True), cache=tmp_path / "cache", foreground=Bright())
    assert images.doubts.tolist() == [reason, ""]
    assert (images.take([0])[0] == square(tmp_path / "photos/0.png", size=64)).all()
    again = open_images(table, settings(tighten=True), cache=tmp_path / "cache", foreground=Bright())
    assert again.doubts.tolist() == [reason, ""]
    assert again.select(np.array([1])).doubts.tolist() == [""]


def test_no_mask_leaves_the_image_whole_and_says_why(tmp_path: Path) -> None:
    table = table_of(tmp_path / "photos", photo())
    images = open_images(table, settings(), cache=tmp_path / "cache", foreground=Nothing())
    assert images.doubts.tolist() == ["nobody drew it"]
    assert (images.take([0])[0] == square(tmp_path / "photos/0.png", size=64)).all()


def test_an_unreadable_photo_is_a_failure_and_no_doubt(tmp_path: Path) -> None:
    table = table_of(tmp_path / "photos", photo(), photo()[::-1].copy())
    (tmp_path / "photos/0.png").write_bytes(b"none")
    images = open_images(table, settings(), cache=tmp_path / "cache", foreground=Bright())
    assert images.usable.tolist() == [False, True]
    assert images.doubts.tolist() == ["", ""]


def test_what_has_no_room_is_made_each_time(tmp_path: Path, asked: list[tuple[int, int]]) -> None:
    table = table_of(tmp_path / "photos", photo(), photo()[::-1].copy())
    roomy = open_images(table, settings(), cache=tmp_path / "cache", foreground=Bright())
    tight = open_images(table, settings(cache_gib=1e-6), cache=tmp_path / "other", foreground=Bright())
    asked.clear()
    assert (tight.take([0, 1]) == roomy.take([0, 1])).all()
    assert len(asked) == 2
    assert (pickle.loads(pickle.dumps(tight)).take([1]) == roomy.take([1])).all()  # noqa: S301


def test_pixels_in_memory_are_seen_as_those_of_a_file(tmp_path: Path) -> None:
    table = table_of(tmp_path / "photos", photo(), np.zeros((60, 80, 3), np.uint8))
    for changes in ({}, {"tighten": True, "margin": 0.1}, {"background": "blur", "fit": "squash"}):
        images = open_images(table, settings(**changes), cache=tmp_path / "cache", foreground=Bright())
        held = photos_of_arrays(
            [photo(), np.zeros((60, 80, 3), np.uint8)], settings(**changes), foreground=Bright()
        )
        assert np.abs(held.take([0, 1]).astype(int) - images.take([0, 1])).max() <= 3
        assert held.doubts == images.doubts.tolist()
        for row in (0, 1):  # as a matcher looks at them
            apart = np.abs(held.enlarged(row, 64).astype(int) - images.enlarged(row, 64))
            assert apart.mean() < 1  # at the edges of a part the one is resized with what lies beside it
            assert held.placed(row, 64) == pytest.approx(images.placed(row, 64), abs=1e-6)


def test_a_mask_of_another_shape_is_refused(tmp_path: Path) -> None:
    class Wrong(Bright):
        """A mask of one pixel."""

        name = "wrong"

        def build(self, *, device):
            return lambda crops: [np.zeros((1, 1), np.uint8) for _ in crops]

    with pytest.raises(UserError, match="gave a mask of"):
        open_images(table_of(tmp_path / "photos", photo()), settings(), cache=tmp_path, foreground=Wrong())


def two_animals() -> np.ndarray:
    mask = np.zeros((60, 80), np.uint8)
    mask[10:20, 10:20] = 255
    mask[30:55, 40:75] = 255
    return mask


def test_of_two_animals_the_one_at_the_middle_or_the_largest() -> None:
    mask = two_animals()
    large, others = the_animal(mask, None)
    assert (large[30:55, 40:75] == 255).all()
    assert not large[:25, :30].any()
    assert others[15, 15]
    small, others = the_animal(mask, (15.0, 15.0))
    assert (small > 0).sum() == 100
    assert others.sum() == 25 * 35
    assert (the_animal(mask, (79.0, 0.0))[0] == large).all()  # nobody stands there
    assert (the_animal(large, None)[0] == large).all()


def test_the_store_keeps_the_animal_of_each_box(tmp_path: Path) -> None:
    picture = np.where(two_animals()[..., None] > 0, 240, 20).astype(np.uint8).repeat(3, axis=2)
    frame = {"box_left": [5, 35], "box_top": [5, 25], "box_width": [20, 44], "box_height": [20, 34]}
    rows = pd.DataFrame({"image": ["0.png", "0.png"], "identity": "a", **frame})
    table = Table.of(rows, table_of(tmp_path / "photos", picture).root)
    wide = settings(margin=1.0, background="keep")
    images = open_images(table, wide, cache=tmp_path / "cache", foreground=Bright())
    assert images.masked is not None
    assert images.masked.several.tolist() == [True, True]
    animal, others = images.masked.said(0)  # type: ignore[misc]
    assert animal[21, 21] > 250  # a third of the way: the animal in the box, not the larger one
    assert others[-2, -2]
    assert animal[-2, -2] == 0
    assert images.masked.share[0] == pytest.approx((animal > 127).mean(), abs=0.01)


@pytest.mark.parametrize("background", ["grey", "noise", "blur"])
def test_what_stands_behind_is_the_same_each_time(background: str) -> None:
    image = np.dstack([photo(64, 64), (photo(64, 64).min(axis=2) > 150).astype(np.uint8) * 255])
    one, same = (behind(image, background, seed=b"12345678") for _ in range(2))
    assert (one == same).all()
    animal = image[..., 3] == 255
    assert (one[animal] == image[animal]).all()
    place = one[~animal][:, :3].astype(int)
    before = image[~animal][:, :3].astype(int)
    assert np.abs(place - before).mean() > 15
    if background == "noise":
        assert (behind(image, background, seed=b"87654321") != one).any()
    if background == "blur":  # no texture, and nothing of the animal's white
        assert place.std() < before.std() / 2
        assert place.max() < 90


def test_a_mask_that_is_neither_is_doubted() -> None:
    mask = np.full((20, 20), 100, np.uint8)
    mask[:2] = 255
    assert DOUBTS[doubt(mask)] == DOUBTS[3]
    assert doubt(two_animals()) == 0
