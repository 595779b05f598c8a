from __future__ import annotations

import multiprocessing
import pickle
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.core.data.test_images import empty_png

from wildreid.data import slabs, store
from wildreid.data.images import square
from wildreid.data.store import ImageStore, open_images
from wildreid.data.table import Table
from wildreid.errors import UserError
from wildreid.recipe.settings import Images

SMALL = Images(size=32)


def photos(folder: Path, count: int = 12, *, side: int = 50) -> Table:
    random = np.random.default_rng(len(str(folder.name)) + side)
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        pixels = random.integers(0, 255, (side, side + 10, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{n:03d}.png")
    return table_of(folder)


def table_of(folder: Path, **columns: object) -> Table:
    names = sorted(path.name for path in folder.iterdir())
    return Table.of(pd.DataFrame({"image": names, "identity": "a"}).assign(**columns), folder)


def everything(images: ImageStore) -> np.ndarray:
    return images.take(np.flatnonzero(images.usable))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are decoded from here on."""
    seen: list[str] = []

    def watched(path: Path, **how: object) -> np.ndarray:
        seen.append(path.name)
        return square(path, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "square", watched)
    return seen


def test_images_are_decoded_once(tmp_path: Path, decoded: list[str]) -> None:
    table = photos(tmp_path / "photos")
    first = open_images(table, SMALL, cache=tmp_path / "cache")
    assert sorted(decoded) == table["image"].tolist()
    expected = np.stack([square(tmp_path / "photos" / name, size=32) for name in table["image"]])
    assert (everything(first) == expected).all()
    decoded.clear()
    again = open_images(table, SMALL, cache=tmp_path / "cache")
    assert (everything(again) == expected).all()
    assert decoded == []
    assert len(again) == 12
    assert again.size == 32


def test_rows_come_in_the_order_asked_and_may_repeat(tmp_path: Path) -> None:
    images = open_images(photos(tmp_path / "photos"), SMALL, cache=tmp_path / "cache")
    whole = everything(images)
    assert (images.take([7, 0, 7]) == whole[[7, 0, 7]]).all()
    assert images.take([]).shape == (0, 32, 32, 3)
    taken = images.take([3])
    taken[:] = 0
    assert (images.take([3]) == whole[[3]]).all()


def test_a_selection_keeps_its_images(tmp_path: Path) -> None:
    images = open_images(photos(tmp_path / "photos"), SMALL, cache=tmp_path / "cache")
    assert (images.select(np.array([5, 2])).take([0, 1]) == images.take([5, 2])).all()


@pytest.mark.parametrize(
    "change", [{"size": 48}, {"fit": "squash"}, {"margin": 0.3}], ids=lambda change: next(iter(change))
)
def test_another_size_fit_or_margin_is_a_miss(
    tmp_path: Path, decoded: list[str], change: dict[str, object]
) -> None:
    table = photos(tmp_path / "photos", 3)
    boxed = Table.of(table.rows.assign(box_left=10, box_top=10, box_width=20, box_height=10), table.root)
    open_images(boxed, SMALL, cache=tmp_path / "cache")
    decoded.clear()
    other = open_images(boxed, Images(**{"size": 32, **change}), cache=tmp_path / "cache")  # type: ignore[arg-type]
    assert len(decoded) == 3
    how = {"size": 32, "how": "pad", "margin": 0.0, "box": (10, 10, 20, 10)}
    how |= {"how" if key == "fit" else key: value for key, value in change.items()}
    assert (other.take([1])[0] == square(tmp_path / "photos/001.png", **how)).all()  # type: ignore[arg-type]


def test_a_changed_box_or_file_is_a_miss_and_nothing_else(tmp_path: Path, decoded: list[str]) -> None:
    table = photos(tmp_path / "photos", 4)
    open_images(table, SMALL, cache=tmp_path / "cache")
    decoded.clear()
    Image.new("RGB", (50, 60), (9, 9, 9)).save(tmp_path / "photos/001.png")
    box = pd.Series([np.nan, np.nan, 5, np.nan])
    moved = Table.of(table.rows.assign(box_left=box, box_top=box, box_width=box, box_height=box), table.root)
    changed = open_images(moved, SMALL, cache=tmp_path / "cache")
    assert sorted(decoded) == ["001.png", "002.png"]
    assert (changed.take([1])[0, 16, 16] == 9).all()


def test_a_renamed_file_is_a_hit(tmp_path: Path, decoded: list[str]) -> None:
    open_images(photos(tmp_path / "photos", 2), SMALL, cache=tmp_path / "cache")
    (tmp_path / "photos/000.png").rename(tmp_path / "photos/zzz.png")
    decoded.clear()
    open_images(table_of(tmp_path / "photos"), SMALL, cache=tmp_path / "cache")
    assert decoded == []


def test_an_interrupted_build_goes_on_where_it_stopped(
    tmp_path: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = photos(tmp_path / "photos")
    monkeypatch.setattr(store, "_BYTES", 4 * 32 * 32 * 3)  # four images a batch
    whole = store.square

    def dies(path: Path, **how: object) -> np.ndarray:
        if len(decoded) == 6:
            raise KeyboardInterrupt
        return whole(path, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "square", dies)
    with pytest.raises(KeyboardInterrupt):
        open_images(table, SMALL, cache=tmp_path / "cache", threads=1)
    monkeypatch.setattr(store, "square", whole)
    decoded.clear()
    images = open_images(table, SMALL, cache=tmp_path / "cache", threads=1)
    assert len(decoded) == 8  # the first batch of four was kept
    assert images.usable.all()


def test_pixels_that_were_lost_are_decoded_again(tmp_path: Path, decoded: list[str]) -> None:
    table = photos(tmp_path / "photos", 3)
    open_images(table, SMALL, cache=tmp_path / "cache")
    (slab,) = (tmp_path / "cache/images").glob("*.rgb")
    slab.write_bytes(slab.read_bytes()[:100])
    decoded.clear()
    images = open_images(table, SMALL, cache=tmp_path / "cache")
    assert len(decoded) == 3
    assert (images.take([2])[0] == square(tmp_path / "photos/002.png", size=32)).all()


def _build(folder: str, cache: str) -> None:
    images = open_images(table_of(Path(folder)), SMALL, cache=Path(cache))
    assert images.usable.all()


def test_two_processes_may_build_at_once(tmp_path: Path) -> None:
    table = photos(tmp_path / "photos", 40)
    context = multiprocessing.get_context("spawn")
    where = (str(tmp_path / "photos"), str(tmp_path / "cache"))
    builders = [context.Process(target=_build, args=where) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join(120)
        assert builder.exitcode == 0
    with sqlite3.connect(tmp_path / "cache/images/slabs.sqlite") as base:
        (count,) = base.execute("select count(*) from records").fetchone()
        (slots,) = base.execute("select sum(count) from slabs").fetchone()
    base.close()
    assert count == slots == 40
    images = open_images(table, SMALL, cache=tmp_path / "cache")
    expected = np.stack([square(tmp_path / "photos" / name, size=32) for name in table["image"]])
    assert (everything(images) == expected).all()


def test_a_spawned_worker_gets_paths_and_no_pixels(tmp_path: Path) -> None:
    images = open_images(photos(tmp_path / "photos", 40), SMALL, cache=tmp_path / "cache")
    everything(images)  # has its maps open
    packed = pickle.dumps(images)
    assert len(packed) < 40 * 32 * 32 * 3
    assert (everything(pickle.loads(packed)) == everything(images)).all()  # noqa: S301


def test_the_cache_stays_under_its_limit_and_forgets_what_is_oldest(
    tmp_path: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = 3 * 32 * 32
    monkeypatch.setattr(slabs, "_SLAB", 4 * image)
    limited = Images(size=32, cache_gib=8 * image / 2**30)
    first, second = photos(tmp_path / "one", 4), photos(tmp_path / "two", 8, side=60)
    kept = open_images(first, limited, cache=tmp_path / "cache")
    whole = everything(kept)
    after = open_images(second, limited, cache=tmp_path / "cache")
    held = sum(path.stat().st_size for path in (tmp_path / "cache/images").glob("*.rgb"))
    assert held == 8 * image
    decoded.clear()
    everything(after)
    assert decoded == []
    assert (everything(kept) == whole).all()  # what is mapped stays
    assert (pickle.loads(pickle.dumps(kept)).take([0, 1, 2, 3]) == whole).all()  # noqa: S301  what is not is read
    assert len(decoded) == 4


def test_what_has_no_room_is_decoded_each_time(tmp_path: Path, decoded: list[str]) -> None:
    limited = Images(size=32, cache_gib=5 * 3 * 32 * 32 / 2**30)
    images = open_images(photos(tmp_path / "photos", 8), limited, cache=tmp_path / "cache")
    decoded.clear()
    expected = np.stack([square(tmp_path / "photos" / f"{n:03d}.png", size=32) for n in range(8)])
    assert (everything(images) == expected).all()
    assert len(decoded) == 3


def test_without_a_cache_nothing_is_written(tmp_path: Path, decoded: list[str]) -> None:
    table = photos(tmp_path / "photos", 3)
    images = open_images(table, Images(size=32, cache=False), cache=tmp_path / "cache")
    decoded.clear()
    everything(images)
    assert len(decoded) == 3
    assert not list((tmp_path / "cache").rglob("*.rgb"))


def broken_among(folder: Path, good: int) -> Table:
    photos(folder, good, side=300)
    empty_png(folder / "bomb.png", 20_000, 10_000)
    whole = folder / "whole.jpg"
    Image.new("RGB", (500, 500), (200, 100, 50)).save(whole)
    (folder / "cut.jpg").write_bytes(whole.read_bytes()[:900])
    whole.unlink()
    (folder / "text.jpg").write_text("this is a text")
    (folder / "zero.jpg").write_bytes(b"")
    return table_of(folder)


def test_four_broken_files_among_sixty_are_four_failures(tmp_path: Path) -> None:
    images = open_images(broken_among(tmp_path / "photos", 60), SMALL, cache=tmp_path / "cache")
    reasons = {failure.image: failure.reason for failure in images.failures}
    assert set(reasons) == {"bomb.png", "cut.jpg", "text.jpg", "zero.jpg"}
    assert "pixels" in reasons["bomb.png"]
    assert "truncated" in reasons["cut.jpg"]
    assert "not an image" in reasons["text.jpg"]
    assert "not an image" in reasons["zero.jpg"]
    assert images.usable.sum() == 60
    assert {failure.row for failure in images.failures} == set(np.flatnonzero(~images.usable).tolist())
    with pytest.raises(ValueError, match="have no image"):
        images.take([images.failures[0].row])  # type: ignore[list-item]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    broken_among(tmp_path / "photos", 6)
    code = f"""
from pathlib import Path
import pandas as pd
from wildreid.data.store import open_images
from wildreid.data.table import Table
from wildreid.recipe.settings import Images
folder = Path({str(tmp_path / "photos")!r})
names = sorted(path.name for path in folder.iterdir())
table = Table.of(pd.DataFrame({{"image": names, "identity": "a"}}), folder)
images = open_images(table, Images(size=32), cache=Path({str(tmp_path / "cache")!r}))
assert len(images.failures) == 4
peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]  # rusage has the parent's too
print(peak[0].split()[1])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1.5 * 2**20  # KiB


def test_missing_files_are_failures_each_with_its_row(tmp_path: Path) -> None:
    table = photos(tmp_path / "photos", 3)
    (tmp_path / "photos/001.png").unlink()
    images = open_images(table, SMALL, cache=tmp_path / "cache")
    assert [(one.image, one.row, one.reason) for one in images.failures] == [
        ("001.png", 1, "the file does not exist")
    ]


def test_two_rows_of_one_broken_file_are_two_failures(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no image")
    (tmp_path / "b.jpg").write_text("no image")
    rows = pd.DataFrame({"image": ["a.jpg", "b.jpg"], "identity": "a"})
    images = open_images(Table.of(rows, tmp_path), SMALL, cache=tmp_path / "cache")
    assert [one.row for one in images.failures] == [0, 1]


def test_a_cache_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file stands here")
    with pytest.raises(UserError, match="cannot be written") as caught:
        open_images(photos(tmp_path / "photos", 1), SMALL, cache=tmp_path / "cache")
    assert "WILDREID_CACHE" in str(caught.value)
