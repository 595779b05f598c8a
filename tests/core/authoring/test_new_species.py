from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from wildreid.authoring import new_species
from wildreid.cli import app
from wildreid.errors import UserError
from wildreid.recipe import load_recipe
from wildreid.testing import check_plugin, check_recipe, draw_photos


def recipe_of(folder: Path) -> dict[str, object]:
    return load_recipe(folder / "recipe.yaml").recipe.model_dump(mode="json")  # type: ignore[no-any-return]


def test_with_nothing_given_photos_are_drawn(tmp_path: Path) -> None:
    folder = new_species("snow-leopard", tmp_path).folder
    table = check_recipe(folder / "recipe.yaml", profiles=["smoke"])
    assert table.dated
    assert recipe_of(folder)["evaluation"]["protocols"] == ["cross-encounter", "image-loo"]  # type: ignore[index]
    readme = (folder / "README.md").read_text()
    assert "drawn by a program" in readme
    assert "optimistic" not in readme


def test_a_table_with_names_of_its_own(tmp_path: Path) -> None:
    table = draw_photos(tmp_path / "photos", individuals=6)
    rows = pd.read_csv(table)
    rows["Date"] = pd.to_datetime(rows.pop("timestamp")).dt.strftime("%d.%m.%Y %H:%M:%S")
    rows = rows.rename(columns={"image": "File Path", "identity": "Animal_ID", "camera": "Station"})
    rows["weight"] = 3
    rows.to_csv(table.with_name("data.csv"), index=False, sep=";")
    table.unlink()
    folder = new_species("zebras", tmp_path, source=tmp_path / "photos").folder
    dataset = recipe_of(folder)["dataset"]
    expected = {
        "name": "table",
        "root": str(tmp_path / "photos"),
        "file": "data.csv",
        "columns": {"image": "File Path", "identity": "Animal_ID", "camera": "Station", "timestamp": "Date"},
        "dates": "%d.%m.%Y %H:%M:%S",
        "like": None,
        "unknown": None,
    }
    assert {name: dataset[name] for name in expected} == expected  # type: ignore[index]
    assert check_recipe(folder / "recipe.yaml", profiles=["smoke"])["timestamp"].notna().all()
    assert not (folder / "photos.py").exists()


def test_a_folder_without_dates(tmp_path: Path) -> None:
    draw_photos(tmp_path / "photos", individuals=8, dated=False).unlink()
    pack = new_species("zebras", tmp_path, source=tmp_path / "photos")
    recipe = recipe_of(pack.folder)
    assert recipe["dataset"]["name"] == "folder"  # type: ignore[index]
    assert recipe["splitter"]["name"] == "disjoint-set"  # type: ignore[index]
    assert recipe["evaluation"]["protocols"] == ["image-loo"]  # type: ignore[index]
    assert recipe["training"]["protocol"] == "image-loo"  # type: ignore[index]
    assert any("optimistic" in note for note in pack.notes)
    assert "**optimistic**" in (pack.folder / "README.md").read_text()
    check_recipe(pack.folder / "recipe.yaml", profiles=["smoke"])


def test_dates_and_cameras_in_file_names_get_a_reader_of_their_own(tmp_path: Path) -> None:
    table = draw_photos(tmp_path / "photos", individuals=8)
    rows = pd.read_csv(table)
    table.unlink()
    folder = new_species("zebras", tmp_path, source=tmp_path / "photos").folder
    check_plugin(folder, fields={"photos": {"root": tmp_path / "photos"}})
    found = check_recipe(folder / "recipe.yaml", profiles=["smoke"]).rows.set_index("image")
    expected = rows.set_index("image").loc[found.index]
    assert found["camera"].tolist() == expected["camera"].tolist()
    assert found["timestamp"].tolist() == pd.to_datetime(expected["timestamp"]).tolist()


def test_dates_in_exif(tmp_path: Path) -> None:
    rows = pd.read_csv(draw_photos(tmp_path / "photos", individuals=6, dated=False))
    for number, image in enumerate(rows["image"]):
        path = tmp_path / "photos" / image
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = f"2024:05:{1 + number // 2 % 28:02} 08:00:{number % 60:02}"
        with Image.open(path) as picture:
            picture.save(path, exif=exif)
    (tmp_path / "photos" / "photos.csv").unlink()
    pack = new_species("zebras", tmp_path, source=tmp_path / "photos")
    assert "100% have a date in their EXIF" in pack.notes
    assert recipe_of(pack.folder)["evaluation"]["protocols"][0] == "cross-encounter"  # type: ignore[index]


def test_parts_that_came_with_the_data(tmp_path: Path) -> None:
    table = draw_photos(tmp_path / "photos", individuals=9)
    rows = pd.read_csv(table)
    parts = rows["identity"].str[-1].astype(int) % 3
    rows.assign(split=parts.map({0: "train", 1: "valid", 2: "test"})).to_csv(table, index=False)
    folder = new_species("zebras", tmp_path, source=table).folder
    assert recipe_of(folder)["splitter"]["name"] == "given"  # type: ignore[index]
    check_recipe(folder / "recipe.yaml", profiles=["smoke"])


def test_real_cows(tmp_path: Path, real_data: Path) -> None:
    pack = new_species("cattle", tmp_path, source=real_data / "opencows2020" / "train")
    assert "913 photos in 46 folders, each taken as one individual" in pack.notes
    check_recipe(pack.folder / "recipe.yaml", profiles=["smoke"])
    whole = recipe_of(new_species("cows", tmp_path, source=real_data / "opencows2020").folder)
    assert whole["dataset"]["columns"] == {"image": "path", "part": "split"}  # type: ignore[index]


def flat(folder: Path) -> None:
    Image.new("RGB", (8, 8)).save(folder / "a.jpg")


def no_identity(folder: Path) -> None:
    flat(folder)
    (folder / "table.csv").write_text("image,weight\na.jpg,3\n")


def elsewhere(folder: Path) -> None:
    (folder / "table.csv").write_text("image,identity\na.jpg,Bella\nb.jpg,Bella\nc.jpg,Cora\n")


@pytest.mark.parametrize(
    ("make", "source", "words"),
    [
        (lambda folder: None, "nowhere", "there is no file or folder"),
        (flat, "", "it is not known who is in which photo"),
        (no_identity, "table.csv", "no column looks like the identity; there are: image, weight"),
        (elsewhere, "table.csv", "are not near the table"),
        (flat, "a.jpg", "no table, and no file that a data set recognises"),
    ],
)
def test_mistakes_leave_nothing_behind(make, source: str, words: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    photos = tmp_path / "photos"
    photos.mkdir()
    make(photos)
    with pytest.raises(UserError) as caught:
        new_species("zebras", tmp_path, source=photos / source)
    assert words in str(caught.value)
    assert not (tmp_path / "zebras").exists()


def test_one_individual_is_too_few(tmp_path: Path) -> None:
    draw_photos(tmp_path / "photos", individuals=1, dated=False).unlink()
    with pytest.raises(UserError, match="at least two"):
        new_species("zebras", tmp_path, source=tmp_path / "photos")
    assert not (tmp_path / "zebras").exists()


def test_the_command(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["new", "species", "zebras", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "columns taken: image, identity, camera, timestamp" in done.output
