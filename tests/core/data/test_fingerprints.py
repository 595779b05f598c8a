from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance

from wildreid.data import fingerprints
from wildreid.data.fingerprints import fingerprint
from wildreid.data.table import Table
from wildreid.errors import UserError


@pytest.fixture
def table(tmp_path: Path) -> Table:
    random = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for n in range(3):
        coarse = Image.fromarray(random.integers(0, 255, (6, 8, 3), dtype=np.uint8))
        coarse.resize((160, 120), Image.Resampling.BICUBIC).save(tmp_path / f"photos/{n}.png")
    rows = pd.DataFrame({"image": ["0.png", "1.png", "2.png", "2.png", "gone.png"], "identity": "a"})
    for name, value in (("box_left", 0), ("box_top", 0), ("box_width", 60), ("box_height", 60)):
        rows[name] = [np.nan, np.nan, np.nan, value, np.nan]
    return Table.of(rows, tmp_path / "photos")


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many files are read and images decoded from here on."""
    done = {"read": 0, "decoded": 0}
    digest, look = fingerprints._digest, fingerprints._phash

    def watched_digest(path: str) -> str | None:
        done["read"] += 1
        return digest(path)

    def watched_look(path: Path, box: object) -> str | None:
        done["decoded"] += 1
        return look(path, box)  # type: ignore[arg-type]

    monkeypatch.setattr(fingerprints, "_digest", watched_digest)
    monkeypatch.setattr(fingerprints, "_phash", watched_look)
    return done


def test_they_are_the_hash_of_the_bytes_and_of_the_look(table: Table, tmp_path: Path) -> None:
    rows = fingerprint(table, cache=tmp_path / "cache").rows
    body = (table.root / "1.png").read_bytes()
    assert rows["content"][1] == hashlib.blake2b(body, digest_size=16).hexdigest()
    look = imagehash.phash(Image.open(table.root / "1.png").convert("RGB"))
    assert (int(rows["phash"][1], 16) ^ int(str(look), 16)).bit_count() <= 2
    assert rows["content"][2] == rows["content"][3]
    assert rows["phash"][2] != rows["phash"][3]  # the same file, another box
    assert rows.loc[4, ["content", "phash"]].isna().all()


def test_nothing_is_computed_twice(table: Table, tmp_path: Path, work: dict[str, int]) -> None:
    first = fingerprint(table, cache=tmp_path / "cache")
    assert work == {"read": 3, "decoded": 4}
    again = fingerprint(table, cache=tmp_path / "cache")
    assert work == {"read": 3, "decoded": 4}
    assert again.rows.equals(first.rows)


def test_a_changed_file_is_read_again_and_alone(table: Table, tmp_path: Path, work: dict[str, int]) -> None:
    before = fingerprint(table, cache=tmp_path / "cache").rows
    work.update(read=0, decoded=0)
    Image.new("RGB", (160, 120), (0, 90, 0)).save(table.root / "0.png")
    after = fingerprint(table, cache=tmp_path / "cache").rows
    assert work == {"read": 1, "decoded": 1}
    assert (before["content"] != after["content"]).fillna(False).tolist() == [
        True,
        False,
        False,
        False,
        False,
    ]


def test_a_file_that_was_only_touched_is_not_decoded_again(
    table: Table, tmp_path: Path, work: dict[str, int]
) -> None:
    fingerprint(table, cache=tmp_path / "cache")
    work.update(read=0, decoded=0)
    os.utime(table.root / "0.png", ns=(1, 1))
    fingerprint(table, cache=tmp_path / "cache")
    assert work == {"read": 1, "decoded": 0}


def test_a_little_light_and_compression_change_few_bits(table: Table, tmp_path: Path) -> None:
    with Image.open(table.root / "0.png") as picture:
        ImageEnhance.Brightness(picture.convert("RGB")).enhance(1.1).save(table.root / "like.jpg", quality=80)
    rows = pd.DataFrame({"image": ["0.png", "1.png", "like.jpg"], "identity": "a"})
    looks = [int(text, 16) for text in fingerprint(Table.of(rows, table.root), cache=tmp_path / "c")["phash"]]
    assert (looks[0] ^ looks[2]).bit_count() <= 4 < (looks[0] ^ looks[1]).bit_count()


def test_without_looks_nothing_is_decoded(table: Table, tmp_path: Path, work: dict[str, int]) -> None:
    rows = fingerprint(table, cache=tmp_path / "cache", perceptual=False).rows
    assert "phash" not in rows
    assert work == {"read": 3, "decoded": 0}


def test_what_is_not_readable_has_a_hash_and_no_look(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no image")
    made = Table.of(pd.DataFrame({"image": ["a.jpg"], "identity": "a"}), tmp_path)
    rows = fingerprint(made, cache=tmp_path / "cache").rows
    assert rows["content"].notna().all()
    assert rows["phash"].isna().all()


def _fill(root: str, cache: str) -> None:
    names = sorted(path.name for path in Path(root).iterdir())
    rows = fingerprint(
        Table.of(pd.DataFrame({"image": names, "identity": "a"}), Path(root)), cache=Path(cache)
    ).rows
    assert rows["phash"].notna().all()


def test_four_threads_of_readers_wait_for_each_other(table: Table, tmp_path: Path) -> None:
    for n in range(40):
        Image.new("RGB", (20, 20), (n, n, n)).save(table.root / f"more{n}.png")
    with ThreadPoolExecutor(4) as pool:  # each has a connection of its own, as processes have
        for done in [pool.submit(_fill, str(table.root), str(tmp_path / "cache")) for _ in range(8)]:
            done.result()


def test_a_cache_that_cannot_be_written_says_so(table: Table, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file stands here")
    with pytest.raises(UserError, match="the cache cannot be written"):
        fingerprint(table, cache=tmp_path / "cache")
