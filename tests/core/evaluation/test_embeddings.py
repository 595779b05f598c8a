"""Embeddings from elsewhere: every form of file, their ids, their length, and all that must be refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from wildreid.errors import UserError
from wildreid.evaluation.embedding_files import read_embeddings
from wildreid.evaluation.embeddings import Given, check_unit_length, in_order, unit_length

VECTORS = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
IDS = tuple(f"{n}.jpg" for n in range(6))


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"image": IDS, "identity": list("aabbcc"), **columns})


def npz(path: Path) -> Path:
    np.savez(path / "e.npz", features=VECTORS.astype(np.float64), ids=np.array(IDS))
    return path / "e.npz"


def lists(path: Path) -> Path:
    pd.DataFrame({"path": IDS, "embedding": list(VECTORS)}).to_parquet(path / "e.parquet")
    return path / "e.parquet"


def columns(path: Path) -> Path:
    wide = pd.DataFrame(VECTORS, columns=[str(n) for n in range(4)])
    wide.assign(image=IDS).to_parquet(path / "e.parquet")
    return path / "e.parquet"


def beside(path: Path) -> Path:
    np.save(path / "e.npy", VECTORS)
    (path / "ids.txt").write_text("\n".join(IDS) + "\n")
    return path / "e.npy"


def shards(path: Path) -> Path:
    for n, start in enumerate((0, 2, 4)):
        np.savez(path / f"{n}.npz", e=VECTORS[start : start + 2], image=np.array(IDS[start : start + 2]))
    return path


def plain_shards(path: Path) -> Path:
    np.save(path / "00.npy", VECTORS[:4].astype(np.float16))
    np.save(path / "01.npy", VECTORS[4:])
    (path / "ids.txt").write_text("\n".join(IDS))
    return path


@pytest.mark.parametrize("write", [npz, lists, columns, beside, shards, plain_shards])
def test_every_form_brings_vectors_and_ids(write: Any, tmp_path: Path) -> None:
    given = read_embeddings(write(tmp_path))
    assert given.ids == IDS
    assert given.vectors.dtype == np.float32
    np.testing.assert_allclose(given.vectors, VECTORS, atol=2e-3)


def test_a_plain_file_and_an_array_have_no_ids_unless_given(tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", VECTORS)
    for source in (tmp_path / "e.npy", VECTORS, VECTORS.tolist()):
        assert read_embeddings(source).ids is None
        assert read_embeddings(source, ids=IDS).ids == IDS
    (tmp_path / "names.txt").write_text("\n".join(IDS))
    assert read_embeddings(VECTORS, ids=tmp_path / "names.txt").ids == IDS


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: np.save(path, VECTORS[0]), r"this is float32 \(4,\)"),
        (lambda path: np.save(path, np.array([["a"]])), r"this is <U1 \(1, 1\)"),
        (lambda path: np.save(path, np.array([{}]), allow_pickle=True), "not readable as embeddings"),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00torn"), "not readable as embeddings"),
        (lambda path: None, "no such file"),
    ],
)
def test_files_that_hold_no_embeddings(write: Any, message: str, tmp_path: Path) -> None:
    write(tmp_path / "e.npy")
    with pytest.raises(UserError, match=message):
        read_embeddings(tmp_path / "e.npy")


def test_files_of_two_arrays_shards_of_two_widths_and_ids_that_do_not_fit(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", a=VECTORS, b=VECTORS)
    with pytest.raises(UserError, match="it holds 2 arrays"):
        read_embeddings(tmp_path / "two.npz")
    (tmp_path / "e.csv").touch()
    with pytest.raises(UserError, match=r"not read from '\.csv'"):
        read_embeddings(tmp_path / "e.csv")
    folder = tmp_path / "shards"
    folder.mkdir()
    with pytest.raises(UserError, match="no embeddings here"):
        read_embeddings(folder)
    np.save(folder / "0.npy", VECTORS)
    np.save(folder / "1.npy", VECTORS[:, :2])
    with pytest.raises(UserError, match="2 and 4 wide"):
        read_embeddings(folder)
    with pytest.raises(UserError, match="5 ids for 6 embeddings"):
        read_embeddings(VECTORS, ids=IDS[:5])
    with pytest.raises(UserError, match=r"the id '0\.jpg' is there twice"):
        read_embeddings(VECTORS, ids=[IDS[0], *IDS[:5]])


def test_vectors_are_scaled_and_counted_and_what_has_no_direction_is_refused() -> None:
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    same, rescaled = unit_length(unit)
    assert same is unit
    assert rescaled == 0
    scaled, rescaled = unit_length(VECTORS * 7)
    assert rescaled == 6
    np.testing.assert_allclose(scaled, unit, atol=1e-6)
    check_unit_length(scaled)
    with pytest.raises(UserError, match=r"not of unit length: one has length"):
        check_unit_length(VECTORS * 7)
    for value, problem in (
        (np.nan, "row 3 is not finite"),
        (np.inf, "row 3 is not finite"),
        (0, "row 3 is all zeros"),
    ):
        bad = VECTORS.copy()
        bad[2] = value
        with pytest.raises(UserError, match=f"1 of 6 embeddings.*{problem}"):
            unit_length(bad)
    assert unit_length(VECTORS[:0])[1] == 0


@pytest.mark.parametrize("column", ["image", "given_id", "key", "number"])
def test_rows_are_found_by_whatever_column_holds_the_ids(column: str) -> None:
    mixed = np.random.default_rng(1).permutation(6)
    ids = tuple(str(n + 100) for n in range(6)) if column == "number" else IDS
    given = Given(VECTORS[mixed], tuple(ids[n] for n in mixed), "x")
    rows = frame(**{column: [100, 101, 102, 103, 104, 105] if column == "number" else IDS})
    if column != "image":
        rows["image"] = [f"other/{n}" for n in range(6)]
    for asked in (None, column):
        vectors, by = in_order(given, rows, column=asked)
        assert by == f"the column '{column}'"
        assert np.array_equal(vectors, VECTORS)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (
            (*IDS[:5], "9.jpg"),
            r"by the column 'image'.*1 rows have no embedding, such as '5\.jpg'; 1 embeddings have",
        ),
        ((*IDS[:5], "a/5.jpg"), "of another table"),
        (tuple(f"x{n}" for n in range(6)), "6 rows have no embedding"),
    ],
)
def test_ids_of_another_table(ids: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        in_order(Given(VECTORS, ids, "x"), frame())


def test_one_row_too_many_and_an_unknown_column() -> None:
    with pytest.raises(UserError, match="there are 5 embeddings for 6 rows"):
        in_order(Given(VECTORS[:5], None, "x"), frame())
    with pytest.raises(UserError, match=r"1 embeddings have no row, such as '7\.jpg'"):
        in_order(Given(np.vstack([VECTORS, VECTORS[:1]]), (*IDS, "7.jpg"), "x"), frame())
    with pytest.raises(UserError, match="no column 'nome'; it has image, identity"):
        in_order(Given(VECTORS, IDS, "x"), frame(), column="nome")
    two = frame()
    two.loc[5, "image"] = "4.jpg"
    with pytest.raises(UserError, match=r"1 rows share an embedding, such as '4\.jpg'"):
        in_order(Given(VECTORS, IDS, "x"), two)


def test_order_counts_rows_that_could_not_be_used() -> None:
    vectors, by = in_order(Given(VECTORS, None, "x"), frame().drop(index=2), places=[0, 1, 3, 4, 5])
    assert by == "their order"
    assert np.array_equal(vectors, VECTORS[[0, 1, 3, 4, 5]])
