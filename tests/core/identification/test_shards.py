from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.core.identification.conftest import BROKEN, ROWS
from typer.testing import CliRunner

from wildreid.cli import app
from wildreid.errors import UserError
from wildreid.gallery import thumbnails
from wildreid.identification import OpenGallery, create_gallery, open_gallery, shards
from wildreid.identification.joining import join, joined
from wildreid.identification.models import load_model
from wildreid.identification.photos import read_photos
from wildreid.identification.shards import Sharding, sharding
from wildreid.pipeline import evaluate_embeddings


def all_of(work: Sharding) -> list[bool]:
    return [work.embed(shard)[1] for shard in range(work.plan.shards)]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def one(many: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them in one shard, joined."""
    folder = tmp_path_factory.mktemp("one")
    all_of(sharding(tiny, many, folder, shards=1))
    join(folder)
    return folder


def test_the_joined_embeddings_are_the_models_own_in_the_tables_order(
    one: Path, many: Path, tiny: Path
) -> None:
    found = joined(one)
    rows = found.annotations()
    assert (found.rows, found.failures, len(rows)) == (ROWS - BROKEN, BROKEN + 1, ROWS - BROKEN)
    assert rows["image"].tolist() == sorted(rows["image"])
    assert (found.folder / "ids.txt").read_text().splitlines() == rows["id"].tolist()
    failed = pd.read_csv(found.folder / "failures.csv")
    assert sorted(failed["row"]) == [5, 155, 305, 402, 456]  # as a spreadsheet counts: the header is row 1
    assert sorted(failed["image"].dropna()) == [f"{number:04d}.png" for number in range(3, ROWS, 150)]
    # the same, the long way: each readable photo by the model, in one call
    from wildreid.data.store import open_images
    from wildreid.places import cache_folder

    model = load_model(tiny)
    table = read_photos([many])
    store = open_images(table, model.images, cache=cache_folder())
    np.testing.assert_allclose(found.vectors(), model.embed(store, np.flatnonzero(store.usable)), atol=1e-5)


@pytest.mark.parametrize("number", [7, 64])
def test_any_number_of_shards_joins_to_the_same_bytes(
    number: int, one: Path, many: Path, tiny: Path, tmp_path: Path
) -> None:
    work = sharding(tiny, many, tmp_path, shards=number)
    assert all(all_of(work))
    join(tmp_path)
    assert contents(tmp_path / "joined") == contents(one / "joined")
    assert not any(all_of(work))  # nothing is done twice


def test_folding_is_decided_by_the_whole_table(
    many: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batch norms are folded from some number of batches on, which changes the last bits."""
    from wildreid.training import embed

    monkeypatch.setattr(embed, "MANY", 5)
    for number in (1, 7):
        all_of(sharding(tiny, many, tmp_path / str(number), shards=number))
        join(tmp_path / str(number))
    assert contents(tmp_path / "1" / "joined") == contents(tmp_path / "7" / "joined")


KILLED = """
import os, signal, sys
from wildreid.gallery import thumbnails
from wildreid.identification import OpenGallery, create_gallery, open_gallery, shards
real = shards.pq.write_table
def half(rows, file, **options):
    real(rows, file, **options)
    os.truncate(file, os.path.getsize(file) // 2)
    os.kill(os.getpid(), signal.SIGKILL)
shards.pq.write_table = half
shards.sharding(*sys.argv[1:4], shards=3).embed(1)
"""


def test_a_shard_that_was_killed_is_redone_alone(one: Path, many: Path, tiny: Path, tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", KILLED, str(tiny), str(many), str(tmp_path)]
    assert subprocess.run(arguments, check=False, capture_output=True).returncode == -9
    work = sharding(tiny, many, tmp_path, shards=3)
    work.embed(0), work.embed(2)
    with pytest.raises(UserError, match="1 of 3 shards are missing: 1"):
        join(tmp_path)
    assert all_of(work) == [False, True, False]
    join(tmp_path)
    assert contents(tmp_path / "joined") == contents(one / "joined")


def test_two_processes_at_one_shard_do_no_harm(one: Path, many: Path, tiny: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wildreid", "embed", str(tiny), str(many), "--out", str(tmp_path)]
    both = [subprocess.Popen([*command, "--shards", "2", "--shard", "0"]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len([*tmp_path.glob("*.parquet")]) == 1
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    sharding(tiny, many, tmp_path, shards=2).embed(1)
    join(tmp_path)
    assert contents(tmp_path / "joined") == contents(one / "joined")


def test_shards_of_others_are_refused(
    many: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sharding(tiny, many, tmp_path, shards=2).embed(0)
    with pytest.raises(UserError, match="in 3 shards, not 2"):
        sharding(tiny, many, tmp_path, shards=3)
    fewer = many.with_name("fewer.csv")
    pd.read_csv(many).iloc[1:].to_csv(fewer, index=False)
    with pytest.raises(UserError, match="another table"):
        sharding(tiny, fewer, tmp_path, shards=2)
    real = shards.load_model
    for change, words in (
        ({"weights": "0"}, "another model"),
        ({"transform": "0"}, "another way from image"),
    ):

        def other(*given, change=change, **named):
            model = real(*given, **named)
            model.mark = model.mark.model_copy(update=change)
            return model

        monkeypatch.setattr(shards, "load_model", other)
        with pytest.raises(UserError, match=words):
            sharding(tiny, many, tmp_path, shards=2)
        # and one that was written into another folder and copied here
        elsewhere = tmp_path / words.replace(" ", "-")
        path, _ = sharding(tiny, many, elsewhere, shards=2).embed(1)
        copied = tmp_path / path.name
        copied.write_bytes(path.read_bytes())
        with pytest.raises(UserError, match=words):
            join(tmp_path)
        copied.unlink()


def test_a_doubled_a_cut_and_a_damaged_shard_are_refused(many: Path, tiny: Path, tmp_path: Path) -> None:
    work = sharding(tiny, many, tmp_path, shards=2)
    all_of(work)
    path, _ = work.embed(1)
    whole = path.read_bytes()
    (tmp_path / f"copy-{path.name}").write_bytes(whole)
    with pytest.raises(UserError, match="shard 1 is there 2 times"):
        join(tmp_path)
    (tmp_path / f"copy-{path.name}").unlink()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="cut off"):
        join(tmp_path)
    assert work.embed(1)[1]  # what is cut off is not taken for done
    assert path.read_bytes() == whole
    middle = bytearray(whole)
    middle[len(whole) // 3] ^= 1
    path.write_bytes(middle)
    with pytest.raises(UserError, match="damaged"):
        join(tmp_path)
    path.write_bytes(whole)
    assert join(tmp_path).rows == ROWS - BROKEN


def test_a_photo_that_changed_is_seen(tiny: Path, photos: Path, tmp_path: Path) -> None:
    work = sharding(tiny, photos / "table.csv", tmp_path / "shards", shards=1)
    before, _ = work.embed(0)
    name = work.table["image"][0]
    old = (photos / name).read_bytes()
    try:
        Image.fromarray(np.zeros((30, 30, 3), np.uint8)).save(photos / name)
        after, made = work.embed(0)
        assert made
        assert after != before
        with pytest.raises(UserError, match="2 times"):
            join(tmp_path / "shards")
    finally:
        (photos / name).write_bytes(old)


def test_joined_embeddings_can_be_measured(one: Path, many: Path, tmp_path: Path) -> None:
    folder = joined(one).folder
    results = evaluate_embeddings(
        folder / "embeddings.npy", folder / "table.parquet", out=tmp_path / "measured", root=many.parent,
        settings={"reporters": ["terminal"], "metrics": ["accuracy-at-k"], "evaluation.bootstrap": 0},
    )  # fmt: skip
    assert results.folder is not None


def test_the_command(many: Path, tiny: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    asked = ["embed", str(tiny), str(many), "--out", str(tmp_path)]
    for number in range(3):
        assert run(app, [*asked, "--shards", "3", "--shard", str(number)]).exit_code == 0
    again = run(app, asked)  # three, as the folder says
    assert "3 were there already" in again.output
    assert f"joined {ROWS - BROKEN} embeddings" in run(app, ["embed", "--join", str(tmp_path)]).output
    assert run(app, [*asked, "--shard", "1"]).exit_code == 2
    assert run(app, ["embed", "--join", str(tmp_path), "--out", str(tmp_path)]).exit_code == 2
    assert isinstance(run(app, [*asked, "--shards", "3", "--shard", "3"]).exception, UserError)
    assert isinstance(run(app, ["embed", "--join", str(tmp_path / "nothing")]).exception, UserError)


def test_a_gallery_is_made_of_shards_as_of_photos(
    known: OpenGallery, tiny: Path, photos: Path, asked: Path, tmp_path: Path
) -> None:
    table = pd.read_csv(photos / "table.csv")
    table = table[table["part"] != "test"]
    table.iloc[::-1].to_csv(tmp_path / "table.csv", index=False)
    work = sharding(tiny, tmp_path / "table.csv", tmp_path / "shards", shards=2, root=photos)
    for shard in (0, 1):
        work.embed(shard)
    run = CliRunner().invoke
    asks = [
        "gallery",
        "create",
        str(tmp_path / "made"),
        "--model",
        str(tiny),
        "--embeddings",
        str(work.folder),
    ]
    assert isinstance(run(app, asks).exception, UserError)  # not joined yet
    assert not (tmp_path / "made").exists()
    join(work.folder)
    done = run(app, [*asks, "--root", str(photos)], catch_exceptions=False)
    assert done.exit_code == 0
    made = open_gallery(tmp_path / "made")
    one, other = (opened.state.rows.sort_values("key").reset_index(drop=True) for opened in (made, known))
    assert one["visit"].tolist() == other["visit"].tolist()
    assert one["trained"].tolist() == other["trained"].tolist()
    assert thumbnails.missing(made.state) == thumbnails.missing(known.state) == 0
    ours, theirs = (opened.identify(asked, root=photos) for opened in (made, known))
    for mine, its in zip(ours.encounters, theirs.encounters, strict=True):
        assert [one.individual for one in mine.candidates] == [one.individual for one in its.candidates]
        np.testing.assert_allclose(
            [one.score for one in mine.candidates], [one.score for one in its.candidates], atol=1e-5
        )
    assert run(app, [*asks, "--data", str(photos)]).exit_code == 2


def test_discover_takes_joined_embeddings_for_photos(
    known: OpenGallery, tiny: Path, photos: Path, asked: Path, one: Path, tmp_path: Path
) -> None:
    table = pd.read_csv(asked)
    table.loc[len(table)] = table.loc[0].to_dict() | {"image": "gone.png"}
    table.iloc[::-1].to_csv(tmp_path / "asked.csv", index=False)
    work = sharding(tiny, tmp_path / "asked.csv", tmp_path / "shards", shards=1, root=photos)
    all_of(work)
    join(work.folder)
    before = known.discover(tmp_path / "asked.csv", root=photos, cut=0.5)
    after = known.discover(joined(work.folder), cut=0.5)
    assert before.rows["proposed"].any()
    assert before.rows["identity"].isna().any()
    missing = before.rows["image"] == "gone.png"
    same = ["image", "identity", "proposed", "burst", "timestamp", "camera"]
    pd.testing.assert_frame_equal(before.rows[~missing][same], after.rows[~missing][same])
    assert after.rows["image"].tolist() == before.rows["image"].tolist()
    assert "does not exist" in after.rows.loc[missing, "reason"].item()
    assert after.agreement == before.agreement
    # and as a command, whose page shows the photos that `--root` finds
    run = CliRunner().invoke
    asks = ["discover", str(known.gallery.folder), "--embeddings", str(work.folder), "--cut", "0.5"]
    page = tmp_path / "page.html"
    done = run(app, [*asks, "--root", str(photos), "--html", str(page), "--pictures", "inside"])
    assert done.exit_code == 0
    assert f"{len(table)} photos" in done.output
    assert "data:image/" in page.read_text(encoding="utf-8")
    assert run(app, [*asks, str(asked)]).exit_code == 2
    assert run(app, asks[:2]).exit_code == 2
    assert run(app, [*asks, "--dates", "excel"]).exit_code == 2
    other = replace(joined(one), model=joined(one).model.model_copy(update={"weights": "0"}))
    with pytest.raises(UserError, match="another model"):
        known.discover(other, cut=0.5)


def test_a_gallery_refuses_shards_of_another_model_and_what_is_not_whole(
    tiny: Path, one: Path, tmp_path: Path
) -> None:
    found = joined(one)
    made = create_gallery(tmp_path / "made", tiny)
    other = replace(found, model=found.model.model_copy(update={"weights": "0"}))
    with pytest.raises(UserError, match="another model"):
        made.add_embedded(other)
    shutil.copytree(found.folder, tmp_path / "joined")
    added = made.add_embedded(joined(tmp_path / "joined"))  # it may lie anywhere
    assert added.rows + len(added.left) == ROWS + 1
    vectors = (tmp_path / "joined" / "embeddings.npy").read_bytes()
    (tmp_path / "joined" / "embeddings.npy").write_bytes(vectors[:-64])
    with pytest.raises(UserError, match="damaged"):
        joined(tmp_path / "joined")
