"""Damaged galleries: `verify` says what is wrong, and opening one is refused with what to do."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.core.gallery.made import MARK, annotations, made, unit

from wildreid.errors import UserError
from wildreid.gallery import journal
from wildreid.gallery.check import verify
from wildreid.gallery.manifest import FILE
from wildreid.gallery.store import Gallery


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    plain = json.loads((folder / FILE).read_text())
    change(plain)
    (folder / FILE).write_text(json.dumps(plain))


def say(folder: Path, kind: str, what: dict[str, Any]) -> None:
    """Put one more change at the journal's end, and let the manifest know of it: a forged history."""
    state = Gallery(folder).state
    end = journal.write(folder, state.manifest.journal, kind, what)
    rewrite(folder, lambda plain: plain.update(journal=end.model_dump()))


def header(shape: str, order: bool, folder: Path) -> None:
    """Give the embeddings' file another header over the same numbers."""
    (path,) = (folder / "segments").glob("*.npy")
    numbers = np.load(path)
    told = f"{{'descr': '<f4', 'fortran_order': {order}, 'shape': {shape}}}".ljust(117) + "\n"
    path.write_bytes(
        b"\x93NUMPY\x01\x00" + len(told).to_bytes(2, "little") + told.encode() + numbers.tobytes()
    )


def segment(folder: Path, ending: str) -> Path:
    (path,) = (folder / "segments").glob(f"*{ending}")
    return path


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no journal": lambda folder: (folder / journal.FILE).unlink(),
    "no embeddings": lambda folder: segment(folder, ".npy").unlink(),
    "no annotations": lambda folder: segment(folder, ".parquet").unlink(),
    "junk annotations": lambda folder: segment(folder, ".parquet").write_bytes(b"PAR1junkPAR1"),
    "a manifest in UTF-16": lambda folder: (folder / FILE).write_text((folder / FILE).read_text(), "utf-16"),
    "a manifest that is a list": lambda folder: (folder / FILE).write_text("[]"),
    "negative shape": lambda folder: header("(-60, 16)", False, folder),
    "huge shape": lambda folder: header("(60, 10000000000000)", False, folder),
    "columns first": lambda folder: header("(60, 16)", True, folder),
    "an unknown individual renamed": lambda folder: say(
        folder, "rename", {"individual": "nobody", "to": "a"}
    ),
    "an unknown individual merged": lambda folder: say(
        folder, "merge", {"individual": "x", "into": "bear 1"}
    ),
    "a change without words": lambda folder: say(folder, "rename", {}),
    "too many undos": lambda folder: [say(folder, "undo", {"undone": 1}) for _ in range(3)],
    "a byte count of 1e12": lambda folder: rewrite(folder, lambda p: p["journal"].update(bytes=10**12)),
    "a byte count of 1e30": lambda folder: rewrite(folder, lambda p: p["journal"].update(bytes=10**30)),
    "a journal of bytes": lambda folder: (folder / journal.FILE).write_bytes(os.urandom(4096)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_said_and_never_a_traceback(damage: str, tmp_path: Path) -> None:
    made(tmp_path)
    assert not verify(tmp_path).damage

    def damage_and_open() -> None:  # a forged change is refused as soon as it is there
        DAMAGES[damage](tmp_path)
        Gallery(tmp_path)

    with pytest.raises(UserError) as caught:
        damage_and_open()
    assert str(tmp_path) in str(caught.value)
    assert verify(tmp_path).damage


def test_an_embedding_that_was_changed_is_told_by_its_hash(tmp_path: Path) -> None:
    made(tmp_path)
    path = segment(tmp_path, ".npy")
    before = hashlib.sha256(path.read_bytes()).digest()
    numbers = np.load(path)
    numbers[0] = -numbers[0]
    out = io.BytesIO()
    np.save(out, numbers)
    path.write_bytes(out.getvalue())
    assert hashlib.sha256(path.read_bytes()).digest() != before
    assert "altered" in verify(tmp_path).damage[0]


def test_a_gallery_that_may_only_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery = made(tmp_path / "g")

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "g/.lock"))

    monkeypatch.setattr("wildreid.gallery.lock.FileLock.acquire", forbidden)
    with pytest.raises(UserError, match="Permission denied") as caught:
        gallery.rename("bear 1", "Bella")
    assert "right" in caught.value.cure
    assert "bear 1" in gallery.state.individuals


def test_an_addition_that_found_no_space_changes_nothing_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = made(tmp_path)
    before = gallery.state.digest()

    def full(file: Any, header: Any) -> None:
        file.write(b"\x93NUMPY")
        raise OSError("8192 requested and 4096 written")  # as numpy says it, without a number

    with monkeypatch.context() as patch:
        patch.setattr(np.lib.format, "write_array_header_1_0", full)
        with pytest.raises(UserError, match="cannot be written: 8192 requested") as caught:
            gallery.add(annotations(5, 2), unit(5, 2), model=MARK)
    assert "make space" in caught.value.cure
    assert Gallery(tmp_path).state.digest() == before
    assert not verify(tmp_path).damage
    assert gallery.add(annotations(5, 2), unit(5, 2), model=MARK).rows == 5
    assert not verify(tmp_path).damage
    assert not list(tmp_path.rglob("*.part"))
