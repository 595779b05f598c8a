from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.core.data.filmed import film
from typer.testing import CliRunner

from wildreid.cli import app
from wildreid.data.crops import write_crops
from wildreid.data.groups import annotate
from wildreid.data.images import read
from wildreid.data.read import read_table
from wildreid.data.table import Failure, Table
from wildreid.errors import UserError
from wildreid.recipe.settings import Encounters
from wildreid.testing import TINY_RECIPE, draw_photos
from wildreid_plugins.datasets import Folder


def photo(path: Path, *, turn: int = 1) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    pixels = np.random.default_rng(len(path.name)).integers(0, 255, (100, 200, 3)).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, exif=exif, quality=95)


def boxed(root: Path, *rows: tuple[str, str, tuple[float, ...] | None]) -> Table:
    frame = pd.DataFrame([{"image": image, "identity": who} for image, who, _ in rows])
    for number, name in enumerate(("box_left", "box_top", "box_width", "box_height")):
        frame[name] = [None if box is None else box[number] for *_, box in rows]
    return Table.of(frame, root)


def test_a_crop_is_the_box_with_its_context_cut_off_where_the_photo_ends(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    table = boxed(tmp_path, ("a.jpg", "Bella", (10, 20, 100, 50)))
    rows = write_crops(table, tmp_path / "out", margin=0.1).rows
    assert rows.loc[0, ["photo_left", "photo_top", "photo_width", "photo_height"]].tolist() == [
        0,
        10,
        120,
        70,
    ]
    with Image.open(tmp_path / "out" / rows["image"][0]) as crop:
        assert crop.size == (120, 70)
        assert not crop.getexif()
        pixels = np.asarray(crop).astype(int)
    wanted = read(tmp_path / "a.jpg", box=(10, 20, 100, 50), margin=0.1).astype(int)
    assert np.abs(pixels - wanted).mean() < 8  # a second JPEG of noise


def test_a_turned_photo_gives_the_crop_that_one_sees(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", turn=6)  # upright 100 × 200
    rows = write_crops(boxed(tmp_path, ("a.jpg", "Bella", (0, 100, 100, 100))), tmp_path / "out").rows
    assert read(tmp_path / "out" / rows["image"][0]).shape == (100, 100, 3)


def test_names_are_the_photos_and_what_is_left_out_is_listed(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    photo(tmp_path / "x/bb.jpg")
    table = boxed(
        tmp_path, ("a.jpg", "A", (0, 0, 50, 50)), ("a.jpg", "B", (50, 0, 50, 50)),
        ("x/bb.jpg", "C", (0, 0, 90, 90)), ("gone.jpg", "D", None), ("x/bb.jpg", "E", (300, 0, 10, 10)),
    ).with_failures([Failure("odd.txt", "not an image by its name")])  # fmt: skip
    written = write_crops(table, tmp_path / "out")
    assert written.rows["image"].str.fullmatch(r"[0-9a-f]{8}_[01]\.jpg").all()
    assert written.rows["image"].str[:8].nunique() == 2
    assert written.rows["identity"].tolist() == ["A", "B", "C"]
    listed = pd.read_csv(tmp_path / "out/failures.csv")
    assert listed["image"].tolist() == ["odd.txt", "gone.jpg", "x/bb.jpg"]
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 3
    with pytest.raises(UserError, match="is not empty"):
        write_crops(table, tmp_path / "out")


def test_what_is_read_back_has_the_same_animals_and_encounters(tmp_path: Path) -> None:
    for name in ("Bella/a.jpg", "Bella/b.jpg", "Cara/c.jpg"):
        photo(tmp_path / "in" / name)
    film(tmp_path / "in/Cara/20240501_101500.mp4")
    table = Folder(root=tmp_path / "in", videos="sample", most=2).table()
    rows = write_crops(table, tmp_path / "out").rows
    back = read_table(tmp_path / "out/crops.csv", tmp_path / "out")
    assert not [note for note in back.notes if "taken" in note]
    assert sorted(back["identity"]) == sorted(table["identity"])
    assert (
        back.rows.set_index("image")["timestamp"].to_dict() == rows.set_index("image")["timestamp"].to_dict()
    )

    def met(one: Table) -> list[int]:
        return sorted(annotate(one, Encounters(near_duplicates=False)).rows.groupby("encounter").size())

    assert met(back) == met(table)


def test_the_command_says_how_to_read_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    draw_photos(tmp_path / "photos", individuals=3)
    (tmp_path / "recipe.yaml").write_text(TINY_RECIPE.read_text())
    done = CliRunner().invoke(
        app, ["crops", "recipe.yaml", "--out", "crops", "--margin", "0.05"], env={"COLUMNS": "200"}
    )
    assert done.exit_code == 0, done.output
    assert "root: crops, file: crops.csv" in done.output
    assert len(pd.read_csv("crops/crops.csv")) == len(list(Path("crops").glob("*.jpg"))) > 0
